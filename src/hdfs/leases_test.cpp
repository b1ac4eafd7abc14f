#include "hdfs/leases.h"

#include "hdfs/webhdfs_fixture.h"
#include "io/process_identity.h"

#include <atomic>
#include <functional>
#include <gtest/gtest.h>

namespace questlog::hdfs {
namespace {

using Kind = Fault::Kind;

constexpr std::chrono::milliseconds at_once{0};
constexpr std::int64_t minute_ms = 60'000;

class LeasesTest : public ::testing::Test {
protected:
    LeasesTest() { hdfs_.set_clock(now_ms_); }

    WebHdfsClient client() {
        ClientOptions options;
        options.namenode = hdfs_.address();
        options.user = "games";
        options.patience = std::chrono::milliseconds(1'000);
        return {clock_, real_.env().entropy, options};
    }
    io::Env env() { return {clock_, real_.env().files, real_.env().entropy}; }

    /// The NameNode's clock, by which leases age. A client learns of it with its next answer.
    void pass(std::int64_t ms) {
        now_ms_ += ms;
        hdfs_.set_clock(now_ms_);
    }
    /// A holder on a machine that nobody here knows.
    void held_elsewhere(std::int64_t epoch) {
        hdfs_.put(number(epoch), "host=far\npid=77\ncommand=questlog\nmachine=another/1\nstarted=5\ntoken=1\n");
    }
    static std::string number(std::int64_t epoch) { return fmt::format("/locks/a.lock.0.{:012}", epoch); }
    /// In the midst of the next taking: after the folder was listed, before the next number is made.
    void meanwhile(std::function<void()> action) {
        Fault fault;
        fault.kind = Kind::none;
        fault.before = std::move(action);
        hdfs_.fail("CREATE-data", fault);
    }
    static bool holds(const Result<std::unique_ptr<io::Lock>>& lock) { return lock.ok(); }

    std::int64_t now_ms_ = 1'795'384'733'000;
    FakeHdfs hdfs_;
    SteppingClock clock_;
    io::RealEnv real_;
    WebHdfsClient one_client_ = client();
    WebHdfsClient other_client_ = client();
    Leases one_{env(), one_client_};
    Leases other_{env(), other_client_};
};

TEST_F(LeasesTest, OneHoldsItAndTheOtherIsToldWho) {
    auto lock = one_.acquire("/locks/a.lock", 0, at_once);
    ASSERT_TRUE(lock.ok()) << lock.error().message;
    const auto refused = other_.acquire("/locks/a.lock", 0, at_once);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(has(refused.error().message, fmt::format("process {}", ::getpid())));
    EXPECT_TRUE(other_.is_held("/locks/a.lock", 0).value());
    EXPECT_TRUE(holds(other_.acquire("/locks/a.lock", 1, at_once))); // another slot
}

TEST_F(LeasesTest, WhatWasReleasedIsTakenWithAGreaterNumber) {
    { ASSERT_TRUE(holds(one_.acquire("/locks/a.lock", 0, at_once))); }
    EXPECT_FALSE(other_.is_held("/locks/a.lock", 0).value());
    const auto lock = other_.acquire("/locks/a.lock", 0, at_once);
    ASSERT_TRUE(lock.ok()) << lock.error().message;
    EXPECT_TRUE(hdfs_.node("/locks/a.lock.0.000000000002").has_value());
}

TEST_F(LeasesTest, OldNumbersAreRemovedInTime) {
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(holds(one_.acquire("/locks/a.lock", 0, at_once)));
    EXPECT_LT(hdfs_.paths().size(), 22);
    EXPECT_TRUE(hdfs_.node("/locks/a.lock.0.000000000060").has_value());
}

TEST_F(LeasesTest, NotRenewedForAMinuteItIsAnyones) {
    held_elsewhere(4);
    pass(minute_ms - 1'000);
    const auto refused = one_.acquire("/locks/a.lock", 0, at_once);
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(has(refused.error().message, "process 77 (questlog) on far"));
    pass(3'000);
    EXPECT_TRUE(holds(one_.acquire("/locks/a.lock", 0, at_once)));
    EXPECT_TRUE(hdfs_.node("/locks/a.lock.0.000000000005").has_value());
}

/// The holder has listed the folder already after its renewal, and goes on.
TEST_F(LeasesTest, StaleOneThatIsRenewedWhileItIsTakenStaysItsHoldersOwn) {
    held_elsewhere(4);
    pass(minute_ms + 2'000);
    meanwhile([this] { hdfs_.set_modified(number(4), now_ms_); });
    const auto refused = one_.acquire("/locks/a.lock", 0, at_once);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(has(refused.error().message, "another process, which took or renewed it at the same time"));
    EXPECT_TRUE(one_.check().ok());
    EXPECT_TRUE(other_.is_held("/locks/a.lock", 0).value());
    const auto third = other_.acquire("/locks/a.lock", 0, at_once);
    ASSERT_FALSE(third.ok());
    EXPECT_TRUE(has(third.error().message, "process 77 (questlog) on far"));
    hdfs_.set_modified(number(4), 0); // as its holder frees it
    EXPECT_TRUE(holds(other_.acquire("/locks/a.lock", 0, at_once)));
    EXPECT_TRUE(hdfs_.node(number(6)).has_value());
}

TEST_F(LeasesTest, WhoWaitsForAStaleOneThatIsRenewedWaitsForItsHolder) {
    held_elsewhere(4);
    pass(minute_ms + 2'000);
    meanwhile([this] { hdfs_.set_modified(number(4), now_ms_); });
    const auto refused = one_.acquire("/locks/a.lock", 0, std::chrono::seconds(30));
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(has(refused.error().message, "process 77 (questlog) on far"));
}

TEST_F(LeasesTest, HolderIsNotOvertakenByWhatWasWithdrawn) {
    Leases quick(env(), one_client_, {.renewal = std::chrono::milliseconds(5)});
    const auto lock = quick.acquire("/locks/a.lock", 0, at_once);
    ASSERT_TRUE(lock.ok());
    held_elsewhere(2);
    hdfs_.set_modified(number(2), 1);
    const int before = hdfs_.calls("SETTIMES");
    while (hdfs_.calls("SETTIMES") < before + 3) std::this_thread::yield();
    EXPECT_TRUE(quick.check().ok());
}

/// Someone was gone for so long that the number which came next then is in nobody's way any more.
TEST_F(LeasesTest, NumberOfLongAgoIsNotTaken) {
    for (const bool was_stale : {false, true}) {
        held_elsewhere(4);
        hdfs_.set_modified(number(4), was_stale ? now_ms_ - 2 * minute_ms : 0);
        meanwhile([this] { held_elsewhere(30); });
        EXPECT_FALSE(holds(one_.acquire("/locks/a.lock", 0, at_once)));
        static_cast<void>(other_client_.remove(number(5)));
        static_cast<void>(other_client_.remove(number(30)));
    }
}

/// Of a number that was made, and whose maker was only slow to see that it must not have it.
TEST_F(LeasesTest, StaleOneThatIsWithdrawnMeanwhileLeavesTheOneBeforeIt) {
    held_elsewhere(4);
    held_elsewhere(5);
    pass(minute_ms + 2'000);
    meanwhile([this] {
        hdfs_.set_modified(number(4), now_ms_);
        hdfs_.set_modified(number(5), 1);
    });
    EXPECT_FALSE(holds(one_.acquire("/locks/a.lock", 0, at_once)));
    EXPECT_TRUE(other_.is_held("/locks/a.lock", 0).value());
}

TEST_F(LeasesTest, DeadProcessOfThisMachineHoldsNothing) {
    auto self = io::this_process().value();
    self.started -= 1; // the pid is another process's now
    hdfs_.put("/locks/a.lock.0.000000000001", fmt::format("host={}\npid={}\ncommand=x\nmachine={}\nstarted={}\n",
                                                          self.host, self.pid, self.machine, self.started));
    EXPECT_TRUE(holds(one_.acquire("/locks/a.lock", 0, at_once)));
}

TEST_F(LeasesTest, HolderThatWasOvertakenChangesNothingMore) {
    Leases quick(env(), one_client_, {.renewal = std::chrono::milliseconds(5)});
    auto lock = quick.acquire("/locks/a.lock", 0, at_once);
    ASSERT_TRUE(lock.ok());
    EXPECT_TRUE(quick.check().ok());
    held_elsewhere(2); // as one does that saw it stale
    while (quick.check().ok()) std::this_thread::yield();
    EXPECT_EQ(quick.check().error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(has(quick.check().error().message, "another process"));
    lock.value().reset();
    EXPECT_TRUE(quick.check().ok());
}

TEST_F(LeasesTest, HolderThatCannotRenewStopsBeforeOthersMayTakeIt) {
    const auto lock = one_.acquire("/locks/a.lock", 0, at_once);
    ASSERT_TRUE(lock.ok());
    clock_.sleep(std::chrono::milliseconds(44'000));
    EXPECT_TRUE(one_.check().ok());
    clock_.sleep(std::chrono::milliseconds(2'000));
    EXPECT_FALSE(one_.check().ok());
}

TEST_F(LeasesTest, HeldLeaseIsRenewed) {
    Leases quick(env(), one_client_, {.renewal = std::chrono::milliseconds(5)});
    const auto lock = quick.acquire("/locks/a.lock", 0, at_once);
    ASSERT_TRUE(lock.ok());
    pass(2 * minute_ms);
    const auto renewed = [&] { return hdfs_.node("/locks/a.lock.0.000000000001")->modified > now_ms_ - minute_ms; };
    while (!renewed()) std::this_thread::yield();
    EXPECT_FALSE(holds(other_.acquire("/locks/a.lock", 0, at_once)));
}

TEST_F(LeasesTest, AnswerOfTheTakingThatGotLostIsLookedAt) {
    hdfs_.fail("CREATE-data", {Kind::drop_answer});
    EXPECT_TRUE(holds(one_.acquire("/locks/a.lock", 0, at_once)));
    EXPECT_EQ(hdfs_.calls("CREATE-data"), 1);
}

TEST_F(LeasesTest, WhatHdfsHadNoRoomForIsNotHeld) {
    hdfs_.fail("CREATE-data", {Kind::refuse_rest, 403, "DSQuotaExceededException", "The DiskSpace quota is exceeded"});
    EXPECT_FALSE(holds(one_.acquire("/locks/a.lock", 0, at_once)));
    EXPECT_TRUE(holds(other_.acquire("/locks/a.lock", 0, at_once)));
}

TEST_F(LeasesTest, OfManyAtOnceOneHasIt) {
    constexpr int threads = 8;
    std::atomic<int> inside = 0;
    std::atomic<int> entered = 0;
    std::vector<std::thread> racers;
    for (int i = 0; i < threads; ++i)
        racers.emplace_back([&] {
            WebHdfsClient own = client();
            Leases leases(env(), own);
            for (int round = 0; round < 5; ++round) {
                const auto lock = leases.acquire("/locks/a.lock", 0, std::chrono::hours(1));
                if (!lock.ok()) continue;
                EXPECT_EQ(++inside, 1);
                ++entered;
                --inside;
            }
        });
    for (std::thread& racer : racers) racer.join();
    EXPECT_EQ(entered, threads * 5);
}

} // namespace
} // namespace questlog::hdfs
