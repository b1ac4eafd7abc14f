#pragma once

#include "base/strong.h"
#include "io/sparse_bytes.h"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

/// The simulated disk: what every file and directory holds now, and what of it a power cut would leave.
namespace questlog::io {

using SimRandom = std::mt19937_64;

struct SimNode;
using SimNodePtr = std::shared_ptr<SimNode>;

/// One change of a file since its last sync.
struct SimFileChange {
    enum class What : std::uint8_t { write, zeros, resize } what = What::write;
    std::int64_t position = 0;    ///< Of a resize: the size after it.
    std::int64_t count = 0;       ///< Bytes written.
    std::vector<std::byte> bytes; ///< Of a write.
};

/// One change of a directory since its last sync: names that get a node (or lose theirs: null), together or not at all.
using SimDirectoryChange = std::vector<std::pair<std::string, SimNodePtr>>;

/// A file or a directory. `now` is what the running system shows; `durable` what the disk holds; the changes lead from
/// the one to the other.
struct SimNode {
    bool is_directory = false;
    TimestampMs modified{};

    SparseBytes now;
    SparseBytes durable;
    std::vector<SimFileChange> file_changes;

    std::map<std::string, SimNodePtr> entries;
    std::map<std::string, SimNodePtr> durable_entries;
    std::vector<SimDirectoryChange> directory_changes;

    void write(std::int64_t position, std::span<const std::byte> bytes);
    void resize(std::int64_t size);
    void change_entries(SimDirectoryChange change);

    /// What fsync of it makes durable.
    void sync();
    /// An fsync that did not end: any part of the changes may have reached the disk, and all are still to be written.
    void sync_partly(SimRandom& random);
    /// A failed fsync: any part of a file's changes may have reached the disk, and the rest is taken for written. Not
    /// so of a directory: a file system that cannot write its metadata goes out of service instead.
    void fail_sync(SimRandom& random);
    /// Power returns: any part of the changes is there, in sectors of 512 bytes; entries that were not synced may be
    /// gone.
    void lose_power(SimRandom& random);
};

/// Applies lose_power() to all that can be reached from `root` afterwards.
void lose_power_below(SimNode& root, SimRandom& random);

} // namespace questlog::io
