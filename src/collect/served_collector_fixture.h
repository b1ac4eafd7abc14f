#pragma once

#include "collect/collector.h"
#include "collect/fake_log.h"
#include "io/sim_env.h"

#include <arpa/inet.h>
#include <chrono>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

/// A collector behind a real server, on a log in memory, for the tests of this folder. The collector's clock stands
/// still but where the test moves it.
namespace questlog::collect {

constexpr std::chrono::seconds deadline{60};

class ServedCollectorTest : public ::testing::Test {
protected:
    ServedCollectorTest() : log_(clock_, 1), catalogue_(event::Catalogue::make(event::Catalogue::builtin()).value()) {}
    ~ServedCollectorTest() override { stop(); }

    void serve(CollectorOptions options) {
        http::ServerOptions server_options;
        server_options.port = 0;
        server_options.linger_timeout = std::chrono::milliseconds(20); // a tick of 5 ms
        server_ = http::Server::listen(server_options).value();
        port_ = server_->port();
        collector_ = std::make_unique<Collector>(io::Env{clock_, sim_.env().files, sim_.env().entropy}, catalogue_,
                                                 log_, *server_, metrics_, std::move(options), no_ids_seen(1));
        thread_ = std::thread([this] { ended_ = server_->run(*collector_); });
    }
    void stop() {
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

} // namespace questlog::collect
