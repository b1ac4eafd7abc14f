#include "io/sim_disk.h"

#include <algorithm>

namespace questlog::io {

namespace {

constexpr std::int64_t sector_bytes = 512;

/// Whether one thing survives. Drawn once a file: mostly nothing, all, or any share between.
class Survival {
public:
    explicit Survival(SimRandom& random) : random_(random) {
        constexpr std::array<unsigned, 6> shares{0, 256, 16, 96, 160, 240};
        share_ = shares[random_() % shares.size()];
    }
    bool operator()() { return random_() % 256 < share_; }

private:
    SimRandom& random_;
    unsigned share_ = 0;
};

void apply_whole(SparseBytes& to, const SimFileChange& change) {
    switch (change.what) {
    case SimFileChange::What::write: to.write(change.position, change.bytes); return;
    case SimFileChange::What::zeros: to.write_zeros(change.position, change.count); return;
    case SimFileChange::What::resize: to.resize(change.position); return;
    }
}

/// Applies the sectors of a write that survive.
void apply_torn(SparseBytes& to, const SimFileChange& change, Survival& survives) {
    const std::int64_t end = change.position + change.count;
    for (std::int64_t at = change.position; at < end;) {
        const std::int64_t sector_end = std::min(end, (at / sector_bytes + 1) * sector_bytes);
        if (survives()) {
            if (change.what == SimFileChange::What::zeros)
                to.write_zeros(at, sector_end - at);
            else
                to.write(at, std::span(change.bytes)
                                 .subspan(static_cast<std::size_t>(at - change.position),
                                          static_cast<std::size_t>(sector_end - at)));
        }
        at = sector_end;
    }
}

/// What of `changes` reaches the disk. Sizes are metadata, kept up to some change and lost from there on; data sectors
/// are kept or lost each for itself.
void apply_some(SparseBytes& disk, const std::vector<SimFileChange>& changes, SimRandom& random) {
    if (changes.empty()) return;
    Survival survives(random);
    const std::size_t sized = random() % (changes.size() + 1);
    std::int64_t size = disk.size();
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const auto& change = changes[i];
        if (change.what == SimFileChange::What::resize) {
            if (i >= sized) continue;
            size = change.position;
            disk.resize(size);
        } else {
            if (i < sized) size = std::max(size, change.position + change.count);
            apply_torn(disk, change, survives);
        }
    }
    disk.resize(size);
}

void apply_entries(std::map<std::string, SimNodePtr>& entries, const SimDirectoryChange& change) {
    for (const auto& [name, node] : change) {
        if (node)
            entries[name] = node;
        else
            entries.erase(name);
    }
}

void apply_some_entries(SimNode& directory, SimRandom& random) {
    Survival survives(random);
    for (const auto& change : directory.directory_changes)
        if (survives()) apply_entries(directory.durable_entries, change);
}

bool all_zero(std::span<const std::byte> bytes) {
    return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

} // namespace

void SimNode::write(std::int64_t position, std::span<const std::byte> bytes) {
    SimFileChange change{SimFileChange::What::write, position, static_cast<std::int64_t>(bytes.size()), {}};
    if (all_zero(bytes))
        change.what = SimFileChange::What::zeros;
    else
        change.bytes.assign(bytes.begin(), bytes.end());
    apply_whole(now, change);
    file_changes.push_back(std::move(change));
}

void SimNode::resize(std::int64_t size) {
    now.resize(size);
    file_changes.push_back({SimFileChange::What::resize, size, 0, {}});
}

void SimNode::change_entries(SimDirectoryChange change) {
    apply_entries(entries, change);
    directory_changes.push_back(std::move(change));
}

void SimNode::sync() {
    for (const auto& change : file_changes) apply_whole(durable, change);
    file_changes.clear();
    for (const auto& change : directory_changes) apply_entries(durable_entries, change);
    directory_changes.clear();
}

void SimNode::sync_partly(SimRandom& random) {
    apply_some(durable, file_changes, random);
    apply_some_entries(*this, random);
}

void SimNode::fail_sync(SimRandom& random) {
    sync_partly(random);
    file_changes.clear();
}

void SimNode::lose_power(SimRandom& random) {
    sync_partly(random);
    now = durable;
    entries = durable_entries;
    file_changes.clear();
    directory_changes.clear();
}

void lose_power_below(SimNode& root, SimRandom& random) {
    root.lose_power(random);
    for (const auto& [name, node] : root.entries) lose_power_below(*node, random);
}

} // namespace questlog::io
