#include "collect/landing_waits.h"

#include <algorithm>

namespace questlog::collect {

std::uint64_t LandingWaits::add(const std::vector<Position>& positions, std::chrono::nanoseconds until,
                                std::string receipts) {
    Wait wait{++last_number_, until, {}, std::move(receipts)};
    for (const Position& position : positions) {
        const auto known = std::find_if(wait.last.begin(), wait.last.end(),
                                        [&](const Position& one) { return one.partition == position.partition; });
        if (known == wait.last.end())
            wait.last.push_back(position);
        else
            known->offset = std::max(known->offset, position.offset);
    }
    waits_.push_back(std::move(wait));
    return last_number_;
}

bool LandingWaits::are_landed(const std::vector<Position>& positions) const {
    return std::all_of(positions.begin(), positions.end(), [this](const Position& position) {
        const auto partition = static_cast<std::size_t>(position.partition.value);
        return partition < ends_.size() && position.offset < ends_[partition];
    });
}

std::vector<http::Resolution> LandingWaits::landed(const std::vector<Offset>& ends) {
    ends_ = ends;
    std::vector<http::Resolution> resolved;
    std::erase_if(waits_, [&](const Wait& wait) {
        if (!are_landed(wait.last)) return false;
        resolved.push_back({wait.number});
        return true;
    });
    return resolved;
}

http::Resolution LandingWaits::give_up_first() {
    http::Resolution resolution{waits_.front().number, 202, std::move(waits_.front().receipts)};
    waits_.pop_front();
    return resolution;
}

std::vector<http::Resolution> LandingWaits::give_up(std::chrono::nanoseconds now) {
    std::vector<http::Resolution> resolved;
    while (!waits_.empty() && waits_.front().until <= now) resolved.push_back(give_up_first());
    return resolved;
}

std::vector<http::Resolution> LandingWaits::give_up_all() {
    std::vector<http::Resolution> resolved;
    while (!waits_.empty()) resolved.push_back(give_up_first());
    return resolved;
}

} // namespace questlog::collect
