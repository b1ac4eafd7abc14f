#pragma once

#include "base/guarded.h"
#include "io/env.h"
#include "log/log_files.h"
#include "log/segment_index.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace questlog::log {

/// A reader's view of a partition's segments: which there are, their open files, and places in them that were passed
/// before, so that a later read begins near its offset. A segment's index never changes. Any thread.
class SegmentTable {
public:
    SegmentTable(io::Files& files, std::string directory) : files_(files), directory_(std::move(directory)) {}

    /// Looks for segments that came since, and for where the partition begins now.
    Status refresh();
    [[nodiscard]] std::size_t count();
    /// Where the partition begins. Segments below it keep their numbers here, and a file of theirs that someone holds
    /// open can still be read.
    [[nodiscard]] Offset start();
    [[nodiscard]] std::int32_t first(); ///< The segment there; count() where there is none.
    [[nodiscard]] Offset base_of(std::int32_t segment);
    [[nodiscard]] std::string path_of(std::int32_t segment) { return segment_file(directory_, base_of(segment)); }
    /// The segment that would hold `offset`; -1 where there is none.
    [[nodiscard]] std::int32_t find(Offset offset);
    /// The segment that begins exactly at `offset`, looking anew if need be; -1 where there is none.
    Result<std::int32_t> find_start(Offset offset);

    /// The segment's file. At most a few are kept open here.
    Result<std::shared_ptr<io::File>> file(std::int32_t segment);
    /// The same, opened anew: recovery may have put another file in the segment's place. generation() changes.
    Result<std::shared_ptr<io::File>> reopen(std::int32_t segment);
    /// Changes when a file that was handed out may no longer be the segment's.
    [[nodiscard]] std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

    struct Place {
        Offset offset;
        std::int64_t position = 0;
    };
    /// The nearest known start of a batch at or before `offset` in the segment.
    [[nodiscard]] Place nearest(std::int32_t segment, Offset offset);
    /// Takes the places that the segment's index names, once; makes the index where there is none. Of the last segment
    /// and of a short one there is none.
    void use_index(std::int32_t segment);
    /// The places that were known of the segment were wrong: it is walked from its start.
    void forget_places(std::int32_t segment);
    /// The last batch that the segment's index tells to be older than `time`; the segment's start where it tells of
    /// none.
    [[nodiscard]] Place before(std::int32_t segment, TimestampMs time);
    static constexpr std::int64_t place_distance_bytes = index_distance_bytes;
    /// Remembers that a batch starts there, if no place is known nearby.
    void note(std::int32_t segment, Place place);

private:
    struct Segment {
        Offset base;
        std::map<Offset, std::int64_t> places; ///< Base offsets of batches and their positions, far apart.
        bool index_used = false;
        std::vector<IndexEntry> index;
        std::weak_ptr<io::File> file;
    };
    struct State {
        Offset start;
        std::vector<Segment> segments;
        std::vector<std::shared_ptr<io::File>> open; ///< The last few that were used, so that they stay open.
    };

    Result<std::shared_ptr<io::File>> open(std::int32_t segment);
    [[nodiscard]] Error missing(std::int32_t segment, const Error& error);
    [[nodiscard]] std::optional<SegmentIndex> find_index(Offset base, Offset end);

    io::Files& files_;
    std::string directory_;
    Guarded<State> state_;
    std::atomic<std::uint64_t> generation_ = 0;
};

} // namespace questlog::log
