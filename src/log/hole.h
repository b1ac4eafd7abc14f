#pragma once

#include "io/env.h"
#include "log/record_batch.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Offsets whose events are lost and that readers step over, because a person had the log repaired: nothing else makes
/// them. In the data a hole is a batch without records, as Kafka's own cleaner leaves them, so that every check of
/// continuity holds across it. docs/formats/log.md
namespace questlog::log {

/// No writer writes such a batch: what is appended has records.
[[nodiscard]] inline bool is_hole(const BatchHeader& header) {
    return header.record_count == 0;
}

/// The bytes of the batches without records that take the place of offsets [from, to): one, or several where the range
/// is longer than a batch can name. `newest` is the greatest timestamp before it; -1 where nothing is before it.
[[nodiscard]] std::vector<std::byte> hole_batches(Offset from, Offset to, TimestampMs newest);

/// What one repair of one place lost, as the partition's record `holes` keeps it.
struct Hole {
    Offset from;
    Offset to;               ///< from == to: no offset is known to be lost there.
    bool count_known = true; ///< False: events above the durable end may be lost too; how many, no one can tell.
    TimestampMs repaired;    ///< When.
    std::int64_t bytes = 0;  ///< That were set aside.
    std::string set_aside;   ///< Name of the file that holds them, in the partition's directory; empty: there is none.
    [[nodiscard]] std::int64_t events() const { return to.minus(from); }
    bool operator==(const Hole&) const = default;
};

/// How many offsets of [from, to) are lost.
[[nodiscard]] std::int64_t lost_between(const std::vector<Hole>& holes, Offset from, Offset to);

[[nodiscard]] std::string holes_file(const std::string& directory);
[[nodiscard]] std::string encode_holes(const std::vector<Hole>& holes);
/// `corrupt` where a byte is wrong; `reject` where a newer version of the program wrote it. `path` is for the message.
Result<std::vector<Hole>> decode_holes(std::string_view text, const std::string& path);

/// The record of a partition, by offset; empty where there is none.
Result<std::vector<Hole>> read_holes(io::Files& files, const std::string& directory);
/// Replaces the record durably, all of it or nothing. No holes: no record.
Status write_holes(io::Files& files, const std::string& directory, const std::vector<Hole>& holes);

} // namespace questlog::log
