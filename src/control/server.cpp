#include "control/server.h"

#include "base/operator_log.h"
#include "control/control_limits.h"
#include "control/unix_socket.h"
#include "io/lock_error.h"

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace questlog::control {
namespace {

constexpr std::chrono::milliseconds claim_again{1'000}; ///< How often to look whether the other server has ended.
constexpr std::chrono::milliseconds accept_again{100};  ///< While the process has no file descriptor left.

std::string why_not(const std::string& directory, const Error& error) {
    if (error.kind != ErrorKind::retry_later)
        return fmt::format("no administrative commands are taken, all else works: {}", error.message);
    if (!io::is_held_by_another(error))
        return fmt::format("no administrative commands are taken until this is over: {}", error.message);
    return fmt::format("another server answers the administrative commands of {}; this one will once that one has "
                       "ended ({})",
                       directory, error.message);
}

} // namespace

Server::Server(io::Env env, std::string data_directory, ServerFacts facts)
    : env_(env), directory_(std::move(data_directory)), administration_(env, directory_ + "/log", std::move(facts)),
      end_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!end_.is_open()) {
        log_warn("no administrative commands are taken: the process has no file descriptor left; raise ulimit -n");
        return;
    }
    claim();
    if (standing_ != Standing::without) thread_ = std::thread([this] { run(); });
}

Server::~Server() {
    if (!thread_.joinable()) return;
    administration_.stop();
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(end_.get(), &one, sizeof(one)); // an eventfd at 0 takes it
    thread_.join();
}

void Server::claim() {
    const std::string lock_path = fmt::format("{}/{}", directory_, lock_name);
    auto lock = env_.files.lock(lock_path, 0, io::Files::Share::exclusive, std::chrono::milliseconds{0});
    auto listening = lock.ok() ? listen_in(env_.files, directory_) : Result<io::Descriptor>(lock.error());
    if (!listening.ok()) {
        const Error& error = listening.error();
        if (error.kind != ErrorKind::retry_later) standing_ = Standing::without;
        if (!std::exchange(told_, true)) log_warn("{}", why_not(directory_, error));
        return;
    }
    lock_ = std::move(*lock);
    listening_ = std::move(*listening);
    standing_ = Standing::listening;
    if (told_) log_info("administrative commands are answered at {}/{} now", directory_, socket_name);
}

void Server::run() {
    std::chrono::milliseconds pause{0}; // before the next look at the socket
    while (standing_ != Standing::without) {
        const bool accepting = standing_ == Standing::listening && pause.count() == 0;
        const auto limit = accepting ? std::chrono::milliseconds{-1} : std::max(pause, std::chrono::milliseconds{1});
        std::array<pollfd, 2> waits{pollfd{end_.get(), POLLIN, 0},
                                    pollfd{accepting ? listening_.get() : -1, POLLIN, 0}};
        if (::poll(waits.data(), waits.size(), static_cast<int>(limit.count())) < 0) continue; // a signal
        if (waits[0].revents != 0) break;
        pause = std::chrono::milliseconds{0};
        if (standing_ == Standing::waiting) {
            claim();
            if (standing_ == Standing::waiting) pause = claim_again;
        } else if (waits[1].revents != 0) {
            const io::Descriptor client = accept_client(listening_);
            if (client.is_open())
                serve(client);
            else if (errno != EAGAIN && errno != ECONNABORTED)
                pause = accept_again;
        }
    }
    if (standing_ == Standing::listening) dismiss_waiting();
}

void Server::serve(const io::Descriptor& client) {
    const Deadline deadline{env_.clock, env_.clock.monotonic() + limits::control_request_timeout, end_.get()};
    const auto peer = peer_of(client);
    std::string answer;
    if (!peer.ok() || !may_command(*peer, ::geteuid())) {
        answer = encode(reject("user {} may give this server no commands; run as user {}, whose it is, or as root",
                               peer.ok() ? fmt::format("{}", *peer) : "unknown", ::geteuid()));
    } else {
        const auto line = read_line(client, deadline);
        answer = line.ok() ? administration_.answer(*line) : encode(line.error());
    }
    const Deadline for_answer{env_.clock, env_.clock.monotonic() + limits::control_request_timeout, end_.get()};
    (void)write_line(client, answer, for_answer); // who does not read its answer goes without
}

void Server::dismiss_waiting() {
    // The name goes first: who comes later finds no server, and not one that never answers.
    (void)env_.files.remove_file(fmt::format("{}/{}", directory_, socket_name));
    const Deadline at_once{env_.clock, env_.clock.monotonic(), -1};
    for (io::Descriptor client = accept_client(listening_); client.is_open(); client = accept_client(listening_))
        (void)write_line(client, Administration::refusal(), at_once);
    listening_ = io::Descriptor();
    lock_.reset();
}

} // namespace questlog::control
