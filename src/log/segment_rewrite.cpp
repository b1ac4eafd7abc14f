#include "log/segment_rewrite.h"

#include "io/whole_file.h"
#include "log/file_window.h"
#include "log/hole.h"
#include "log/log_files.h"

#include <algorithm>

namespace questlog::log {

namespace {

/// Copies [begin, end) of `window`'s file to `to` at `position`, which moves on.
Status copy(FileWindow& window, std::int64_t begin, std::int64_t end, io::File& to, std::int64_t& position) {
    while (begin < end) {
        TRY(bytes, window.at(begin, 1));
        if (bytes.empty()) return internal("a segment became shorter while it was repaired");
        const auto part = bytes.first(std::min(bytes.size(), static_cast<std::size_t>(end - begin)));
        CHECK_OK(to.write_at(position, part));
        begin += static_cast<std::int64_t>(part.size());
        position += static_cast<std::int64_t>(part.size());
    }
    return {};
}

Result<FileWindow> open_window(io::Files& files, const std::string& path) {
    TRY(file, files.open(path, io::Open::read));
    FileWindow window;
    window.attach(std::move(file));
    return window;
}

/// Whether the file at `path` holds exactly the damaged bytes.
Result<bool> holds(io::Files& files, const std::string& path, const SegmentScan& segment, const Damage& damage) {
    TRY(file, files.open(path, io::Open::read));
    TRY(size, file->size());
    if (size != damage.end - damage.begin) return false;
    FileWindow kept;
    kept.attach(std::move(file));
    TRY(original, open_window(files, segment.path));
    for (std::int64_t at = 0; at < size;) {
        TRY(one, kept.at(at, 1));
        TRY(other, original.at(damage.begin + at, 1));
        const auto length = std::min({one.size(), other.size(), static_cast<std::size_t>(size - at)});
        if (length == 0 || !std::ranges::equal(one.first(length), other.first(length))) return false;
        at += static_cast<std::int64_t>(length);
    }
    return true;
}

/// A name that is free, or of a file with these very bytes, which a repair that was interrupted made.
Result<std::string> find_name(io::Files& files, const std::string& directory, const SegmentScan& segment,
                              const Damage& damage) {
    for (int number = 1;; ++number) {
        auto name = fmt::format("{:020d}{}.damaged-{}", segment.base.value, segment_file_suffix, damage.begin);
        if (number > 1) name += fmt::format(".{}", number);
        const auto path = directory + "/" + name;
        TRY(stat, files.stat(path));
        if (stat.kind == io::Kind::missing) return name;
        if (stat.kind != io::Kind::file) continue;
        TRY(same, holds(files, path, segment, damage));
        if (same) return name;
    }
}

} // namespace

Result<std::string> set_aside_name(io::Files& files, const std::string& directory, const SegmentScan& segment,
                                   const Damage& damage) {
    if (damage.begin == damage.end) return std::string();
    return find_name(files, directory, segment, damage);
}

Result<std::string> set_aside(io::Files& files, const std::string& directory, const SegmentScan& segment,
                              const Damage& damage) {
    if (damage.begin == damage.end) return std::string();
    TRY(name, find_name(files, directory, segment, damage));
    const auto path = directory + "/" + name;
    const auto temporary = path + std::string(io::temporary_suffix);
    CHECK_OK(files.remove_file(temporary));
    {
        TRY(window, open_window(files, segment.path));
        // One that is there may never have been synced: it is written once more, like the rest.
        TRY(file, files.open(temporary, io::Open::create_new));
        std::int64_t position = 0;
        CHECK_OK(copy(window, damage.begin, damage.end, *file, position));
        CHECK_OK(file->sync_data());
    }
    CHECK_OK(files.rename(temporary, path));
    CHECK_OK(files.sync_directory(directory));
    return name;
}

Status rewrite_segment(io::Files& files, const std::string& directory, const SegmentScan& segment) {
    const auto temporary = segment.path + std::string(io::temporary_suffix);
    CHECK_OK(files.remove_file(temporary));
    {
        TRY(file, files.open(temporary, io::Open::create_new));
        TRY(stat, files.stat(segment.path));
        FileWindow window;
        if (stat.kind == io::Kind::file) {
            TRY(opened, open_window(files, segment.path));
            window = std::move(opened);
        }
        std::int64_t from = 0;
        std::int64_t to = 0;
        for (const Damage& damage : segment.damages) {
            CHECK_OK(copy(window, from, damage.begin, *file, to));
            // Parted at the bound, which must lie between two batches.
            const Offset middle = std::clamp(segment.bound, damage.from, damage.to);
            auto hole = hole_batches(damage.from, middle, damage.newest);
            const auto rest = hole_batches(middle, damage.to, damage.newest);
            hole.insert(hole.end(), rest.begin(), rest.end());
            if (!hole.empty()) CHECK_OK(file->write_at(to, hole));
            to += static_cast<std::int64_t>(hole.size());
            from = damage.end;
        }
        CHECK_OK(copy(window, from, segment.data_end, *file, to));
        CHECK_OK(file->sync_data());
    }
    CHECK_OK(files.remove_file(index_file(directory, segment.base))); // of the segment as it was
    CHECK_OK(files.rename(temporary, segment.path));
    return files.sync_directory(directory);
}

} // namespace questlog::log
