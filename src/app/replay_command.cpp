#include "app/commands.h"
#include "app/data_folder.h"
#include "base/limits.h"
#include "base/plural.h"
#include "control/client.h"
#include "event/field_rules.h"
#include "event/json_node.h"
#include "event/json_validator.h"
#include "event/message_hash.h"
#include "event/padded_json.h"
#include "http/client.h"
#include "lake/replay_records.h"
#include "query/continuous.h"
#include "query/session.h"
#include "scan/repeats.h"
#include "scan/table_names.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <map>
#include <set>

/// `questlog dead-letters replay`: dead letters that are events by now, or were repaired, go through again, each once.
namespace questlog::app {
namespace {

constexpr std::size_t letters_at_once = 256;
constexpr std::chrono::seconds answer_limit{60};
constexpr std::size_t shown_max = 5; ///< Of those that are left.

struct Letter {
    Partition partition;
    Offset offset;
    std::string value;
};

/// A client's name for a dead letter that is sent again: the same each time, and no other event's.
std::string name_of(const std::string& log_id, const Letter& letter) {
    return fmt::format("dead-letter/{}/{}/{}", log_id, letter.partition, letter.offset);
}

using TableNames = std::set<std::string, std::less<>>;

/// The tables there are, those among them that will be once all that is in the log is landed.
Result<TableNames> tables_of(const query::World& world, log::LogReader& log) {
    query::ContinuousTables tables(world, log);
    CHECK_OK(tables.begin());
    scan::LogRange range;
    for (Partition partition{0}; partition.value < log.topic().partitions; ++partition.value) {
        TRY(start, log.partition(partition).start_offset());
        TRY(end, log.partition(partition).end_offset());
        range.push_back({partition, start, end});
    }
    CHECK_OK(tables.read_log(range));
    return TableNames(tables.names().begin(), tables.names().end());
}

/// What keeps a value from being an event that tables take.
class Judge {
public:
    explicit Judge(const Config& config)
        : validator_(config.limits.event), checker_(std::make_shared<event::FieldRules>(config.events)),
          limits_(config.limits.event) {}

    void know(TableNames tables) { tables_ = std::move(tables); }
    /// Empty: nothing; then its table counts as one that there is.
    std::string why_not(const std::string& value) {
        const event::PaddedJson padded(value);
        event::EventNames names;
        const event::EventFault fault = validator_.check_event(padded.view(), names);
        if (fault != event::EventFault::none) return event::reason_of(fault, limits_);
        const std::string type(names.type);
        if (std::string why(checker_.why_not(type, padded.view())); !why.empty()) return why;
        std::string table = scan::table_name_of(type);
        if (!tables_.contains(table) && tables_.size() >= limits::continuous_tables_max)
            return fmt::format("too many event types: there are {} tables, and none is {}", tables_.size(), table);
        tables_.insert(std::move(table));
        return {};
    }

private:
    event::JsonValidator validator_;
    event::FieldChecker checker_;
    event::EventLimits limits_;
    TableNames tables_;
};

Result<std::vector<Letter>> dead_letters(const query::World& world, const std::string& topic,
                                         const std::optional<std::string>& reason) {
    query::Session session(world, {});
    std::string where = fmt::format("topic = {}", duck::quote_literal(topic));
    if (reason) where += fmt::format(" AND reason = {}", duck::quote_literal(*reason));
    // Bytes that are no text are no event either.
    TRY(rows, session.query(fmt::format("SELECT \"partition\", \"offset\", coalesce(TRY(decode(value)), '') FROM "
                                        "dead_letters WHERE {} ORDER BY \"partition\", \"offset\"",
                                        where)));
    std::vector<Letter> letters;
    while (true) {
        TRY(count, rows->next());
        if (count == 0) return letters;
        for (std::size_t row = 0; row < count; ++row)
            letters.push_back({Partition{static_cast<std::int32_t>(rows->bigint(0, row))}, Offset{rows->bigint(1, row)},
                               std::string(rows->varchar(2, row))});
    }
}

Result<std::string> read_all(const std::string& path) {
    const bool is_standard = path == "-";
    std::FILE* file = is_standard ? stdin : std::fopen(path.c_str(), "re");
    if (file == nullptr) return reject("{} cannot be read: name a file, or - for standard input", path);
    std::string text;
    char bytes[64 * 1024];
    while (const std::size_t got = std::fread(bytes, 1, sizeof bytes, file)) text.append(bytes, got);
    const bool failed = std::ferror(file) != 0;
    if (!is_standard) std::fclose(file);
    if (failed) return internal("{} cannot be read to its end", path);
    return text;
}

/// Objects of a file, and where each is: an array of them, or one a line.
Result<std::vector<std::pair<std::string, event::JsonNode>>> objects_in(const std::string& path) {
    TRY(text, read_all(path));
    std::vector<std::pair<std::string, event::JsonNode>> objects;
    if (auto whole = event::parse_json(text); whole && whole->kind == event::JsonNode::Kind::array) {
        for (event::JsonNode& element : whole->elements)
            objects.emplace_back(fmt::format("{}: letter {}", path, objects.size() + 1), std::move(element));
        return objects;
    }
    std::size_t line_number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = std::string_view(text).substr(at, end - at);
        const std::string place = fmt::format("{}:{}", path, ++line_number);
        at = end + 1;
        if (line.find_first_not_of(" \r\t") == std::string_view::npos) continue;
        auto node = event::parse_json(line);
        if (!node) return reject("{}: the line is no JSON", place);
        objects.emplace_back(place, std::move(*node));
    }
    return objects;
}

/// Those of the file, each with partition, offset and the repaired value, which is a text or the event itself.
Result<std::map<std::pair<Partition, Offset>, std::string>> repaired(const std::string& path) {
    using Kind = event::JsonNode::Kind;
    TRY(objects, objects_in(path));
    std::map<std::pair<Partition, Offset>, std::string> values;
    for (const auto& [place, node] : objects) {
        const event::JsonNode* partition = node.find("partition");
        const event::JsonNode* offset = node.find("offset");
        const event::JsonNode* value = node.find("value");
        if (partition == nullptr || offset == nullptr || value == nullptr)
            return reject("{}: each dead letter has a partition, an offset and a value, as `questlog dead-letters "
                          "--format json` prints them",
                          place);
        for (const event::JsonNode* number : {partition, offset})
            if (number->kind != Kind::integer || number->integer < 0 ||
                (number == partition && number->integer > INT32_MAX))
                return reject("{}: the {} is {}, which is none: write the number, as `questlog dead-letters --format "
                              "json` prints it",
                              place, number == partition ? "partition" : "offset", event::json_text(*number));
        const std::pair letter{Partition{static_cast<std::int32_t>(partition->integer)}, Offset{offset->integer}};
        values[letter] = value->kind == Kind::string ? value->string : event::json_text(*value);
    }
    return values;
}

class Replay {
public:
    Replay(const Context& context, log::LogReader& log)
        : log_(log), records_(context.env, context.lake_root(), log.topic().id), judge_(context.config) {}

