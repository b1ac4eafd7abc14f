#include "event/typed_field.h"

#include "event/json_string.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace questlog::event {
namespace {

constexpr std::size_t shown_bytes_max = 64; ///< Of a client's value in an answer.

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// RFC 8259's number. Returns its length, 0 if `text` does not begin with one; `integer` without fraction and exponent.
std::size_t number_length(std::string_view text, bool& integer) {
    std::size_t at = 0;
    const auto digits = [&] {
        const std::size_t from = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        return at - from;
    };
    const auto take = [&](std::string_view any) {
        if (at == text.size() || any.find(text[at]) == std::string_view::npos) return false;
        ++at;
        return true;
    };
    take("-");
    const bool zero = at < text.size() && text[at] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return 0;
    integer = true;
    if (take(".")) {
        integer = false;
        if (digits() == 0) return 0;
    }
    if (take("eE")) {
        integer = false;
        take("+-");
        if (digits() == 0) return 0;
    }
    return at;
}

template <class Number> bool in_range(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

std::string shown(std::string_view value) {
    if (value.size() <= shown_bytes_max) return std::string(value);
    return std::string(value.substr(0, shown_bytes_max)) + "...";
}

} // namespace

bool json_is(ColumnType type, std::string_view json) {
    bool integer = false;
    switch (type) {
    case ColumnType::null: return json == "null";
    case ColumnType::boolean: return json == "true" || json == "false";
    case ColumnType::bigint:
        return !json.empty() && number_length(json, integer) == json.size() && integer && in_range<std::int64_t>(json);
    case ColumnType::double_:
        return !json.empty() && number_length(json, integer) == json.size() && in_range<double>(json);
    case ColumnType::string: return !json.empty() && json.front() == '"';
    }
    return false;
}

namespace {

/// One field.
Status apply_declared_type(const FieldDeclaration& field, std::string& text, std::vector<Member>& members) {
    std::string key;
    static_cast<void>(append_json_string(key, field.name)); // the catalogue has checked it
    const auto member =
        std::find_if(members.begin(), members.end(), [&](const Member& one) { return one.key(text) == key; });
    if (member == members.end() || member->value(text) == "null") {
        if (field.required)
            return reject("field \"{}\": required, and missing; send a {}", field.name, type_name(field.type));
        return {};
    }
    std::string_view value = member->value(text);
    const bool converts = member->from_text && field.type != ColumnType::string;
    if (converts) value = value.substr(1, value.size() - 2);
    if (!json_is(field.type, value))
        return reject("field \"{}\": expected a {}, got {}", field.name, type_name(field.type),
                      shown(member->value(text)));
    if (!converts) return {};
    const std::string converted = key + ": " + std::string(value);
    member->key_at = text.size();
    member->value_at = text.size() + key.size() + 2;
    text += converted;
    member->end = text.size();
    return {};
}

} // namespace

Status apply_declared_types(const std::vector<FieldDeclaration>& fields, std::string& text,
                            std::vector<Member>& members) {
    Status first;
    for (const FieldDeclaration& field : fields) {
        const Status applied = apply_declared_type(field, text, members);
        if (first.ok() && !applied.ok()) first = applied;
    }
    return first;
}

} // namespace questlog::event
