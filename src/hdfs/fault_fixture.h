#pragma once

#include "io/env.h"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

/// For tests: what goes wrong, and a clock for waiting it out.
namespace questlog::hdfs {

/// What becomes of one call.
struct Fault {
    enum class Kind : std::uint8_t {
        refuse,       ///< Nothing is done; the answer is a RemoteException, or any text.
        drop,         ///< Nothing is done, and the connection ends.
        drop_answer,  ///< It is done, and the connection ends.
        cut_upload,   ///< Half of the body is kept, and the connection ends.
        cut_answer,   ///< Half of what was to come comes.
        damage,       ///< A byte of what comes, or is kept, is another.
        stall,        ///< Nothing is done or said.
        boolean_false ///< Nothing is done; the answer is {"boolean":false}.
    };
    Kind kind = Kind::drop;
    int status = 403;
    std::string exception{};
    std::string message{};
};

/// A clock whose pauses take no time and move it on.
class SteppingClock final : public io::Clock {
public:
    TimestampMs wall_ms() override {
        const std::lock_guard lock(mutex_);
        return TimestampMs{1'700'000'000'000}.plus(std::chrono::duration_cast<std::chrono::milliseconds>(now_).count());
    }
    std::chrono::nanoseconds monotonic() override {
        const std::lock_guard lock(mutex_);
        return now_;
    }
    void sleep(std::chrono::milliseconds duration) override {
        const std::lock_guard lock(mutex_);
        now_ += duration;
        ++sleeps_;
    }
    [[nodiscard]] int sleeps() const { return sleeps_; }

private:
    std::mutex mutex_;
    std::chrono::nanoseconds now_{};
    int sleeps_ = 0;
};

} // namespace questlog::hdfs
