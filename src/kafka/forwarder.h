#pragma once

#include "base/guarded.h"
#include "base/repeated_action.h"
#include "base/result.h"
#include "base/strong.h"
#include "io/env.h"
#include "kafka/checkpoint.h"
#include "kafka/forwarder_board.h"
#include "kafka/forwarding_setup.h"
#include "log/event_log.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace questlog::kafka {

class Client;
class RecordProducer;

struct ForwarderOptions {
    ClientSettings cluster;
    std::string topic;           ///< Of Kafka.
    std::int32_t partitions = 1; ///< Of the topic that is made where it is missing; as many as the log's, or more.
    std::string directory;       ///< Of its checkpoint. Made where it is missing.
    ForwardingTuning tuning{};
    std::chrono::milliseconds checkpoint_interval{1'000}; ///< How much of the topic the next start reads again.
    std::chrono::milliseconds retry{500};                 ///< Until a cluster that does not answer is asked again.
    std::chrono::milliseconds refused_retry{15'000}; ///< Until it is looked whether a person has mended what was wrong.
};

struct ForwarderStatus {
    ForwarderState state = ForwarderState::starting;
    std::string text;               ///< Why it is not running; empty where it is.
    std::string last_error;         ///< The last such text; empty: there was none.
    std::vector<Offset> ends;       ///< By partition of the log: all events before have arrived.
    std::vector<std::int64_t> lags; ///< How many events have not.
};

/// Ships an embedded log to a topic of Kafka: each partition in order, to the one of its number, each record with its
/// origin, by which a reader tells what is there for the second time (kafka/origin.h). Where it goes on after a start
/// it learns from the topic: docs/formats/kafka.md. What keeps it from forwarding is told to the operator's log once.
class Forwarder {
public:
    /// `log` and the world of `env` outlive it. Nothing else forwards the log to the topic meanwhile.
    Forwarder(ForwarderOptions options, io::Env env, log::LogReader& log);
    ~Forwarder();
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    /// Told on the forwarder's thread how far each partition has arrived, when that has changed: once for many events
    /// where many arrive. Should return soon. To be set before begin().
    std::function<void(const std::vector<Offset>& ends)> on_acknowledged;
    /// On threads of its own, until stop().
    void begin();
    /// Sends nothing more, and waits for what is in flight, but not for long: what was not acknowledged then is sent
    /// again by the next start.
    void stop();

    /// Something was appended to the log. Any thread, cheap. Without it an event is found within 20 ms.
    void wake();
    /// By partition: all events before have arrived. Any thread.
    [[nodiscard]] std::vector<Offset> acknowledged() const { return board_.arrivals().ends; }
    [[nodiscard]] ForwarderState state() const { return board_.state(); }
    /// False: an event that is appended now does not arrive until something changes. Any thread, cheap.
    [[nodiscard]] bool reachable() const { return state() <= ForwarderState::running; }
    [[nodiscard]] ForwarderStatus status() const;

private:
    struct Saved {
        CheckpointFile file;
        Checkpoint checkpoint{}; ///< As the file has it.
        bool failed = false;
    };

    void run();
    Status go();
    Result<std::optional<Checkpoint>> read_checkpoint();
    void take_up_checkpoint();
    void save_checkpoint();
    void pause(std::chrono::milliseconds wait);

    const ForwarderOptions options_;
    io::Env env_;
    log::LogReader& log_;
    const ForwardedTopic topic_;
    ForwarderBoard board_;
    Experience experience_;
    std::unique_ptr<Client> consumer_; ///< For questions: a producer might make the topic.
    Guarded<Saved> saved_;
    Guarded<RecordProducer*> producer_{nullptr}; ///< Null while nothing is sent.
    std::atomic<bool> woken_ = false;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;
    std::condition_variable stopped_;
    std::unique_ptr<RepeatedAction> saving_;
    std::thread thread_; ///< Last: it uses the others.
};

} // namespace questlog::kafka
