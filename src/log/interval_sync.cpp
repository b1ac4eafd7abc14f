#include "log/interval_sync.h"

namespace questlog::log {

IntervalSync::IntervalSync(std::chrono::milliseconds interval, std::function<void()> sync)
    : interval_(interval), sync_(std::move(sync)), thread_([this] { run(); }) {}

void IntervalSync::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    stopped_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void IntervalSync::run() {
    std::unique_lock lock(mutex_);
    while (!stopped_.wait_for(lock, interval_, [this] { return stopping_; })) {
        lock.unlock();
        sync_();
        lock.lock();
    }
}

} // namespace questlog::log
