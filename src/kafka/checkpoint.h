#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "io/env.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// How far a topic is known to be forwarded, in a file that lasts. docs/formats/kafka.md
namespace questlog::kafka {

/// An event of the log and where it lies in Kafka's partition of the same number.
struct Arrived {
    Offset event;
    std::int64_t record = 0; ///< Kafka's offset.
    auto operator<=>(const Arrived&) const = default;
};

struct Checkpoint {
    std::string log_id;
    /// By partition: the last event of which it was known; it and all before it have arrived. nullopt: of none.
    std::vector<std::optional<Arrived>> last;
    /// By partition: of what offset on it says nothing of the log's events.
    [[nodiscard]] std::vector<Offset> ends() const;
    auto operator<=>(const Checkpoint&) const = default;
};

/// One thread at a time.
class CheckpointFile {
public:
    CheckpointFile(io::Env env, std::string directory, const std::string& topic)
        : env_(env), directory_(std::move(directory)), path_(directory_ + "/" + topic + ".forwarded") {}

    [[nodiscard]] const std::string& path() const { return path_; }
    /// nullopt: there is no file. `last` has an entry for each of the log's `partitions`.
    Result<std::optional<Checkpoint>> read(std::int32_t partitions);
    /// Durable when it returns.
    Status write(const Checkpoint& checkpoint);

private:
    io::Env env_;
    std::string directory_;
    std::string path_;
};

} // namespace questlog::kafka
