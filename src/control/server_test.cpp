// The socket in a real folder: a server, its clients, and strangers.
#include "control/client.h"
#include "control/control_limits.h"
#include "control/server.h"
#include "control/unix_socket.h"
#include "io/real_env.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace questlog::control {
namespace {

using namespace std::chrono_literals;

class ControlServerTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "questlog-control-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        root_ = directory_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    std::unique_ptr<Server> start(std::string topic = "game-events") {
        return std::make_unique<Server>(
            real_.env(), directory_,
            ServerFacts{::getpid(), "http://127.0.0.1:1", std::move(topic), "0.1.0", TimestampMs{5}});
    }
    /// The topic of the server that answers; nullopt: there is none.
    std::optional<std::string> answering() {
        const auto told = ping(real_.env(), directory_);
        EXPECT_TRUE(told.ok()) << told.error().message;
        return told.ok() && *told ? std::optional((*told)->topic) : std::nullopt;
    }
    Result<std::optional<TopicCreated>> create(const std::string& topic) {
        return create_topic(real_.env(), directory_, CreateTopic{topic, {2, {}}, false});
    }
    io::Descriptor stranger() {
        auto socket = connect_in(directory_);
        EXPECT_TRUE(socket.ok());
        return std::move(socket).value();
    }
    /// Until the other side has taken all that was sent.
    void wait_until_read(const io::Descriptor& socket) {
        const auto deadline = soon().at;
        int unread = 1;
        while (unread != 0 && real_clock_.monotonic() < deadline) {
            ASSERT_EQ(::ioctl(socket.get(), SIOCOUTQ, &unread), 0);
            std::this_thread::yield();
        }
        ASSERT_EQ(unread, 0);
    }
    Deadline soon() { return {real_clock_, real_clock_.monotonic() + 20s}; }
    std::string reply_to(std::string_view bytes) {
        const auto client = stranger();
        EXPECT_TRUE(write_line(client, bytes, soon()).ok());
        ::shutdown(client.get(), SHUT_WR);
        const auto line = read_line(client, soon());
        EXPECT_TRUE(line.ok()) << line.error().message;
        return line.ok() ? *line : "";
    }
    [[nodiscard]] std::string path(std::string_view name) const { return fmt::format("{}/{}", directory_, name); }

    io::RealEnv real_;
    io::RealClock real_clock_;
    std::string root_;
    std::string directory_;
};

TEST_F(ControlServerTest, AnswersFromItsStartToItsEndAndLeavesNoSocket) {
    EXPECT_EQ(answering(), std::nullopt);
    EXPECT_FALSE(*create("raids")) << "without a server the caller looks to the files";
    auto server = start();
    EXPECT_EQ(answering(), "game-events");
    const auto made = create("raids");
    ASSERT_TRUE(made.ok() && *made) << made.error().message;
    EXPECT_TRUE(std::filesystem::exists(path("log/raids.topic")));
    EXPECT_EQ(create("raids").error().message, "Topic 'raids' already exists.");
    server.reset();
    EXPECT_EQ(answering(), std::nullopt);
    EXPECT_FALSE(std::filesystem::exists(path(socket_name)));
}

TEST_F(ControlServerTest, TheSocketIsItsUsersAlone) {
    const mode_t before = ::umask(0);
    const auto server = start();
    ::umask(before);
    struct stat found {};
    ASSERT_EQ(::lstat(path(socket_name).c_str(), &found), 0);
    EXPECT_TRUE(S_ISSOCK(found.st_mode));
    EXPECT_EQ(found.st_mode & 07777, 0600U);
    EXPECT_TRUE(may_command(0, 1000));
    EXPECT_TRUE(may_command(1000, 1000));
    EXPECT_FALSE(may_command(1001, 1000));
    EXPECT_FALSE(may_command(1000, 0));
}

TEST_F(ControlServerTest, ADeadServersSocketIsReplaced) {
    ASSERT_TRUE(listen_in(real_.env().files, directory_).ok()); // closed at once, its name stays
    ASSERT_TRUE(std::filesystem::exists(path(socket_name)));
    EXPECT_EQ(answering(), std::nullopt) << "no one holds the lock, so no one is waited for";
    const auto server = start();
    EXPECT_EQ(answering(), "game-events");
}

