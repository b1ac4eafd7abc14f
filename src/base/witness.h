#pragma once

#include "base/strong.h"

#include <compare>
#include <cstdint>

namespace questlog {

/// One record of a partition, by which its log is told from another that has the same offsets.
struct Witness {
    Offset offset;
    std::uint32_t fingerprint = 0; ///< Of what lies there: scan/landed_log.h.
    auto operator<=>(const Witness&) const = default;
};

} // namespace questlog
