#pragma once

#include "io/env.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <gtest/gtest.h>
#include <mutex>
#include <string>

/// For tests: what goes wrong, and a clock for waiting it out.
namespace questlog::hdfs {

/// What becomes of one call.
struct Fault {
    enum class Kind : std::uint8_t {
        refuse,        ///< Nothing is done; the answer is a RemoteException, or any text.
        refuse_rest,   ///< The same, and an empty file is left, as where there is no room for a block.
        drop,          ///< Nothing is done, and the connection ends.
        drop_answer,   ///< It is done, and the connection ends.
        cut_upload,    ///< Half of the body is kept, and the connection ends.
        cut_answer,    ///< Half of what was to come comes.
        damage,        ///< A byte of what comes, or is kept, is another.
        stall,         ///< Nothing is done or said.
        boolean_false, ///< Nothing is done; the answer is {"boolean":false}.
        none           ///< It is done and answered.
    };
    Kind kind = Kind::drop;
    int status = 403;
    std::string exception{};
    std::string message{};
    std::function<void()> before{}; ///< What someone else has done when the call comes to be done.
};

/// Whether the text has the part, and if not, the text.
inline ::testing::AssertionResult has(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "\"" << part << "\" is not in \"" << text << "\"";
}

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
