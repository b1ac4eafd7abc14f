#include "kafka/group_member.h"

#include "base/operator_log.h"
#include "base/plural.h"
#include "kafka/client.h"

#include <atomic>
#include <set>
#include <thread>

namespace questlog::kafka {
namespace {

constexpr std::chrono::milliseconds poll_wait{100};

/// The group's protocol runs in a thread of its own; no record is ever fetched.
class PolledMember final : public GroupMember {
public:
    PolledMember(std::string group, std::string topic) : group_(std::move(group)), topic_(std::move(topic)) {}
    ~PolledMember() override {
        stopping_ = true;
        if (thread_.joinable()) thread_.join();
        if (consumer_ != nullptr) rd_kafka_consumer_close(consumer_->get());
    }
    PolledMember(const PolledMember&) = delete;
    PolledMember& operator=(const PolledMember&) = delete;

    Status join(const ClientSettings& settings) {
        TRY(consumer,
            Client::make(RD_KAFKA_CONSUMER, settings,
                         {{"group.id", group_},
                          {"enable.auto.commit", "false"},
                          {"enable.auto.offset.store", "false"},
                          {"partition.assignment.strategy", "range,roundrobin"}, // all of them are told at once
                          {"session.timeout.ms", "10000"},
                          {"heartbeat.interval.ms", "1000"},
                          {"topic.metadata.refresh.interval.ms", "5000"}}, // partitions that are added are shared, too
                         [this](rd_kafka_topic_partition_list_t* list) { take(list); }));
        consumer_ = std::move(consumer);
        const PartitionList topics(rd_kafka_topic_partition_list_new(1));
        rd_kafka_topic_partition_list_add(topics.get(), topic_.c_str(), RD_KAFKA_PARTITION_UA);
        if (const auto code = rd_kafka_subscribe(consumer_->get(), topics.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return consumer_->error(code, "join group " + group_);
        thread_ = std::thread([this] { poll(); });
        return {};
    }

    bool has(Partition partition) override {
        return partitions_.with([&](const std::set<Partition>& own) { return own.contains(partition); });
    }

    void tell(Partition partition, Offset end) override {
        const PartitionList offsets(rd_kafka_topic_partition_list_new(1));
        rd_kafka_topic_partition_list_add(offsets.get(), topic_.c_str(), partition.value)->offset = end.value;
        rd_kafka_commit(consumer_->get(), offsets.get(), 1); // one that does not arrive is followed by another
    }

private:
    void poll() {
        while (!stopping_) {
            const MessageHandle message(rd_kafka_consumer_poll(consumer_->get(), static_cast<int>(poll_wait.count())));
            if (message == nullptr || message->err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
            const std::string text = consumer_->error(message->err, "take part in group " + group_).message;
            if (text != told_) log_warn("{}", text);
            told_ = text;
        }
    }

    void take(rd_kafka_topic_partition_list_t* list) {
        rd_kafka_assign(consumer_->get(), list);
        if (list != nullptr) rd_kafka_pause_partitions(consumer_->get(), list); // its records are read by others
        std::set<Partition> own;
        for (int i = 0; list != nullptr && i < list->cnt; ++i) own.insert(Partition{list->elems[i].partition});
        log_info("group {}: {} of topic {} fall{} to this process", group_,
                 plural(static_cast<std::int64_t>(own.size()), "partition"), topic_, own.size() == 1 ? "s" : "");
        partitions_.with([&](std::set<Partition>& partitions) { partitions = std::move(own); });
    }

    const std::string group_;
    const std::string topic_;
    std::unique_ptr<Client> consumer_;
    Guarded<std::set<Partition>> partitions_;
    std::string told_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_; ///< Last: it uses the others.
};

} // namespace

Result<std::unique_ptr<GroupMember>> GroupMember::join(const ClientSettings& settings, const std::string& group,
                                                       const std::string& topic) {
    auto member = std::make_unique<PolledMember>(group, topic);
    CHECK_OK(member->join(settings));
    return std::unique_ptr<GroupMember>(std::move(member));
}

} // namespace questlog::kafka
