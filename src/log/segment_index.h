#pragma once

#include "io/env.h"
#include "log/record_batch.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// `<base>.index` beside a segment that no longer grows: where some of its batches begin, a good way apart, and from
/// when they are. A reader makes it when it first looks for something inside the segment; it may be removed at any
/// time. No reader believes it: the batch that it points to is looked at first, and leads to the rest.
namespace questlog::log {

inline constexpr std::string_view index_file_suffix = ".index";
inline constexpr std::int64_t index_distance_bytes = 256 * 1024;
/// Shorter segments are walked as quickly as an index is read.
inline constexpr std::int64_t indexed_segment_bytes_min = 4 * index_distance_bytes;

/// A batch begins there.
struct IndexEntry {
    Offset offset;
    std::int64_t position = 0;
    TimestampMs base_timestamp;
    bool operator==(const IndexEntry&) const = default;
};

struct SegmentIndex {
    Offset base;
    Offset end; ///< One past the segment's last event.
    std::int64_t segment_bytes = 0;
    std::vector<IndexEntry> entries; ///< Ascending; the batch at position 0 has none.
    bool operator==(const SegmentIndex&) const = default;

    /// The batches of a segment are shown to it in order: keeps each that is far enough from the one kept before it.
    void see(const BatchHeader& header, std::int64_t position);
};

[[nodiscard]] std::string index_file(const std::string& directory, Offset base);

[[nodiscard]] std::string encode_index(const SegmentIndex& index);
/// nullopt where the bytes are no whole index of this version.
[[nodiscard]] std::optional<SegmentIndex> decode_index(std::string_view bytes);

/// The index of a segment that ends at `end` and has so many bytes; nullopt where there is none, or none that fits.
[[nodiscard]] std::optional<SegmentIndex> read_index(io::Files& files, const std::string& directory, Offset base,
                                                     Offset end, std::int64_t segment_bytes);
/// Makes the index from the headers of the segment's batches, and leaves it as a file where that can be written.
/// nullopt where the headers do not lead from `base` to `end`: who reads there meets the damage.
[[nodiscard]] std::optional<SegmentIndex> make_index(io::Files& files, const std::string& directory, Offset base,
                                                     Offset end);

} // namespace questlog::log
