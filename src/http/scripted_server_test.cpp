#include "http/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace questlog::http {
namespace {

constexpr std::chrono::seconds server_deadline{20};

/// The number after `part` in the path; 0: it has no such part.
std::uint64_t number_after(std::string_view path, std::string_view part) {
    const std::size_t at = path.find(part);
    return at == std::string_view::npos ? 0 : std::stoul(std::string(path.substr(at + part.size())));
}

} // namespace

template <class Condition> void ScriptedHandler::wait(Condition condition) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, server_deadline, condition)) << "waited in vain";
}

void ScriptedHandler::set_commits(Commits mode) {
    const std::lock_guard lock(mutex_);
    mode_ = mode;
}

void ScriptedHandler::finish_commit(bool succeeded) {
    wait([this] { return held_; });
    {
        const std::lock_guard lock(mutex_);
        held_ = false;
    }
    server_->post([this, succeeded] { server_->committed(succeeded); });
}

void ScriptedHandler::wait_for_block() {
    wait([this] { return blocked_; });
}

void ScriptedHandler::unblock() {
    wait_for_block();
    const std::lock_guard lock(mutex_);
    blocked_ = false;
    changed_.notify_all();
}

void ScriptedHandler::block() {
    std::unique_lock lock(mutex_);
    blocked_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, server_deadline, [this] { return !blocked_; });
}

void ScriptedHandler::stopped() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
}

void ScriptedHandler::wait_for_stopped() {
    wait([this] { return stopped_; });
}

void ScriptedHandler::wait_for_handled(std::size_t count) {
    wait([this, count] { return handled_.size() >= count; });
}

void ScriptedHandler::wait_for_commits(std::size_t count) {
    wait([this, count] { return commits_.size() >= count; });
}

void ScriptedHandler::wait_for_logged(std::size_t count) {
    wait([this, count] { return logged_.size() >= count; });
}

std::vector<std::string> ScriptedHandler::handled() {
    const std::lock_guard lock(mutex_);
    return handled_;
}

std::vector<std::size_t> ScriptedHandler::commits() {
    const std::lock_guard lock(mutex_);
    return commits_;
}

std::vector<std::string> ScriptedHandler::logged() {
    const std::lock_guard lock(mutex_);
    return logged_;
}

ServerStats ScriptedHandler::last_stats() {
    const std::lock_guard lock(mutex_);
    return stats_;
}

void ScriptedHandler::handle(const Request& request, Exchange& exchange) {
    const std::lock_guard lock(mutex_);
    handled_.emplace_back(request.target);
    stats_ = server_->stats();
    changed_.notify_all();
    if (request.path == "/silent") return;
    std::string body = std::string(request.target) + "|" + std::string(request.body);
    if (request.path.starts_with("/large/")) body = std::string(std::stoul(std::string(request.path.substr(7))), 'L');
    const bool after_commit = !request.path.starts_with("/now") && !request.path.starts_with("/large");
    if (after_commit) ++staged_;
    const std::uint64_t hold = number_after(request.path, "/held/");
    exchange.respond(
        {.status = 200, .content_type = "text/plain", .body = body, .after_commit = after_commit, .hold = hold});
    if (const std::uint64_t resolved = number_after(request.path, "/resolve/"); resolved != 0)
        server_->post([this, resolved] { server_->resolve({{resolved}}); });
    exchange.respond({.status = 500, .body = "a second answer"});
}

void ScriptedHandler::resolve_in_tick(std::uint64_t hold, int ticks) {
    const std::lock_guard lock(mutex_);
    hold_ = hold;
    ticks_ = ticks;
}

void ScriptedHandler::tick() {
    const std::lock_guard lock(mutex_);
    if (hold_ != 0 && --ticks_ == 0) server_->resolve({{std::exchange(hold_, 0)}});
}

bool ScriptedHandler::commit() {
    Commits mode = Commits::succeed;
    {
        const std::lock_guard lock(mutex_);
        commits_.push_back(staged_);
        staged_ = 0;
        mode = mode_;
        held_ = mode == Commits::held;
        changed_.notify_all();
    }
    if (mode == Commits::nothing_staged) return false;
    if (mode == Commits::in_call || mode == Commits::blocks_in_call)
        server_->run_blocking(
            [this, mode] {
                if (mode == Commits::blocks_in_call) block();
            },
            [this] { server_->committed(true); });
    else if (mode != Commits::held)
        server_->committed(mode == Commits::succeed);
    return true;
}

Response ScriptedHandler::commit_failure() {
    return {.status = 503, .content_type = "text/plain", .body = "not stored", .extra_headers = "Retry-After: 1\r\n"};
}

void ScriptedHandler::answered(std::string_view peer, std::string_view method, std::string_view target, int version,
                               unsigned status) {
    const std::lock_guard lock(mutex_);
    logged_.push_back(fmt::format("{} {} {} {} {}", peer, method, target, version, status));
    changed_.notify_all();
    changed_.notify_all();
}

Client::Client(std::uint16_t port, const std::string& host) {
    const bool ipv6 = host.find(':') != std::string::npos;
    fd_ = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{server_deadline.count(), 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    int connected = -1;
    if (ipv6) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(port);
        inet_pton(AF_INET6, host.c_str(), &address.sin6_addr);
        connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    } else {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        inet_pton(AF_INET, host.c_str(), &address.sin_addr);
        connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    EXPECT_EQ(connected, 0) << "cannot connect to port " << port;
}

Client::~Client() {
    if (fd_ >= 0) ::close(fd_);
}

void Client::send(std::string_view bytes) {
    EXPECT_TRUE(try_send(bytes)) << "the server has closed";
}

bool Client::try_send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void Client::half_close() {
    ::shutdown(fd_, SHUT_WR);
}

void Client::reset() {
    const linger abort{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
    ::close(std::exchange(fd_, -1));
}

bool Client::fill() {
    char bytes[65536];
    const ssize_t count = ::recv(fd_, bytes, sizeof(bytes), 0);
    reset_by_server_ = count < 0;
    if (count <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(count));
    return true;
}

Answer Client::read_answer(bool head) {
    Answer answer;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
        if (!fill()) {
            ADD_FAILURE() << "no answer, but: " << buffer_;
            return answer;
        }
    answer.head = buffer_.substr(0, end + 2);
    answer.status = static_cast<unsigned>(std::stoul(answer.head.substr(9, 3)));
    const std::size_t length = answer.head.find("Content-Length: ");
    const std::size_t size = head || length == std::string::npos ? 0 : std::stoul(answer.head.substr(length + 16));
    while (buffer_.size() < end + 4 + size)
        if (!fill()) {
            ADD_FAILURE() << "the answer was cut off";
            return answer;
        }
    answer.body = buffer_.substr(end + 4, size);
    buffer_.erase(0, end + 4 + size);
    return answer;
}

bool Client::has_input() {
    pollfd readable{fd_, POLLIN, 0};
    return ::poll(&readable, 1, 0) == 1;
}

bool Client::closed_by_server() {
    while (fill()) {
    }
    return buffer_.empty() && !reset_by_server_;
}

std::string Client::read_all() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
}

void ServerTest::start() {
    auto server = Server::listen(options_);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(*server);
    port_ = server_->port();
    handler_.attach(server_.get());
    thread_ = std::thread([this] { ended_ = server_->run(handler_); });
}

Status ServerTest::joined() {
    if (thread_.joinable()) thread_.join();
    return ended_;
}

Status ServerTest::stop() {
    if (server_ && thread_.joinable()) server_->request_stop();
    return joined();
}

} // namespace questlog::http