TEST_F(ControlServerTest, ALiveServersSocketIsNeverTakenAndTheNextTakesOver) {
    auto first = start("first");
    const auto second = start("second");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(answering(), "first");
    first.reset();
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    std::optional<std::string> topic;
    while (!(topic = answering()) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(topic, "second");
}

TEST_F(ControlServerTest, WhatIsNoSocketIsNotRemoved) {
    std::ofstream(path(socket_name)) << "mine";
    const auto server = start();
    EXPECT_TRUE(std::filesystem::is_regular_file(path(socket_name)));
    EXPECT_EQ(answering(), std::nullopt) << "the lock was given back";
}

TEST_F(ControlServerTest, LongPathsWork) {
    while (directory_.size() < 1000) directory_ += "/" + std::string(100, 'd');
    std::filesystem::create_directories(directory_);
    const auto server = start();
    EXPECT_EQ(answering(), "game-events");
    EXPECT_TRUE(std::filesystem::is_socket(path(socket_name)));
    auto made = create("raids");
    EXPECT_TRUE(made.ok() && *made);
}

TEST_F(ControlServerTest, APathThatJustDoesNotFitWorks) {
    // sun_path holds 107 characters and the zero after them.
    for (const std::size_t size : {105U, 106U, 107U, 108U, 109U}) {
        directory_ = root_ + "/";
        directory_ += std::string(size - directory_.size() - socket_name.size() - 1, 'd');
        ASSERT_EQ(path(socket_name).size(), size);
        std::filesystem::create_directories(directory_);
        const auto server = start();
        EXPECT_EQ(answering(), "game-events") << size;
        EXPECT_TRUE(std::filesystem::is_socket(path(socket_name))) << size;
    }
}

TEST_F(ControlServerTest, StrangersAreToldWhatIsWrongAndHoldUpNoOne) {
    const auto server = start();
    EXPECT_NE(reply_to("GET / HTTP/1.1\r\n").find("not one JSON object"), std::string::npos);
    EXPECT_NE(reply_to(std::string("\0\1\2\xff\n", 5)).find("not one JSON object"), std::string::npos);
    EXPECT_NE(reply_to("{\"version\": 1").find("before a whole line"), std::string::npos);
    EXPECT_NE(reply_to(std::string(limits::control_line_bytes_max + 1, 'x') + "\n").find("65536 bytes"),
              std::string::npos);
    stranger(); // leaves at once
    EXPECT_EQ(answering(), "game-events");
}

TEST_F(ControlServerTest, AClientThatSendsNothingIsLetGo) {
    const auto server = start();
    const auto silent = stranger();
    const auto late = stranger();
    EXPECT_EQ(answering(), "game-events") << "after the two of them";
    for (const auto* client : {&silent, &late}) {
        const auto told = read_line(*client, soon());
        ASSERT_TRUE(told.ok()) << told.error().message;
        EXPECT_NE(told->find("the time is over"), std::string::npos) << *told;
    }
}

TEST_F(ControlServerTest, AClientThatReadsNothingIsLetGo) {
    const auto server = start();
    const auto deaf = stranger();
    for (int i = 0; i < 3; ++i) (void)write_line(deaf, *encode(Request(Ping{})), soon());
    EXPECT_EQ(answering(), "game-events");
}

TEST_F(ControlServerTest, TheEndIsNotHeldUpByTheSilentAndTellsThoseWhoWait) {
    auto server = start();
    const auto silent = stranger();
    ASSERT_TRUE(write_line(silent, "{", soon()).ok());
    wait_until_read(silent); // so the server is at it, and waits for the rest
    const auto waiting = stranger();
    server->request_stop();
    server.reset();
    for (const auto* client : {&silent, &waiting}) {
        const auto told = read_line(*client, soon());
        ASSERT_TRUE(told.ok()) << told.error().message;
        EXPECT_NE(told->find("the server is stopping"), std::string::npos) << *told;
    }
}

TEST_F(ControlServerTest, AServerThatHangsHoldsNoClientForEver) {
    const auto lock = real_.env().files.lock(path(lock_name), 0, io::Files::Share::exclusive, 0ms);
    ASSERT_TRUE(lock.ok());
    const auto gone = ping(real_.env(), directory_);
    ASSERT_FALSE(gone.ok()) << "a live server without a socket";
    EXPECT_NE(gone.error().message.find("has not answered"), std::string::npos) << gone.error().message;
    const auto listening = listen_in(real_.env().files, directory_);
    ASSERT_TRUE(listening.ok());
    const auto hung = ping(real_.env(), directory_);
    ASSERT_FALSE(hung.ok());
    EXPECT_NE(hung.error().message.find("the time is over"), std::string::npos) << hung.error().message;
}

TEST_F(ControlServerTest, ManyClientsAtOnceAreServedOneAfterTheOther) {
    const auto server = start();
    std::vector<std::future<bool>> creations;
    for (int i = 0; i < 100; ++i)
        creations.push_back(std::async(std::launch::async, [this] {
            const auto made = create("raids");
            return made.ok() && *made && (*made)->created;
        }));
    int created = 0;
    for (auto& one : creations) created += one.get() ? 1 : 0;
    EXPECT_EQ(created, 1);
}

} // namespace
} // namespace questlog::control
