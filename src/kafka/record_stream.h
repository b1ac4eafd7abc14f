#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "kafka/origin.h"
#include "kafka/origin_points.h"
#include "kafka/partition_stream.h"
#include "log/record_batch.h"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace questlog::kafka {

/// The records of a partition as batches of ours, without those that are there for the second time. One thread.
class RecordStream {
public:
    /// `with_headers`: records have theirs.
    RecordStream(std::unique_ptr<PartitionStream> messages, bool with_headers)
        : messages_(std::move(messages)), with_headers_(with_headers) {}

    /// Goes on at `at`; `seen` is what the records before it say. nullopt: those that are there for the second time are
    /// not left out.
    Status begin(Offset at, std::optional<OriginsSeen> seen);
    /// Gives back what reading takes, for the time being; resume() goes on at at().
    void rest() { messages_->rest(); }
    Status resume() { return messages_->seek(at_); }
    [[nodiscard]] Offset at() const { return at_; }
    /// fingerprint() of the record at the offset, which is below the partition's end; nullopt: there is none. Rests
    /// then.
    Result<std::optional<std::uint32_t>> fingerprint_at(Offset offset);
    [[nodiscard]] const OriginsSeen& seen() const { return seen_; }
    /// The last record that it came by, by which the topic is known again.
    [[nodiscard]] const std::optional<OriginPoints::Witness>& witness() const { return witness_; }
    /// Adds the records from at() on, until `to`, or until the batch is full; at() is then where the batch ends. It was
    /// begun at at(), and is empty where there is no record.
    Status read(Offset to, log::BatchBuilder& batch);
    /// Passes over the records before `to`.
    Status pass(Offset to);

private:
    [[nodiscard]] bool is_repeat(const rd_kafka_message_t& message);
    [[nodiscard]] std::span<const log::RecordHeader> headers_of(const rd_kafka_message_t& message);

    std::unique_ptr<PartitionStream> messages_;
    bool with_headers_;
    Offset at_;
    OriginsSeen seen_;
    bool leaves_out_ = true;
    std::optional<OriginPoints::Witness> witness_;
    std::vector<log::RecordHeader> headers_;
};

/// Of the record a number that another one will not have: of its time, key and value.
[[nodiscard]] std::uint32_t fingerprint(const rd_kafka_message_t& message);
/// nullopt: no forwarder sent it. Points into the message.
[[nodiscard]] std::optional<Origin> origin_of(const rd_kafka_message_t& message);

} // namespace questlog::kafka
