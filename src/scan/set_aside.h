#pragma once

#include "scan/plan.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What a plan sets aside of a partition's range. Not for other folders.
namespace questlog::scan {

/// The next invalid record, whose offset is greater than those of its reason before it.
void add_invalid(SetAside& aside, std::string_view reason, Offset offset);
/// A repeat is none of the invalid ones.
void take_out_repeats(SetAside& aside);

/// Tells of offsets whether they are set aside. It is passed in ascending order of them, cheapest in a row; what it was
/// made of outlives it.
class SetAsideCursor {
public:
    SetAsideCursor() = default;
    explicit SetAsideCursor(const SetAside& aside);
    [[nodiscard]] bool has(Offset offset);
    /// Of the offset that has() said yes to last: why it is a dead letter; null: it is a repeat.
    [[nodiscard]] const std::string* reason() const { return spans_[next_].reason; }

private:
    struct Span {
        OffsetSpan offsets;
        const std::string* reason = nullptr;
    };
    std::vector<Span> spans_; ///< In order.
    std::size_t next_ = 0;
};

} // namespace questlog::scan
