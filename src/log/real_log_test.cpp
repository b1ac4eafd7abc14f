// The log on the real machine: threads, processes and kill -9.
#include "io/real_env.h"
#include "log/event_log.h"
#include "log/log_files.h"

#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace questlog::log {
namespace {

class RealLogTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "questlog-log-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        auto created = topics().create("game-events", {1, {{"segment.bytes", "1048576"}}});
        ASSERT_TRUE(created.ok());
        topic_ = *created;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    Topics topics() { return {real_.env(), directory_ + "/log"}; }

    std::unique_ptr<LogWriter> writer() {
        auto opened = open_writer(real_.env(), topics(), topic_, {});
        EXPECT_TRUE(opened.ok()) << opened.error().message;
        return std::move(opened).value();
    }

    std::unique_ptr<LogReader> reader() {
        auto opened = open_reader(real_.env(), topics(), topic_);
        EXPECT_TRUE(opened.ok()) << opened.error().message;
        return std::move(opened).value();
    }

    /// Reads [from, to) and checks that each value is its offset.
    static void expect_values(PartitionReader& partition, Offset from, Offset to) {
        auto cursor = std::move(partition.read(from, to)).value();
        Batch batch;
        while (true) {
            const auto more = cursor->next(batch);
            ASSERT_TRUE(more.ok()) << more.error().message;
            if (!*more) return;
            RecordCursor records(batch.header, batch.records);
            Record record;
            while (*records.next(record)) ASSERT_TRUE(record.value.starts_with(fmt::format("{} ", record.offset)));
        }
    }

    static void commit(PartitionWriter& partition, BatchBuilder& builder, int events) {
        static const std::string padding(400, 'x');
        builder.begin(partition.next_offset());
        for (int i = 0; i < events; ++i)
            builder.add(TimestampMs{1}, fmt::format("{} {}", builder.next_offset(), padding));
        ASSERT_TRUE(partition.append(builder.seal()).ok());
        ASSERT_TRUE(partition.sync().ok());
    }

    io::RealEnv real_;
    std::string directory_;
    Topic topic_;
};

TEST_F(RealLogTest, AReaderFollowsAWriterOverManyRolls) {
    constexpr std::int64_t events = 20'000;
    auto open = writer();
    std::thread writing([&] {
        BatchBuilder builder;
        auto& partition = open->partition(Partition{0});
        while (partition.next_offset().value < events) commit(partition, builder, 50);
    });
    auto following = reader();
    auto& partition = following->partition(Partition{0});
    Offset seen;
    while (seen.value < events && !HasFatalFailure()) {
        const std::vector<Offset> ends{seen};
        ASSERT_TRUE(*following->wait_beyond(ends, std::chrono::seconds{60}));
        const auto end = *partition.end_offset();
        expect_values(partition, seen, end);
        seen = end;
    }
    writing.join();
    ASSERT_TRUE(open->close().ok());
    EXPECT_EQ(*partition.end_offset(), Offset{events});
    std::size_t segments = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/log/game-events-0")) {
        const auto name = entry.path().filename().string();
        EXPECT_TRUE(name == "durable_end" || segment_base_of(name)) << name << " was left behind";
        if (segment_base_of(name)) ++segments;
    }
    EXPECT_GT(segments, 6U);
}

TEST_F(RealLogTest, KilledWritersLoseNothingTheyAcknowledged) {
    Offset acknowledged;
    for (int life = 0; life < 4; ++life) {
        int pipe[2];
        ASSERT_EQ(::pipe(pipe), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(pipe[0]);
            auto open = open_writer(real_.env(), topics(), topic_, {});
            if (!open.ok()) ::_exit(1);
            BatchBuilder builder;
            auto& partition = (*open)->partition(Partition{0});
            while (true) {
                commit(partition, builder, 1 + life);
                const auto next = partition.next_offset().value;
                if (::write(pipe[1], &next, sizeof next) != sizeof next) ::_exit(1);
            }
        }
        ::close(pipe[1]);
        std::int64_t next = 0;
        for (int commits = 0; commits < 40 + 37 * life; ++commits) {
            ASSERT_EQ(::read(pipe[0], &next, sizeof next), static_cast<ssize_t>(sizeof next));
        }
        ::kill(child, SIGKILL);
        while (::read(pipe[0], &next, sizeof next) == static_cast<ssize_t>(sizeof next)) {
        }
        ::close(pipe[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status));
        ASSERT_GT(next, acknowledged.value);
        acknowledged = Offset{next};

        auto after = reader();
        auto& partition = after->partition(Partition{0});
        ASSERT_GE(*partition.end_offset(), acknowledged);
        expect_values(partition, Offset{0}, *partition.end_offset());
    }
}

TEST_F(RealLogTest, ASecondProcessIsToldWhoHoldsTheLog) {
    const auto held = writer();
    const auto second = open_writer(real_.env(), topics(), topic_, {});
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind, ErrorKind::retry_later);
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos) << second.error().message;
}

} // namespace
} // namespace questlog::log
