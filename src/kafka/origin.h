#pragma once

#include "base/result.h"
#include "base/strong.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
    [[nodiscard]] bool empty() const { return last_.empty(); }

    /// "<log id>:<partition>:<offset>" of each, with a space before it, sorted.
    [[nodiscard]] std::string encode() const;
    /// nullopt: it is none.
    static std::optional<OriginsSeen> decode(std::string_view text);
    auto operator<=>(const OriginsSeen&) const = default;

private:
    using Key = std::pair<std::string, Partition>;
    struct Less {
        using is_transparent = void;
        template <class One, class Other> bool operator()(const One& one, const Other& other) const {
            return std::pair(std::string_view(one.first), one.second) <
                   std::pair(std::string_view(other.first), other.second);
        }
    };
    std::map<Key, Offset, Less> last_;
};

} // namespace questlog::kafka
