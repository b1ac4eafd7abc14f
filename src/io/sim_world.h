#pragma once

#include "io/sim_disk.h"
#include "io/sim_env.h"

#include <atomic>
#include <limits>
#include <mutex>

namespace questlog::io {

/// All the state of a simulated machine, behind one mutex. SimFiles, its files, words and locks are views of it.
class SimWorld {
public:
    explicit SimWorld(std::uint64_t seed);
    ~SimWorld();
    SimWorld(const SimWorld&) = delete;
    SimWorld& operator=(const SimWorld&) = delete;

    std::unique_ptr<Clock> clock;
    std::unique_ptr<Files> files;
    std::unique_ptr<Entropy> entropy;

    mutable std::mutex mutex; ///< Guards everything below; methods are called with it held.
    SimRandom random;
    SimNodePtr root;
    std::atomic<std::int64_t> now_ns{0};
    std::atomic<std::int64_t> wall_ahead_ms{0}; ///< Of where now_ns would have the wall clock.
    std::uint64_t generation = 0;               ///< Of the running process; handles of an earlier one are dead.

    std::int64_t operations = 0;
    std::int64_t failing_operation = -1;
    SimEnv::Fault fault = SimEnv::Fault::io_error;
    bool fault_happened = false;
    bool disk_full = false;
    std::int64_t disk_bytes = std::numeric_limits<std::int64_t>::max(); ///< What all files may hold together.
    std::int64_t opens_left = std::numeric_limits<std::int64_t>::max();
    bool stopped = false; ///< By Fault::stop.

    struct Held {
        int shared = 0;
        bool exclusive = false;
    };
    std::map<std::pair<std::string, int>, Held> locks;

    std::string scratch_root; ///< A real directory, made when first needed; removed at the end.

    /// Counts one operation; its fault if it is the one to fail.
    [[nodiscard]] std::optional<Error> begin_operation(std::string_view action, const std::string& path);
    /// The same for one that needs a file descriptor.
    [[nodiscard]] std::optional<Error> begin_opening(std::string_view action, const std::string& path);
    /// Syncs the node, or fails at it with `failure`.
    Status end_sync(SimNode& node, const std::optional<Error>& failure);
    [[nodiscard]] Error no_space(std::string_view action, const std::string& path) const;
    /// By how much files may still grow.
    [[nodiscard]] std::int64_t free_bytes() const;
    [[nodiscard]] TimestampMs wall() const;

    [[nodiscard]] SimNodePtr find(const std::string& path) const; ///< Null where there is nothing.
    struct Place {
        SimNodePtr directory; ///< Null where it is missing.
        std::string name;
    };
    [[nodiscard]] Place place_of(const std::string& path) const;
    /// Opens or makes a file as `mode` says.
    Result<SimNodePtr> open(const std::string& path, Open mode);
    /// A new real directory under scratch_root.
    Result<std::string> make_scratch();
};

std::unique_ptr<Files> make_sim_files(SimWorld& world);

/// "/a//b/./c" as {"a", "b", "c"}.
[[nodiscard]] std::vector<std::string> path_parts(const std::string& path);

} // namespace questlog::io
