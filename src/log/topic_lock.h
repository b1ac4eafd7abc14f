#pragma once

#include "log/event_log.h"
#include "log/log_files.h"

namespace questlog::log {

/// The right to write a topic's log. While `recovery` is held too, readers that open wait.
struct WriterLock {
    std::unique_ptr<io::Lock> writer;
    std::unique_ptr<io::Lock> recovery;
};

inline constexpr std::chrono::milliseconds recovery_wait{60'000};

/// `retry_later`, naming the holder, while a writer lives. Recovery's slot is taken first: a reader that holds it
/// shared and sees a live writer knows that this writer has recovered.
Result<WriterLock> lock_for_writing(io::Files& files, const std::string& log_directory, const Topic& topic);

} // namespace questlog::log
