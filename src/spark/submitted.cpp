#include "spark/submitted.h"

#include "io/descriptor.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace questlog::spark {
namespace {

constexpr std::chrono::milliseconds stop_patience{10'000};
constexpr std::chrono::milliseconds look_again{20};

/// In the child, where only what is safe in a signal handler may be called.
[[noreturn]] void become(char* const* argv, int log, int failure, pid_t parent) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1); // it has gone before that was said
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ}) ::sigaction(signal, &usual, nullptr);
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execvp(argv[0], argv);
    const int code = errno;
    static_cast<void>(!::write(failure, &code, sizeof code));
    ::_exit(127);
}

std::string text_of(int status) {
    if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
    return fmt::format("exit code {}", WEXITSTATUS(status));
}

} // namespace

Result<Submitted> Submitted::start(io::Clock& clock, const std::string& program,
                                   const std::vector<std::string>& arguments, const std::string& log) {
    const io::Descriptor log_file(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
    if (!log_file.is_open()) return reject("cannot write {}: {}", log, std::strerror(errno));
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return internal("no pipe: {}", std::strerror(errno));
    const io::Descriptor read_end(ends[0]);
    io::Descriptor write_end(ends[1]);
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return retry_later("cannot start {}: {}", program, std::strerror(errno));
    if (pid == 0) become(argv.data(), log_file.get(), write_end.get(), parent);
    Submitted started(clock, pid);
    ::setpgid(pid, pid); // whoever comes first
    write_end = io::Descriptor();
    int code = 0;
    if (io::uninterrupted([&] { return ::read(read_end.get(), &code, sizeof code); }) == sizeof code)
        return Error{ErrorKind::reject, fmt::format("cannot start {}: {}", program, std::strerror(code)), code};
    return started;
}

Submitted::Submitted(Submitted&& other) noexcept
    : clock_(other.clock_), pid_(std::exchange(other.pid_, -1)), ended_(std::move(other.ended_)) {}

Submitted::~Submitted() {
    if (pid_ > 0) stop();
}

std::optional<std::string> Submitted::ended() {
    if (ended_) return ended_;
    int status = 0;
    if (io::uninterrupted([&] { return ::waitpid(pid_, &status, WNOHANG); }) == pid_) ended_ = text_of(status);
    return ended_;
}

bool Submitted::await_end(std::chrono::milliseconds patience) {
    const auto deadline = clock_->monotonic() + patience;
    while (!ended()) {
        if (clock_->monotonic() >= deadline) return false;
        clock_->sleep(look_again);
    }
    return true;
}

void Submitted::stop() {
    if (!ended()) {
        ::kill(-pid_, SIGTERM);
        if (!await_end(stop_patience)) ::kill(-pid_, SIGKILL);
        await_end(stop_patience);
    }
    ::kill(-pid_, SIGKILL); // what it left of its group
}

} // namespace questlog::spark