    Status begin() {
        TRY(lock, records_.lock(std::chrono::seconds(10)));
        lock_ = std::move(lock);
        TRY(replays, records_.read());
        replays_ = std::move(replays);
        return replays_.under_way.empty() ? Status() : look_for_interrupted();
    }

    /// Sorts out what is to be sent.
    void choose(std::vector<Letter> letters, TableNames tables) {
        judge_.know(std::move(tables));
        for (Letter& letter : letters) {
            if (lake::has(replays_.done, letter.partition, letter.offset)) {
                ++before_;
                continue;
            }
            std::string why = judge_.why_not(letter.value);
            if (why.empty())
                chosen_.push_back(std::move(letter));
            else
                left_.emplace_back(std::move(letter), std::move(why));
        }
    }
    [[nodiscard]] std::size_t chosen() const { return chosen_.size(); }

    Status send(const std::string& url) {
        TRY(client, http::Client::connect(url, answer_limit));
        for (std::size_t at = 0; at < chosen_.size(); at += letters_at_once)
            CHECK_OK(send(client, at, std::min(at + letters_at_once, chosen_.size())));
        return {};
    }

    [[nodiscard]] std::string report(bool dry_run) const {
        std::string text =
            fmt::format("{} {}sent again", plural(static_cast<std::int64_t>(chosen_.size()), "dead letter"),
                        dry_run ? "would be " : "");
        if (before_ > 0) text += fmt::format(", {} before", before_);
        if (!left_.empty()) text += fmt::format(", {} left", left_.size());
        text += '\n';
        for (std::size_t i = 0; i < std::min(left_.size(), shown_max); ++i)
            text += fmt::format("  {} [{}] offset {}: {}\n", log_.topic().name, left_[i].first.partition,
                                left_[i].first.offset, left_[i].second);
        if (left_.size() > shown_max) text += fmt::format("  ... and {} more\n", left_.size() - shown_max);
        return text;
    }
    [[nodiscard]] bool has_left() const { return !left_.empty(); }

private:
    /// A process that sent them has ended before it could say what came of it: the log tells.
    Status look_for_interrupted() {
        std::map<event::MessageHash, Letter> sought;
        for (const auto& [partition, spans] : replays_.under_way)
            for (const auto& [from, to] : spans)
                for (Offset offset = from; offset < to; offset = offset.plus(1))
                    sought.emplace(event::hash_of(name_of(log_.topic().id, {partition, offset, {}})),
                                   Letter{partition, offset, {}});
        for (Partition partition{0}; partition.value < log_.topic().partitions; ++partition.value) {
            log::PartitionReader& of_log = log_.partition(partition);
            TRY(start, of_log.start_offset());
            TRY(end, of_log.end_offset());
            const auto number = static_cast<std::size_t>(partition.value);
            const Offset since = number < replays_.since.size() ? replays_.since[number] : start;
            CHECK_OK(scan::visit_ids(of_log, std::max(start, since), end, [&](const event::IdSighting& id) {
                if (const auto found = sought.find(id.id); found != sought.end())
                    lake::add(replays_.done, found->second.partition, found->second.offset);
            }));
        }
        replays_.under_way.clear();
        return records_.write(replays_);
    }

