#include "collect/waits.h"

#include "collect/answers.h"

#include <algorithm>
#include <utility>

namespace questlog::collect {
namespace {

constexpr std::array every_progress{Progress::landed, Progress::forwarded};

std::vector<Position> last_of_each(std::span<const Position> positions) {
    std::vector<Position> last;
    for (const Position& position : positions) {
        const auto known = std::find_if(last.begin(), last.end(),
                                        [&](const Position& one) { return one.partition == position.partition; });
        if (known == last.end())
            last.push_back(position);
        else
            known->offset = std::max(known->offset, position.offset);
    }
    return last;
}

} // namespace

std::uint64_t Waits::add(std::span<const Position> positions, Until until, std::string receipts, std::uint64_t commit) {
    for (const Progress progress : every_progress) {
        auto& time = until[index(progress)];
        if (time && are(progress, positions)) time.reset();
        if (time) ++waiting_[index(progress)];
    }
    if (until == Until{}) return 0;
    waits_.push_back({++last_number_, commit, until, last_of_each(positions), std::move(receipts)});
    return last_number_;
}

void Waits::forget(std::uint64_t commit) {
    for (Wait& wait : waits_)
        for (const Progress progress : every_progress)
            if (wait.commit == commit && wait.until[index(progress)]) end(wait, progress);
    std::erase_if(waits_, [&](const Wait& wait) { return wait.commit == commit; });
}

bool Waits::are(Progress progress, std::span<const Position> positions) const {
    const std::vector<Offset>& ends = ends_[index(progress)];
    return std::all_of(positions.begin(), positions.end(), [&](const Position& position) {
        const auto partition = static_cast<std::size_t>(position.partition.value);
        return partition < ends.size() && position.offset < ends[partition];
    });
}

void Waits::end(Wait& wait, Progress progress) {
    wait.until[index(progress)].reset();
    --waiting_[index(progress)];
}

Waits::Resolutions Waits::reached(Progress progress, const std::vector<Offset>& ends) {
    ends_[index(progress)] = ends;
    for (Wait& wait : waits_)
        if (wait.until[index(progress)] && are(progress, wait.last)) end(wait, progress);
    return take_resolved();
}

/// That an event is not forwarded is said at once, whatever else its answer waits for, and whatever else it lacks.
template <class IsOver> void Waits::give_up(Progress progress, IsOver&& is_over) {
    for (Wait& wait : waits_) {
        const auto& time = wait.until[index(progress)];
        if (!time || !is_over(*time)) continue;
        end(wait, progress);
        wait.status = progress == Progress::landed ? 202 : 504;
        if (progress == Progress::forwarded && wait.until[index(Progress::landed)]) end(wait, Progress::landed);
    }
}

Waits::Resolutions Waits::give_up(std::chrono::nanoseconds now) {
    for (const Progress progress : every_progress)
        give_up(progress, [now](std::chrono::nanoseconds time) { return time <= now; });
    return take_resolved();
}

Waits::Resolutions Waits::give_up_all(Progress progress) {
    give_up(progress, [](std::chrono::nanoseconds) { return true; });
    return take_resolved();
}

/// Those that wait for nothing more.
Waits::Resolutions Waits::take_resolved() {
    Resolutions resolved;
    for (Wait& wait : waits_) {
        if (wait.until != Until{}) continue;
        resolved.push_back({wait.number, wait.status, {}});
        if (wait.status == 202) resolved.back().body = std::move(wait.receipts);
        if (wait.status == 504) resolved.back().body = pending_answer(wait.receipts);
    }
    if (!resolved.empty()) std::erase_if(waits_, [](const Wait& wait) { return wait.until == Until{}; });
    return resolved;
}

} // namespace questlog::collect
