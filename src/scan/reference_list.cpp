#include "scan/reference_list.h"

#include <algorithm>

namespace questlog::scan {

MergedReferences::MergedReferences(std::span<const ReferenceList* const> lists, Reference from, Reference to) {
    for (const ReferenceList* list : lists) {
        const Run run{std::lower_bound(list->begin(), list->end(), from),
                      std::lower_bound(list->begin(), list->end(), to)};
        if (run.at != run.end) runs_.push_back(run);
    }
    std::make_heap(runs_.begin(), runs_.end(), later);
}

bool MergedReferences::next(Reference& reference) {
    if (runs_.empty()) return false;
    if (runs_.size() == 1) {
        Run& run = runs_.front();
        reference = *run.at;
        if (++run.at == run.end) runs_.clear();
        return true;
    }
    std::pop_heap(runs_.begin(), runs_.end(), later);
    Run& run = runs_.back();
    reference = *run.at;
    if (++run.at == run.end)
        runs_.pop_back();
    else
        std::push_heap(runs_.begin(), runs_.end(), later);
    return true;
}

} // namespace questlog::scan
