#pragma once

#include "base/guarded.h"
#include "base/result.h"
#include "base/strong.h"
#include "kafka/settings.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <librdkafka/rdkafka.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// librdkafka's handles, owned, and its errors as ours. The reference is its rdkafka.h.
namespace questlog::kafka {

template <auto function> struct Calls {
    template <class T> void operator()(T* object) const { function(object); }
};
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, Calls<rd_kafka_topic_destroy>>;
using MetadataHandle = std::unique_ptr<const struct rd_kafka_metadata, Calls<rd_kafka_metadata_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, Calls<rd_kafka_topic_partition_list_destroy>>;
using MessageHandle = std::unique_ptr<rd_kafka_message_t, Calls<rd_kafka_message_destroy>>;
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, Calls<rd_kafka_queue_destroy>>;
using EventHandle = std::unique_ptr<rd_kafka_event_t, Calls<rd_kafka_event_destroy>>;

using Property = std::pair<std::string_view, std::string_view>;

inline constexpr std::size_t error_text_bytes = 512; ///< What librdkafka has room for to say what is wrong.

/// How long one call may take until a cluster that does not answer is given up.
inline constexpr std::chrono::milliseconds call_timeout{10'000};

struct Watermarks {
    std::int64_t low = 0;
    std::int64_t high = 0;
};

/// A connection to a cluster: producer or consumer. Any thread, as librdkafka's handles are. Destroying it drops what
/// was not sent.
class Client {
public:
    /// `own` is how this client is set up; the settings' properties go over it, so that whoever runs it can tune it. A
    /// property of theirs that would break a promise is refused (`reject`), and so is one that librdkafka does not
    /// know. Connects later, when first asked. `on_partitions`: of a member of a group, told from within its poll which
    /// partitions are its own from now on, to be assigned; nullptr: none is.
    static Result<std::unique_ptr<Client>>
    make(rd_kafka_type_t type, const ClientSettings& settings, const std::vector<Property>& own,
         std::function<void(rd_kafka_topic_partition_list_t*)> on_partitions = {});
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] rd_kafka_t* get() const { return handle_; }
    [[nodiscard]] const ClientSettings& settings() const { return settings_; }

    /// A handle for one topic. Nothing is asked of the cluster.
    [[nodiscard]] Result<TopicHandle> topic(const std::string& name) const;
    /// What the cluster says of the topic; every topic where `name` is empty. Never makes one where the client is a
    /// consumer. `retry_later` where the cluster cannot be reached.
    [[nodiscard]] Result<MetadataHandle> metadata(const std::string& name,
                                                  std::chrono::milliseconds timeout = call_timeout) const;

    /// How many partitions the topic has; 0: there is none.
    [[nodiscard]] Result<std::int32_t> partitions(const std::string& topic, std::chrono::milliseconds timeout) const;
    /// The offset of the first record at or after a time, in milliseconds, or of a place that has a number of its own
    /// (RD_KAFKA_OFFSET_BEGINNING, RD_KAFKA_OFFSET_END); below 0: there is none. `doing`, before the topic, is what
    /// fails.
    [[nodiscard]] Result<std::int64_t> find_offset(const std::string& topic, Partition partition, std::int64_t time,
                                                   std::chrono::milliseconds timeout, std::string_view doing) const;
    /// Where a topic's partition begins and ends. `retry_later` where the cluster does not answer in time.
    [[nodiscard]] Result<Watermarks> watermarks(const std::string& topic, Partition partition,
                                                std::chrono::milliseconds timeout) const;

    /// What librdkafka complained of last, as a clause; empty: of nothing.
    [[nodiscard]] std::string complaint() const;
    void forget_complaint() const;
    /// The code as an error in our terms: `retry_later` where waiting may help, `reject` where a person must change
    /// something. `doing` is what failed: "read topic game-events".
    [[nodiscard]] Error error(rd_kafka_resp_err_t code, std::string_view doing) const;

private:
    explicit Client(ClientSettings settings) : settings_(std::move(settings)) {}
    struct Complaint {
        std::string text;
        rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
        bool all_down = false; ///< No broker was connected to.
    };
    friend class AnswerWait;
    static void take_partitions(rd_kafka_t* handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* list,
                                void* self);
    static void take_error(rd_kafka_t* handle, int code, const char* reason, void* self);

    ClientSettings settings_;
    rd_kafka_t* handle_ = nullptr;
    std::function<void(rd_kafka_topic_partition_list_t*)> on_partitions_;
    mutable Guarded<Complaint> complaint_;
};

/// How long to wait for an answer of the cluster, in slices: `timeout` in all, and less once it is known that none
/// comes, because no broker lets this client in, or every one of them refuses the connection. One thread.
class AnswerWait {
public:
    AnswerWait(const Client& client, std::chrono::milliseconds timeout) : client_(client), timeout_(timeout) {}

    /// How long to wait now; each slice is twice the one before, so that a slow answer is not asked for in vain. 0: no
    /// longer.
    [[nodiscard]] std::chrono::milliseconds next();

private:
    [[nodiscard]] bool is_in_vain();

    const Client& client_;
    std::chrono::milliseconds timeout_;
    std::chrono::milliseconds slice_{};
    std::chrono::milliseconds waited_{};
    std::optional<std::chrono::milliseconds> down_since_; ///< Of waited_.
};

} // namespace questlog::kafka
