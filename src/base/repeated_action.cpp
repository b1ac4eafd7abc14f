#include "base/repeated_action.h"

#include <utility>

namespace questlog {

RepeatedAction::RepeatedAction(std::chrono::milliseconds interval, First first, std::function<bool()> action)
    : interval_(interval), action_(std::move(action)), thread_([this, first] { run(first); }) {}

void RepeatedAction::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    stopped_.notify_all();
    if (thread_.joinable()) thread_.join();
}

/// False: it was stopped.
bool RepeatedAction::wait() {
    std::unique_lock lock(mutex_);
    return !stopped_.wait_for(lock, interval_, [this] { return stopping_; });
}

void RepeatedAction::run(First first) {
    if (first == First::after_the_interval && !wait()) return;
    while (action_() && wait()) {
    }
}

} // namespace questlog
