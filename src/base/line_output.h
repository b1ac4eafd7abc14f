#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace questlog {

/// True once `descriptor` takes at least PIPE_BUF (4,096) bytes without making the caller wait, or fails at once; false
/// where it did not within `patience_ms`: a pipe that nobody reads, a terminal that was stopped.
[[nodiscard]] bool takes_output(int descriptor, int patience_ms);

/// Lines for a descriptor that may be a pipe whose reader is slow, stopped or gone, written on a thread of its own.
/// write() never waits: beyond `queue_bytes_max` lines are dropped, and how many is told in a line of its own once
/// there is room. One thread calls.
class LineOutput {
public:
    static constexpr std::size_t queue_bytes_max = 4 * 1024 * 1024;

    explicit LineOutput(int descriptor); ///< Stays open while this lives, and is not closed by it.
    ~LineOutput();                       ///< Gives what is queued a second to go out.
    LineOutput(const LineOutput&) = delete;
    LineOutput& operator=(const LineOutput&) = delete;

    void write(std::string_view lines); ///< Whole lines, with their ends.

private:
    void serve();
    [[nodiscard]] bool write_out(std::string_view lines);

    int descriptor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string queued_;       ///< Guarded by mutex_, as the next two.
    std::int64_t dropped_ = 0; ///< Lines.
    bool ending_ = false;
    std::thread thread_; ///< Last: it uses the others.
};

} // namespace questlog
