#include "hdfs/file_cache.h"

#include "hdfs/file_checksum.h"
#include "io/local_entry.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace questlog::hdfs {
namespace {

constexpr std::int64_t small_bytes = 4'096; ///< Of plans and commits: two questions more would be as many again.
constexpr std::string_view lock_name = "lock";

struct Kept {
    std::string path;
    std::int64_t bytes = 0;
    TimestampMs used{};
};

Error read_only() {
    return internal("a local copy of a file on HDFS is not written to");
}

} // namespace

LocalCopy::~LocalCopy() {
    static_cast<void>(local_.remove_file(path_)); // what stays goes with the scratch folder
}

Result<std::size_t> LocalCopy::read_at(std::int64_t position, std::span<std::byte> into) {
    std::shared_ptr<io::File> file;
    const Status opened = open_.with([&](std::shared_ptr<io::File>& kept) -> Status {
        if (kept == nullptr) {
            TRY(made, local_.open(path_, io::Open::read));
            kept = std::move(made);
        }
        file = kept;
        return {};
    });
    CHECK_OK(opened);
    return file->read_at(position, into);
}

Status LocalCopy::write_at(std::int64_t, std::span<const std::byte>) {
    return read_only();
}
Status LocalCopy::truncate(std::int64_t) {
    return read_only();
}
Result<bool> LocalCopy::reserve(std::int64_t) {
    return read_only();
}

FileCache::FileCache(io::Env local, std::string directory, std::int64_t bytes_max)
    : local_(local), directory_(std::move(directory)), bytes_max_(bytes_max), scratch_(local.files, directory_),
      names_(0) {}

Result<std::string> FileCache::own_name() {
    TRY(directory, scratch());
    return fmt::format("{}/{}", directory, names_.with([](std::int64_t& last) { return ++last; }));
}

std::string FileCache::place_of(const FileStatus& status) const {
    return fmt::format("{}/{}-{}-{}", directory_, status.file_id, status.length, status.modified);
}

Result<std::shared_ptr<LocalCopy>> FileCache::get(WebHdfsClient& client, const std::string& path,
                                                  const FileStatus& status) {
    TRY(own, own_name());
    const std::string place = place_of(status);
    TRY(is_kept, io::link_file(place, own));
    if (is_kept) {
        auto copy = std::make_shared<LocalCopy>(local_.files, own, status.length);
        TRY(kept, local_.files.stat(own));
        if (kept.size == status.length) {
            CHECK_OK(io::touch_file(place));
            return copy;
        }
        CHECK_OK(local_.files.remove_file(place)); // damaged: it is fetched anew
        copy.reset();
    }
    CHECK_OK(make_room(status.length));
    auto copy = std::make_shared<LocalCopy>(local_.files, own, status.length); // removes what a failure leaves
    TRY(is_there, fetch(client, path, status, own));
    if (!is_there) return std::shared_ptr<LocalCopy>();
    if (status.length <= bytes_max_)
        if (const auto linked = io::link_file(own, place); !linked.ok() && linked.error().system_errno != EEXIST)
            return linked.error();
    return copy;
}

Result<std::shared_ptr<LocalCopy>> FileCache::hold(std::string_view bytes) {
    TRY(own, own_name());
    auto copy = std::make_shared<LocalCopy>(local_.files, own, static_cast<std::int64_t>(bytes.size()));
    TRY(file, local_.files.open(own, io::Open::create_new));
    CHECK_OK(file->write_at(0, std::as_bytes(std::span(bytes))));
    return copy;
}

Result<bool> FileCache::fetch(WebHdfsClient& client, const std::string& path, const FileStatus& status,
                              const std::string& into) {
    constexpr std::int64_t any_block = std::int64_t{1} << 62; // the layout of one block does not matter
    std::optional<RemoteChecksum> remote;
    std::optional<ChecksumLayout> layout;
    if (status.length > small_bytes) { // the DataNode has checked them, too, and TCP
        TRY(told, client.checksum(path));
        layout = ChecksumLayout::of(told, any_block);
        remote = std::move(told);
    }
    TRY(file, local_.files.open(into, io::Open::create_new));
    std::optional<FileChecksum> sum;
    std::int64_t got = 0;
    const auto restart = [&]() -> Status {
        got = 0;
        sum.reset();
        if (layout) sum.emplace(*layout);
        return file->truncate(0);
    };
    const Sink sink = [&](std::span<const std::byte> bytes) -> Status {
        if (sum) sum->add(bytes);
        CHECK_OK(file->write_at(got, bytes));
        got += static_cast<std::int64_t>(bytes.size());
        return {};
    };
    TRY(is_there, client.read(path, restart, sink));
    if (!is_there) return false;
    if (got != status.length)
        return retry_later("{} on HDFS has {} bytes, not {}: it was replaced while it was read; run this again", path,
                           got, status.length);
    if (sum && !is_same(*remote, sum->finish()))
        return retry_later("what came of {} from HDFS does not have HDFS's checksum: it was damaged on its way, or "
                           "replaced; run this again",
                           path);
    CHECK_OK(file->sync_data()); // a power cut leaves no file here that only looks whole
    return true;
}

void FileCache::keep(const FileStatus& status, const std::string& local_file) {
    if (status.length > bytes_max_ || !make_room(status.length).ok()) return;
    static_cast<void>(io::link_file(local_file, place_of(status))); // it can be fetched
}

/// Evicts what was used longest ago. Another process that does so at the moment does it for us, too.
Status FileCache::make_room(std::int64_t bytes) {
    CHECK_OK(local_.files.make_directories(directory_));
    const auto lock = local_.files.lock(fmt::format("{}/{}", directory_, lock_name), 0, io::Files::Share::exclusive,
                                        std::chrono::milliseconds::zero());
    if (!lock.ok()) return lock.error().kind == ErrorKind::retry_later ? Status() : Status(lock.error());
    TRY(entries, local_.files.list(directory_));
    std::vector<Kept> kept;
    std::int64_t total = 0;
    for (const io::Entry& entry : entries) {
        if (entry.kind != io::Kind::file || entry.name == lock_name) continue;
        std::string path = directory_ + "/" + entry.name;
        TRY(found, local_.files.stat(path));
        if (found.kind != io::Kind::file) continue;
        total += found.size;
        kept.push_back({std::move(path), found.size, found.modified});
    }
    const std::int64_t goal = std::max<std::int64_t>(0, bytes_max_ - bytes);
    if (total <= goal || bytes > bytes_max_) return {};
    std::ranges::sort(kept, {}, &Kept::used);
    for (const Kept& oldest : kept) {
        if (total <= goal) break;
        CHECK_OK(local_.files.remove_file(oldest.path));
        total -= oldest.bytes;
    }
    return {};
}

} // namespace questlog::hdfs
