#pragma once

#include <string_view>
#include <vector>

namespace questlog::event {

/// The elements of a JSON array, trimmed, cut at its top-level commas; false if its brackets, strings and commas do not
/// close as an array and nothing else. The elements themselves are not validated; where each one is valid JSON, so was
/// the array.
[[nodiscard]] bool split_json_array(std::string_view array, std::vector<std::string_view>& elements);

} // namespace questlog::event
