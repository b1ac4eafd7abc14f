#pragma once

#include "io/env.h"

#include <optional>

namespace questlog::io {

class SimWorld;

/// A simulated machine: a file system that knows what is durable, clocks that move when someone sleeps, and random
/// bits, all from one seed. The same calls with the same seed give the same results, bit for bit.
///
/// Faults are the test's to choose: a kill (crash), a power cut, the n-th operation failing, a full disk, flipped bits.
/// Any thread may use env(); the faults below are called by the test while nothing else runs.
class SimEnv {
public:
    explicit SimEnv(std::uint64_t seed);
    ~SimEnv();
    SimEnv(const SimEnv&) = delete;
    SimEnv& operator=(const SimEnv&) = delete;

    [[nodiscard]] Env env();

    /// kill -9: what was written stays (the page cache survives), locks are free, every open File, SharedWord and Lock
    /// of the dead process fails or does nothing from now on.
    void crash();
    /// As crash(), and of what was not synced any part may be lost: bytes in sectors of 512, any subset, in any order;
    /// directory entries; a SharedWord holds any value that was stored since its last sync.
    void power_cut();

    enum class Fault : std::uint8_t {
        io_error,  ///< EIO. A write leaves a prefix; a sync loses any part of what it covered, though it reads back as
                   ///< good.
        disk_full, ///< ENOSPC, once. A write leaves a prefix.
        stop,      ///< The machine stops in the middle of it: every operation fails until crash() or power_cut().
    };
    /// The operation that comes after `n` others fails (0: the next one). All operations on files count but clock and
    /// entropy.
    void fail_operation(std::int64_t n, Fault fault);
    void fail_nothing();
    [[nodiscard]] bool fault_happened() const;     ///< Since the last fail_operation().
    [[nodiscard]] std::int64_t operations() const; ///< How many there were so far.

    /// While full, what would need more space fails with ENOSPC: a file that grows, a new file or directory.
    void fill_disk(bool full);
    /// From now on all files together hold `bytes` at most: a file that would grow beyond fails with ENOSPC, and what
    /// is cut or removed is free again.
    void limit_disk(std::int64_t bytes);
    /// After `n` more, what needs a file descriptor (to open, to list, to lock, to sync a directory) fails with EMFILE.
    void limit_opens(std::int64_t n);

    // The test's own hands on the disk: no operations, durable at once.
    [[nodiscard]] std::optional<std::string> contents(const std::string& path) const; ///< nullopt: no such file.
    void put(const std::string& path, std::string_view bytes); ///< Replaces the file; its directory must exist.
    void flip_bit(const std::string& path, std::int64_t byte, unsigned bit);
    void shorten(const std::string& path, std::int64_t size);
    void remove(const std::string& path);
    [[nodiscard]] std::vector<std::string> names(const std::string& directory) const;

    void advance(std::chrono::milliseconds duration); ///< Moves both clocks on.
    void jump_wall(std::chrono::milliseconds by);     ///< The wall clock alone, in either direction.

private:
    std::unique_ptr<SimWorld> world_;
};

} // namespace questlog::io
