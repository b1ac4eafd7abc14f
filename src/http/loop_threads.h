#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

namespace questlog::http {

/// The threads of a loop that may not stand still: one holds it, one stands by. When a call blocks the first for too
/// long, the second goes on with the loop, and the first, once its call is back, stands by in its turn. All that the
/// one did before the call is seen by the other.
///
/// A call that is not too long costs three atomic operations and neither a lock nor a system call, but for one in a
/// long while that wakes the standby. That one looks on while there are calls, and sleeps while there are none.
class LoopThreads {
public:
    /// A call that takes longer than `call_max`, or at most twice as long, loses its thread the loop.
    explicit LoopThreads(std::chrono::milliseconds call_max) : call_max_(call_max) {}

    /// Goes on with the loop from where it is. True: it has ended. False: run_blocking() was false.
    using Loop = std::function<bool()>;
    /// Begins the loop on this thread; returns once it has ended, on whichever thread, and no call blocks any more.
    /// Once an object.
    void run(const Loop& loop);

    /// From within the loop, which is in a state that another thread can go on from. False: the other thread does;
    /// this one may touch nothing of the loop and must return from it.
    [[nodiscard]] bool run_blocking(const std::function<void()>& call);

private:
    void hold(const Loop& loop);
    [[nodiscard]] bool stand_by();
    void rest(std::unique_lock<std::mutex>& lock, std::uint64_t calls);
    void wake();

    const std::chrono::milliseconds call_max_;
    /// Twice the number of calls so far, less one while the last of them blocks the loop. Who makes it even holds the
    /// loop from then on: the thread whose call is back, or the standby.
    std::atomic<std::uint64_t> calls_{0};
    std::atomic<bool> asleep_{false}; ///< The standby. Stored before it looks at calls_ a last time; who calls does it
                                      ///< the other way round, so one of the two sees the other.
    std::mutex mutex_;
    std::condition_variable changed_; ///< ended_ or asleep_.
    bool ended_ = false;              ///< Guarded by mutex_.
};

} // namespace questlog::http
