#include "hdfs/hdfs_files.h"

#include "hdfs/new_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>

namespace questlog::hdfs {
namespace {

/// For how long a listing is taken for what a file that never changes is.
constexpr std::chrono::seconds memory_time{2};
constexpr std::size_t memory_files_max = 100'000;
constexpr std::string_view staging_folder = "/.staging/";
/// What the lake never changes once it has its name.
constexpr std::array<std::string_view, 2> unchanging_suffixes = {".parquet", ".plan"};
constexpr std::string_view delta_folder = "/_delta_log/";
constexpr std::string_view commit_suffix = ".json";
constexpr std::size_t version_digits = 20;

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

/// Of a commit of a Delta table: the name that comes just before it in a listing. nullopt: it is none.
std::optional<std::string> name_before_commit(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    const std::string_view name = path.substr(slash + 1);
    if (!path.substr(0, slash + 1).ends_with(delta_folder) || name.size() != version_digits + commit_suffix.size() ||
        !name.ends_with(commit_suffix))
        return std::nullopt;
    std::int64_t version = 0;
    const char* digits = name.data();
    if (std::from_chars(digits, digits + version_digits, version).ptr != digits + version_digits) return std::nullopt;
    return version == 0 ? std::string() : fmt::format("{:0{}}{}", version - 1, version_digits, commit_suffix);
}

bool is_staged(std::string_view path) {
    return path.find(staging_folder) != std::string_view::npos;
}

bool is_unchanging(std::string_view path) {
    return is_staged(path) || name_before_commit(path).has_value() ||
           std::any_of(unchanging_suffixes.begin(), unchanging_suffixes.end(),
                       [&](std::string_view suffix) { return path.ends_with(suffix); });
}

std::string joined(const std::string& folder, const std::string& name) {
    return folder == "/" ? "/" + name : folder + "/" + name;
}

bool is_within(std::string_view path, std::string_view folder) {
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

} // namespace

HdfsFiles::HdfsFiles(io::Env local, HdfsOptions options)
    : local_(local), authority_(options.root.authority()),
      client_(local.clock, local.entropy, std::move(options.client)), leases_(local, client_, options.leases),
      cache_(local, std::move(options.cache_directory), options.cache_bytes_max) {}

HdfsFiles::~HdfsFiles() = default;

std::optional<std::string> HdfsFiles::remote(std::string_view path) const {
    if (!is_within(path, authority_)) return std::nullopt;
    path.remove_prefix(authority_.size());
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path.empty() ? "/" : std::string(path);
}

Error HdfsFiles::across(const std::string& one, const std::string& other) const {
    return internal("{} and {} are not on the same file system", one, other);
}

Error HdfsFiles::missing(std::string_view action, const std::string& remote_path) const {
    Error error = reject("cannot {} {}: it is not there", action, name_of(remote_path));
    error.system_errno = ENOENT;
    return error;
}

// --- what is remembered for a moment

void HdfsFiles::remember(const std::string& folder, const std::vector<FileStatus>& entries) {
    const auto now = local_.clock.monotonic();
    memory_.with([&](Memory& memory) {
        if (memory.files.size() + entries.size() > memory_files_max) memory.files.clear();
        for (const FileStatus& status : entries)
            if (status.kind == io::Kind::file) memory.files[joined(folder, status.name)] = {status, now};
    });
}

void HdfsFiles::forget(const std::string& remote_path) {
    memory_.with([&](Memory& memory) {
        std::erase_if(memory.files, [&](const auto& known) { return is_within(known.first, remote_path); });
        std::erase_if(memory.folders, [&](const auto& folder) { return is_within(folder, remote_path); });
    });
}

std::optional<FileStatus> HdfsFiles::known(const std::string& remote_path) {
    const auto now = local_.clock.monotonic();
    return memory_.with([&](Memory& memory) -> std::optional<FileStatus> {
        const auto found = memory.files.find(remote_path);
        if (found == memory.files.end() || now - found->second.since > memory_time) return std::nullopt;
        return found->second.status;
    });
}

/// By one question for all files of a folder, or for all commits from one on: who asks for one asks for the others
/// next.
Result<std::optional<FileStatus>> HdfsFiles::recent_status(const std::string& remote_path) {
    if (auto status = known(remote_path)) return status;
    const std::string folder = parent_of(remote_path);
    const auto before = name_before_commit(remote_path);
    TRY(entries, before ? client_.list_after(folder, *before) : client_.list(folder));
    if (!entries) return std::optional<FileStatus>{};
    remember(folder, *entries);
    const std::string name = remote_path.substr(remote_path.rfind('/') + 1);
    for (FileStatus& status : *entries)
        if (status.name == name) return std::optional(std::move(status));
    return std::optional<FileStatus>{};
}

Result<std::shared_ptr<LocalCopy>> HdfsFiles::cached(const std::string& remote_path) {
    TRY(status, recent_status(remote_path));
    if (!status) return missing("open", remote_path);
    TRY(copy, cache_.get(client_, remote_path, *status));
    if (copy) return copy;
    forget(remote_path);
    return missing("open", remote_path);
}

// --- files

Result<std::unique_ptr<io::File>> HdfsFiles::open(const std::string& path, io::Open mode) {
    const auto place = remote(path);
    if (!place) return local_.files.open(path, mode);
    switch (mode) {
    case io::Open::create_new: return std::unique_ptr<io::File>(std::make_unique<NewFile>(*this, *place, true));
    case io::Open::create: return std::unique_ptr<io::File>(std::make_unique<NewFile>(*this, *place, false));
    case io::Open::write: return std::unique_ptr<io::File>(std::make_unique<PlacedFile>(*this, *place));
    case io::Open::read: break;
    }
    if (is_unchanging(*place)) {
        TRY(copy, cached(*place));
        return std::unique_ptr<io::File>(std::make_unique<CachedFile>(std::move(copy)));
    }
    TRY(text, client_.read_text(*place));
    if (!text) return missing("open", *place);
    return std::unique_ptr<io::File>(std::make_unique<TextFile>(std::move(*text)));
}

Status HdfsFiles::adopt(const std::string& scratch_path, const std::string& path) {
    const auto place = remote(path);
    if (!place) return local_.files.adopt(scratch_path, path);
    CHECK_OK(leases_.check());
    forget(*place);
    TRY(file, local_.files.open(scratch_path, io::Open::read));
    TRY(size, file->size());
    const Body body{{}, file.get(), size};
    TRY(made, client_.create(*place, body));
    if (!made.file) {
        TRY(replaced, client_.upload(*place, body));
        made.file = std::move(replaced);
    }
    cache_.keep(*made.file, scratch_path);
    made.file->name = place->substr(place->rfind('/') + 1);
    remember(parent_of(*place), {*made.file});
    return local_.files.remove_file(scratch_path);
}

Result<std::string> HdfsFiles::library_path(io::File& file) {
    if (const auto* copy = dynamic_cast<const CachedFile*>(&file)) return copy->path();
    if (auto* made = dynamic_cast<NewFile*>(&file)) return made->spilled();
    if (dynamic_cast<TextFile*>(&file) != nullptr || dynamic_cast<PlacedFile*>(&file) != nullptr)
        return internal("this file on HDFS has no path on the machine");
    return local_.files.library_path(file);
}

Result<io::Files::LibraryPath> HdfsFiles::library_path_of(const std::string& path) {
    const auto place = remote(path);
    if (!place) return local_.files.library_path_of(path);
    TRY(copy, cached(*place));
    std::string on_disk = copy->path();
    return LibraryPath{std::move(on_disk), std::move(copy)};
}

Result<std::string> HdfsFiles::scratch_directory(const std::string& near) {
    return remote(near) ? cache_.scratch() : local_.files.scratch_directory(near);
}

// --- names

Status HdfsFiles::make_directories(const std::string& path) {
    const auto place = remote(path);
    if (!place) return local_.files.make_directories(path);
    if (memory_.with([&](const Memory& memory) { return memory.folders.contains(*place); })) return {};
    CHECK_OK(leases_.check());
    CHECK_OK(client_.make_directories(*place));
    memory_.with([&](Memory& memory) { memory.folders.insert(*place); });
    return {};
}

/// A folder that this process had made may be gone since: then it is made again.
Result<WebHdfsClient::Renamed> HdfsFiles::renamed(const std::string& from, const std::string& to,
                                                  WebHdfsClient::Replace replace) {
    CHECK_OK(leases_.check());
    forget(from);
    forget(to);
    auto done = client_.rename(from, to, replace);
    const std::string parent = parent_of(to);
    const bool was_known = memory_.with([&](Memory& memory) { return memory.folders.erase(parent) > 0; });
    if (done.ok() && was_known) memory_.with([&](Memory& memory) { memory.folders.insert(parent); });
    if (done.ok() || !was_known) return done;
    CHECK_OK(client_.make_directories(parent));
    return client_.rename(from, to, replace);
}

Status HdfsFiles::rename(const std::string& from, const std::string& to) {
    const auto source = remote(from);
    const auto destination = remote(to);
    if (!source && !destination) return local_.files.rename(from, to);
    if (!source || !destination) return across(from, to);
    TRY(done, renamed(*source, *destination, WebHdfsClient::Replace::yes));
    switch (done) {
    case WebHdfsClient::Renamed::done: return {};
    case WebHdfsClient::Renamed::source_missing: return missing("rename", *source);
    case WebHdfsClient::Renamed::destination_exists: break;
    }
    return reject("cannot rename {} to {}, which is there and cannot be replaced", from, to);
}

Result<bool> HdfsFiles::rename_new(const std::string& from, const std::string& to) {
    const auto source = remote(from);
    const auto destination = remote(to);
    if (!source && !destination) return local_.files.rename_new(from, to);
    if (!source || !destination) return across(from, to);
    TRY(done, renamed(*source, *destination, WebHdfsClient::Replace::no));
    switch (done) {
    case WebHdfsClient::Renamed::done: return true;
    case WebHdfsClient::Renamed::destination_exists: return false;
    case WebHdfsClient::Renamed::source_missing: break;
    }
    return missing("rename", *source);
}

Status HdfsFiles::move(const std::string& from, const std::string& to) {
    TRY(done, renamed(from, to, WebHdfsClient::Replace::no));
    switch (done) {
    case WebHdfsClient::Renamed::done: return {};
    case WebHdfsClient::Renamed::source_missing: return missing("rename", from);
    case WebHdfsClient::Renamed::destination_exists: break;
    }
    return reject("cannot rename {} to {}, which is there already", name_of(from), name_of(to));
}

Status HdfsFiles::exchange(const std::string& one, const std::string& other) {
    const auto first = remote(one);
    const auto second = remote(other);
    if (!first && !second) return local_.files.exchange(one, other);
    if (!first || !second) return across(one, other);
    const std::string aside = *second + std::string(io::exchange_aside_suffix);
    CHECK_OK(move(*second, aside));
    if (const Status moved = move(*first, *second); !moved.ok()) {
        if (moved.error().kind != ErrorKind::retry_later) static_cast<void>(move(aside, *second));
        return moved; // else it may yet happen: whoever recovers looks
    }
    return move(aside, *first);
}

Status HdfsFiles::remove_file(const std::string& path) {
    return remove_tree(path);
}

Status HdfsFiles::remove_tree(const std::string& path) {
    const auto place = remote(path);
    if (!place) return local_.files.remove_tree(path);
    CHECK_OK(leases_.check());
    forget(*place);
    return client_.remove(*place);
}

Status HdfsFiles::sync_directory(const std::string& path) {
    return remote(path) ? Status() : local_.files.sync_directory(path);
}

Result<std::vector<io::Entry>> HdfsFiles::list(const std::string& path) {
    const auto place = remote(path);
    if (!place) return local_.files.list(path);
    TRY(found, client_.list(*place));
    if (!found) return missing("list", *place);
    remember(*place, *found);
    std::vector<io::Entry> entries;
    for (const FileStatus& status : *found) {
        if (status.name.empty()) return reject("cannot list {}: it is a file", path);
        entries.push_back({status.name, status.kind});
    }
    std::ranges::sort(entries, {}, &io::Entry::name);
    return entries;
}

Result<io::Stat> HdfsFiles::stat(const std::string& path) {
    const auto place = remote(path);
    if (!place) return local_.files.stat(path);
    if (memory_.with([&](const Memory& memory) { return memory.folders.contains(*place); }))
        return io::Stat{io::Kind::directory, 0, {}};
    std::optional<FileStatus> found = is_staged(*place) ? known(*place) : std::nullopt;
    if (!found) {
        TRY(told, name_before_commit(*place) ? recent_status(*place) : client_.status(*place));
        found = std::move(told);
    }
    if (!found) return io::Stat{};
    return io::Stat{found->kind, found->length, found->modified};
}

Result<std::int64_t> HdfsFiles::free_bytes(const std::string& path) {
    return remote(path) ? client_.remaining_bytes() : local_.files.free_bytes(path);
}

Result<std::unique_ptr<io::SharedWord>> HdfsFiles::map_word(const std::string& path, io::Open mode) {
    if (remote(path)) return internal("{} is on HDFS, and no memory is shared there", path);
    return local_.files.map_word(path, mode);
}

// --- locks

Result<std::unique_ptr<io::Lock>> HdfsFiles::lock(const std::string& path, int slot, Share share,
                                                  std::chrono::milliseconds wait) {
    const auto place = remote(path);
    if (!place) return local_.files.lock(path, slot, share, wait);
    if (share == Share::shared) return internal("{} is on HDFS, whose locks are exclusive", path);
    auto taken = leases_.acquire(*place, slot, wait);
    if (!taken.ok()) return taken.error();
    return taken;
}

Result<bool> HdfsFiles::locked(const std::string& path, int slot) {
    const auto place = remote(path);
    return place ? leases_.is_held(*place, slot) : local_.files.locked(path, slot);
}

} // namespace questlog::hdfs
