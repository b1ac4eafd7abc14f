#include "io/real_files.h"

#include "io/real_file.h"
#include "io/real_lock.h"
#include "io/system_error.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <limits>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace questlog::io {

namespace {

std::string parent_of(const std::string& path) {
    const auto parent = std::filesystem::path(path).parent_path().string();
    return parent.empty() ? "." : parent;
}

/// For kernels and file systems without RENAME_EXCHANGE. Not atomic: for a moment `other` is missing.
Status exchange_by_renames(const std::string& one, const std::string& other) {
    const std::string aside = other + std::string(exchange_aside_suffix);
    if (::rename(other.c_str(), aside.c_str()) != 0) return system_error(errno, "rename", other);
    if (::rename(one.c_str(), other.c_str()) != 0) {
        const auto error = system_error(errno, "rename", one);
        if (::rename(aside.c_str(), other.c_str()) != 0) return system_error(errno, "rename back", aside);
        return error;
    }
    if (::rename(aside.c_str(), one.c_str()) != 0) return system_error(errno, "rename", aside);
    return {};
}

/// For kernels and file systems without RENAME_NOREPLACE. A file only; for a moment it has both names.
Result<bool> rename_new_by_link(const std::string& from, const std::string& to) {
    if (::link(from.c_str(), to.c_str()) != 0) {
        if (errno == EEXIST) return false;
        return system_error(errno, "link " + from + " to", to);
    }
    if (::unlink(from.c_str()) != 0) return system_error(errno, "remove", from);
    return true;
}

/// Whether a directory that someone else made can be left unsynced: it is not ours to read or write.
bool not_ours(int error_number) {
    return error_number == EACCES || error_number == EROFS || error_number == EINVAL;
}

Kind kind_of_mode(mode_t mode) {
    return S_ISDIR(mode) ? Kind::directory : Kind::file;
}

} // namespace

Result<std::unique_ptr<File>> RealFiles::open(const std::string& path, Open mode) {
    return RealFile::open(path, mode);
}

Status RealFiles::make_directories(const std::string& path) {
    if (path.empty()) return {};
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0) {
        if (!S_ISDIR(found.st_mode)) return system_error(ENOTDIR, "make the directory", path);
        const auto synced = sync_directory(parent_of(path)); // a process may have died between mkdir and this
        return !synced.ok() && !not_ours(synced.error().system_errno) ? synced : Status();
    }
    const auto parent = parent_of(path);
    if (parent != path) CHECK_OK(make_directories(parent));
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return system_error(errno, "make the directory", path);
    return sync_directory(parent);
}

Status RealFiles::rename(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_error(errno, "rename " + from + " to", to);
    return {};
}

Result<bool> RealFiles::rename_new(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
    if (errno == EEXIST) return false;
    if (errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP) return rename_new_by_link(from, to);
    return system_error(errno, "rename " + from + " to", to);
}

Status RealFiles::exchange(const std::string& one, const std::string& other) {
    if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) == 0) return {};
    if (errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP) return exchange_by_renames(one, other);
    return system_error(errno, "exchange " + one + " and", other);
}

Status RealFiles::remove_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error(errno, "remove", path);
    return {};
}

Status RealFiles::remove_tree(const std::string& path) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return system_error(error.value(), "remove the directory", path);
    return {};
}

Status RealFiles::sync_directory(const std::string& path) {
    const Descriptor directory(uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!directory.is_open()) return system_error(errno, "open the directory", path);
    if (uninterrupted([&] { return ::fsync(directory.get()); }) == 0) return {};
    auto failure = system_error(errno, "sync the directory", path);
    failure.kind = ErrorKind::internal; // also for want of space
    return failure;
}

Result<std::vector<Entry>> RealFiles::list(const std::string& path) {
    std::error_code error;
    std::vector<Entry> entries;
    std::filesystem::directory_iterator iterator(path, error);
    while (!error && iterator != std::filesystem::directory_iterator()) {
        std::error_code vanished; // an entry that is removed while we list is simply no directory any more
        const bool directory = iterator->is_directory(vanished);
        entries.push_back({iterator->path().filename().string(), directory ? Kind::directory : Kind::file});
        iterator.increment(error);
    }
    if (error) return system_error(error.value(), "list", path);
    std::ranges::sort(entries, {}, &Entry::name);
    return entries;
}

Result<Stat> RealFiles::stat(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return Stat{};
        return system_error(errno, "look at", path);
    }
    const std::int64_t modified_ms = std::int64_t{found.st_mtim.tv_sec} * 1000 + found.st_mtim.tv_nsec / 1'000'000;
    return Stat{kind_of_mode(found.st_mode), std::int64_t{found.st_size}, TimestampMs{modified_ms}};
}

Result<std::int64_t> RealFiles::free_bytes(const std::string& path) {
    constexpr std::int64_t endless = std::numeric_limits<std::int64_t>::max();
    struct statvfs found {};
    if (uninterrupted([&] { return ::statvfs(path.c_str(), &found); }) != 0)
        return system_error(errno, "ask for the free space of", path);
    if (found.f_blocks == 0) return endless; // ramfs, and a tmpfs without a size
    if (found.f_frsize > 0 && found.f_bavail > static_cast<std::uint64_t>(endless) / found.f_frsize) return endless;
    return static_cast<std::int64_t>(found.f_bavail * found.f_frsize);
}

Result<std::unique_ptr<SharedWord>> RealFiles::map_word(const std::string& path, Open mode) {
    return RealWord::open(path, mode);
}

Result<std::unique_ptr<Lock>> RealFiles::lock(const std::string& path, int slot, Share share,
                                              std::chrono::milliseconds wait) {
    return lock_byte(clock_, path, slot, share, wait);
}

Result<bool> RealFiles::locked(const std::string& path, int slot) {
    return byte_locked(path, slot);
}

Status RealFiles::adopt(const std::string& scratch_path, const std::string& path) {
    return rename(scratch_path, path);
}

Result<std::string> RealFiles::library_path(File& file) {
    const auto* real = dynamic_cast<const RealFile*>(&file);
    if (real == nullptr) return internal("a file of another world has no path in this one");
    return fmt::format("/proc/self/fd/{}", real->descriptor());
}

Result<Files::LibraryPath> RealFiles::library_path_of(const std::string& path) {
    return LibraryPath{path, nullptr};
}

} // namespace questlog::io
