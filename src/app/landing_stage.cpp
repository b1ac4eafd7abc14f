#include "app/landing_stage.h"

#include "app/data_folder.h"
#include "base/operator_log.h"
#include "kafka/topic_log.h"

#include <algorithm>
#include <malloc.h>
#include <utility>

namespace questlog::app {
namespace {

constexpr std::chrono::milliseconds look_longest{1'000};
constexpr std::chrono::milliseconds look_shortest{25};
constexpr std::chrono::milliseconds patience{3'000}; ///< A stop waits for the cluster's answer.

} // namespace

batch::LandingOptions landing_options(const Config& config) {
    batch::LandingOptions options;
    options.limits = config.cut_limits;
    options.repeats = config.repeats;
    options.rules = std::make_shared<event::FieldRules>(config.events);
    options.idle = config.cut_limits.time;
    options.writer = fmt::format("questlog {}, DuckDB {}", QUESTLOG_VERSION, duck::library_version());
    return options;
}

Result<std::unique_ptr<kafka::GroupMember>> join_landers(const Config& config, const std::string& topic) {
    if (!config.kafka.enabled() || config.landing_group.empty()) return std::unique_ptr<kafka::GroupMember>();
    return kafka::GroupMember::join(config.kafka.client, config.landing_group, topic);
}

LandingStage::LandingStage(const Context& context, const log::LogWriter& log, Metrics& metrics)
    : context_(context), served_(log.topic()), store_(context.env, context.lake_root()),
      landed_events_(metrics.counter("questlog_landed_events_total", "Events landed in continuous tables.")),
      dead_letters_(metrics.counter("questlog_landed_dead_letters_total", "Events landed as dead letters.")),
      repeats_(metrics.counter("questlog_landed_duplicates_total",
                               "Events that were not landed: one with the same message id was before.")),
      cuts_(metrics.counter("questlog_landed_cuts_total", "Stretches of the log that were landed as one.")),
      stopped_tables_(metrics.gauge("questlog_landing_stopped_tables",
                                    "Tables in which nothing more is landed: questlog status says why.")),
      pending_(metrics.gauge("questlog_landing_pending_events", "Events of the log that are not landed yet.")),
      added_(context) {}

void LandingStage::begin() {
    const auto interval = std::clamp(context_.config.cut_limits.time / 4, look_shortest, look_longest);
    rounds_.emplace(interval, RepeatedAction::First::at_once, [this] {
        round();
        return true;
    });
}

void LandingStage::stop() {
    stopping_ = true;
    rounds_.reset();
}

void LandingStage::round() {
    if (const Status done = land(); !done.ok()) {
        if (stopping_) return; // which has ended what was being read
        if (const std::string& why = done.error().message; told_.is_new(why)) log_warn("landing waits: {}", why);
        return;
    }
    told_.forget();
}

Status LandingStage::land() {
    if (lander_) {
        TRY(added, added_.look(*topics_, reader_->topic()));
        if (added) close();
    }
    if (!lander_) CHECK_OK(open());
    if (!lander_) return {};
    bool is_asked = asked_.exchange(false);
    if (served_reader_ != nullptr) {
        const auto now = context_.env.clock.monotonic();
        if (is_asked) {
            TRY(ends, log::ends_of(*served_reader_));
            wanted_ = std::move(ends);
            wanted_until_ = now + context_.config.limits.landed_wait;
        } else if (now > wanted_until_) {
            wanted_.clear();
        }
        is_asked = !wanted_.empty();
    }
    const Status done = is_asked ? lander_->land_all() : lander_->land_due();
    CHECK_OK(served_reader_ == nullptr ? tell_landed() : tell_arrived());
    pending_.set(static_cast<double>(lander_->pending()));
    if (database_) { // until the next cut is due, it is not needed
        database_.reset();
        ::malloc_trim(0);
    }
    return done;
}

Status LandingStage::tell_landed() {
    std::vector<Offset> ends = lander_->landed();
    if (ends == ends_) return {};
    ends_ = ends;
    if (on_landed) on_landed(std::move(ends));
    return {};
}

/// Of a topic in Kafka: while somebody waits, in the offsets of the log that clients have receipts of. What was asked
/// for may still be on its way there.
Status LandingStage::tell_arrived() {
    if (wanted_.empty() || !on_landed) return {};
    TRY(arrived, kafka::arrived_below(*reader_, lander_->landed(), served_));
    bool is_all = true;
    for (std::size_t i = 0; i < wanted_.size(); ++i) is_all = is_all && arrived[i] >= wanted_[i];
    if (is_all) wanted_.clear();
    on_landed(std::move(arrived));
    return {};
}

void LandingStage::close() {
    log_info("topic {} has more partitions than before", served_.name);
    lander_.reset();
    stopped_tables_.set(stopped_ = 0); // they are told again
    reader_.reset();
    topics_.reset();
}

/// No lander then: there is nothing to be landed yet.
Status LandingStage::open() {
    TRY(topics, open_topics(context_, {.patience = patience, .stop = [this] { return stopping_.load(); }}));
    TRY(exists, topics->exists(served_.name));
    if (!exists) return {}; // who forwards to it makes it
    TRY(topic, topics->find(served_.name));
    TRY(reader, topics->open(topic, {}));
    topics_ = std::move(topics);
    reader_ = std::move(reader);
    if (context_.config.kafka.enabled()) {
        log::Topics own(context_.env, context_.log_directory());
        TRY(served, own.open(served_, {}));
        served_reader_ = std::move(served);
    }
    if (group_ == nullptr) {
        TRY(group, join_landers(context_.config, topic.name));
        group_ = std::move(group);
    }
    batch::LandingOptions options = landing_options(context_.config);
    if (group_ != nullptr) options.has = [this](Partition partition) { return group_->has(partition); };
    options.stop = [this] { return stopping_.load(); };
    batch::LandingEvents events;
    events.on_cut = [this](const batch::LandedCut& cut) { landed(cut); };
    events.on_stopped = [this](const std::string& table, const Error& why) {
        stopped_tables_.set(++stopped_);
        log_error("nothing more is landed in table {} until the next start: {}", table, why.message);
    };
    events.on_resumed = [](const std::string& table) { log_info("table {} has all its events again", table); };
    lander_ = std::make_unique<batch::Lander>(
        batch::LandingWorld{context_.env, *reader_, store_, [this] { return database(); }}, std::move(options),
        std::move(events));
    return {};
}

Result<duck::Database*> LandingStage::database() {
    if (!database_) {
        TRY(database, open_database(context_, QueryMemory::bounded));
        database_ = std::move(database);
    }
    return database_.get();
}

void LandingStage::landed(const batch::LandedCut& cut) {
    if (group_ != nullptr) group_->tell(cut.partition, cut.cut.to);
    if (cut.cut.reason == lake::CutReason::expired)
        log_error("offsets {} to {} of topic {} [{}] had expired before they were landed", cut.cut.from,
                  cut.cut.to.plus(-1), reader_->topic().name, cut.partition);
    cuts_.add(1);
    dead_letters_.add(cut.dead_letters);
    repeats_.add(cut.repeats);
    for (const auto& [table, rows] : cut.tables) landed_events_.add(rows);
}

} // namespace questlog::app
