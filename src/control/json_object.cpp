#include "control/json_object.h"

#include "event/json_split.h"
#include "event/json_unescape.h"
#include "event/json_validator.h"
#include "event/padded_json.h"

#include <algorithm>
#include <charconv>

namespace questlog::control {
namespace {

std::optional<std::string> unquoted(std::string_view json) {
    if (json.size() < 2 || json.front() != '"') return std::nullopt;
    std::string text;
    if (!event::append_unescaped(text, json.substr(1, json.size() - 2))) return std::nullopt;
    return text;
}

/// What stands between a key's quotes; an escape in it stays one, and so is none of the protocol's names.
std::string_view name_of(const event::Member& member, std::string_view text) {
    const std::string_view key = member.key(text);
    return key.substr(1, key.size() - 2);
}

Error wrong(std::string_view name, std::string_view wanted) {
    return reject("\"{}\" is missing or is not {}", name, wanted);
}

} // namespace

Result<JsonObject> JsonObject::parse(std::string_view text) {
    const event::PaddedJson padded(event::trim_json_space(text));
    const auto kind = event::JsonValidator().validate(padded.view());
    if (!kind.ok() || *kind != event::JsonKind::object) return reject("not one JSON object on one line");
    JsonObject object;
    event::append_object_members(object.text_, object.members_, padded.view());
    auto names = object.names();
    std::ranges::sort(names);
    if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
        return reject("\"{}\" is given twice", *twice);
    return object;
}

std::vector<std::string> JsonObject::names() const {
    std::vector<std::string> names;
    for (const event::Member& member : members_) names.emplace_back(name_of(member, text_));
    return names;
}

std::optional<std::string_view> JsonObject::raw(std::string_view name) const {
    const auto found = std::ranges::find_if(members_, [&](const auto& one) { return name_of(one, text_) == name; });
    if (found == members_.end()) return std::nullopt;
    return found->value(text_);
}

Result<std::string> JsonObject::string(std::string_view name) const {
    auto text = unquoted(raw(name).value_or(""));
    if (!text) return wrong(name, "a string");
    return std::move(*text);
}

Result<std::int64_t> JsonObject::integer(std::string_view name) const {
    const std::string_view digits = raw(name).value_or("");
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
        return wrong(name, "a whole number");
    return value;
}

Result<bool> JsonObject::boolean(std::string_view name) const {
    const std::string_view word = raw(name).value_or("");
    if (word != "true" && word != "false") return wrong(name, "true or false");
    return word == "true";
}

Result<std::vector<std::string>> JsonObject::strings(std::string_view name) const {
    std::vector<std::string_view> elements;
    std::vector<std::string> texts;
    if (!event::split_json_array(raw(name).value_or(""), elements)) return wrong(name, "an array of strings");
    for (const std::string_view element : elements) {
        auto text = unquoted(element);
        if (!text) return wrong(name, "an array of strings");
        texts.push_back(std::move(*text));
    }
    return texts;
}

} // namespace questlog::control
