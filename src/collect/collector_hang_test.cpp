#include "collect/collector_fixture.h"

#include <arpa/inet.h>
#include <future>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/// A disk that does not answer, under a collector behind a real server: whoever does not wait for it is served. The
/// clock stands still but where the test moves it, so that every commit is short until the disk hangs.
namespace questlog::collect {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds deadline{60};

/// What syncs pass. Closed, they hang.
class Gate {
public:
    void close() {
        const std::lock_guard lock(mutex_);
        open_ = false;
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void pass() {
        std::unique_lock lock(mutex_);
        waits_ = !open_;
        changed_.notify_all();
        EXPECT_TRUE(changed_.wait_for(lock, deadline, [this] { return open_; })) << "never opened";
        waits_ = false;
    }
    void wait_for_one() {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, deadline, [this] { return waits_; })) << "no sync hangs";
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
    bool waits_ = false;
};

class HungDisk : public ::testing::Test {
protected:
    HungDisk() : log_(clock_, 1), catalogue_(event::Catalogue::make(event::Catalogue::builtin()).value()) {
        partition().on_sync = [this] { gate_.pass(); };
        http::ServerOptions server_options;
        server_options.port = 0;
        server_options.linger_timeout = milliseconds(20); // a tick of 5 ms
        server_ = http::Server::listen(server_options).value();
        port_ = server_->port();
        CollectorOptions options;
        options.commit_wait_max = milliseconds(2'000);
        options.inline_commit_max = std::chrono::hours(1); // no hang drives commits from the io thread
        collector_ = std::make_unique<Collector>(io::Env{clock_, sim_.env().files, sim_.env().entropy}, catalogue_,
                                                 log_, *server_, metrics_, options, no_ids_seen(1));
        thread_ = std::thread([this] { ended_ = server_->run(*collector_); });
    }
    ~HungDisk() override { stop(); }

    void stop() {
        gate_.open();
        server_->request_stop();
        if (thread_.joinable()) thread_.join();
        EXPECT_TRUE(collector_->tally().balances());
        EXPECT_EQ(collector_->tally().pending, ended_.ok() ? 0 : 1) << "without an answer is only what failed";
    }

    /// All that comes on a connection of its own, up to its end.
    std::string get(const std::string& target) const {
        const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval patience{deadline.count(), 0};
        ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
        const std::string request = "GET " + target + " HTTP/1.1\r\nHost: game\r\nConnection: close\r\n\r\n";
        EXPECT_EQ(::send(connection, request.data(), request.size(), MSG_NOSIGNAL), std::ssize(request));
        std::string all;
        char bytes[4096];
        for (ssize_t count = 0; (count = ::recv(connection, bytes, sizeof(bytes), 0)) > 0;)
            all.append(bytes, static_cast<std::size_t>(count));
        ::close(connection);
        return all;
    }
    std::future<std::string> begin_get(const std::string& target) {
        return std::async(std::launch::async, [this, target] { return get(target); });
    }
    static bool says(const std::string& answer, const std::string& what) {
        return answer.find(what) != std::string::npos;
    }
    static bool is_there(const std::future<std::string>& answer) {
        return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    }

    FakePartition& partition() { return *log_.partitions.front(); }

    Gate gate_;
    FakeClock clock_;
    io::SimEnv sim_{1};
    FakeLog log_;
    Metrics metrics_;
    event::Catalogue catalogue_;
    std::unique_ptr<http::Server> server_;
    std::uint16_t port_ = 0;
    std::unique_ptr<Collector> collector_;
    std::thread thread_;
    Status ended_;
};

TEST_F(HungDisk, HoldsUpNobodyLongerThanItsLimitAndIsUsedAgainOnceItAnswers) {
    std::size_t offset = 0;
    for (int round = 0; round < 3; ++round) {
        EXPECT_TRUE(says(get("/?receipt=1"), "\"offset\": " + std::to_string(offset++) + "}"));
        gate_.close();
        auto hung = begin_get("/?receipt=1");
        gate_.wait_for_one();
        EXPECT_TRUE(says(get("/healthz"), "ok\n"));
        EXPECT_TRUE(says(get("/readyz"), "ready\n"));
        EXPECT_FALSE(is_there(hung)) << "answered before its event was durable";
        clock_.pass(milliseconds(2'001));
        EXPECT_TRUE(says(hung.get(), "the disk has not answered for 2000 ms"));
        EXPECT_TRUE(says(get("/"), "the disk does not answer"));
        EXPECT_TRUE(says(get("/healthz"), "ok\n"));
        EXPECT_TRUE(says(get("/readyz"), "503"));
        gate_.open();
        while (!says(get("/readyz"), "ready\n")) {
        }
        ++offset; // it is in the log after all
        EXPECT_TRUE(says(get("/?receipt=1"), "\"offset\": " + std::to_string(offset++) + "}"));
    }
    stop();
    EXPECT_TRUE(ended_.ok());
    EXPECT_EQ(collector_->tally().undecided, 3);
    EXPECT_EQ(collector_->tally().accepted, 6);
    EXPECT_EQ(partition().durable, offset);
}

TEST_F(HungDisk, ThatAnswersWithinItsLimitCostsNoAnswer) {
    for (int round = 0; round < 3; ++round) {
        gate_.close();
        auto hung = begin_get("/");
        gate_.wait_for_one();
        EXPECT_TRUE(says(get("/healthz"), "ok\n"));
        auto behind = begin_get("/");
        gate_.open();
        EXPECT_TRUE(says(hung.get(), "200 OK"));
        EXPECT_TRUE(says(behind.get(), "200 OK"));
    }
    stop();
    EXPECT_TRUE(ended_.ok());
    EXPECT_EQ(collector_->tally().accepted, 6);
    EXPECT_EQ(partition().durable, 6U);
}

TEST_F(HungDisk, IsWaitedForByAStop) {
    gate_.close();
    auto hung = begin_get("/");
    gate_.wait_for_one();
    EXPECT_TRUE(says(get("/healthz"), "ok\n"));
    server_->request_stop();
    clock_.pass(milliseconds(2'001));
    EXPECT_TRUE(says(hung.get(), "the disk has not answered for 2000 ms"));
    stop();
    EXPECT_TRUE(ended_.ok());
    EXPECT_EQ(partition().durable, 1U) << "run() returned while the disk was being written to";
    EXPECT_EQ(collector_->tally().undecided, 1);
}

TEST_F(HungDisk, ThatAnswersToAStopGivesItsAnswers) {
    gate_.close();
    auto hung = begin_get("/");
    gate_.wait_for_one();
    server_->request_stop();
    gate_.open();
    EXPECT_TRUE(says(hung.get(), "200 OK"));
    stop();
    EXPECT_TRUE(ended_.ok());
    EXPECT_EQ(collector_->tally().accepted, 1);
}

TEST_F(HungDisk, ThatTurnsOutToHaveFailedEndsTheServer) {
    gate_.close();
    auto hung = begin_get("/");
    gate_.wait_for_one();
    EXPECT_TRUE(says(get("/healthz"), "ok\n"));
    partition().sync_error = internal("Input/output error");
    gate_.open();
    EXPECT_EQ(hung.get(), "") << "answered although its sync failed";
    thread_.join();
    ASSERT_FALSE(ended_.ok());
    EXPECT_TRUE(says(ended_.error().message, "syncing the log"));
}

} // namespace
} // namespace questlog::collect
