#include "io/real_lock.h"

#include "io/descriptor.h"
#include "io/lock_error.h"
#include "io/real_file.h"
#include "io/system_error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fstream>

namespace questlog::io {

namespace {

constexpr std::size_t holder_line_bytes = 64;

struct flock byte_range(int slot, short type) {
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = slot;
    range.l_len = 1;
    return range;
}

class RealLock final : public Lock {
public:
    explicit RealLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

private:
    Descriptor descriptor_;
};

/// A reader may have to do without the right to write in the data directory.
Result<Descriptor> open_lock_file(const std::string& path, Files::Share share) {
    auto opened = open_descriptor(path, Open::create);
    if (opened.ok() || share == Files::Share::exclusive) return opened;
    const int reason = opened.error().system_errno;
    if (reason == EACCES || reason == EPERM || reason == EROFS) return open_descriptor(path, Open::read);
    return opened;
}

void write_holder(int descriptor, int slot) {
    std::string name;
    std::getline(std::ifstream("/proc/self/comm"), name);
    auto line = fmt::format("{} ({})", ::getpid(), name);
    line.resize(holder_line_bytes - 1, ' ');
    line.push_back('\n');
    // Only a refusal's wording depends on it, so a full disk must not keep anyone from locking.
    [[maybe_unused]] const auto written =
        ::pwrite(descriptor, line.data(), line.size(), static_cast<off_t>(slot) * static_cast<off_t>(line.size()));
}

std::string read_holder(int descriptor, int slot) {
    struct flock held = byte_range(slot, F_WRLCK);
    if (::fcntl(descriptor, F_OFD_GETLK, &held) == 0 && held.l_type == F_RDLCK) return "readers";
    std::array<char, holder_line_bytes> line{};
    const auto got =
        ::pread(descriptor, line.data(), line.size(), static_cast<off_t>(slot) * static_cast<off_t>(line.size()));
    std::string holder(line.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    holder.erase(holder.find_last_not_of(" \n\0") + 1);
    return holder.empty() ? "another process" : "process " + holder;
}

} // namespace

Result<std::unique_ptr<Lock>> lock_byte(Clock& clock, const std::string& path, int slot, Files::Share share,
                                        std::chrono::milliseconds wait) {
    TRY(descriptor, open_lock_file(path, share));
    const bool exclusive = share == Files::Share::exclusive;
    const auto deadline = clock.monotonic() + wait;
    std::chrono::milliseconds pause{1};
    while (true) {
        struct flock range = byte_range(slot, exclusive ? F_WRLCK : F_RDLCK);
        if (uninterrupted([&] { return ::fcntl(descriptor.get(), F_OFD_SETLK, &range); }) == 0) break;
        if (errno != EAGAIN && errno != EACCES) return system_error(errno, "lock", path);
        if (clock.monotonic() >= deadline)
            return held_by_another(retry_later("{} is locked by {}; stop that process or wait for it", path,
                                               read_holder(descriptor.get(), slot)));
        clock.sleep(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds{20});
    }
    if (exclusive) write_holder(descriptor.get(), slot);
    return std::unique_ptr<Lock>(std::make_unique<RealLock>(std::move(descriptor)));
}

Result<bool> byte_locked(const std::string& path, int slot) {
    auto opened = open_descriptor(path, Open::read);
    if (!opened.ok()) {
        if (opened.error().system_errno == ENOENT) return false;
        return opened.error();
    }
    struct flock held =
        byte_range(slot, F_RDLCK); // what a reader would ask for: only an exclusive holder is in its way
    if (::fcntl(opened->get(), F_OFD_GETLK, &held) != 0) return system_error(errno, "look at the lock", path);
    return held.l_type != F_UNLCK;
}

} // namespace questlog::io
