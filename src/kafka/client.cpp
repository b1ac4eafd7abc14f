#include "kafka/client.h"

#include <algorithm>
#include <array>

namespace questlog::kafka {
namespace {

using ConfHandle = std::unique_ptr<rd_kafka_conf_t, Calls<rd_kafka_conf_destroy>>;
constexpr std::chrono::milliseconds first_slice{100};
/// Of a host with several addresses the next one is tried in this time.
constexpr std::chrono::milliseconds down_patience{500};

/// What is exactly once, in order and durable here hangs on these, or questlog reckons with their values.
constexpr std::array kept_properties{
    "acks",
    "allow.auto.create.topics",
    "auto.offset.reset",
    "batch.size",
    "bootstrap.servers",
    "check.crcs",
    "compression.codec",
    "compression.type",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "enabled_events",
    "group.id",
    "isolation.level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.timeout.ms",
    "metadata.broker.list",
    "partition.assignment.strategy",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queuing.strategy",
    "request.required.acks",
    "transactional.id",
};

Status set(rd_kafka_conf_t* conf, std::string_view name, std::string_view value) {
    std::array<char, error_text_bytes> text{};
    const auto said =
        rd_kafka_conf_set(conf, std::string(name).c_str(), std::string(value).c_str(), text.data(), text.size());
    if (said == RD_KAFKA_CONF_OK) return {};
    if (said == RD_KAFKA_CONF_INVALID && is_secret_property(name)) // its text may have the value
        return reject("[kafka.client] {}: librdkafka does not take its value", name);
    return reject("[kafka.client] {}: {}", name, text.data());
}

Status set_given(rd_kafka_conf_t* conf, std::string_view name, std::string_view value) {
    if (std::find(kept_properties.begin(), kept_properties.end(), name) != kept_properties.end())
        return reject("[kafka.client] {}: questlog sets it by itself, for its promises hang on it; leave it out", name);
    if (value.find('\0') != std::string_view::npos)
        return reject("[kafka.client] {}: its value has a NUL character", name);
    return set(conf, name, value);
}

/// Waiting may help.
bool is_passing(rd_kafka_resp_err_t code) {
    switch (code) {
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__NODE_UPDATE:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case RD_KAFKA_RESP_ERR_NOT_CONTROLLER:
    case RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR: return true;
    default: return false;
    }
}

/// A person must change something.
bool is_refusal(rd_kafka_resp_err_t code) {
    switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return true;
    default: return false;
    }
}

bool is_of_credentials(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL ||
           code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

/// Of complaints the one that says what is wrong, not that something is.
bool tells_more(int code) {
    return code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
}

} // namespace

Status check_property(const std::string& name, const std::string& value) {
    const ConfHandle conf(rd_kafka_conf_new());
    return set_given(conf.get(), name, value);
}

Result<std::unique_ptr<Client>> Client::make(rd_kafka_type_t type, const ClientSettings& settings,
                                             const std::vector<Property>& own,
                                             std::function<void(rd_kafka_topic_partition_list_t*)> on_partitions) {
    std::unique_ptr<Client> client(new Client(settings));
    client->on_partitions_ = std::move(on_partitions);
    ConfHandle conf(rd_kafka_conf_new());
    CHECK_OK(set(conf.get(), "bootstrap.servers", settings.bootstrap));
    CHECK_OK(set(conf.get(), "client.id", "questlog"));
    CHECK_OK(set(conf.get(), "client.software.name", "questlog"));
    CHECK_OK(set(conf.get(), "client.software.version", QUESTLOG_VERSION));
    // A broker that comes back is noticed soon.
    CHECK_OK(set(conf.get(), "reconnect.backoff.ms", "50"));
    CHECK_OK(set(conf.get(), "reconnect.backoff.max.ms", "1000"));
    for (const auto& [name, value] : own) CHECK_OK(set(conf.get(), name, value));
    for (const auto& [name, value] : settings.properties) CHECK_OK(set_given(conf.get(), name, value));
    rd_kafka_conf_set_opaque(conf.get(), client.get());
    rd_kafka_conf_set_error_cb(conf.get(), take_error);
    if (client->on_partitions_) rd_kafka_conf_set_rebalance_cb(conf.get(), take_partitions);
    rd_kafka_conf_set_log_cb(conf.get(), nullptr); // what matters comes as an error, too

    std::array<char, error_text_bytes> text{};
    client->handle_ = rd_kafka_new(type, conf.get(), text.data(), text.size());
    if (client->handle_ == nullptr) return reject("[kafka.client]: {}", text.data());
    (void)conf.release(); // the handle's now
    return client;
}

Client::~Client() {
    if (handle_ == nullptr) return;
    if (rd_kafka_type(handle_) == RD_KAFKA_PRODUCER)
        rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Client::take_partitions(rd_kafka_t* /*handle*/, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list,
                             void* self) {
    static_cast<Client*>(self)->on_partitions_(code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? list : nullptr);
}

void Client::take_error(rd_kafka_t* /*handle*/, int code, const char* reason, void* self) {
    static_cast<Client*>(self)->complaint_.with([&](Complaint& complaint) {
        if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) complaint.all_down = true;
        if (!complaint.text.empty() && !tells_more(code)) return;
        complaint.text = reason;
        complaint.code = static_cast<rd_kafka_resp_err_t>(code);
    });
}

Result<TopicHandle> Client::topic(const std::string& name) const {
    TopicHandle topic(rd_kafka_topic_new(handle_, name.c_str(), nullptr));
    if (topic == nullptr) return error(rd_kafka_last_error(), "name topic " + name);
    return topic;
}

Result<MetadataHandle> Client::metadata(const std::string& name, std::chrono::milliseconds timeout) const {
    TopicHandle topic;
    if (!name.empty()) {
        TRY(made, this->topic(name));
        topic = std::move(made);
    }
    const struct rd_kafka_metadata* found = nullptr;
    auto code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    AnswerWait wait(*this, timeout);
    for (auto slice = wait.next(); slice.count() > 0; slice = wait.next()) {
        code = rd_kafka_metadata(handle_, name.empty() ? 1 : 0, topic.get(), &found, static_cast<int>(slice.count()));
        if (code != RD_KAFKA_RESP_ERR__TRANSPORT && code != RD_KAFKA_RESP_ERR__TIMED_OUT) break;
    }
    rd_kafka_poll(handle_, 0); // complaints are told
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error(code, "ask the cluster for its topics");
    forget_complaint(); // it is over
    return MetadataHandle(found);
}

Result<std::int32_t> Client::partitions(const std::string& topic, std::chrono::milliseconds timeout) const {
    TRY(found, metadata(topic, timeout));
    const std::string doing = fmt::format("look for topic {}", topic);
    if (found->topic_cnt != 1) return error(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, doing);
    const auto code = found->topics[0].err;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) return 0;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error(code, doing);
    return found->topics[0].partition_cnt;
}

