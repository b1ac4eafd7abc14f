#include "app/data_folder.h"

#include "base/plural.h"
#include "kafka/topic_log.h"

#include <algorithm>
#include <set>

namespace questlog::app {
namespace {

constexpr const char* bounded_memory = "1GB";

/// Below this much work a line would only flicker.
constexpr std::int64_t progress_events_min = 200'000;

std::string grouped(std::int64_t number) {
    std::string digits = fmt::format("{}", number);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, ",");
    }
    return digits;
}

/// The reference game's tables, where the configuration declares jobs of its own: no one may ever land these.
std::set<std::string> spare_tables(const Config& config) {
    std::set<std::string> spare;
    if (std::all_of(config.jobs.begin(), config.jobs.end(), [](const batch::Job& job) { return job.builtin; }))
        return spare;
    for (const auto& job : config.jobs)
        for (const auto& output : job.outputs)
            if (job.builtin && output.written()) spare.insert(output.table.name);
    return spare;
}

/// A server forwards within milliseconds; what takes longer waits for a cluster that does not answer.
constexpr std::chrono::milliseconds forwarding_wait{10'000};
constexpr std::chrono::milliseconds forwarding_look{20};

} // namespace

Result<std::shared_ptr<duck::Database>> open_database(const Context& context, QueryMemory memory) {
    duck::DatabaseOptions options;
    options.memory_limit = memory == QueryMemory::bounded ? bounded_memory : "";
    options.temp_directory = context.data + "/spill";
    return duck::Database::open(options);
}

Result<std::unique_ptr<log::TopicSource>> open_topics(const Context& context, const ClusterReading& reading) {
    auto own = std::make_unique<log::Topics>(context.env, context.log_directory());
    if (!context.config.kafka.enabled()) return std::unique_ptr<log::TopicSource>(std::move(own));
    kafka::ReaderOptions options;
    options.client = context.config.kafka.client;
    if (reading.patience) options.client.patience = *reading.patience;
    options.directory = context.kafka_directory();
    options.as_they_lie = reading.as_they_lie;
    options.with_headers = reading.with_headers;
    options.stop = reading.stop;
    options.topics.push_back(context.config.topic);
    for (const auto& job : context.config.jobs)
        if (std::find(options.topics.begin(), options.topics.end(), job.topic) == options.topics.end())
            options.topics.push_back(job.topic);
    if (reading.reads_unforwarded) options.embedded = std::move(own);
    return kafka::open_topics(context.env, std::move(options));
}

Status await_forwarding(const Context& context, log::LogReader& reader) {
    if (!context.config.kafka.enabled()) return {};
    log::Topics own(context.env, context.log_directory());
    const std::string& name = reader.topic().name;
    TRY(exists, own.exists(name));
    if (!exists) return {}; // no collector's node
    TRY(topic, own.find(name));
    TRY(taken, own.open(topic, {}));
    TRY(wanted, log::ends_of(*taken));
    const auto deadline = context.env.clock.monotonic() + forwarding_wait;
    while (!stop_requested()) {
        TRY(ends, log::ends_of(reader));
        TRY(arrived, kafka::arrived_below(reader, ends, topic));
        std::int64_t missing = 0;
        for (std::size_t i = 0; i < wanted.size(); ++i)
            missing += std::max<std::int64_t>(0, wanted[i].minus(arrived[i]));
        if (missing == 0) return {};
        if (context.env.clock.monotonic() >= deadline) {
            context.notice(fmt::format("questlog: {} of this node {} not in Kafka yet and left out: `questlog status` "
                                       "tells how many are to be forwarded, and the server's log why",
                                       plural(missing, "event"), missing == 1 ? "is" : "are"));
            return {};
        }
        context.env.clock.sleep(forwarding_look);
    }
    return {};
}

Result<std::unique_ptr<DataFolder>> DataFolder::open(const Context& context, std::function<bool()> stop,
                                                     QueryMemory memory) {
    std::unique_ptr<DataFolder> folder(new DataFolder);
    TRY(topics, open_topics(context, {.stop = std::move(stop)}));
    folder->topics_ = std::move(topics);
    folder->visible_topics_ = std::make_unique<log::Topics>(context.env, context.log_directory());
    if (context.config.kafka.enabled()) {
        TRY(visible, kafka::with_embedded(*folder->topics_, std::move(folder->visible_topics_)));
        folder->visible_topics_ = std::move(visible);
    }
    TRY(database, open_database(context, memory));
    folder->database_ = std::move(database);
    folder->lake_ = std::make_unique<lake::SnapshotStore>(context.env, context.lake_root(), folder->database_);
    folder->continuous_ = std::make_unique<lake::ContinuousStore>(context.env, context.lake_root());
    folder->world_ = std::make_unique<query::World>(query::World{
        .env = context.env,
        .topics = *folder->visible_topics_,
        .store = *folder->lake_,
        .continuous = *folder->continuous_,
        .database = folder->database_,
        .tables = declared_tables(context.config),
        .topic = context.config.topic,
        .notice = [context](const std::string& text) { context.notice("questlog: " + text); },
        .jobs = {},
        .progress = {},
        .retention = context.config.retention,
        .spare_tables = spare_tables(context.config),
        .repeats = context.config.repeats,
        .rules = std::make_shared<event::FieldRules>(context.config.events),
        .embedded = dynamic_cast<const log::Topics*>(folder->visible_topics_.get()),
        .cluster = context.config.kafka.enabled() ? "Kafka " + context.config.kafka.client.bootstrap : std::string(),
        .lands = context.config.landing,
    });
    for (const auto& job : context.config.jobs)
        for (const auto& output : job.outputs)
            if (output.written()) folder->world_->jobs.emplace(output.table.name, job.name);
    if (context.progress) {
        folder->world_->progress = [line = std::make_shared<ProgressLine>(context)](std::int64_t done,
                                                                                    std::int64_t total) {
            line->draw("reading the log", done, total);
            if (done >= total) line->wipe();
        };
    }
    return folder;
}

void ProgressLine::draw(std::string_view label, std::int64_t done, std::int64_t total, std::string_view unit) {
    if (!context_.progress || total < progress_events_min) return;
    const std::int64_t percent = done * 100 / total;
    if (percent == percent_ && label == label_) return;
    percent_ = percent;
    label_ = label;
    drawn_ = true;
    fmt::print(context_.err, "\r\x1b[K{}: {} of {} {} ({} %)", label, grouped(done), grouped(total), unit, percent);
    std::fflush(context_.err);
}

void ProgressLine::wipe() {
    if (!drawn_) return;
    drawn_ = false;
    fmt::print(context_.err, "\r\x1b[K");
    std::fflush(context_.err);
}

} // namespace questlog::app
