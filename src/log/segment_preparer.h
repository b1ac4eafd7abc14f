#pragma once

#include "io/env.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace questlog::log {

/// Writes zeros over [from, to) of `file` and syncs them. A sync after it then has no metadata to journal: the blocks
/// are there already. Gives up with `retry_later` once `stop` is true.
Status fill_with_zeros(io::File& file, std::int64_t from, std::int64_t to, const std::atomic<bool>& stop);

/// How many zeros to make: `wanted`, halved until it is at most half of what is free, so that what is made ahead leaves
/// room to others; never below `least`, which is made from the last bytes too.
[[nodiscard]] std::int64_t affordable_bytes(std::int64_t wanted, std::int64_t least, std::int64_t free);

/// The least that is made at a time while the disk has little room: segments of less would be too many.
inline constexpr std::int64_t prepared_bytes_min = 64 * 1024;

/// How a segment's space is made.
enum class Space : std::uint8_t {
    zeros,    ///< Written: a sync of a small batch in it has no metadata to journal. Costs as much as the data will.
    reserved, ///< Only set aside. For batches so large that their own bytes are what a sync costs.
};

/// Makes the next segments' files, their space ready and synced under a temporary name (spare_segment_file), on a
/// thread of its own while the present ones fill. Any thread calls; one caller for each directory.
class SegmentPreparer {
public:
    /// `background` false: begin() does nothing and take() makes every file inline.
    SegmentPreparer(io::Files& files, bool background);
    ~SegmentPreparer(); ///< As stop().
    SegmentPreparer(const SegmentPreparer&) = delete;
    SegmentPreparer& operator=(const SegmentPreparer&) = delete;

    /// Asks for a spare of `wanted` zeros, or of fewer where the disk has less room. Returns at once.
    void begin(const std::string& directory, std::int64_t wanted, Space space);
    /// The spare, of at least `least` zeros: the one that was begun, waiting for it if it is being made, or else one
    /// made here, of `wanted` zeros or as many as there is room for. `retry_later` where there is no room for `least`,
    /// and then there is no spare.
    Result<std::shared_ptr<io::File>> take(const std::string& directory, std::int64_t wanted, std::int64_t least,
                                           Space space);
    /// Gives up the file that is being made and forgets the rest. What was made stays under its temporary name.
    void stop();

private:
    struct Job {
        std::int64_t wanted = 0;
        Space space = Space::zeros;
        enum class State : std::uint8_t { waiting, working, done } state = State::waiting;
        std::shared_ptr<io::File> file; ///< Null where it could not be made.
    };

    void run();
    void make_next(std::unique_lock<std::mutex>& lock);

    io::Files& files_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Job> jobs_; ///< By directory.
    std::deque<std::string> waiting_;
    std::atomic<bool> stopping_ = false; ///< Changed under the mutex.
    std::thread thread_;
};

} // namespace questlog::log
