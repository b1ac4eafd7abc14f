#pragma once

#include "io/env.h"
#include "kafka/forwarder_board.h"
#include "kafka/record_producer.h"
#include "kafka/request_size.h"
#include "kafka/topic_start.h"
#include "log/event_log.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace questlog::kafka {

struct ForwardingTuning {
    std::string compression = compression_default;
    ProducerLimits limits{};
    std::chrono::milliseconds silence_max{3'000}; ///< Without an acknowledgement of what is in flight: unreachable.
    std::chrono::milliseconds stop_wait{3'000};   ///< For what is in flight.
    /// A partition that nothing was sent to for so long is begun anew, by one record alone: a broker forgets what it
    /// knows of a producer, after a day by default.
    std::chrono::milliseconds proof_age_max{60'000};
    /// Requests that were made smaller, because Kafka took none as large, are tried in full size again after so long.
    std::chrono::milliseconds request_regrow{60'000};
};

/// What one go at forwarding leaves to the next.
struct Experience {
    RequestSize request;
    int tries = 0; ///< Producers that broke, since anything was acknowledged.
};

/// One producer's life: from what the topic holds until something breaks. One thread.
class Forwarding {
public:
    struct World {
        const ForwardingTuning& tuning;
        io::Clock& clock;
        log::LogReader& log;
        const ForwardedTopic& topic;
        Client& consumer;
        ForwarderBoard& board;
        Experience& experience;
        std::atomic<bool>& woken; ///< Set where the log has more; taken back before it is looked at.
        std::function<bool()> stop;
        std::function<void(const std::vector<Offset>& ends)> on_acknowledged;
    };
    enum class Ended : std::uint8_t { stopped, broken }; ///< broken: the next go, with another producer, may do better.

    explicit Forwarding(World world);
    ~Forwarding();
    Forwarding(const Forwarding&) = delete;
    Forwarding& operator=(const Forwarding&) = delete;

    /// Finds in the topic where to go on. `retry_later`: the cluster does not answer. Any other error: a person must do
    /// something. The same holds for run().
    Status start(const ClientSettings& cluster, const std::optional<Checkpoint>& checkpoint);
    /// Forwards until told to stop, or until something breaks.
    Result<Ended> run();
    [[nodiscard]] RecordProducer& producer() { return *producer_; }

private:
    struct Lane;
    struct Failure;
    enum class Sent : std::uint8_t { nothing, something, all_there_is_room_for };

    Result<Sent> send_some();
    Result<Sent> send_some_of(Lane& lane);
    [[nodiscard]] bool wants_larger_requests() const;
    Status take_reports(std::chrono::milliseconds wait);
    Status failed(const Failure& failure);
    Status again(const std::string& why);
    Status look_at_cluster();
    void await_the_last();
    void announce();
    [[nodiscard]] bool in_flight() const;
    [[nodiscard]] bool is_silent(std::chrono::nanoseconds now) const;

    World world_;
    std::unique_ptr<RecordProducer> producer_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    std::size_t turn_ = 0; ///< Of them.
    std::string origin_;
    std::chrono::nanoseconds looked_at_{}; ///< The cluster, for the last time.
    std::string doubt_;                    ///< A connection failed: why. Empty: none did.
    bool all_sent_ = false;                ///< Of what the log has.
    bool broken_ = false;
};

} // namespace questlog::kafka
