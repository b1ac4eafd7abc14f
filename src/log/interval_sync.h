#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace questlog::log {

/// Calls `sync` again and again, `interval` after it returned, on a thread of its own. stop() waits for a call that is
/// under way.
class IntervalSync {
public:
    IntervalSync(std::chrono::milliseconds interval, std::function<void()> sync);
    ~IntervalSync() { stop(); }
    IntervalSync(const IntervalSync&) = delete;
    IntervalSync& operator=(const IntervalSync&) = delete;

    void stop();

private:
    void run();

    std::chrono::milliseconds interval_;
    std::function<void()> sync_;
    std::mutex mutex_;
    std::condition_variable stopped_;
    bool stopping_ = false;
    std::thread thread_; ///< Last: it uses the others.
};

} // namespace questlog::log
