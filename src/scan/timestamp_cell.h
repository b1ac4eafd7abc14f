#pragma once

#include "base/strong.h"
#include "duck/duck.h"

#include <cstdint>

namespace questlog::scan {

/// As a timestamptz; null where DuckDB has no such time.
inline void write_timestamp(TimestampMs timestamp, std::size_t row, duck::ColumnWriter& writer) {
    constexpr std::int64_t microseconds = 1000;
    constexpr std::int64_t milliseconds_max = INT64_MAX / microseconds - 1; // DuckDB's ends of int64 mean infinity
    if (timestamp.value > milliseconds_max || timestamp.value < -milliseconds_max)
        writer.set_null(row);
    else
        writer.set_bigint(row, timestamp.value * microseconds);
}

} // namespace questlog::scan
