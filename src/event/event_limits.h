#pragma once

#include "base/limits.h"

#include <cstddef>

namespace questlog::event {

/// How large and how deeply nested a stored event may be. Readers take every event, whatever the limits were.
struct EventLimits {
    std::size_t bytes_max = limits::event_bytes_max;
    std::size_t depth_max = limits::json_depth_max; ///< An empty array or object is no level of its own.
};

} // namespace questlog::event
