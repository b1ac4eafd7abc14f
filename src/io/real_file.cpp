#include "io/real_file.h"

#include "io/system_error.h"

#include <atomic>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace questlog::io {

namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);

int flags_of(Open mode) {
    switch (mode) {
    case Open::read: return O_RDONLY;
    case Open::write: return O_RDWR;
    case Open::create: return O_RDWR | O_CREAT;
    case Open::create_new: return O_RDWR | O_CREAT | O_EXCL;
    }
    return O_RDONLY;
}

/// A write that is cut short goes on where it stopped: what follows it is done or fails with its own error.
Status write_whole(int descriptor, const std::string& path, std::int64_t position, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto put = uninterrupted([&] { return ::pwrite(descriptor, bytes.data(), bytes.size(), position); });
        if (put < 0) return system_error(errno, "write", path);
        position += put;
        bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
    return {};
}

} // namespace

Result<Descriptor> open_descriptor(const std::string& path, Open mode) {
    Descriptor descriptor(uninterrupted([&] { return ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, 0644); }));
    if (!descriptor.is_open()) return system_error(errno, mode == Open::create_new ? "create" : "open", path);
    return descriptor;
}

Result<std::unique_ptr<File>> RealFile::open(const std::string& path, Open mode) {
    TRY(descriptor, open_descriptor(path, mode));
    return std::unique_ptr<File>(std::make_unique<RealFile>(std::move(descriptor), path));
}

Result<std::size_t> RealFile::read_at(std::int64_t position, std::span<std::byte> into) {
    std::size_t done = 0;
    while (done < into.size()) {
        const auto got = uninterrupted([&] {
            return ::pread(descriptor_.get(), into.data() + done, into.size() - done,
                           position + static_cast<std::int64_t>(done));
        });
        if (got < 0) return system_error(errno, "read", path_);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Status RealFile::write_at(std::int64_t position, std::span<const std::byte> bytes) {
    return write_whole(descriptor_.get(), path_, position, bytes);
}

Status RealFile::truncate(std::int64_t size) {
    if (uninterrupted([&] { return ::ftruncate(descriptor_.get(), size); }) != 0)
        return system_error(errno, "set the size of", path_);
    return {};
}

Result<bool> RealFile::reserve(std::int64_t size) {
    if (uninterrupted([&] { return ::fallocate(descriptor_.get(), 0, 0, size); }) == 0) return true;
    if (errno == EOPNOTSUPP || errno == ENOSYS) return false;
    return system_error(errno, "set the size of", path_);
}

Status RealFile::sync_data() {
    if (uninterrupted([&] { return ::fdatasync(descriptor_.get()); }) != 0) return system_error(errno, "sync", path_);
    return {};
}

Result<std::int64_t> RealFile::size() {
    struct stat found {};
    if (::fstat(descriptor_.get(), &found) != 0) return system_error(errno, "look at", path_);
    return std::int64_t{found.st_size};
}

Result<std::unique_ptr<SharedWord>> RealWord::open(const std::string& path, Open mode) {
    TRY(descriptor, open_descriptor(path, mode));
    struct stat found {};
    if (::fstat(descriptor.get(), &found) != 0) return system_error(errno, "look at", path);
    if (found.st_size == 0 && (mode == Open::create || mode == Open::create_new)) {
        // Written, not only truncated: a page that has no block on a full disk would be a SIGBUS at the first store.
        const std::uint64_t zero = 0;
        CHECK_OK(write_whole(descriptor.get(), path, 0, std::as_bytes(std::span(&zero, 1))));
    } else if (found.st_size < static_cast<off_t>(word_bytes)) {
        return corrupt("{} is {} bytes long and must have {}", path, found.st_size, word_bytes);
    }
    const int protection = mode == Open::read ? PROT_READ : PROT_READ | PROT_WRITE;
    void* mapped = ::mmap(nullptr, word_bytes, protection, MAP_SHARED, descriptor.get(), 0);
    if (mapped == MAP_FAILED) return system_error(errno, "map", path);
    return std::unique_ptr<SharedWord>(std::make_unique<RealWord>(static_cast<std::uint64_t*>(mapped), path));
}

RealWord::~RealWord() {
    ::munmap(mapped_, word_bytes);
}

std::uint64_t RealWord::load() {
    return std::atomic_ref(*mapped_).load(std::memory_order_acquire);
}

void RealWord::store(std::uint64_t value) {
    std::atomic_ref(*mapped_).store(value, std::memory_order_release);
}

Status RealWord::sync() {
    if (::msync(mapped_, word_bytes, MS_SYNC) != 0) return system_error(errno, "sync", path_);
    return {};
}

} // namespace questlog::io
