#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Request headers as Werkzeug shows them to a Flask application.
namespace questlog::event {

using HeaderView = std::pair<std::string_view, std::string_view>; ///< Name and value as sent.

/// A header name as Werkzeug shows it: Python's str.title ("user-agent" -> "User-Agent", "x-3d-y" -> "X-3D-Y").
void append_title_case(std::string& out, std::string_view name);

/// Whether append_title_case leaves `name` as it is: whether a header can have it in an event.
[[nodiscard]] bool is_title_case(std::string_view name);

[[nodiscard]] bool equal_ignoring_case(std::string_view one, std::string_view other);

/// Authorization, Proxy-Authorization and Cookie.
[[nodiscard]] bool is_secret_header(std::string_view name);

/// The headers that an event keeps, in the order sent. Left out are names with '_' (their CGI names could be forged),
/// an empty Content-Type or Content-Length, and secret headers that are not in `stored_secrets`. A header sent twice
/// stands at its first place, its values joined by ','; of Content-Type and Content-Length the last one counts.
class HeaderSelection {
public:
    explicit HeaderSelection(std::span<const HeaderView> headers, std::span<const std::string> stored_secrets)
        : headers_(headers), stored_secrets_(stored_secrets), repeats_(may_repeat(headers)) {}

    /// False at the end. `value` is valid until the next call.
    bool next(std::string_view& name, std::string_view& value);

private:
    static bool may_repeat(std::span<const HeaderView> headers);
    [[nodiscard]] bool keeps(std::string_view name) const;
    [[nodiscard]] bool seen_before(std::size_t index) const;
    std::string_view join(std::size_t index);

    std::span<const HeaderView> headers_;
    std::span<const std::string> stored_secrets_;
    bool repeats_;
    std::size_t at_ = 0;
    std::string joined_;
};

} // namespace questlog::event
