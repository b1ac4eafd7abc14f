#include "app/commands.h"
#include "base/limits.h"
#include "control/administration.h"
#include "control/client.h"
#include "kafka/admin.h"
#include "kafka/topic_text.h"
#include "log/event_log.h"
#include "log/topic_metadata.h"

#include <fmt/format.h>
#include <functional>

/// `questlog topic ...`: what kafka-topics prints (Kafka 3.9), of the embedded log or, where one is named, of a
/// cluster.
namespace questlog::app {
namespace {

Error command_failure(const Error& error) {
    // kafka-topics ends with 1 whatever the reason, and scripts look for that.
    return Error{error.kind == ErrorKind::reject ? ErrorKind::internal : error.kind,
                 "Error while executing topic command : " + error.message, error.system_errno};
}

std::string describe(const log::Topic& topic) {
    std::string configs;
    for (const auto& [name, value] : topic.configs) configs += (configs.empty() ? "" : ",") + name + "=" + value;
    std::string text = fmt::format("Topic: {}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: 1\tConfigs: {}\n",
                                   topic.name, topic.id, topic.partitions, configs);
    for (std::int32_t partition = 0; partition < topic.partitions; ++partition)
        text += fmt::format("\tTopic: {}\tPartition: {}\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: \n",
                            topic.name, partition);
    return text;
}

/// By the server that runs on the data folder, so that the files are its own; by this process where none does.
Result<control::TopicCreated> create(const Context& context, const control::CreateTopic& request) {
    TRY(by_server, control::create_topic(context.env, context.data, request));
    if (by_server) return *by_server;
    log::Topics topics(context.env, context.log_directory());
    return control::create_topic(topics, request);
}

Result<std::vector<std::pair<std::string, std::string>>> split_configs(const std::vector<std::string>& given) {
    std::vector<std::pair<std::string, std::string>> configs;
    for (const auto& config : given) {
        const std::size_t equals = config.find('=');
        if (equals == std::string::npos)
            return reject("--config {} is not name=value; write --config segment.bytes=16777216", config);
        configs.emplace_back(config.substr(0, equals), config.substr(equals + 1));
    }
    return configs;
}

/// Does it with the cluster that the configuration or, before it, `bootstrap_server` names.
Status with_cluster(const Context& context, const std::optional<std::string>& bootstrap_server,
                    const std::function<Status(const kafka::Admin&)>& act) {
    kafka::ClientSettings settings = context.config.kafka.client;
    if (bootstrap_server) {
        if (auto checked = kafka::check_bootstrap(*bootstrap_server); !checked.ok())
            return checked.error().within("--bootstrap-server");
        settings.bootstrap = *bootstrap_server;
    }
    TRY(admin, kafka::Admin::make(settings));
    if (auto done = act(admin); !done.ok()) return command_failure(done.error());
    return {};
}

Status create_in_cluster(const Context& context, const TopicCreateArguments& arguments) {
    TRY(configs, split_configs(arguments.configs));
    kafka::NewTopic topic{arguments.topic, arguments.partitions.value_or(-1), arguments.replication_factor.value_or(-1),
                          std::move(configs)};
    return with_cluster(context, arguments.bootstrap_server, [&](const kafka::Admin& admin) -> Status {
        CHECK_OK(context.print(kafka::collision_warning(topic.name)));
        TRY(made, admin.create(topic));
        if (made) return context.print(fmt::format("Created topic {}.\n", topic.name));
        if (!arguments.if_not_exists) return reject("Topic '{}' already exists.", topic.name);
        return {};
    });
}

Status describe_in_cluster(const Context& context, const TopicDescribeArguments& arguments) {
    return with_cluster(context, arguments.bootstrap_server, [&](const kafka::Admin& admin) -> Status {
        if (arguments.topic) {
            TRY(topic, admin.describe(*arguments.topic));
            if (!topic) return reject("Topic '{}' does not exist as expected", *arguments.topic);
            return context.print(kafka::description_text(*topic));
        }
        TRY(topics, admin.describe_all());
        kafka::order_as_kafka_topics(topics);
        for (const auto& topic : topics) CHECK_OK(context.print(kafka::description_text(topic)));
        return {};
    });
}

} // namespace

Status run(const Context& context, const TopicCreateArguments& arguments) {
    if (arguments.partitions.value_or(1) < 1)
        return reject("--partitions {}: the number of partitions must be larger than 0", *arguments.partitions);
    if (context.config.kafka.enabled()) return create_in_cluster(context, arguments);
    if (arguments.replication_factor.value_or(1) != 1)
        return command_failure(reject("Replication factor: {} larger than available brokers: 1. The embedded log keeps "
                                      "one copy; leave --replication-factor out.",
                                      *arguments.replication_factor));
    if (arguments.partitions > limits::partitions_max)
        return reject("--partitions {}: the embedded log has 1 to {}", *arguments.partitions, limits::partitions_max);
    TRY(configs, split_configs(arguments.configs));
    control::CreateTopic request{
        arguments.topic, {arguments.partitions.value_or(1), std::move(configs)}, arguments.if_not_exists};
    CHECK_OK(log::check_topic_name(arguments.topic));
    const auto made = create(context, request);
    if (!made.ok()) return command_failure(made.error());
    if (!made->created) return {};
    return context.print(fmt::format("Created topic {}.\n", arguments.topic));
}

Status run(const Context& context, const TopicDescribeArguments& arguments) {
    if (context.config.kafka.enabled()) return describe_in_cluster(context, arguments);
    log::Topics topics(context.env, context.log_directory());
    if (arguments.topic) {
        TRY(exists, topics.exists(*arguments.topic));
        if (!exists) return command_failure(reject("Topic '{}' does not exist as expected", *arguments.topic));
        TRY(topic, topics.find(*arguments.topic));
        return context.print(describe(topic));
    }
    TRY(all, topics.list());
    for (const auto& topic : all) CHECK_OK(context.print(describe(topic)));
    return {};
}

Status run(const Context& context, const TopicListArguments& arguments) {
    if (context.config.kafka.enabled())
        return with_cluster(context, arguments.bootstrap_server, [&](const kafka::Admin& admin) -> Status {
            TRY(names, admin.list());
            for (const auto& name : names) CHECK_OK(context.print(name + "\n"));
            return {};
        });
    log::Topics topics(context.env, context.log_directory());
    TRY(all, topics.list());
    for (const auto& topic : all) CHECK_OK(context.print(topic.name + "\n"));
    return {};
}

} // namespace questlog::app
