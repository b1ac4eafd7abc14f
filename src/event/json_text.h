#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Valid JSON text, rewritten with json.dumps' spacing and escaping; numbers stay as they are written.
namespace questlog::event {

/// One member of an object as it stands in some text: `"key": value` at [key_at, end), the value at [value_at, end).
struct Member {
    std::size_t key_at = 0;
    std::size_t value_at = 0;
    std::size_t end = 0;
    bool from_text = false; ///< The value came as text (query, form, header) and is a JSON string only for that.

    [[nodiscard]] std::string_view key(std::string_view text) const {
        return text.substr(key_at, value_at - 2 - key_at);
    }
    [[nodiscard]] std::string_view value(std::string_view text) const { return text.substr(value_at, end - value_at); }
};

/// A Python dict's rule for members[first..]: a key keeps its first place and gets its last value.
void keep_last_values(std::string_view text, std::vector<Member>& members, std::size_t first = 0);

/// Appends members[first..] of `text`, separated by ", ". `out` is not `text`.
void append_members(std::string& out, std::string_view text, const std::vector<Member>& members, std::size_t first = 0);

/// Appends `json`, which must be one valid JSON value of bounded depth, without white space around it.
void append_respaced(std::string& out, std::string_view json);

/// Appends each member of the valid object `json` to `text` and to `members`, in the order sent, repeated keys too.
void append_object_members(std::string& text, std::vector<Member>& members, std::string_view json);

/// `text` without the white space that JSON allows around a value.
[[nodiscard]] std::string_view trim_json_space(std::string_view text);

} // namespace questlog::event
