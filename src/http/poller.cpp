#include "http/poller.h"

#include <cerrno>
#include <cstring>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utility>

namespace questlog::http {
namespace {

Error failed(std::string_view what) {
    const int error = errno;
    return Error{ErrorKind::internal, fmt::format("{}: {}", what, std::strerror(error)), error};
}

/// Takes what a timer or an event descriptor has counted.
bool take_count(int descriptor) {
    std::uint64_t count = 0;
    return ::read(descriptor, &count, sizeof(count)) == sizeof(count);
}

} // namespace

Status Poller::open(std::chrono::milliseconds tick) {
    epoll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
    wake_ = Descriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    timer_ = Descriptor(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (epoll_.get() < 0 || wake_.get() < 0 || timer_.get() < 0) return failed("cannot wait for connections");
    const timespec interval{tick.count() / 1000, static_cast<long>(tick.count() % 1000) * 1'000'000};
    const itimerspec times{interval, interval};
    if (::timerfd_settime(timer_.get(), 0, &times, nullptr) != 0) return failed("cannot set a timer");
    CHECK_OK(add(wake_.get(), &wake_));
    return add(timer_.get(), &timer_);
}

Status Poller::add(int socket, void* what, bool writes) {
    return control(EPOLL_CTL_ADD, socket, what, writes);
}

Status Poller::change(int socket, void* what, bool writes) {
    return control(EPOLL_CTL_MOD, socket, what, writes);
}

Status Poller::control(int operation, int socket, void* what, bool writes) {
    epoll_event event{EPOLLIN | EPOLLRDHUP | EPOLLET | (writes ? std::uint32_t{EPOLLOUT} : 0U), {.ptr = what}};
    return ::epoll_ctl(epoll_.get(), operation, socket, &event) == 0 ? Status() : failed("cannot watch a socket");
}

Poller::Found Poller::wait(bool may_sleep) {
    if (may_sleep) {
        asleep_.store(true);
        may_sleep = !posted_any_.load();
    }
    const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), may_sleep ? -1 : 0);
    asleep_.store(false);
    Found found;
    std::size_t sockets = 0;
    for (int i = 0; i < count; ++i) {
        const epoll_event event = events_[static_cast<std::size_t>(i)];
        if (event.data.ptr == &wake_)
            take_count(wake_.get());
        else if (event.data.ptr == &timer_)
            found.tick = take_count(timer_.get());
        else
            events_[sockets++] = event;
    }
    run_posted();
    found.sockets = std::span(events_).first(sockets);
    return found;
}

void Poller::post(std::function<void()> action) {
    {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(action));
        posted_any_.store(true);
    }
    if (!asleep_.exchange(false)) return; // it looks before it sleeps, or somebody else has woken it
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof(one)); // full means that it wakes anyway
}

bool Poller::run_posted() {
    if (!posted_any_.load()) return false;
    {
        const std::lock_guard lock(mutex_);
        running_.swap(posted_);
        posted_any_.store(false);
    }
    for (auto& action : running_) action();
    running_.clear();
    return true;
}

} // namespace questlog::http
