#pragma once

#include "base/result.h"
#include "kafka/settings.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace questlog::kafka {

class Client;

struct NewTopic {
    std::string name;
    std::int32_t partitions = -1;         ///< -1: the cluster's default.
    std::int16_t replication_factor = -1; ///< Likewise.
    std::vector<std::pair<std::string, std::string>> configs;
};

struct PartitionDescription {
    std::int32_t id = 0;
    std::optional<std::int32_t> leader; ///< A broker's id; none while no replica can lead.
    std::vector<std::int32_t> replicas;
    std::vector<std::int32_t> in_sync;
    /// No replica outside of `in_sync` may lead, and brokers would tell if one might. There is one only where fewer
    /// than min.insync.replicas are in sync. False: it is not known.
    bool no_eligible_others = false;
};

struct ConfigDescription {
    std::string name;
    std::optional<std::string> value; ///< None: brokers do not tell it.
    bool is_default = false;          ///< Nobody set it: neither for the topic nor for the broker.
};

struct TopicDescription {
    std::string name;
    std::string id; ///< UUID in Kafka's text form. Empty: the brokers are from before Kafka 2.8, and have none.
    std::vector<PartitionDescription> partitions; ///< By id.
    std::vector<ConfigDescription> configs;       ///< All, in the broker's order.
};

/// False: there is a topic of this name, which was left as it is. Errors as Admin's.
Result<bool> create_topic(const Client& client, const NewTopic& topic);
/// Those of the topics that are there, without their configs, in the order in which they are named. Errors as Admin's.
Result<std::vector<TopicDescription>> describe_topics(const Client& client, const std::vector<std::string>& names);

/// A cluster's topics. Each call asks the cluster and waits for its answer, `call_timeout` at most; then it is
/// `retry_later`. What a broker refuses is `reject`, in the broker's words.
class Admin {
public:
    /// Asks nothing of the cluster yet.
    static Result<Admin> make(const ClientSettings& settings);
    Admin(Admin&& other) noexcept;
    Admin& operator=(Admin&& other) noexcept;
    ~Admin();

    /// create_topic()
    [[nodiscard]] Result<bool> create(const NewTopic& topic) const;
    /// Kafka's internal ones too, sorted.
    [[nodiscard]] Result<std::vector<std::string>> list() const;
    /// nullopt: there is no such topic.
    [[nodiscard]] Result<std::optional<TopicDescription>> describe(const std::string& topic) const;
    /// Every topic, sorted by name.
    [[nodiscard]] Result<std::vector<TopicDescription>> describe_all() const;

private:
    explicit Admin(std::unique_ptr<Client> client);
    Status add_configs(std::vector<TopicDescription>& topics) const;
    void add_eligible_leaders(std::vector<TopicDescription>& topics) const;

    std::unique_ptr<Client> client_;
};

} // namespace questlog::kafka
