#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "duck/duck.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The time of a log cut where a statement compares `timestamp` with constants, so that DuckDB can prove which
/// stretches no row of the answer comes from. docs/decisions/0012-time-ranges.md.
namespace questlog::scan {

/// Times between these sort as their texts do, and every type of SQL can tell them.
inline constexpr TimestampMs earliest_time{-62'135'596'800'000}; ///< 0001-01-01
inline constexpr TimestampMs latest_time{253'402'300'799'999};   ///< 9999-12-31 23:59:59.999

/// A constant that `timestamp` is compared with. In milliseconds the events that are less, equal and greater are those
/// before `reached`, those from there on and before `passed`, and the rest.
struct TimeCut {
    std::string literal; ///< SQL
    TimestampMs reached;
    TimestampMs passed;
};
/// For a column of TIMESTAMP WITH TIME ZONE: `literal` means `us` microseconds since 1970.
[[nodiscard]] TimeCut timestamp_cut(std::string literal, std::int64_t us);
/// For a column of texts as spark_timestamp() writes them: DuckDB compares these bytewise, and so does this.
[[nodiscard]] TimeCut text_cut(std::string_view text);

/// A stretch of time and what SQL can say of each row there.
struct TimeSpan {
    TimestampMs from;
    TimestampMs to; ///< Not included.
    std::string condition;
};
/// All times from earliest_time to latest_time, ascending, each in one span. Spans without a millisecond are left out.
[[nodiscard]] std::vector<TimeSpan> spans_between(std::vector<TimeCut> cuts);

/// Rows of events, in the order of partitions and of offsets within them.
class TimedRows : public duck::RowSource {
public:
    /// The same rows in the same order, in parts that each have their span's condition; parts without rows are left
    /// out. None at all: the rows cannot be cut. The log is looked at by PartitionReader::find_time, if at all.
    [[nodiscard]] virtual Result<std::vector<duck::SourcePart>> cut(const std::vector<TimeSpan>& spans) const {
        (void)spans;
        return std::vector<duck::SourcePart>{};
    }
};

} // namespace questlog::scan
