#pragma once

#include <string>

namespace questlog::event {

/// Replaces each JSON number in `json` that is an integer beyond int64 or no finite double by an empty array of the
/// same length, so that a parser which refuses such numbers can check all the rest. Numbers in a key's place are left
/// as they are: whether `json` is valid JSON (with numbers of any size) does not change. True if something was
/// replaced.
bool blank_wide_numbers(std::string& json);

} // namespace questlog::event
