#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "kafka/client.h"

#include <array>
#include <functional>
#include <memory>
#include <string>

namespace questlog::kafka {

/// Reads the records of one partition of a topic, one after the other, without those of transactions that were given
/// up. A connection of its own. One thread.
class PartitionStream {
public:
    /// `stop` ends a read with `retry_later` once it is true; empty: nothing does.
    static Result<std::unique_ptr<PartitionStream>> open(const ClientSettings& settings, const std::string& topic,
                                                         Partition partition, std::function<bool()> stop = {});
    ~PartitionStream();
    PartitionStream(const PartitionStream&) = delete;
    PartitionStream& operator=(const PartitionStream&) = delete;

    /// The next record is the first one at or after the offset.
    Status seek(Offset offset);
    /// Nothing is read ahead until the next seek().
    void rest() { stop(); }
    /// No record below it is left to be given.
    [[nodiscard]] Offset position() const { return position_; }
    /// The next record below `to`, which does not pass the partition's end; nullptr: there is none, and position() is
    /// `to` at least. Valid until the next call. `retry_later` where the cluster does not answer in time;
    /// `reject` where the records have expired, or the topic is gone.
    Result<const rd_kafka_message_t*> next(Offset to);
    /// The record that next() gave last is given again.
    void take_back();

private:
    static constexpr std::size_t batch_messages = 512;

    PartitionStream(std::unique_ptr<Client> client, TopicHandle topic, std::string name, Partition partition,
                    std::function<bool()> stop)
        : client_(std::move(client)), topic_(std::move(topic)), name_(std::move(name)), partition_(partition),
          stop_(std::move(stop)) {}
    /// More messages, or the word that there are none yet.
    Status fetch();
    void drop_messages();
    void stop();
    [[nodiscard]] Error error_of(const rd_kafka_message_t& message) const;
    [[nodiscard]] std::string doing() const;

    std::unique_ptr<Client> client_;
    TopicHandle topic_;
    std::string name_;
    Partition partition_;
    std::function<bool()> stop_;
    bool started_ = false;
    Offset position_;
    std::array<rd_kafka_message_t*, batch_messages> messages_{};
    std::size_t message_count_ = 0;
    std::size_t message_at_ = 0; ///< Those before it are destroyed, but for the one that was given last.
    rd_kafka_message_t* given_ = nullptr;
};

} // namespace questlog::kafka
