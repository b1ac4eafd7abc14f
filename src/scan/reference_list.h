#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

namespace questlog::scan {

/// Where an event lies: its batch's number in the plan, and its record's position in the batch. Eight bytes; their
/// order is the order of partitions and of offsets within them.
struct Reference {
    std::uint64_t value = 0;

    static Reference of(std::uint32_t batch, std::uint32_t position) { return {std::uint64_t{batch} << 32 | position}; }
    [[nodiscard]] std::uint32_t batch() const { return static_cast<std::uint32_t>(value >> 32); }
    [[nodiscard]] std::uint32_t position() const { return static_cast<std::uint32_t>(value); }
    auto operator<=>(const Reference&) const = default;
};

/// The references of one event type, ascending. A deque grows by blocks: nothing is copied and little is spare.
using ReferenceList = std::deque<Reference>;

/// Several lists read as one, in ascending order. The lists must outlive it and stay as they are.
class MergedReferences {
public:
    /// Those from `from` on and before `to`.
    MergedReferences(std::span<const ReferenceList* const> lists, Reference from, Reference to);
    /// False at the end.
    [[nodiscard]] bool next(Reference& reference);

private:
    struct Run {
        ReferenceList::const_iterator at;
        ReferenceList::const_iterator end;
    };
    [[nodiscard]] static bool later(const Run& one, const Run& other) { return *other.at < *one.at; }

    std::vector<Run> runs_; ///< A heap: the run with the least reference is in front. None is empty.
};

} // namespace questlog::scan
