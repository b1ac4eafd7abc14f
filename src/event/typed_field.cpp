#include "event/typed_field.h"

#include "base/checked_text.h"
#include "event/json_string.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace questlog::event {
namespace {

constexpr std::size_t shown_bytes_max = 64; ///< Of a client's value in an answer.

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

/// Numbers of either type compare exactly: 64 bits of mantissa hold every int64 and every double.
long double number_of(std::string_view json) {
    long double number = 0;
    static_assert(std::numeric_limits<long double>::digits >= 64);
    std::from_chars(json.data(), json.data() + json.size(), number);
    return number;
}

bool is_number(ColumnType type) {
    return type == ColumnType::bigint || type == ColumnType::double_;
}

/// Of a value that has the type.
Misfit misfit_of_value(const FieldDeclaration& field, std::string_view json) {
    const auto same = [&](const std::string& allowed) {
        return is_number(field.type) ? number_of(allowed) == number_of(json) : allowed == json;
    };
    if (!field.one_of.empty() && std::none_of(field.one_of.begin(), field.one_of.end(), same)) return Misfit::value;
    if ((field.least && number_of(json) < number_of(*field.least)) ||
        (field.most && number_of(json) > number_of(*field.most)))
        return Misfit::range;
    return Misfit::none;
}

Misfit misfit_of_present(const FieldDeclaration& field, std::string_view json) {
    return json_is(field.type, json) ? misfit_of_value(field, json) : Misfit::type;
}

std::string range_text(const FieldDeclaration& field) {
    if (field.least && field.most) return fmt::format("from {} to {}", *field.least, *field.most);
    return field.least ? fmt::format("of {} or more", *field.least) : fmt::format("of {} or less", *field.most);
}

/// What a client should send: "a bigint from 1 to 60".
std::string wanted(const FieldDeclaration& field, Misfit misfit) {
    if (misfit == Misfit::value) return fmt::format("one of {}", fmt::join(field.one_of, ", "));
    if (misfit == Misfit::range) return fmt::format("a {} {}", type_name(field.type), range_text(field));
    return fmt::format("a {}", type_name(field.type));
}

} // namespace

Misfit misfit_of(const FieldDeclaration& field, std::string_view json) {
    if (json.empty() || json == "null") return field.required ? Misfit::missing : Misfit::none;
    return misfit_of_present(field, json);
}

std::string misfit_text(const FieldDeclaration& field, Misfit misfit) {
    std::string name;
    static_cast<void>(append_json_string(name, field.name)); // the catalogue has checked it
    switch (misfit) {
    case Misfit::none: return {};
    case Misfit::missing: return fmt::format("field {}: required, and missing", name);
    case Misfit::type: return fmt::format("field {}: not a {}", name, type_name(field.type));
    case Misfit::value: return fmt::format("field {}: not one of its values", name);
    case Misfit::range: return fmt::format("field {}: out of its range", name);
    }
    return {};
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
    const Misfit misfit = misfit_of_present(field, value);
    const std::string sent = misfit == Misfit::none ? std::string() : shown(member->value(text));
    if (converts && misfit != Misfit::type) { // what is out of its range is a number all the same
        const std::string converted = key + ": " + std::string(value);
        member->key_at = text.size();
        member->value_at = text.size() + key.size() + 2;
        text += converted;
        member->end = text.size();
    }
    if (misfit != Misfit::none)
        return reject("field \"{}\": expected {}, got {}", field.name, wanted(field, misfit), sent);
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
