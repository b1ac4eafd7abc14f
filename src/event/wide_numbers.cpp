#include "event/wide_numbers.h"

#include "base/checked_text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace questlog::event {

namespace {

[[nodiscard]] bool is_number_part(char c) {
    return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

[[nodiscard]] std::size_t skip_digits(std::string_view text, std::size_t at) {
    while (at < text.size() && is_digit(text[at])) ++at;
    return at;
}

enum class NumberForm : std::uint8_t { malformed, integer, fractional };

/// JSON's grammar: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
[[nodiscard]] NumberForm form_of(std::string_view text) {
    std::size_t at = text.starts_with('-') ? 1 : 0;
    const std::size_t whole = at;
    at = skip_digits(text, at);
    if (at == whole || (text[whole] == '0' && at > whole + 1)) return NumberForm::malformed;
    if (at == text.size()) return NumberForm::integer;
    if (text[at] == '.') {
        const std::size_t fraction = ++at;
        at = skip_digits(text, at);
        if (at == fraction) return NumberForm::malformed;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        const std::size_t exponent = at;
        at = skip_digits(text, at);
        if (at == exponent) return NumberForm::malformed;
    }
    return at == text.size() ? NumberForm::fractional : NumberForm::malformed;
}

/// The exponent as it is written, 0 where there is none; at the ends of int32 where it is beyond.
[[nodiscard]] std::int64_t written_exponent(std::string_view number) {
    const std::size_t mark = number.find_first_of("eE");
    if (mark == std::string_view::npos) return 0;
    std::string_view digits = number.substr(mark + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    std::int32_t exponent = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), exponent).ec == std::errc()) return exponent;
    return digits.starts_with('-') ? INT32_MIN : INT32_MAX;
}

/// Whether a well-formed number is above the doubles. One below them, such as 1e-400, is read as zero.
[[nodiscard]] bool is_above_doubles(std::string_view number) {
    double value = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
    if (parsed.ec != std::errc::result_out_of_range) return false;
    const std::size_t first = number.find_first_of("123456789");
    const std::size_t point = std::min(number.find_first_of(".eE"), number.size());
    return static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) + written_exponent(number) > 0;
}

[[nodiscard]] bool is_wide(std::string_view number) {
    switch (form_of(number)) {
    case NumberForm::malformed: return false;
    case NumberForm::integer: {
        std::int64_t value = 0;
        return std::from_chars(number.data(), number.data() + number.size(), value).ec != std::errc();
    }
    case NumberForm::fractional: return is_above_doubles(number);
    }
    return false;
}

/// The position after the string that begins at `at`.
[[nodiscard]] std::size_t skip_string(std::string_view json, std::size_t at) {
    for (++at; at < json.size(); ++at) {
        if (json[at] == '\\')
            ++at;
        else if (json[at] == '"')
            return at + 1;
    }
    return json.size();
}

[[nodiscard]] bool is_key(std::string_view json, std::size_t end) {
    const std::size_t next = json.find_first_not_of(" \t\r\n", end);
    return next != std::string_view::npos && json[next] == ':';
}

} // namespace

bool blank_wide_numbers(std::string& json) {
    bool replaced = false;
    for (std::size_t at = 0; at < json.size();) {
        if (json[at] == '"') {
            at = skip_string(json, at);
        } else if (json[at] == '-' || is_digit(json[at])) {
            const auto begin = json.begin() + static_cast<std::ptrdiff_t>(at);
            const auto end = std::find_if_not(begin, json.end(), is_number_part);
            const std::string_view number(&*begin, static_cast<std::size_t>(end - begin));
            at += number.size();
            if (!is_wide(number) || is_key(json, at)) continue;
            std::fill(begin, end, ' ');
            *begin = '[';
            *(end - 1) = ']';
            replaced = true;
        } else {
            ++at;
        }
    }
    return replaced;
}

} // namespace questlog::event
