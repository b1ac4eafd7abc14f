#include "io/real_clock.h"

#include "io/system_error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sys/random.h>
#include <thread>

namespace questlog::io {

TimestampMs RealClock::wall_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return TimestampMs{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
}

std::chrono::nanoseconds RealClock::monotonic() {
    return std::chrono::steady_clock::now().time_since_epoch();
}

void RealClock::sleep(std::chrono::milliseconds duration) {
    std::this_thread::sleep_for(duration);
}

void RealEntropy::fill(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const auto got = ::getrandom(bytes.data(), bytes.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) { // no kernel that runs this lacks it; an identity that is not random must never be used
            std::fputs(system_error(errno, "read", "random numbers of the kernel").message.c_str(), stderr);
            std::abort();
        }
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

} // namespace questlog::io
