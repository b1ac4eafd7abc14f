#pragma once

#include "base/limits.h"
#include "log/file_window.h"
#include "log/record_batch.h"

#include <optional>
#include <string>

/// Looking at one place of a segment file and saying what stands there. Shared by recovery, readers and inspection, so
/// that all of them mean the same by "a batch" and by "damage".
namespace questlog::log {

/// How many offsets a byte of a segment may stand for: so many batches, compressed, of so many records. Batches without
/// records, which stand for any number, are made by repairs alone.
inline constexpr std::int64_t offsets_per_byte_max = static_cast<std::int64_t>(limits::decompressed_batch_bytes_max) /
                                                     record_bytes_min / static_cast<std::int64_t>(batch_header_bytes);

inline constexpr std::size_t magic_position = 16; ///< Of a batch's format version, which is 2.

/// What stands at a position of a segment.
struct Look {
    enum class What : std::uint8_t {
        batch,       ///< A batch with the offset that was expected.
        end_of_file, ///< Nothing: the file ends exactly here.
        fault,       ///< Anything else: zeros, a torn or damaged batch. `fault` says what is wrong with it.
    };
    What what = What::end_of_file;
    BatchHeader header;
    std::span<const std::byte> bytes; ///< The whole batch (look_at_batch) or its header (look_at_header).
    std::string fault;
};

/// Header only, without the CRC: magic, lengths, and that its base offset is `expected`, which is how the header fields
/// outside the CRC are checked.
Result<Look> look_at_header(FileWindow& window, std::int64_t position, Offset expected);
/// The whole batch, CRC included.
Result<Look> look_at_batch(FileWindow& window, std::int64_t position, Offset expected);

/// The header of the batch that ends where the file ends, CRC right, found from behind: of a segment that was cut to
/// its data it is the last. nullopt where no batch ends there. Reads little more than the batch is long. An event may
/// hold what looks like a batch: one that leads up to offset `end` goes before others.
Result<std::optional<BatchHeader>> find_last_batch(io::File& file, Offset end);

/// One past the last byte from `position` on that is not zero; `position` where all are zero.
Result<std::int64_t> end_of_nonzero(FileWindow& window, std::int64_t position);

/// The first position in (position, end) with a whole batch, CRC right, whose base offset could follow on a batch of
/// base offset `expected` at `position`. -1 where there is none.
Result<std::int64_t> find_batch_after(FileWindow& window, std::int64_t position, std::int64_t end, Offset expected);

} // namespace questlog::log
