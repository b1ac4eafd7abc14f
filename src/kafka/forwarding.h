#pragma once

#include "io/env.h"
#include "kafka/forwarder_board.h"
#include "kafka/forwarding_setup.h"
#include "kafka/record_producer.h"
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

    explicit Forwarding(World world);
    ~Forwarding();
    Forwarding(const Forwarding&) = delete;
    Forwarding& operator=(const Forwarding&) = delete;

    /// Finds in the topic where to go on. `retry_later`: the cluster does not answer. Any other error: a person must do
    /// something. The same holds for run().
    Status start(const ClientSettings& cluster, const std::optional<Checkpoint>& checkpoint);
    /// Forwards until told to stop, or until something breaks with which the next go, by another producer, may do
    /// better.
    Status run();
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
