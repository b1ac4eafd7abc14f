#pragma once

#include "base/result.h"
#include "http/listener.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <sys/epoll.h>
#include <vector>

namespace questlog::http {

/// What the io thread waits for: sockets (edge-triggered), a regular tick, and actions of other threads. One thread,
/// but for post().
class Poller {
public:
    /// `internal` where the process is out of descriptors.
    Status open(std::chrono::milliseconds tick);

    /// `what` comes back with the socket's events: EPOLLIN, EPOLLRDHUP, and EPOLLOUT where `writes`.
    Status add(int socket, void* what, bool writes = false);
    Status change(int socket, void* what, bool writes);

    struct Found {
        std::span<const epoll_event> sockets; ///< Valid until the next wait().
        bool tick = false;                    ///< It was time for one, or for several.
    };
    /// Runs posted actions. Returns once there is something, at once where not `may_sleep`.
    Found wait(bool may_sleep);

    /// Any thread: wait() or run_posted() runs it. A system call only where wait() sleeps.
    void post(std::function<void()> action);
    /// Runs what was posted until now; false: nothing was, which costs no more than a look.
    bool run_posted();

private:
    Status control(int operation, int socket, void* what, bool writes);

    Descriptor epoll_;
    Descriptor wake_;
    Descriptor timer_;
    std::array<epoll_event, 512> events_{};
    std::atomic<bool> asleep_{false}; ///< Or about to be: who posts must wake it. Stored before posted_any_ is read,
    std::atomic<bool> posted_any_{false}; ///< and the other way round by who posts, so one of the two sees the other.
    std::mutex mutex_;
    std::vector<std::function<void()>> posted_;  ///< Guarded by mutex_.
    std::vector<std::function<void()>> running_; ///< Keeps its memory.
};

} // namespace questlog::http
