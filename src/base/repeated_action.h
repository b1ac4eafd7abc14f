#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace questlog {

/// Calls `action` again and again, `interval` after it returned, on a thread of its own, until it returns false. stop()
/// waits for a call that is under way.
class RepeatedAction {
public:
    enum class First : std::uint8_t { at_once, after_the_interval };

    RepeatedAction(std::chrono::milliseconds interval, First first, std::function<bool()> action);
    ~RepeatedAction() { stop(); }
    RepeatedAction(const RepeatedAction&) = delete;
    RepeatedAction& operator=(const RepeatedAction&) = delete;

    void stop();

private:
    void run(First first);
    [[nodiscard]] bool wait();

    std::chrono::milliseconds interval_;
    std::function<bool()> action_;
    std::mutex mutex_;
    std::condition_variable stopped_;
    bool stopping_ = false;
    std::thread thread_; ///< Last: it uses the others.
};

} // namespace questlog
