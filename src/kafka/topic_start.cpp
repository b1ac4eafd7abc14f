#include "kafka/topic_start.h"

#include "base/operator_log.h"
#include "base/plural.h"
#include "kafka/admin.h"
#include "kafka/log_feed.h"
#include "kafka/origin.h"
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

/// Reads a partition's records in order, while it lives.
class Scan {
public:
    enum class Then : std::uint8_t { go_on, end };

    Scan(const Client& client, TopicHandle topic, Partition partition)
        : client_(client), topic_(std::move(topic)), partition_(partition) {}
    ~Scan() {
        if (started_) rd_kafka_consume_stop(topic_.get(), partition_.value);
    }
    Scan(const Scan&) = delete;
    Scan& operator=(const Scan&) = delete;

    /// Calls `take` with each record from `from` to before `end`, until it says that it has enough.
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
            Result<Then> done = Then::go_on;
            for (ssize_t i = 0; i < count; ++i) {
                const MessageHandle message(messages[static_cast<std::size_t>(i)]);
                if (!done.ok() || *done == Then::end || next >= end) continue; // only freed
                next = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF ? message->offset : message->offset + 1;
                if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                    if (next <= end) done = take(*message); // else nothing is left before the end
                } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
                    done = client_.error(message->err, doing);
                }
            }
            if (!done.ok()) return done.error();
            if (*done == Then::end) return {};
        }
        return {};
    }

private:
    const Client& client_;
    TopicHandle topic_;
    Partition partition_;
    bool started_ = false;
};

/// The event at which a partition of the topic begins in mid-log: the first of this log there, where the log has
/// earlier ones, and these were never before it.
class Beginning {
public:
    explicit Beginning(std::int64_t low) : whole_(low == 0) {}

    /// Of all records from the first on, in order. `ours`: its origin, where that is this partition of the log.
    void see(std::int64_t record, const std::optional<Origin>& ours) {
        if (is_known()) return;
        // An offset without a record may have been one of ours: expired, deleted, compacted away.
        whole_ = record == next_++;
        if (whole_ && ours) first_ = ours->offset;
    }
    [[nodiscard]] bool is_known() const { return !whole_ || first_; }

    [[nodiscard]] Result<std::optional<Offset>> in_mid_log(log::PartitionReader& reader) const {
        if (!first_) return first_;
        TRY(start, reader.start_offset());
        if (*first_ <= start) return std::optional<Offset>();
        LogFeed feed(reader, start);
        const auto earliest = feed.peek(); // later than the start where a repair gave up what was there
        const bool has_earlier = earliest.ok() && *earliest != nullptr && (*earliest)->offset < *first_;
        return has_earlier ? first_ : std::nullopt; // what cannot be read could not be sent either
    }

private:
    bool whole_; ///< Every offset so far has its record.
    std::int64_t next_ = 0;
    std::optional<Offset> first_;
};

std::optional<Origin> origin_in(const rd_kafka_message_t& message, const ForwardedTopic& topic, Partition partition) {
    const auto origin = origin_of(message);
    return origin && origin->log_id == topic.log_id && origin->partition == partition ? origin : std::nullopt;
}

std::string mid_log(Partition partition, Offset first) {
    return fmt::format(
        "its partition {} begins with event {}, and the log has earlier ones, which cannot be sent after it: readers "
        "would pass over them as repeats",
        partition, first);
}

constexpr const char* made_anew = "it is made anew by itself, and gets all events that the log still holds";

/// The topic is not the one that `expected` arrived in: `what` is there instead.
Error another_topic(const ForwardedTopic& topic, Partition partition, const Arrived& expected, std::string_view what,
                    std::optional<Offset> first_in_mid_log = {}) {
    const std::string cure =
        first_in_mid_log
            ? fmt::format("{}. If a topic of this name shall be forwarded to from now on, delete this one, with all "
                          "that it holds, and remove {}: then {}",
                          mid_log(partition, *first_in_mid_log), topic.checkpoint_path, made_anew)
            : fmt::format("if this topic shall be forwarded to from now on, remove {}: then it gets the events that "
                          "the log still holds, all of them where it has none yet, else those after the last it has",
                          topic.checkpoint_path);
    return reject(
        "topic {} at Kafka is not the one that was forwarded to: event {} of log {} should be at offset {} of its "
        "partition {}, and {}. It was deleted and made anew, or is that of another cluster; {}",
        topic.name, expected.event, topic.log_id, expected.record, partition, what, cure);
}