Result<std::int64_t> Client::find_offset(const std::string& topic, Partition partition, std::int64_t time,
                                         std::chrono::milliseconds timeout, std::string_view doing) const {
    const PartitionList list(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition.value)->offset = time;
    auto code = rd_kafka_offsets_for_times(handle_, list.get(), static_cast<int>(timeout.count()));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = list->elems[0].err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return list->elems[0].offset;
    rd_kafka_poll(handle_, 0); // complaints are told
    return error(code, fmt::format("{} topic {} [{}]", doing, topic, partition));
}

/// rd_kafka_query_watermark_offsets() asks for both at once, but once the broker has gone it waits for longer than its
/// timeout, a minute and more.
Result<Watermarks> Client::watermarks(const std::string& topic, Partition partition,
                                      std::chrono::milliseconds timeout) const {
    constexpr std::string_view doing = "ask for the ends of";
    TRY(low, find_offset(topic, partition, RD_KAFKA_OFFSET_BEGINNING, timeout, doing));
    TRY(high, find_offset(topic, partition, RD_KAFKA_OFFSET_END, timeout, doing));
    forget_complaint(); // it is over
    return Watermarks{low, high};
}

std::string Client::complaint() const {
    return complaint_.with([](const Complaint& complaint) { return complaint.text; });
}

void Client::forget_complaint() const {
    complaint_.with([](Complaint& complaint) { complaint = {}; });
}

Error Client::error(rd_kafka_resp_err_t code, std::string_view doing) const {
    // A broker's answer speaks for itself; where there was none, the last complaint may tell why.
    const bool is_answer = code > RD_KAFKA_RESP_ERR__END || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                           code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    const Complaint complaint = is_answer ? Complaint() : complaint_.with([](const Complaint& told) { return told; });
    const std::string why = complaint.text.empty() ? rd_kafka_err2str(code) : complaint.text;
    std::string text = fmt::format("cannot {} at Kafka {}: {}", doing, settings_.bootstrap, why);
    // A client that is not let in is told of a connection that fails, or of no answer.
    const bool not_let_in = is_passing(code) && is_of_credentials(complaint.code);
    if (not_let_in) text += "; see [kafka.client] and sasl_password_file of the configuration";
    if (not_let_in || is_refusal(code)) return Error{ErrorKind::reject, text, 0};
    return Error{is_passing(code) ? ErrorKind::retry_later : ErrorKind::internal, text, 0};
}

bool AnswerWait::is_in_vain() {
    rd_kafka_poll(client_.get(), 0); // complaints are told
    const auto complaint = client_.complaint_.with([](const Client::Complaint& told) { return told; });
    if (is_of_credentials(complaint.code)) return true;
    if (!complaint.all_down) return false;
    if (!down_since_) down_since_ = waited_;
    return waited_ - *down_since_ >= down_patience;
}

std::chrono::milliseconds AnswerWait::next() {
    waited_ += slice_;
    const auto left = timeout_ - waited_;
    if (left.count() <= 0 || (waited_.count() > 0 && is_in_vain())) return {};
    slice_ = std::min(left, slice_.count() == 0 ? first_slice : slice_ * 2);
    return slice_;
}

} // namespace questlog::kafka
