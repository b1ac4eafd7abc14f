#include "io/sim_env.h"

#include "io/sim_world.h"

#include <cassert>

namespace questlog::io {

SimEnv::SimEnv(std::uint64_t seed) : world_(std::make_unique<SimWorld>(seed)) {}

SimEnv::~SimEnv() = default;

Env SimEnv::env() {
    return Env{*world_->clock, *world_->files, *world_->entropy};
}

void SimEnv::crash() {
    const std::lock_guard lock(world_->mutex);
    ++world_->generation;
    world_->locks.clear();
    world_->stopped = false;
}

void SimEnv::power_cut() {
    crash();
    const std::lock_guard lock(world_->mutex);
    lose_power_below(*world_->root, world_->random);
}

void SimEnv::fail_operation(std::int64_t n, Fault fault) {
    const std::lock_guard lock(world_->mutex);
    world_->failing_operation = world_->operations + n;
    world_->fault = fault;
    world_->fault_happened = false;
}

void SimEnv::fail_nothing() {
    const std::lock_guard lock(world_->mutex);
    world_->failing_operation = -1;
}

bool SimEnv::fault_happened() const {
    const std::lock_guard lock(world_->mutex);
    return world_->fault_happened;
}

std::int64_t SimEnv::operations() const {
    const std::lock_guard lock(world_->mutex);
    return world_->operations;
}

void SimEnv::fill_disk(bool full) {
    const std::lock_guard lock(world_->mutex);
    world_->disk_full = full;
}

void SimEnv::limit_disk(std::int64_t bytes) {
    const std::lock_guard lock(world_->mutex);
    world_->disk_bytes = bytes;
}

void SimEnv::limit_opens(std::int64_t n) {
    const std::lock_guard lock(world_->mutex);
    world_->opens_left = n;
}

std::optional<std::string> SimEnv::contents(const std::string& path) const {
    const std::lock_guard lock(world_->mutex);
    const auto node = world_->find(path);
    if (!node || node->is_directory) return std::nullopt;
    std::string bytes(static_cast<std::size_t>(node->now.size()), '\0');
    bytes.resize(node->now.read(0, std::as_writable_bytes(std::span(bytes))));
    return bytes;
}

void SimEnv::put(const std::string& path, std::string_view bytes) {
    const std::lock_guard lock(world_->mutex);
    const auto place = world_->place_of(path);
    assert(place.directory);
    auto node = std::make_shared<SimNode>();
    node->modified = world_->wall();
    node->write(0, std::as_bytes(std::span(bytes)));
    node->sync();
    place.directory->change_entries({{place.name, node}});
    place.directory->sync();
}

void SimEnv::flip_bit(const std::string& path, std::int64_t byte, unsigned bit) {
    const std::lock_guard lock(world_->mutex);
    const auto node = world_->find(path);
    assert(node);
    node->sync();
    node->now.flip(byte, bit);
    node->durable.flip(byte, bit);
}

void SimEnv::shorten(const std::string& path, std::int64_t size) {
    const std::lock_guard lock(world_->mutex);
    const auto node = world_->find(path);
    assert(node);
    node->resize(size);
    node->sync();
}

void SimEnv::remove(const std::string& path) {
    const std::lock_guard lock(world_->mutex);
    const auto place = world_->place_of(path);
    assert(place.directory);
    place.directory->change_entries({{place.name, nullptr}});
    place.directory->sync();
}

std::vector<std::string> SimEnv::names(const std::string& directory) const {
    const std::lock_guard lock(world_->mutex);
    std::vector<std::string> names;
    if (const auto node = world_->find(directory))
        for (const auto& [name, entry] : node->entries) names.push_back(name);
    return names;
}

void SimEnv::jump_wall(std::chrono::milliseconds by) {
    world_->wall_ahead_ms.fetch_add(by.count());
}

void SimEnv::advance(std::chrono::milliseconds duration) {
    world_->clock->sleep(duration);
}

} // namespace questlog::io
