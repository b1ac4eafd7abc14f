#pragma once

#include "base/strong.h"

#include <string>
#include <string_view>

namespace questlog::scan {

/// Writes timestamps as spark_timestamp() does, fast where one follows another within the same second. One thread.
class TimestampText {
public:
    /// Valid until the next call.
    [[nodiscard]] std::string_view write(TimestampMs timestamp);

private:
    std::string text_;
    std::int64_t second_ = 0;
    std::size_t second_length_ = 0; ///< Of the text up to the seconds; 0: nothing was written yet.
};

} // namespace questlog::scan
