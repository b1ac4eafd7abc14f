#include "http/loop_threads.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace questlog::http {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds deadline{20};

std::set<std::string> threads() {
    std::set<std::string> all;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task"))
        all.insert(thread.path().filename());
    return all;
}

/// How often the threads but those `before` have gone to sleep.
std::string sleeps_since(const std::set<std::string>& before) {
    std::string all;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        if (before.contains(thread.path().filename())) continue;
        std::ifstream status(thread.path() / "status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("voluntary_ctxt_switches:")) all += line + "; ";
    }
    return all;
}

TEST(LoopThreads, ACallThatReturnsSoonKeepsItsThread) {
    LoopThreads threads{std::chrono::hours(1)};
    const auto here = std::this_thread::get_id();
    int steps = 0;
    threads.run([&] {
        for (; steps < 1000; ++steps) EXPECT_TRUE(threads.run_blocking([] {}));
        EXPECT_EQ(std::this_thread::get_id(), here);
        return true;
    });
    EXPECT_EQ(steps, 1000);
}

TEST(LoopThreads, EachCallThatBlocksMovesTheLoopToTheOtherThread) {
    LoopThreads threads{milliseconds(1)};
    std::vector<std::thread::id> held_by; // of the loop: nothing guards it but the hand-over itself
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t blocked_until = 0; // the loop has moved so many times
    threads.run([&] {
        held_by.push_back(std::this_thread::get_id());
        {
            const std::lock_guard lock(mutex);
            blocked_until = held_by.size();
            changed.notify_all();
        }
        if (held_by.size() == 6) return true;
        const std::size_t moves = held_by.size();
        const bool kept = threads.run_blocking([&] {
            std::unique_lock lock(mutex);
            EXPECT_TRUE(changed.wait_for(lock, deadline, [&] { return blocked_until > moves; }));
        });
        EXPECT_FALSE(kept) << "of two that hold the loop";
        return kept;
    });
    ASSERT_EQ(held_by.size(), 6u);
    EXPECT_EQ(held_by[0], std::this_thread::get_id());
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(held_by[i], held_by[i % 2]) << "a third thread";
    EXPECT_NE(held_by[0], held_by[1]);
}

/// Every call may end just when it is given up.
TEST(LoopThreads, OneOfThemHoldsTheLoopWhenACallEndsAsItIsGivenUp) {
    LoopThreads loop{milliseconds(0)};
    int legs = 0; // of the loop, as `calls`
    int calls = 0;
    std::atomic<std::thread::id> holder;
    std::atomic<int> calls_made{0};
    std::atomic<bool> two_hold_it{false};
    loop.run([&] {
        if (++legs > 100) return true;
        holder = std::this_thread::get_id();
        do {
            two_hold_it = two_hold_it || holder.load() != std::this_thread::get_id();
            if (two_hold_it) return true;
            ++calls;
        } while (loop.run_blocking([&] {
            ++calls_made;
            std::this_thread::yield();
        }));
        return false;
    });
    EXPECT_FALSE(two_hold_it);
    EXPECT_EQ(legs, 101);
    EXPECT_EQ(calls, calls_made.load());
}

TEST(LoopThreads, TheStandbySleepsWhileThereAreNoCallsAndWakesForOneThatBlocks) {
    LoopThreads loop{milliseconds(1)};
    const std::set<std::string> before = threads();
    bool blocks = false;
    std::promise<void> taken_over;
    loop.run([&] {
        if (blocks) {
            taken_over.set_value();
            return true;
        }
        if (!loop.run_blocking([] {})) return false; // on a busy machine: once more
        std::string seen;
        int same_looks = 0;
        for (int looks = 0; same_looks < 2000; ++looks) { // some 20 ms, in which it would look 20 times
            if (looks == 200'000) {
                ADD_FAILURE() << "never at rest: " << seen;
                return true;
            }
            const std::string now = sleeps_since(before);
            same_looks = now == seen ? same_looks + 1 : 0;
            seen = now;
        }
        blocks = true;
        return loop.run_blocking(
            [&] { EXPECT_EQ(taken_over.get_future().wait_for(deadline), std::future_status::ready); });
    });
    EXPECT_TRUE(blocks);
}

} // namespace
} // namespace questlog::http
