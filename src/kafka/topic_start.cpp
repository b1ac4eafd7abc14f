#include "kafka/topic_start.h"

#include "base/operator_log.h"
#include "base/plural.h"
#include "kafka/admin.h"
#include "kafka/record_stream.h"

#include <algorithm>
#include <array>

namespace questlog::kafka {
namespace {

constexpr std::chrono::milliseconds poll_interval{100};
constexpr std::chrono::milliseconds question_timeout{2'000}; ///< A stop waits for the answer.
constexpr std::chrono::milliseconds made_wait_max{10'000};   ///< Until every broker knows of a new topic.
constexpr std::chrono::milliseconds quiet_max{10'000};       ///< Until a broker that sends nothing is given up.
constexpr std::size_t messages_at_once = 1'000;

Status create(const Client& client, const ForwardedTopic& topic) {
    const auto made = create_topic(client, {topic.name, topic.partitions, -1, {}});
    if (!made.ok()) return made.error().within(fmt::format("make topic {}", topic.name));
    if (*made)
        log_info("made topic {} with {} at Kafka {}", topic.name, plural(topic.partitions, "partition"),
                 client.settings().bootstrap);
    return {};
}

std::string cure(const ForwardedTopic& topic) {
    return fmt::format(
        "if this topic shall be forwarded to from now on, remove {}: then it gets the events that the log "
        "still holds, all of them where it has none yet, else those after the last it has",
        topic.checkpoint_path);
}

/// Reads a partition's records in order, while it lives.
class Scan {
public:
    Scan(const Client& client, TopicHandle topic, Partition partition)
        : client_(client), topic_(std::move(topic)), partition_(partition) {}
    ~Scan() {
        if (started_) rd_kafka_consume_stop(topic_.get(), partition_.value);
    }
    Scan(const Scan&) = delete;
    Scan& operator=(const Scan&) = delete;

    /// Calls `take` with each record from `from` to before `end`.
    template <class Take>
    Status read(std::int64_t from, std::int64_t end, const std::function<bool()>& stop, Take&& take) {
        if (from >= end) return {};
        const std::string doing = fmt::format("read topic {}", rd_kafka_topic_name(topic_.get()));
        if (rd_kafka_consume_start(topic_.get(), partition_.value, from) != 0)
            return client_.error(rd_kafka_last_error(), doing);
        started_ = true;
        std::array<rd_kafka_message_t*, messages_at_once> messages{};
        std::chrono::milliseconds quiet{};
        std::int64_t next = from;
        while (next < end) {
            if (stop()) return retry_later("stopped");
            const auto count =
                rd_kafka_consume_batch(topic_.get(), partition_.value, static_cast<int>(poll_interval.count()),
                                       messages.data(), messages.size());
            rd_kafka_poll(client_.get(), 0);
            if (count < 0) return client_.error(rd_kafka_last_error(), doing);
            quiet = count == 0 ? quiet + poll_interval : std::chrono::milliseconds{};
            if (quiet > quiet_max) return client_.error(RD_KAFKA_RESP_ERR__TIMED_OUT, doing);
            Status done;
            for (ssize_t i = 0; i < count; ++i) {
                const MessageHandle message(messages[static_cast<std::size_t>(i)]);
                if (!done.ok() || next >= end) continue; // only freed
                next = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ? message->offset : message->offset + 1;
                if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                    if (next <= end) done = take(*message); // else nothing is left before the end
                } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                    done = client_.error(message->err, doing);
                }
            }
            CHECK_OK(done);
        }
        return {};
    }

private:
    const Client& client_;
    TopicHandle topic_;
    Partition partition_;
    bool started_ = false;
};

} // namespace

Error another_topic(const ForwardedTopic& topic, Partition partition, const std::optional<Arrived>& expected,
                    std::string_view what) {
    const std::string known = expected ? fmt::format("event {} of log {} should be at offset {} of its partition {}",
                                                     expected->event, topic.log_id, expected->record, partition)
                                       : fmt::format("its partition {} was longer", partition);
    return reject(
        "topic {} at Kafka is not the one that was forwarded to: {}, and {}. It was deleted and made anew, or "
        "is that of another cluster; {}",
        topic.name, known, what, cure(topic));
}

Status ensure_topic(Client& consumer, const ForwardedTopic& topic, const std::optional<Checkpoint>& checkpoint,
                    const std::function<bool()>& stop) {
    bool made = false;
    for (std::chrono::milliseconds waited{}; !stop(); waited += poll_interval) {
        TRY(partitions, consumer.partitions(topic.name, question_timeout));
        if (partitions >= topic.log_partitions) return {};
        if (partitions > 0)
            return reject(
                "topic {} at Kafka has {} partitions, and the log has {}; each is forwarded to the one of its "
                "number, so give the topic {} partitions (kafka-topics --alter --topic {} --partitions {})",
                topic.name, partitions, topic.log_partitions, topic.log_partitions, topic.name, topic.log_partitions);
        for (std::size_t i = 0; checkpoint && i < checkpoint->last.size(); ++i)
            if (const auto& last = checkpoint->last[i])
                return another_topic(topic, Partition{static_cast<std::int32_t>(i)}, last, "there is no such topic");
        if (!made) CHECK_OK(create(consumer, topic));
        made = true;
        if (waited > made_wait_max) return retry_later("topic {} was made at Kafka, and is not there yet", topic.name);
        rd_kafka_poll(consumer.get(), static_cast<int>(poll_interval.count()));
    }
    return retry_later("stopped");
}

Result<Found> find_end(const Client& consumer, const ForwardedTopic& topic, Partition partition,
                       const std::optional<Arrived>& checkpoint, Offset log_end, const std::function<bool()>& stop) {
    TRY(ends, consumer.watermarks(topic.name, partition, question_timeout));
    const auto [low, high] = ends;
    if (checkpoint && high <= checkpoint->record)
        return another_topic(topic, partition, checkpoint, fmt::format("it ends at offset {}", high));

    Found found{checkpoint ? checkpoint->event.plus(1) : Offset{}, checkpoint, high};
    const std::int64_t from = std::max(low, checkpoint ? checkpoint->record : 0);
    if (!checkpoint && log_end == Offset{}) return found;

    TRY(handle, consumer.topic(topic.name));
    Scan scan(consumer, std::move(handle), partition);
    bool verified = !checkpoint || checkpoint->record < low; // else that record has expired
    CHECK_OK(scan.read(from, high, stop, [&](const rd_kafka_message_t& message) -> Status {
        const auto origin = origin_of(message);
        const bool ours = origin && origin->log_id == topic.log_id && origin->partition == partition;
        if (!verified && message.offset > checkpoint->record && !ours) return {}; // one of ours may come yet
        if (!verified) {
            // Where it was compacted away, a later event tells that it is the same topic.
            verified = ours && (message.offset == checkpoint->record ? origin->offset == checkpoint->event
                                                                     : origin->offset > checkpoint->event);
            if (!verified)
                return another_topic(topic, partition, checkpoint,
                                     message.offset != checkpoint->record ? "there is none at that offset"
                                     : ours ? fmt::format("it holds event {} there", origin->offset)
                                            : std::string("it holds another record there"));
        }
        if (ours && origin->offset >= found.next) {
            found.next = origin->offset.plus(1);
            found.last = Arrived{origin->offset, message.offset};
        }
        return {};
    }));
    if (!verified) return another_topic(topic, partition, checkpoint, "there is none at that offset");
    if (found.next > log_end)
        return reject(
            "topic {} at Kafka holds event {} of partition {} of log {}, and the log ends at offset {}: it has "
            "lost events, or is an old copy. Forwarding its new events under the offsets of others would lose "
            "them; move the log aside, so that a new one begins",
            topic.name, found.next.plus(-1), partition, topic.log_id, log_end);
    return found;
}

} // namespace questlog::kafka
