#include "batch/tally.h"

#include <numeric>

namespace questlog::batch {
namespace {

template <class... Args> Error imbalance(fmt::format_string<Args...> text, Args&&... args) {
    return internal(
        "the books do not balance, so nothing was written: {}. This is a fault of questlog; please report it",
        fmt::format(text, std::forward<Args>(args)...));
}

} // namespace

std::int64_t Tally::total() const {
    return std::accumulate(records_.begin(), records_.end(), std::int64_t{0});
}

Result<Tally> balance(const Counts& counts) {
    const scan::PlanTally& plan = counts.plan;
    if (plan.events != counts.in_range)
        return imbalance("the range holds {} records and the plan saw {}", counts.in_range, plan.events);
    if (plan.kept + plan.other_types + plan.not_events != plan.events)
        return imbalance("of {} records the plan kept {}, passed over {} and found {} to be no events", plan.events,
                         plan.kept, plan.other_types, plan.not_events);
    if (counts.candidates > plan.kept)
        return imbalance("{} events are of the table's types and only {} were kept", counts.candidates, plan.kept);
    // A `where` that can never be true is found out before anything is read.
    const bool nothing_to_read = counts.read == 0 && counts.landed == 0;
    if (counts.read != counts.candidates && !nothing_to_read)
        return imbalance("{} events are of the table's types and {} were read", counts.candidates, counts.read);
    if (counts.landed > counts.candidates)
        return imbalance("{} rows came of {} events", counts.landed, counts.candidates);

    Tally tally;
    tally.add(Fate::landed, counts.landed);
    tally.add(Fate::filtered, plan.events - plan.not_events - counts.candidates); // of other types
    tally.add(Fate::filtered, counts.candidates - counts.landed);                 // refused by `where`
    tally.add(Fate::dead_lettered, plan.not_events);
    if (tally.total() != counts.in_range)
        return imbalance("{} records have a fate, of {}", tally.total(), counts.in_range);
    return tally;
}

} // namespace questlog::batch
