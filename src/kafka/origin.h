#pragma once

#include "base/result.h"
#include "base/strong.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Where a record of a Kafka topic comes from, and which of them are there for the second time. docs/formats/kafka.md
namespace questlog::kafka {

/// The record's place in the embedded log of the collector that took it.
struct Origin {
    std::string_view log_id;
    Partition partition;
    Offset offset;
    auto operator<=>(const Origin&) const = default;
};

/// The header that a forwarder gives each record: `<log id>:<partition>:<offset>`, in decimal digits.
inline constexpr const char* origin_header = "questlog.origin";

/// Writes the header's value over `text`.
void write_origin(const Origin& origin, std::string& text);
/// nullopt: no forwarder wrote that.
[[nodiscard]] std::optional<Origin> parse_origin(std::string_view text);

/// How far each origin has come in a partition of a topic. A record whose offset at its origin is not above the last
/// one seen is there for the second time: its forwarder ended before it knew that it had arrived, and the next one sent
/// it again. What this says of a record hangs on the partition's records before it alone.
class OriginsSeen {
public:
    /// False: it was seen before.
    bool see(const Origin& origin);
    /// The last offset seen of it; nullopt: none.
    [[nodiscard]] std::optional<Offset> last(std::string_view log_id, Partition partition) const;
    [[nodiscard]] std::set<std::string> logs() const; ///< The ids of all that were seen.
    [[nodiscard]] bool empty() const { return last_.empty(); }

    /// "<log id>:<partition>:<offset>" of each, with a space before it, sorted.
    [[nodiscard]] std::string encode() const;
    /// nullopt: it is none.
    static std::optional<OriginsSeen> decode(std::string_view text);
    bool operator==(const OriginsSeen& other) const { return last_ == other.last_; }

private:
    struct Last {
        std::string log_id;
        Partition partition;
        Offset offset;
        bool operator==(const Last&) const = default;
    };
    /// Where that origin is, or would be.
    [[nodiscard]] std::size_t place_of(std::string_view log_id, Partition partition) const;
    [[nodiscard]] bool has(std::size_t place, std::string_view log_id, Partition partition) const;

    std::vector<Last> last_; ///< Sorted by log and partition.
    std::size_t latest_ = 0; ///< Of the one that was seen last: the next one is mostly of the same origin.
};

} // namespace questlog::kafka
