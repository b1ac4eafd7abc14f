#include "http/loop_threads.h"

#include <thread>

namespace questlog::http {
namespace {

constexpr int quiet_looks_max = 10; ///< Without a new call. Then the standby sleeps.

} // namespace

void LoopThreads::run(const Loop& loop) {
    std::thread other([this, &loop] {
        if (stand_by()) hold(loop);
    });
    hold(loop);
    other.join();
}

void LoopThreads::hold(const Loop& loop) {
    do {
        if (!loop()) continue;
        const std::lock_guard lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    } while (stand_by());
}

bool LoopThreads::run_blocking(const std::function<void()>& call) {
    const std::uint64_t blocked = calls_.load(std::memory_order_relaxed) + 1;
    calls_.store(blocked);
    if (asleep_.load()) wake();
    call();
    std::uint64_t expected = blocked;
    return calls_.compare_exchange_strong(expected, blocked + 1);
}

void LoopThreads::wake() {
    const std::lock_guard lock(mutex_);
    asleep_.store(false);
    changed_.notify_all();
}

/// True: this thread holds the loop now. False: the loop has ended.
bool LoopThreads::stand_by() {
    std::unique_lock lock(mutex_);
    int quiet_looks = 0;
    while (!ended_) {
        std::uint64_t seen = calls_.load();
        const bool blocked = seen % 2 != 0;
        if (!blocked && quiet_looks >= quiet_looks_max) {
            rest(lock, seen);
            quiet_looks = 0;
            continue;
        }
        changed_.wait_for(lock, call_max_, [this] { return ended_; });
        const bool same = calls_.load() == seen;
        if (blocked && same && calls_.compare_exchange_strong(seen, seen + 1)) return true;
        quiet_looks = same ? quiet_looks + 1 : 0;
    }
    return false;
}

/// Until the loop has ended or there was a call after the first `calls`.
void LoopThreads::rest(std::unique_lock<std::mutex>& lock, std::uint64_t calls) {
    asleep_.store(true);
    if (calls_.load() == calls) changed_.wait(lock, [this] { return ended_ || !asleep_.load(); });
    asleep_.store(false);
}

} // namespace questlog::http
