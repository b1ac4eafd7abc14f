#pragma once

#include "io/env.h"

#include <memory>
#include <span>
#include <vector>

namespace questlog::log {

/// A part of a file in memory that moves along with its reader. Memory is the window, or the longest piece that was
/// asked for at once. One thread.
class FileWindow {
public:
    static constexpr std::size_t slack_bytes = 64;                     ///< Readable after every view, for SIMD parsers.
    static constexpr std::size_t whole_log_window_bytes = 1024 * 1024; ///< Of those who read a log from end to end.

    explicit FileWindow(std::size_t window_bytes = whole_log_window_bytes) : window_bytes_(window_bytes) {}

    /// From now on this file; what was read from another is forgotten.
    void attach(std::shared_ptr<io::File> file);
    [[nodiscard]] bool attached() const { return file_ != nullptr; }

    /// The bytes from `position` to the end of the window: at least `need` of them, fewer only where the file ends.
    /// Valid until the next call. Bytes that were in the window stay as they were when they were read.
    Result<std::span<const std::byte>> at(std::int64_t position, std::size_t need);

    /// Whether at() would answer without reading.
    [[nodiscard]] bool holds(std::int64_t position, std::size_t need) const {
        return position >= start_ && position + static_cast<std::int64_t>(need) <= start_ + held_;
    }
    [[nodiscard]] std::int64_t end() const { return start_ + held_; }
    [[nodiscard]] std::size_t window_bytes() const { return window_bytes_; }
    void set_window_bytes(std::size_t bytes) { window_bytes_ = bytes; }
    void forget() { held_ = 0; }

private:
    std::shared_ptr<io::File> file_;
    std::size_t window_bytes_;
    std::vector<std::byte> buffer_;
    std::int64_t start_ = 0;
    std::int64_t held_ = 0;
};

} // namespace questlog::log
