#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "io/env.h"
#include "kafka/origin.h"

#include <map>
#include <optional>
#include <string>

namespace questlog::kafka {

/// What the records before some offsets of a partition say of origins, so that not all of them are read again by each
/// process. docs/formats/kafka.md. One thread.
class OriginPoints {
public:
    struct Point {
        Offset at;
        OriginsSeen seen;
    };
    /// A record before the last point, by which the topic is known again.
    struct Witness {
        Offset offset;
        std::uint32_t fingerprint = 0;
        auto operator<=>(const Witness&) const = default;
    };

    /// The last point that is not behind the offset.
    [[nodiscard]] std::optional<Point> before(Offset at) const;
    void add(Offset at, const OriginsSeen& seen);
    /// What lies below the topic's first offset, but for the last point there, is needed no more.
    void forget_below(Offset low);
    /// The one after which the last point was added.
    std::optional<Witness> witness;

    [[nodiscard]] std::string encode() const;
    static Result<OriginPoints> decode(std::string_view text, const std::string& path);

    /// How far the last point is from the one that is kept before it.
    static constexpr std::int64_t offsets_between = 65'536;

private:
    std::map<Offset, OriginsSeen> points_;
};

} // namespace questlog::kafka
