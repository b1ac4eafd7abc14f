#pragma once

#include <mutex>
#include <utility>

namespace questlog {

/// A value that is reachable only under its mutex: `guarded.with([](T& value) { ... })`. Any thread.
template <class T> class Guarded {
public:
    template <class... Args> explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

    template <class Action> decltype(auto) with(Action&& action) {
        const std::lock_guard lock(mutex_);
        return std::forward<Action>(action)(value_);
    }

private:
    std::mutex mutex_;
    T value_;
};

} // namespace questlog
