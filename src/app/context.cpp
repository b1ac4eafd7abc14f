#include "app/context.h"

#include <cerrno>
#include <csignal>
#include <cstring>

namespace questlog::app {
namespace {

volatile std::sig_atomic_t stop = 0;

void request_stop(int /*signal*/) {
    stop = 1;
}

Error write_failure() {
    const int code = errno;
    const auto kind = code == ENOSPC || code == EDQUOT ? ErrorKind::retry_later : ErrorKind::internal;
    return Error{kind, std::string("cannot write the output: ") + std::strerror(code), code};
}

} // namespace

Status Context::print(std::string_view text) const {
    if (std::fwrite(text.data(), 1, text.size(), out) != text.size()) return write_failure();
    return {};
}

Status Context::flush() const {
    if (std::fflush(out) != 0) return write_failure();
    return {};
}

void Context::notice(std::string_view text) const {
    fmt::print(err, "{}\n", text);
    std::fflush(err);
}

bool stop_requested() {
    return stop != 0;
}

void stop_on_signals() {
    struct sigaction action {};
    action.sa_handler = request_stop;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

} // namespace questlog::app