/// How a partition of the topic begins, which spans these offsets.
Result<Beginning> look_at_beginning(const Client& consumer, const ForwardedTopic& topic, Partition partition,
                                    Watermarks ends, const std::function<bool()>& stop) {
    Beginning beginning(ends.low);
    if (beginning.is_known()) return beginning;
    TRY(handle, consumer.topic(topic.name));
    Scan scan(consumer, std::move(handle), partition);
    CHECK_OK(scan.read(ends.low, ends.high, stop, [&](const rd_kafka_message_t& message) -> Result<Scan::Then> {
        beginning.see(message.offset, origin_in(message, topic, partition));
        return beginning.is_known() ? Scan::Then::end : Scan::Then::go_on;
    }));
    return beginning;
}

} // namespace

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
                return another_topic(topic, Partition{static_cast<std::int32_t>(i)}, *last, "there is no such topic");
        if (!made) CHECK_OK(create(consumer, topic));
        made = true;
        if (waited > made_wait_max) return retry_later("topic {} was made at Kafka, and is not there yet", topic.name);
        rd_kafka_poll(consumer.get(), static_cast<int>(poll_interval.count()));
    }
    return retry_later("stopped");
}

Result<Found> find_end(const Client& consumer, const ForwardedTopic& topic, log::PartitionReader& reader,
                       const std::optional<Arrived>& checkpoint, const std::function<bool()>& stop) {
    const Partition partition = reader.partition();
    TRY(log_end, reader.end_offset());
    TRY(ends, consumer.watermarks(topic.name, partition, question_timeout));
    const auto [low, high] = ends;
    const auto another = [&, ends = ends](std::string_view what) -> Result<Found> {
        TRY(beginning, look_at_beginning(consumer, topic, partition, ends, stop));
        TRY(first, beginning.in_mid_log(reader));
        return another_topic(topic, partition, *checkpoint, what, first);
    };
    if (checkpoint && high <= checkpoint->record) return another(fmt::format("it ends at offset {}", high));

    Found found{checkpoint ? checkpoint->event.plus(1) : Offset{}, checkpoint, high};
    const std::int64_t from = std::max(low, checkpoint ? checkpoint->record : 0);
    if (!checkpoint && log_end == Offset{}) return found;

    TRY(handle, consumer.topic(topic.name));
    bool verified = !checkpoint || checkpoint->record < low; // else that record has expired
    std::string instead = "there is none at that offset";
    Beginning beginning(low);
    {
        Scan scan(consumer, std::move(handle), partition);
        CHECK_OK(scan.read(from, high, stop, [&](const rd_kafka_message_t& message) -> Result<Scan::Then> {
            const auto ours = origin_in(message, topic, partition);
            if (!checkpoint) beginning.see(message.offset, ours);
            if (!verified && message.offset > checkpoint->record && !ours)
                return Scan::Then::go_on; // one of ours may come yet
            if (!verified) {
                // Where it was compacted away, a later event tells that it is the same topic.
                verified = ours && (message.offset == checkpoint->record ? ours->offset == checkpoint->event
                                                                         : ours->offset > checkpoint->event);
                if (!verified) {
                    if (message.offset == checkpoint->record)
                        instead = ours ? fmt::format("it holds event {} there", ours->offset)
                                       : "it holds another record there";
                    return Scan::Then::end;
                }
            }
            if (ours && ours->offset >= found.next) {
                found.next = ours->offset.plus(1);
                found.last = Arrived{ours->offset, message.offset};
            }
            return Scan::Then::go_on;
        }));
    }
    if (!verified) return another(instead);
    if (found.next > log_end)
        return reject(
            "topic {} at Kafka holds event {} of partition {} of log {}, and the log ends at offset {}: it has "
            "lost events, or is an old copy. Forwarding its new events under the offsets of others would lose "
            "them; move the log aside, so that a new one begins",
            topic.name, found.next.plus(-1), partition, topic.log_id, log_end);
    TRY(first, beginning.in_mid_log(reader));
    if (first)
        return reject("topic {} at Kafka lacks events of log {}: {}. Delete the topic, with all that it holds: {}",
                      topic.name, topic.log_id, mid_log(partition, *first), made_anew);
    return found;
}

} // namespace questlog::kafka
