#include "kafka/batch_cache.h"

#include "base/crc32c.h"

#include <fmt/format.h>

namespace questlog::kafka {
namespace {

constexpr std::int64_t files_wanted = 16; // of a full cache: what goes at once is a sixteenth

} // namespace

BatchCache::BatchCache(io::Files& files, std::string directory, std::int64_t bytes_max)
    : files_(files), directory_(std::move(directory)), bytes_max_(bytes_max) {}

Result<CachedBatch> BatchCache::put(const log::BatchHeader& header, std::span<const std::byte> records) {
    const std::uint32_t sum = crc32c(records);
    return state_.with([&](State& state) -> Result<CachedBatch> {
        if (const auto known = state.batches.find(header.base_offset); known != state.batches.end())
            return known->second; // another cursor was quicker
        const auto bytes = static_cast<std::int64_t>(records.size());
        if (state.files.empty() || state.files.back().size + bytes > bytes_max_ / files_wanted)
            CHECK_OK(open_file(state));
        CacheFile& file = state.files.back();
        CHECK_OK(file.file->write_at(file.size, records));
        const CachedBatch cached{header, file.number, file.size, records.size()};
        file.size += bytes;
        file.bases.push_back(header.base_offset);
        state.batches.emplace(header.base_offset, cached);
        state.sums.insert_or_assign(header.base_offset, Sum{records.size(), sum});
        state.bytes += bytes;
        while (state.bytes > bytes_max_ && state.files.size() > 1) CHECK_OK(drop_oldest(state));
        return cached;
    });
}

Status BatchCache::open_file(State& state) {
    if (state.scratch.empty()) {
        TRY(made, files_.scratch_directory(directory_));
        state.scratch = std::move(made);
    }
    CacheFile file{state.next_number++, {}, nullptr, 0, {}};
    file.path = fmt::format("{}/{}", state.scratch, file.number);
    TRY(opened, files_.open(file.path, io::Open::create_new));
    file.file = std::move(opened);
    state.files.push_back(std::move(file));
    return {};
}

Status BatchCache::drop_oldest(State& state) {
    const CacheFile file = std::move(state.files.front());
    state.files.pop_front();
    for (const Offset base : file.bases) state.batches.erase(base);
    state.bytes -= file.size;
    return files_.remove_file(file.path);
}

bool BatchCache::had(Offset base, std::span<const std::byte> records) {
    return state_.with([&](State& state) {
        const auto known = state.sums.find(base);
        return known != state.sums.end() && known->second.bytes <= records.size() &&
               known->second.crc32c == crc32c(records.first(known->second.bytes));
    });
}

std::optional<CachedBatch> BatchCache::find(Offset offset) {
    return state_.with([&](State& state) -> std::optional<CachedBatch> {
        auto after = state.batches.upper_bound(offset);
        if (after == state.batches.begin()) return std::nullopt;
        const CachedBatch& batch = std::prev(after)->second;
        return batch.header.end_offset() > offset ? std::optional(batch) : std::nullopt;
    });
}

std::optional<Offset> BatchCache::next_base(Offset offset) {
    return state_.with([&](State& state) -> std::optional<Offset> {
        const auto after = state.batches.upper_bound(offset);
        return after == state.batches.end() ? std::nullopt : std::optional(after->first);
    });
}

std::shared_ptr<io::File> BatchCache::file(std::int32_t number) {
    return state_.with([&](State& state) -> std::shared_ptr<io::File> {
        for (const CacheFile& file : state.files)
            if (file.number == number) return file.file;
        return nullptr;
    });
}

} // namespace questlog::kafka
