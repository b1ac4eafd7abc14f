#include "io/sim_handles.h"

#include "io/system_error.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

namespace questlog::io {

std::optional<Error> SimHandle::begin(std::string_view action) {
    if (world_.generation != generation_)
        return internal("cannot {} {}: the process that had it open is dead", action, path_);
    return world_.begin_operation(action, path_);
}

SimFile::~SimFile() {
    std::error_code ignored; // the whole scratch root is removed at the end
    if (!real_copy_.empty()) std::filesystem::remove(real_copy_, ignored);
}

Result<std::size_t> SimFile::read_at(std::int64_t position, std::span<std::byte> into) {
    const std::lock_guard lock(world_.mutex);
    if (auto fault = begin("read")) return *fault;
    return node_->now.read(position, into);
}

Status SimFile::write_at(std::int64_t position, std::span<const std::byte> bytes) {
    const std::lock_guard lock(world_.mutex);
    const bool ignored = dead();
    auto fault = begin("write");
    const std::int64_t free = world_.free_bytes();
    const std::int64_t growth = position + static_cast<std::int64_t>(bytes.size()) - node_->now.size();
    if (!fault && growth > 0 && growth > free) fault = world_.no_space("write", path_);
    if (ignored) return *fault;
    if (fault && !world_.disk_full && growth > free) // what is free is written, and no more
        bytes = bytes.first(static_cast<std::size_t>(
            std::max<std::int64_t>(0, static_cast<std::int64_t>(bytes.size()) - growth + free)));
    if (fault) bytes = bytes.first(world_.random() % (bytes.size() + 1));
    if (!bytes.empty()) node_->write(position, bytes);
    node_->modified = world_.wall();
    return fault ? Status(*fault) : Status();
}

Status SimFile::truncate(std::int64_t size) {
    const std::lock_guard lock(world_.mutex);
    if (auto fault = begin("set the size of")) return *fault;
    if (size > node_->now.size() && size - node_->now.size() > world_.free_bytes())
        return world_.no_space("set the size of", path_);
    node_->resize(size);
    node_->modified = world_.wall();
    return {};
}

Result<bool> SimFile::reserve(std::int64_t size) {
    const std::lock_guard lock(world_.mutex);
    if (auto fault = begin("set the size of")) return *fault;
    if (size <= node_->now.size()) return true;
    if (size - node_->now.size() > world_.free_bytes()) return world_.no_space("set the size of", path_);
    node_->resize(size);
    node_->modified = world_.wall();
    return true;
}

Status SimFile::sync_data() {
    const std::lock_guard lock(world_.mutex);
    const bool ignored = dead();
    const auto fault = begin("sync");
    if (ignored) return *fault;
    return world_.end_sync(*node_, fault);
}

Result<std::int64_t> SimFile::size() {
    const std::lock_guard lock(world_.mutex);
    if (auto fault = begin("look at")) return *fault;
    return node_->now.size();
}

Result<std::string> SimFile::materialise() {
    const std::lock_guard lock(world_.mutex);
    if (auto fault = begin("read")) return *fault;
    if (real_copy_.empty()) {
        TRY(directory, world_.make_scratch());
        real_copy_ = directory + "/" + std::filesystem::path(path_).filename().string();
    }
    std::string contents(static_cast<std::size_t>(node_->now.size()), '\0');
    contents.resize(node_->now.read(0, std::as_writable_bytes(std::span(contents))));
    std::ofstream copy(real_copy_, std::ios::binary | std::ios::trunc);
    copy.write(contents.data(), static_cast<std::streamsize>(contents.size()));
    if (!copy.flush()) return system_error(EIO, "write", real_copy_);
    return real_copy_;
}

std::uint64_t SimWord::load() {
    const std::lock_guard lock(world_.mutex);
    std::uint64_t value = 0;
    if (node_->now.read(0, std::as_writable_bytes(std::span(&value, 1))) < bytes) return 0;
    return value;
}

void SimWord::store(std::uint64_t value) {
    const std::lock_guard lock(world_.mutex);
    if (!dead()) node_->write(0, std::as_bytes(std::span(&value, 1)));
}

Status SimWord::sync() {
    const std::lock_guard lock(world_.mutex);
    const bool ignored = dead();
    const auto fault = begin("sync");
    if (ignored) return *fault;
    return world_.end_sync(*node_, fault);
}

SimLock::~SimLock() {
    const std::lock_guard lock(world_.mutex);
    if (dead()) return;
    auto& held = world_.locks[{path_, slot_}];
    if (share_ == Files::Share::exclusive)
        held.exclusive = false;
    else
        --held.shared;
}

} // namespace questlog::io
