#pragma once

#include "base/result.h"
#include "event/json_text.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::control {

/// One JSON object, read member by member. Every refusal names the member and what it must be.
class JsonObject {
public:
    /// `reject` if `text` is not one valid JSON object, or names a member twice.
    static Result<JsonObject> parse(std::string_view text);

    [[nodiscard]] std::vector<std::string> names() const; ///< In the order sent.
    [[nodiscard]] bool has(std::string_view name) const { return raw(name).has_value(); }
    [[nodiscard]] Result<std::string> string(std::string_view name) const;
    [[nodiscard]] Result<std::int64_t> integer(std::string_view name) const;
    [[nodiscard]] Result<bool> boolean(std::string_view name) const;
    [[nodiscard]] Result<std::vector<std::string>> strings(std::string_view name) const;

private:
    [[nodiscard]] std::optional<std::string_view> raw(std::string_view name) const; ///< The value as JSON.

    std::string text_; ///< The members, respaced.
    std::vector<event::Member> members_;
};

} // namespace questlog::control
