#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::event {

/// A JSON value with all that is in it, for documents of other programs that are small and read seldom. Immutable.
struct JsonNode {
    enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };
    struct Member;
    Kind kind = Kind::null;
    bool boolean = false;
    std::int64_t integer = 0;
    double number = 0;  ///< Also of integers. One that no double holds becomes an empty array.
    std::string string; ///< Unescaped.
    std::vector<JsonNode> elements;
    std::vector<Member> members; ///< In their order.

    /// nullptr: it is no object, has no such member, or null there.
    [[nodiscard]] const JsonNode* find(std::string_view key) const;
    /// What is no string there, or not there at all, is `otherwise`; and so on.
    [[nodiscard]] std::string string_of(std::string_view key, std::string_view otherwise = {}) const;
    [[nodiscard]] std::int64_t integer_of(std::string_view key, std::int64_t otherwise = 0) const;
};

struct JsonNode::Member {
    std::string name;
    JsonNode value;
};

/// The value as JSON, without white space: what a document says that is written again.
[[nodiscard]] std::string json_text(const JsonNode& node);

/// nullopt: `text` is not one valid JSON value. Any thread.
[[nodiscard]] std::optional<JsonNode> parse_json(std::string_view text);

} // namespace questlog::event
