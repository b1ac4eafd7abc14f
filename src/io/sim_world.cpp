#include "io/sim_world.h"

#include "io/system_error.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <unistd.h>

namespace questlog::io {

namespace {

constexpr std::int64_t start_wall_ms = 1'577'880'000'000; // 2020-01-01 12:00 UTC

class SimClock final : public Clock {
public:
    SimClock(std::atomic<std::int64_t>& now_ns, std::atomic<std::int64_t>& wall_ahead_ms)
        : now_ns_(now_ns), wall_ahead_ms_(wall_ahead_ms) {}
    TimestampMs wall_ms() override {
        return TimestampMs{start_wall_ms + wall_ahead_ms_.load() + now_ns_.load() / 1'000'000};
    }
    std::chrono::nanoseconds monotonic() override { return std::chrono::nanoseconds{now_ns_.load()}; }
    void sleep(std::chrono::milliseconds duration) override {
        now_ns_.fetch_add(std::chrono::nanoseconds(duration).count());
    }

private:
    std::atomic<std::int64_t>& now_ns_;
    std::atomic<std::int64_t>& wall_ahead_ms_;
};

class SimEntropy final : public Entropy {
public:
    explicit SimEntropy(std::uint64_t seed) : random_(seed) {}
    void fill(std::span<std::byte> bytes) override {
        const std::lock_guard lock(mutex_);
        for (auto& byte : bytes) byte = static_cast<std::byte>(random_());
    }

private:
    std::mutex mutex_;
    SimRandom random_;
};

std::int64_t bytes_below(const SimNode& node) {
    std::int64_t bytes = node.now.size();
    for (const auto& [name, entry] : node.entries) bytes += bytes_below(*entry);
    return bytes;
}

} // namespace

std::vector<std::string> path_parts(const std::string& path) {
    std::vector<std::string> parts;
    for (const auto& part : std::filesystem::path(path).lexically_normal())
        if (!part.empty() && part != "/" && part != ".") parts.push_back(part.string());
    return parts;
}

SimWorld::SimWorld(std::uint64_t seed) : random(seed), root(std::make_shared<SimNode>()) {
    root->is_directory = true;
    clock = std::make_unique<SimClock>(now_ns, wall_ahead_ms);
    entropy = std::make_unique<SimEntropy>(seed + 1);
    files = make_sim_files(*this);
}

SimWorld::~SimWorld() {
    std::error_code ignored; // a scratch directory that stays behind in the system's temporary folder
    if (!scratch_root.empty()) std::filesystem::remove_all(scratch_root, ignored);
}

TimestampMs SimWorld::wall() const {
    return clock->wall_ms();
}

std::optional<Error> SimWorld::begin_operation(std::string_view action, const std::string& path) {
    if (stopped) return internal("cannot {} {}: the machine has stopped", action, path);
    if (operations++ != failing_operation) return std::nullopt;
    fault_happened = true;
    stopped = fault == SimEnv::Fault::stop;
    return system_error(fault == SimEnv::Fault::disk_full ? ENOSPC : EIO, action, path);
}

std::optional<Error> SimWorld::begin_opening(std::string_view action, const std::string& path) {
    if (auto failed = begin_operation(action, path)) return failed;
    if (opens_left == 0) return system_error(EMFILE, action, path);
    --opens_left;
    return std::nullopt;
}

Status SimWorld::end_sync(SimNode& node, const std::optional<Error>& failure) {
    if (!failure) {
        node.sync();
        return {};
    }
    if (stopped)
        node.sync_partly(random);
    else
        node.fail_sync(random);
    return *failure;
}

Error SimWorld::no_space(std::string_view action, const std::string& path) const {
    return system_error(ENOSPC, action, path);
}

std::int64_t SimWorld::free_bytes() const {
    if (disk_full) return 0;
    if (disk_bytes == std::numeric_limits<std::int64_t>::max()) return disk_bytes;
    return std::max<std::int64_t>(0, disk_bytes - bytes_below(*root));
}

SimNodePtr SimWorld::find(const std::string& path) const {
    SimNodePtr node = root;
    for (const auto& part : path_parts(path)) {
        const auto found = node->entries.find(part);
        if (found == node->entries.end()) return nullptr;
        node = found->second;
    }
    return node;
}

SimWorld::Place SimWorld::place_of(const std::string& path) const {
    auto parts = path_parts(path);
    if (parts.empty()) return {};
    SimNodePtr node = root;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        const auto found = node->entries.find(parts[i]);
        if (found == node->entries.end() || !found->second->is_directory) return {};
        node = found->second;
    }
    return {node, parts.back()};
}

Result<SimNodePtr> SimWorld::open(const std::string& path, Open mode) {
    const auto place = place_of(path);
    if (!place.directory) return system_error(ENOENT, "open", path);
    const auto found = place.directory->entries.find(place.name);
    if (found != place.directory->entries.end()) {
        if (found->second->is_directory) return system_error(EISDIR, "open", path);
        if (mode == Open::create_new) return system_error(EEXIST, "create", path);
        return found->second;
    }
    if (mode == Open::read || mode == Open::write) return system_error(ENOENT, "open", path);
    if (disk_full) return no_space("create", path);
    auto node = std::make_shared<SimNode>();
    node->modified = wall();
    place.directory->change_entries({{place.name, node}});
    return node;
}

Result<std::string> SimWorld::make_scratch() {
    const auto make = [](std::string pattern) -> Result<std::string> {
        if (::mkdtemp(pattern.data()) == nullptr) return system_error(errno, "make a scratch directory like", pattern);
        return pattern;
    };
    if (scratch_root.empty()) {
        constexpr std::string_view memory = "/dev/shm"; // on a disk half of a simulation's time would go there
        const bool in_memory = ::access(memory.data(), W_OK) == 0;
        const auto near = in_memory ? std::filesystem::path(memory) : std::filesystem::temp_directory_path();
        TRY(made, make((near / "questlog-sim-XXXXXX").string()));
        scratch_root = made;
    }
    return make(scratch_root + "/XXXXXX");
}

} // namespace questlog::io
