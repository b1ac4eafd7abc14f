#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>

namespace questlog::app {

/// What the operator's log was told of a trouble that lasts: each text once, also where several take turns.
class Told {
public:
    /// The first time that it is asked since the trouble began.
    [[nodiscard]] bool is_new(const std::string& text) {
        if (std::find(texts_.begin(), texts_.end(), text) != texts_.end()) return false;
        if (texts_.size() == texts_max) texts_.pop_front();
        texts_.push_back(text);
        return true;
    }
    void forget() { texts_.clear(); }

private:
    static constexpr std::size_t texts_max = 16; ///< Such as name a moment or a place may be endless.

    std::deque<std::string> texts_;
};

} // namespace questlog::app
