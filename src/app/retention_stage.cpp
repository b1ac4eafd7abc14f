#include "app/retention_stage.h"

#include "app/data_folder.h"
#include "base/operator_log.h"

#include <algorithm>

namespace questlog::app {

query::Claim claim_of_kafka(std::vector<Offset> forwarded) {
    return {"of Kafka", std::move(forwarded), "does not have all its events",
            "questlog status tells how many are to be forwarded"};
}

RetentionStage::RetentionStage(const Context& context, const log::LogWriter& log, Metrics& metrics,
                               std::function<std::vector<Offset>()> forwarded)
    : context_(context), topics_(context.env, context.log_directory()), topic_(log.topic()),
      limits_(log::limits_of(topic_, context.config.retention)), forwarded_(std::move(forwarded)),
      removed_events_(metrics.counter("questlog_retention_removed_events_total",
                                      "Events that expired: removed from the log by size or age.")),
      removed_bytes_(metrics.counter("questlog_retention_removed_bytes_total", "Bytes of segments that expired.")),
      kept_bytes_(metrics.gauge("questlog_retention_kept_bytes",
                                "Bytes beyond the retention limits, kept since a table has not landed them.")) {
    if (!limits_.unlimited())
        rounds_.emplace(context.config.retention_check, RepeatedAction::First::at_once, [this] { return run(); });
}

/// False: there is no further round.
bool RetentionStage::run() {
    if (const Status done = round(); !done.ok())
        tell_once(fmt::format("nothing of topic {} expires: {}", topic_.name, done.error().message));
    return !broken_;
}

Status RetentionStage::round() {
    if (!reader_) {
        TRY(reader, log::open_reader(context_.env, topics_, topic_));
        reader_ = std::move(reader);
    }
    TRY(plans, query::plan_trims(context_.env, topics_, *reader_, limits_, {}));
    const bool any = std::any_of(plans.begin(), plans.end(), [](const auto& plan) { return !plan.expire.empty(); });
    std::vector<query::Claim> claims;
    if (any) { // only now is it worth a look at the tables
        TRY(found, this->claims());
        claims = std::move(found);
        TRY(with_claims, query::plan_trims(context_.env, topics_, *reader_, limits_, claims));
        plans = std::move(with_claims);
    }
    std::string kept;
    std::int64_t kept_bytes = 0;
    for (const log::TrimPlan& plan : plans) {
        CHECK_OK(trim(plan));
        for (const query::Claim& claim : claims)
            if (const auto lost = query::unlanded_events(plan, claim); lost > 0)
                log_warn("retention.force: {} events of partition {} have expired before table {} landed them", lost,
                         plan.partition, claim.table);
        kept_bytes += log::bytes_of(plan.kept);
        if (kept.empty()) kept = query::kept_text(plan, claims);
    }
    kept_bytes_.set(static_cast<double>(kept_bytes));
    tell_once(kept);
    return {};
}

/// Who still needs the log, and from where on.
Result<std::vector<query::Claim>> RetentionStage::claims() {
    if (forwarded_) return std::vector{claim_of_kafka(forwarded_())};
    TRY(folder, DataFolder::open(context_));
    return query::claims_on(folder->world(), *reader_);
}

Status RetentionStage::trim(const log::TrimPlan& plan) {
    if (plan.expire.empty()) return {};
    if (const Status done = log::trim(context_.env.files, topics_, topic_, plan); !done.ok()) {
        if (done.error().kind == ErrorKind::retry_later) return done;
        broken_ = true; // what a failed sync covered may come back
        return done.error().within("until the next start");
    }
    removed_events_.add(log::events_of(plan.expire));
    removed_bytes_.add(log::bytes_of(plan.expire));
    log_info("topic {} [{}]: {} segment{} expired, offsets {}..{}; it begins at offset {} now", topic_.name,
             plan.partition, plan.expire.size(), plan.expire.size() == 1 ? "" : "s", plan.start,
             plan.new_start().plus(-1), plan.new_start());
    return {};
}

/// Which segments are kept changes from round to round, and is no news; which table keeps them, and why, is.
void RetentionStage::tell_once(const std::string& text) {
    const auto subject = text.substr(0, text.find(','));
    if (!text.empty() && subject != told_) {
        if (broken_)
            log_error("{}", text);
        else
            log_warn("{}", text);
    }
    told_ = subject;
}

} // namespace questlog::app
