#pragma once

#include "base/guarded.h"
#include "base/result.h"
#include "base/strong.h"
#include "io/env.h"
#include "log/record_batch.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace questlog::kafka {

/// A batch that lies in the cache.
struct CachedBatch {
    log::BatchHeader header;
    std::int32_t file = 0;
    std::int64_t records_at = 0; ///< Position in it.
    std::size_t bytes = 0;       ///< Of the records.
};

/// What was read of a partition, in files that are gone with the process: a plan's rows are read again from there, and
/// not from the broker. As much of it as the limit allows; the oldest goes first. Any thread.
class BatchCache {
public:
    /// The files lie under `directory`, which is made when it is needed.
    BatchCache(io::Files& files, std::string directory, std::int64_t bytes_max);

    /// Keeps a batch, none of whose offsets is in the cache.
    Result<CachedBatch> put(const log::BatchHeader& header, std::span<const std::byte> records);
    /// The batch that covers the offset.
    [[nodiscard]] std::optional<CachedBatch> find(Offset offset);
    /// Where the first batch after the offset begins; nullopt: there is none.
    [[nodiscard]] std::optional<Offset> next_base(Offset offset);
    /// Whether the batch that was kept at the offset, and may have gone, is what `records` begin with.
    [[nodiscard]] bool had(Offset base, std::span<const std::byte> records);
    /// A file of its; null: it has gone. What is held stays readable.
    [[nodiscard]] std::shared_ptr<io::File> file(std::int32_t number);

private:
    struct CacheFile {
        std::int32_t number = 0;
        std::string path;
        std::shared_ptr<io::File> file;
        std::int64_t size = 0;
        std::vector<Offset> bases; ///< Of its batches.
    };
    struct Sum {
        std::size_t bytes = 0; ///< Of the records.
        std::uint32_t crc32c = 0;
    };
    struct State {
        std::string scratch; ///< Empty: not made yet.
        std::deque<CacheFile> files;
        std::map<Offset, CachedBatch> batches;
        std::map<Offset, Sum> sums; ///< Of all that there are or were.
        std::int64_t bytes = 0;
        std::int32_t next_number = 0;
    };
    Status open_file(State& state);
    Status drop_oldest(State& state);

    io::Files& files_;
    std::string directory_;
    std::int64_t bytes_max_;
    Guarded<State> state_;
};

} // namespace questlog::kafka