    /// That they are being sent is on disk before they are, and that they were after it.
    Status send(http::Client& client, std::size_t from, std::size_t to) {
        std::vector<http::Post> posts;
        replays_.since.clear();
        for (Partition partition{0}; partition.value < log_.topic().partitions; ++partition.value) {
            TRY(end, log_.partition(partition).end_offset());
            replays_.since.push_back(end);
        }
        for (std::size_t i = from; i < to; ++i) {
            lake::add(replays_.under_way, chosen_[i].partition, chosen_[i].offset);
            posts.push_back(
                {"/events?replay=1", {{"Idempotency-Key", name_of(log_.topic().id, chosen_[i])}}, chosen_[i].value});
        }
        CHECK_OK(records_.write(replays_));
        TRY(answers, client.exchange(posts));
        const http::ClientAnswer* refusal = nullptr;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (answers[i].status == 200)
                lake::add(replays_.done, chosen_[from + i].partition, chosen_[from + i].offset);
            else if (refusal == nullptr)
                refusal = &answers[i];
        }
        if (refusal == nullptr) replays_.under_way.clear(); // else the log will tell
        CHECK_OK(records_.write(replays_));
        if (refusal == nullptr) return {};
        return retry_later("the server has answered {}: {}What was sent is known, and the rest is sent when you run "
                           "this again",
                           refusal->status, refusal->body);
    }

    log::LogReader& log_;
    lake::ReplayRecords records_;
    std::unique_ptr<io::Lock> lock_;
    lake::Replays replays_;
    Judge judge_;
    std::vector<Letter> chosen_;
    std::vector<std::pair<Letter, std::string>> left_;
    std::int64_t before_ = 0;
};

Result<std::vector<Letter>> letters_of(const query::World& world, const std::string& topic,
                                       const ReplayArguments& arguments) {
    TRY(all, dead_letters(world, topic, arguments.reason));
    if (!arguments.file) return all;
    TRY(values, repaired(*arguments.file));
    std::vector<Letter> letters;
    for (Letter& letter : all) {
        const auto value = values.find({letter.partition, letter.offset});
        if (value == values.end()) continue;
        letter.value = std::move(value->second);
        values.erase(value);
        letters.push_back(std::move(letter));
    }
    if (!values.empty()) {
        const auto& [partition, offset] = values.begin()->first;
        return reject("{}: offset {} of partition {} is no dead letter of topic {}{}", *arguments.file, offset,
                      partition, topic, arguments.reason ? " with that reason" : "");
    }
    return letters;
}

} // namespace

Status run(const Context& context, const ReplayArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    TRY(topic, folder->topics().find(context.config.topic));
    TRY(log,
        folder->topics().open(topic, [&](const std::string& what) { context.notice("questlog: recovery: " + what); }));
    Replay replay(context, *log);
    CHECK_OK(replay.begin());
    TRY(letters, letters_of(folder->world(), topic.name, arguments));
    TRY(tables, tables_of(folder->world(), *log));
    replay.choose(std::move(letters), std::move(tables));
    if (!arguments.dry_run && replay.chosen() > 0) {
        TRY(server, control::ping(context.env, context.data));
        if (!server)
            return retry_later("{} can be sent again, by the server: start `questlog serve`, and run this beside it",
                               plural(static_cast<std::int64_t>(replay.chosen()), "dead letter"));
        CHECK_OK(replay.send(server->url));
    }
    CHECK_OK(context.print(replay.report(arguments.dry_run)));
    if (replay.has_left())
        return reject("some are no events that a table takes: repair their values (questlog dead-letters replay "
                      "--help), or declare them otherwise");
    return {};
}

} // namespace questlog::app
