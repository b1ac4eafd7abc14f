#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "io/env.h"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// Which dead letters of a log were sent again: ROOT/.landing/<log id>/replayed. docs/formats/lake.md.
namespace questlog::lake {

/// Dead letters by partition, in order.
using DeadLetterSpans = std::map<Partition, std::vector<OffsetSpan>>;

struct Replays {
    DeadLetterSpans done; ///< They are in the log again.
    /// Those that were being sent when this was written: they may be in the log from `since` on, or not.
    DeadLetterSpans under_way;
    std::vector<Offset> since; ///< The log's ends then, by partition.
    auto operator<=>(const Replays&) const = default;
};

[[nodiscard]] bool has(const DeadLetterSpans& spans, Partition partition, Offset offset);
void add(DeadLetterSpans& spans, Partition partition, Offset offset);

/// Any thread; writing is the lock holder's.
class ReplayRecords {
public:
    ReplayRecords(io::Env env, std::string lake_root, std::string log_id);

    Result<Replays> read() const; ///< Empty where nothing was sent again. `corrupt` names the file and what to do.
    Status write(const Replays& replays); ///< Durable on success.
    /// Excludes others who send dead letters again. `retry_later` naming the holder's pid when `wait` has passed.
    Result<std::unique_ptr<io::Lock>> lock(std::chrono::milliseconds wait);

private:
    io::Env env_;
    std::string lake_root_;
    std::string log_id_;
    std::string directory_;
};

} // namespace questlog::lake
