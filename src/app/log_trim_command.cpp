#include "app/commands.h"
#include "app/data_folder.h"
#include "app/retention_stage.h"
#include "base/plural.h"
#include "io/lock_error.h"
#include "kafka/checkpoint.h"
#include "query/retention.h"

#include <fmt/format.h>

/// `questlog log trim`: lets old segments expire by hand, where no server does it.
namespace questlog::app {
namespace {

std::string limit_text(const std::optional<std::int64_t>& limit) {
    return limit ? fmt::format("{}", *limit) : "-1";
}

std::string limits_text(const log::Topic& topic, const log::RetentionLimits& limits) {
    return fmt::format("topic {}: retention.bytes = {}, retention.ms = {}, retention.force = {}\n", topic.name,
                       limit_text(limits.bytes), limit_text(limits.ms), limits.force);
}

std::string account(const log::TrimPlan& plan, const std::vector<query::Claim>& claims, bool dry_run) {
    std::string text;
    for (const log::OldSegment& segment : plan.expire)
        text += fmt::format("partition {}: segment {:020d}.log {}, offsets {}..{}, {}, {} bytes\n", plan.partition,
                            segment.base.value, dry_run ? "would expire" : "expired", segment.base,
                            segment.end.plus(-1), plural(segment.end.minus(segment.base), "event"), segment.bytes);
    for (const query::Claim& claim : claims)
        if (const auto lost = query::unlanded_events(plan, claim); lost > 0)
            text += fmt::format("partition {}: {} of them {} not landed in table {}, and {} lost to it\n",
                                plan.partition, plural(lost, "event"), lost == 1 ? "is" : "are", claim.table,
                                dry_run     ? "would be"
                                : lost == 1 ? "is"
                                            : "are");
    text += fmt::format("partition {}: {}, {}, {} bytes {}; it {} at offset {}\n", plan.partition,
                        plural(static_cast<std::int64_t>(plan.expire.size()), "segment"),
                        plural(log::events_of(plan.expire), "event"), log::bytes_of(plan.expire),
                        dry_run ? "would expire" : "expired", dry_run ? "would begin" : "begins", plan.new_start());
    if (const auto kept = query::kept_text(plan, claims); !kept.empty())
        text += fmt::format("partition {}: {}\n", plan.partition, kept);
    return text;
}

/// The writer's lock; in a word what to do where a server has it.
Result<std::unique_ptr<io::Lock>> take_lock(const Context& context, const log::Topics& topics,
                                            const log::Topic& topic) {
    auto lock = log::lock_for_trimming(context.env, topics, topic);
    const bool held = !lock.ok() && io::is_held_by_another(lock.error());
    if (!held) return lock;
    return retry_later("{}. A server trims its log by itself, every {} ms: `questlog log trim --dry-run` shows what it "
                       "removes and what it keeps",
                       lock.error().message, context.config.retention_check.count());
}

/// Of a log that is forwarded to Kafka the tables are landed from there.
Result<std::vector<query::Claim>> claims_on(const Context& context, const DataFolder& folder, log::LogReader& log) {
    if (!context.config.kafka.enabled()) return query::claims_on(folder.world(), log);
    kafka::CheckpointFile file(context.env, context.kafka_directory(), log.topic().name);
    TRY(checkpoint, file.read(log.topic().partitions));
    if (checkpoint && checkpoint->log_id == log.topic().id) return std::vector{claim_of_kafka(checkpoint->ends())};
    return std::vector{claim_of_kafka(std::vector<Offset>(static_cast<std::size_t>(log.topic().partitions)))};
}

} // namespace

Status run(const Context& context, const LogTrimArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    log::Topics topics(context.env, context.log_directory());
    TRY(topic, topics.find(arguments.topic.value_or(context.config.topic)));
    const auto limits = log::limits_of(topic, context.config.retention);
    if (limits.unlimited())
        return context.print(limits_text(topic, limits) +
                             "there is no limit, so nothing expires; set retention_bytes or retention_ms in [log], or "
                             "make the topic with --config retention.bytes or retention.ms\n");
    std::unique_ptr<io::Lock> lock;
    if (!arguments.dry_run) {
        TRY(taken, take_lock(context, topics, topic));
        lock = std::move(taken);
    }
    CHECK_OK(context.print(limits_text(topic, limits)));
    TRY(reader, log::open_reader(context.env, topics, topic));
    TRY(claims, claims_on(context, *folder, *reader));
    TRY(plans, query::plan_trims(context.env, topics, *reader, limits, claims));
    for (const log::TrimPlan& plan : plans) {
        if (!arguments.dry_run) CHECK_OK(log::trim(context.env.files, topics, topic, plan));
        CHECK_OK(context.print(account(plan, claims, arguments.dry_run)));
    }
    if (arguments.dry_run) CHECK_OK(context.print("nothing was changed\n"));
    return context.flush();
}

} // namespace questlog::app
