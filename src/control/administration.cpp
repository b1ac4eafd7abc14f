#include "control/administration.h"

#include "base/operator_log.h"

namespace questlog::control {
namespace {

const Error stopping_error{ErrorKind::retry_later,
                           "the server is stopping, and has changed nothing; run the command again once it has ended",
                           0};

} // namespace

Result<TopicCreated> create_topic(log::Topics& topics, const CreateTopic& request) {
    TRY(exists, topics.exists(request.topic));
    if (exists && request.if_not_exists) return TopicCreated{false};
    if (exists) return reject("Topic '{}' already exists.", request.topic);
    CHECK_OK(topics.create(request.topic, request.options));
    return TopicCreated{true};
}

Administration::Administration(io::Env env, std::string log_directory, ServerFacts facts)
    : topics_(env, std::move(log_directory)), facts_(std::move(facts)) {}

std::string Administration::answer(std::string_view line) {
    const auto request = decode_request(line, facts_.version);
    if (!request.ok()) return encode(request.error());
    return std::visit([&](const auto& one) { return answer(one); }, *request);
}

std::string Administration::refusal() {
    return encode(stopping_error);
}

std::string Administration::answer(const Ping& /*request*/) {
    ServerFacts facts = facts_;
    facts.stopping = stopping_;
    return encode(facts);
}

std::string Administration::answer(const CreateTopic& request) {
    if (stopping_) return refusal();
    const auto made = create_topic(topics_, request);
    if (!made.ok()) return encode(made.error());
    if (made->created)
        log_info("topic {} was created by an administrative command: {} partition{}", request.topic,
                 request.options.partitions, request.options.partitions == 1 ? "" : "s");
    return encode(*made);
}

} // namespace questlog::control
