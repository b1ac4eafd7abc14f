#include "http/client.h"

#include "http/listener.h"
#include "io/system_error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace questlog::http {
namespace {

constexpr std::size_t answer_bytes_max = 16 * 1024 * 1024;

Status send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return io::system_error(errno, "send to", "the server");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

std::string request_text(const Post& request, const std::string& host) {
    std::string text = fmt::format("POST {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n", request.target, host,
                                   request.body.size());
    for (const auto& [name, value] : request.headers) text += fmt::format("{}: {}\r\n", name, value);
    return text + "\r\n" + request.body;
}

/// -1: it has none.
std::int64_t content_length(std::string head) {
    std::transform(head.begin(), head.end(), head.begin(),
                   [](char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    constexpr std::string_view name = "\r\ncontent-length:";
    const std::size_t at = head.find(name);
    if (at == std::string::npos) return -1;
    const std::size_t begin = std::min(head.find_first_not_of(' ', at + name.size()), head.size());
    std::int64_t length = -1;
    std::from_chars(head.data() + begin, head.data() + head.size(), length);
    return length;
}

} // namespace

Result<Client> Client::connect(const std::string& url, std::chrono::seconds limit) {
    constexpr std::string_view scheme = "http://";
    if (!url.starts_with(scheme)) return reject("{} is no address of a server", url);
    std::string host = url.substr(scheme.size());
    TRY(address, parse_listen_address(host));
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(address.port);
    if (const int failed = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found); failed != 0)
        return internal("{}: {}", url, ::gai_strerror(failed));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
    io::Descriptor socket(::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol));
    if (socket.get() < 0) return io::system_error(errno, "open a socket for", url);
    timeval patience{};
    patience.tv_sec = limit.count();
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int no_delay = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
    if (::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0)
        return retry_later("{} does not answer: {}", url, io::system_error(errno, "connect to", url).message);
    return Client(std::move(socket), std::move(host));
}

Result<std::vector<ClientAnswer>> Client::exchange(const std::vector<Post>& requests) {
    std::string text;
    for (const Post& request : requests) text += request_text(request, host_);
    CHECK_OK(send_all(socket_.get(), text));
    std::vector<ClientAnswer> answers;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        TRY(answer, read_answer());
        answers.push_back(std::move(answer));
    }
    return answers;
}

Result<ClientAnswer> Client::read_answer() {
    constexpr std::string_view end_of_head = "\r\n\r\n";
    constexpr std::size_t status_at = 9; // after "HTTP/1.1 "
    std::size_t end = 0;
    while ((end = received_.find(end_of_head)) == std::string::npos) CHECK_OK(receive());
    ClientAnswer answer;
    std::from_chars(received_.data() + std::min(status_at, end), received_.data() + end, answer.status);
    const std::int64_t length = content_length(received_.substr(0, end));
    if (answer.status < 100 || length < 0 || static_cast<std::size_t>(length) > answer_bytes_max)
        return internal("what answers there is no questlog server");
    const std::size_t body = end + end_of_head.size();
    while (received_.size() < body + static_cast<std::size_t>(length)) CHECK_OK(receive());
    answer.body = received_.substr(body, static_cast<std::size_t>(length));
    received_.erase(0, body + static_cast<std::size_t>(length));
    return answer;
}

Status Client::receive() {
    std::array<char, 64 * 1024> bytes{};
    const auto got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) return {};
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return retry_later("the server does not answer");
    if (got < 0) return io::system_error(errno, "receive from", "the server");
    if (got == 0) return retry_later("the server has closed the connection");
    if (received_.size() > answer_bytes_max) return internal("what answers there is no questlog server");
    received_.append(bytes.data(), static_cast<std::size_t>(got));
    return {};
}

} // namespace questlog::http
