#pragma once

#include "base/guarded.h"
#include "base/repeated_action.h"
#include "base/result.h"
#include "hdfs/webhdfs_client.h"
#include "io/env.h"

#include <chrono>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>

/// Locks that hold between machines: files on HDFS with numbers that only grow. docs/formats/hdfs.md, "Leases".
namespace questlog::hdfs {

struct LeaseOptions {
    std::chrono::milliseconds stale{60'000}; ///< Not renewed for so long, by the NameNode's clock: anyone may take it.
    std::chrono::milliseconds trusted{45'000}; ///< Not renewed for so long, the holder does nothing more under it.
    std::chrono::milliseconds renewal{15'000};
};

/// Takes leases and renews them on a thread of its own while any is held. Any thread.
class Leases {
public:
    Leases(io::Env local, WebHdfsClient& client, LeaseOptions options = {});
    ~Leases();
    Leases(const Leases&) = delete;
    Leases& operator=(const Leases&) = delete;

    /// The lease `path` (absolute on HDFS) for `slot`, exclusively. It is free once the lock is destroyed, or stale
    /// when its holder has died; at once, where that was a process of this machine. `retry_later`, naming the holder,
    /// if it is held and `wait` has passed.
    Result<std::unique_ptr<io::Lock>> acquire(const std::string& path, int slot, std::chrono::milliseconds wait);
    /// Whether someone else holds it.
    Result<bool> is_held(const std::string& path, int slot);

    /// `retry_later`, where a lease that is still in use here was lost: nothing may be changed under it. Asks nobody.
    Status check();

private:
    friend class HeldLease;
    struct Held {
        std::string folder;
        std::string name; ///< Without the epoch.
        std::int64_t epoch = 0;
        std::chrono::nanoseconds renewed{}; ///< When the last renewal that succeeded began, by the monotonic clock.
        bool is_lost = false;
        [[nodiscard]] std::string path() const;
    };
    struct Found {
        std::int64_t epoch = 0;         ///< The one that counts. 0: it was never held.
        std::int64_t last = 0;          ///< The greatest there is, also of a lease that was withdrawn.
        FileStatus status{};            ///< Of the one that counts.
        std::vector<std::string> older; ///< Names.
    };

    Result<Found> find(const std::string& folder, const std::string& name,
                       std::int64_t below = std::numeric_limits<std::int64_t>::max());
    Result<std::optional<std::string>> holder_of(const std::string& folder, const std::string& name,
                                                 const Found& found);
    Result<bool> was_first_to_take(const Held& held, const Found& before);
    Result<std::unique_ptr<io::Lock>> hold(Held held);
    void forget_unfinished(const std::string& path);
    void release(std::list<Held>::iterator held);
    void renew_all();

    io::Env local_;
    WebHdfsClient& client_;
    LeaseOptions options_;
    Guarded<std::list<Held>> held_;
    Guarded<std::optional<RepeatedAction>> renewing_;
};

} // namespace questlog::hdfs
