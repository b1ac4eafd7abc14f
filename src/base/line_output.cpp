#include "base/line_output.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace questlog {
namespace {

constexpr int look_again_ms = 100;
constexpr int looks_at_the_end = 10;

} // namespace

bool takes_output(int descriptor, int patience_ms) {
    pollfd wanted{descriptor, POLLOUT, 0};
    return ::poll(&wanted, 1, patience_ms) != 0; // a failure is met again, and told, by the write
}

LineOutput::LineOutput(int descriptor) : descriptor_(descriptor), thread_([this] { serve(); }) {}

LineOutput::~LineOutput() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void LineOutput::write(std::string_view lines) {
    {
        const std::lock_guard lock(mutex_);
        if (queued_.size() + lines.size() > queue_bytes_max)
            dropped_ += std::count(lines.begin(), lines.end(), '\n');
        else
            queued_ += lines;
    }
    changed_.notify_one();
}

void LineOutput::serve() {
    std::string lines;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return ending_ || !queued_.empty() || dropped_ > 0; });
            lines.swap(queued_);
            if (dropped_ > 0) lines += fmt::format("({} lines dropped: nobody read them in time)\n", dropped_);
            dropped_ = 0;
            if (lines.empty()) return; // the end, with nothing left
        }
        if (!write_out(lines)) return;
        lines.clear();
    }
}

/// False: its end has come before all was out, or the descriptor takes nothing any more.
bool LineOutput::write_out(std::string_view lines) {
    int looks_left = looks_at_the_end;
    while (!lines.empty()) {
        if (!takes_output(descriptor_, look_again_ms)) {
            const std::lock_guard lock(mutex_);
            if (ending_ && --looks_left == 0) return false;
            continue;
        }
        const auto written = ::write(descriptor_, lines.data(), std::min<std::size_t>(lines.size(), PIPE_BUF));
        if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
        if (written > 0) lines.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

} // namespace questlog
