#include "app/added_partitions.h"
#include "app/commands.h"
#include "app/data_folder.h"
#include "app/landing_stage.h"
#include "base/plural.h"
#include "batch/lander.h"
#include "event/json_string.h"

#include <fmt/format.h>

/// `questlog land`: the continuous tables, by a process of its own.
namespace questlog::app {
namespace {

constexpr std::chrono::milliseconds landing_look_interval{250};

std::string cut_text(const std::string& topic, const batch::LandedCut& landed) {
    const std::string place =
        fmt::format("{} [{}] offsets {}..{}: ", topic, landed.partition, landed.cut.from, landed.cut.to.plus(-1));
    if (landed.cut.reason == lake::CutReason::expired) return place + "they had expired before they were landed\n";
    std::int64_t rows = 0;
    for (const auto& [table, count] : landed.tables) rows += count;
    std::string text = place + fmt::format("{} in {}", plural(rows, "event"),
                                           plural(static_cast<std::int64_t>(landed.tables.size()), "table"));
    if (landed.dead_letters > 0) text += fmt::format(", {}", plural(landed.dead_letters, "dead letter"));
    if (landed.repeats > 0) text += fmt::format(", {}", plural(landed.repeats, "duplicate"));
    return text + "\n";
}

std::string cut_json(const std::string& topic, const batch::LandedCut& landed) {
    std::string tables;
    for (const auto& [table, rows] : landed.tables)
        tables += fmt::format("{}{}: {}", tables.empty() ? "" : ", ", event::json_string(table), rows);
    return fmt::format(
        "{{\"topic\": {}, \"partition\": {}, \"from\": {}, \"to\": {}, \"date\": {}, \"tables\": {{{}}}, "
        "\"dead_letters\": {}, \"duplicates\": {}}}\n",
        event::json_string(topic), landed.partition, landed.cut.from, landed.cut.to,
        event::json_string(landed.cut.date), tables, landed.dead_letters, landed.repeats);
}

/// One `questlog land`. Lands from a reader of the topic as it is when the reader is opened.
class Land {
public:
    Land(const Context& context, const LandArguments& arguments, DataFolder& folder)
        : context_(context), arguments_(arguments), folder_(folder), added_(context) {}

    /// Lands all there is, whoever else does.
    Status once() {
        CHECK_OK(open());
        stop_on_signals();
        CHECK_OK(await_forwarding(context_, *reader_));
        const Status done = lander_->land_all();
        if (!done.ok() && !(stop_requested() && done.error().kind == ErrorKind::retry_later)) return done;
        CHECK_OK(printed_);
        if (events_ == 0 && !arguments_.json) CHECK_OK(context_.print("nothing new to land\n"));
        if (stopped_ > 0) return internal("{} could not be landed: see above", plural(stopped_, "table"));
        return {};
    }

    Status until_stopped() {
        TRY(joined, join_landers(context_.config, topic_name()));
        group_ = std::move(joined);
        CHECK_OK(open());
        stop_on_signals();
        std::string waiting_for;
        while (!stop_requested() && printed_.ok()) {
            const Status done = round();
            if (!done.ok() && done.error().kind != ErrorKind::retry_later) return done;
            const std::string why = done.ok() || stop_requested() ? std::string() : done.error().message;
            if (!why.empty() && why != waiting_for) context_.notice("questlog: landing waits: " + why);
            waiting_for = why;
            context_.env.clock.sleep(landing_look_interval);
        }
        return printed_;
    }

private:
    [[nodiscard]] std::string topic_name() const { return arguments_.topic.value_or(context_.config.topic); }

    Status open() {
        lander_.reset(); // it uses the reader
        const std::function<void(const std::string&)> told = [this](const std::string& what) {
            context_.notice("questlog: recovery: " + what);
        };
        TRY(topic, folder_.topics().find(topic_name()));
        TRY(reader, folder_.topics().open(topic, told));
        reader_ = std::move(reader);
        batch::LandingOptions options = landing_options(context_.config);
        options.stop = [this] { return stop_requested() || !printed_.ok(); };
        if (group_ != nullptr) options.has = [this](Partition partition) { return group_->has(partition); };
        const auto database = [this]() -> Result<duck::Database*> { return &folder_.database(); };
        lander_ = std::make_unique<batch::Lander>(
            batch::LandingWorld{context_.env, *reader_, folder_.continuous(), database}, std::move(options), events());
        return {};
    }

    Status round() {
        TRY(added, added_.look(folder_.topics(), reader_->topic()));
        if (added) {
            context_.notice(fmt::format("questlog: topic {} has more partitions than before", reader_->topic().name));
            CHECK_OK(open());
        }
        return lander_->land_due();
    }

    batch::LandingEvents events() {
        batch::LandingEvents told;
        told.on_cut = [this](const batch::LandedCut& cut) {
            const std::string& topic = reader_->topic().name;
            if (group_ != nullptr) group_->tell(cut.partition, cut.cut.to);
            events_ += cut.records;
            printed_ = context_.print(arguments_.json ? cut_json(topic, cut) : cut_text(topic, cut));
            if (printed_.ok()) printed_ = context_.flush();
        };
        told.on_stopped = [this](const std::string& table, const Error& why) {
            ++stopped_;
            context_.notice(fmt::format("questlog: nothing more is landed in table {}: {}", table, why.message));
        };
        told.on_resumed = [this](const std::string& table) {
            context_.notice(fmt::format("questlog: table {} has all its events again", table));
        };
        return told;
    }

    const Context& context_;
    const LandArguments& arguments_;
    DataFolder& folder_;
    AddedPartitions added_;
    std::unique_ptr<log::LogReader> reader_;
    std::unique_ptr<kafka::GroupMember> group_; ///< Null: all partitions fall to this process.
    std::unique_ptr<batch::Lander> lander_;
    std::int64_t events_ = 0;
    std::int64_t stopped_ = 0;
    Status printed_;
};

} // namespace

Status run(const Context& context, const LandArguments& arguments) {
    TRY(folder, DataFolder::open(context, stop_requested));
    Land land(context, arguments, *folder);
    return arguments.once ? land.once() : land.until_stopped();
}

} // namespace questlog::app
