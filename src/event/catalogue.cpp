#include "event/catalogue.h"

#include "base/limits.h"
#include "event/json_string.h"
#include "event/json_text.h"
#include "event/json_validator.h"
#include "event/message_id.h"
#include "event/padded_json.h"
#include "event/request_headers.h"
#include "event/typed_field.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

namespace questlog::event {
namespace {

constexpr std::array<std::string_view, 4> reserved_paths{"/events", "/healthz", "/readyz", "/metrics"};
constexpr std::array<std::string_view, 5> known_methods{"GET", "POST", "PUT", "PATCH", "DELETE"};

template <class Range> bool contains(const Range& range, std::string_view wanted) {
    return std::find(range.begin(), range.end(), wanted) != range.end();
}

bool is_visible_ascii(char c) {
    return c > ' ' && c < 0x7f;
}

Status check_path(std::string_view path) {
    if (path.empty() || path.front() != '/') return reject("path \"{}\" must begin with \"/\"", path);
    const bool allowed =
        std::all_of(path.begin(), path.end(), [](char c) { return is_visible_ascii(c) && c != '?' && c != '#'; });
    if (!allowed)
        return reject("path \"{}\" may hold visible ASCII without \"?\" and \"#\" only; percent-encode the rest", path);
    if (contains(reserved_paths, path)) return reject("path \"{}\" is questlog's own; choose another", path);
    return {};
}

Status check_methods(const EventDeclaration& declaration) {
    if (declaration.methods.empty())
        return reject("path \"{}\" has no methods; write methods = [\"GET\"]", declaration.path);
    for (const std::string& method : declaration.methods)
        if (!contains(known_methods, method))
            return reject("path \"{}\": method \"{}\" makes no event; use GET, POST, PUT, PATCH or DELETE",
                          declaration.path, method);
    return {};
}

/// A name that is used for the first time, becomes a valid JSON key, and is not event_type.
Status check_name(const EventDeclaration& declaration, std::string_view what, const std::string& name,
                  std::set<std::string>& used) {
    std::string json;
    if (name.empty() || !append_json_string(json, name))
        return reject("path \"{}\": a {} needs a name in UTF-8", declaration.path, what);
    if (name == "event_type")
        return reject("path \"{}\": event_type is set by `type`, not by a {}", declaration.path, what);
    if (name == message_id_key && what == "constant")
        return reject("path \"{}\": message_id names one event, so it is the client's to send", declaration.path);
    if (!used.insert(name).second)
        return reject("path \"{}\": {} \"{}\" is declared twice", declaration.path, what, name);
    return {};
}

/// What a field may hold is of its type, and something is left of it.
Status check_values(const EventDeclaration& declaration, const FieldDeclaration& field) {
    const bool is_number = field.type == ColumnType::bigint || field.type == ColumnType::double_;
    if ((field.least || field.most) && !is_number)
        return reject("path \"{}\": field \"{}\": only a bigint or a double has a least and a greatest value",
                      declaration.path, field.name);
    FieldDeclaration bare{field.name, field.type};
    for (const std::optional<std::string>& limit : {field.least, field.most})
        if (limit && misfit_of(bare, *limit) != Misfit::none)
            return reject("path \"{}\": field \"{}\": {} is not a {}", declaration.path, field.name, *limit,
                          type_name(field.type));
    bare.least = field.least;
    if (field.most && misfit_of(bare, *field.most) != Misfit::none)
        return reject("path \"{}\": field \"{}\": nothing is {} or more and {} or less", declaration.path, field.name,
                      *field.least, *field.most);
    bare.most = field.most;
    for (const std::string& value : field.one_of)
        if (value == "null" || misfit_of(bare, value) != Misfit::none)
            return reject("path \"{}\": field \"{}\": {} in one_of is not a {} that the field may be", declaration.path,
                          field.name, value, type_name(field.type));
    return {};
}

Status check_fields(const EventDeclaration& declaration) {
    std::set<std::string> used;
    for (const FieldDeclaration& field : declaration.fields) {
        CHECK_OK(check_name(declaration, "field", field.name, used));
        if (field.name == "receipt" || field.name == "wait")
            return reject("path \"{}\": field \"{}\" is a reserved query name; choose another", declaration.path,
                          field.name);
        if (field.name == message_id_key && field.type != ColumnType::string)
            return reject("path \"{}\": field \"message_id\" is a string; write message_id = \"string\"",
                          declaration.path);
        CHECK_OK(check_values(declaration, field));
        if (field.type == ColumnType::null)
            return reject("path \"{}\": field \"{}\" needs a type: boolean, bigint, double or string", declaration.path,
                          field.name);
    }
    return {};
}

Status write_key(EventDeclaration& declaration) {
    declaration.key_json.clear();
    if (declaration.key.empty()) return {};
    if (declaration.key == "event_type")
        return reject(
            "path \"{}\": event_type is the same in all its events, so it is no key; name a field that differs, "
            "as key = \"player\"",
            declaration.path);
    if (!append_json_string(declaration.key_json, declaration.key))
        return reject("path \"{}\": key needs a name in UTF-8", declaration.path);
    return {};
}

Status check_answer(const EventDeclaration& declaration) {
    const std::string& type = declaration.content_type;
    const bool one_line =
        !type.empty() && std::all_of(type.begin(), type.end(), [](char c) { return c >= ' ' && c < 0x7f; });
    if (!one_line) return reject("path \"{}\": content type must be one line of ASCII", declaration.path);
    for (const std::string& header : declaration.store_headers)
        if (!is_secret_header(header))
            return reject("path \"{}\": header \"{}\" is stored anyway; only Authorization, Proxy-Authorization and "
                          "Cookie are not",
                          declaration.path, header);
    return {};
}

/// Checks type and constants, and writes the beginning that every value of the declaration has.
Status write_opening(EventDeclaration& declaration, JsonValidator& validator, const EventLimits& limits) {
    declaration.opening = "{\"event_type\": ";
    const std::string& type = declaration.type;
    if (type.empty() || type.size() > questlog::limits::event_type_bytes_max ||
        !append_json_string(declaration.opening, type))
        return reject("path \"{}\": the event type must be 1 to {} bytes of UTF-8", declaration.path,
                      questlog::limits::event_type_bytes_max);
    std::set<std::string> used;
    declaration.adds_only = declaration.fields.empty() && declaration.key.empty();
    for (auto& [name, value] : declaration.constants) {
        CHECK_OK(check_name(declaration, "constant", name, used));
        const std::string_view json = trim_json_space(value);
        if (const auto kind = validator.validate(PaddedJson(json).view()); !kind.ok())
            return kind.error().within(fmt::format("path \"{}\": constant \"{}\"", declaration.path, name));
        std::string respaced;
        append_respaced(respaced, json);
        value = respaced;
        declaration.opening += ", ";
        static_cast<void>(append_json_string(declaration.opening, name)); // checked above
        declaration.opening += ": " + value;
        if (is_title_case(name)) declaration.adds_only = false;
    }
    if (declaration.opening.size() >= limits.bytes_max)
        return reject("path \"{}\": the constants alone fill an event of {} bytes", declaration.path, limits.bytes_max);
    return {};
}

} // namespace

Result<Catalogue> Catalogue::make(std::vector<EventDeclaration> declarations, const EventLimits& limits) {
    JsonValidator validator(limits);
    Catalogue catalogue;
    for (EventDeclaration& declaration : declarations) {
        CHECK_OK(check_path(declaration.path));
        CHECK_OK(check_methods(declaration));
        CHECK_OK(check_fields(declaration));
        CHECK_OK(check_answer(declaration));
        CHECK_OK(write_key(declaration));
        CHECK_OK(write_opening(declaration, validator, limits));
    }
    catalogue.declarations_ = std::move(declarations);
    const auto& all = catalogue.declarations_;
    auto& order = catalogue.by_path_;
    order.resize(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t one, std::size_t other) { return all[one].path < all[other].path; });
    for (std::size_t i = 1; i < order.size(); ++i)
        if (all[order[i]].path == all[order[i - 1]].path)
            return reject("path \"{}\" is declared twice", all[order[i]].path);
    for (const EventDeclaration& declaration : all) {
        const auto [place, first] = catalogue.keys_.emplace(declaration.type, declaration.key_json);
        if (!first && place->second != declaration.key_json)
            return reject("path \"{}\": events of type \"{}\" have another key by another path; give both the same",
                          declaration.path, declaration.type);
    }
    std::erase_if(catalogue.keys_, [](const auto& entry) { return entry.second.empty(); });
    for (std::size_t i = 0; i < all.size(); ++i) catalogue.checked_[all[i].type].push_back(i);
    for (const EventDeclaration& declaration : all)
        if (declaration.fields.empty()) catalogue.checked_.erase(declaration.type);
    return catalogue;
}

std::span<const std::size_t> Catalogue::checked(std::string_view type) const {
    const auto found = checked_.find(type);
    return found == checked_.end() ? std::span<const std::size_t>() : found->second;
}

std::string_view Catalogue::key_of(std::string_view type) const {
    const auto found = keys_.find(type);
    return found == keys_.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<EventDeclaration> Catalogue::builtin() {
    const auto call = [](std::string path, std::string type, std::string reply) {
        EventDeclaration declaration;
        declaration.path = std::move(path);
        declaration.methods = {"GET", "POST"};
        declaration.type = std::move(type);
        declaration.reply = std::move(reply);
        return declaration;
    };
    std::vector<EventDeclaration> game{
        call("/", "default", "\nThis is the default response!\n"),
        call("/purchase_a_sword", "purchase_sword", "\nSword Purchased!\n"),
        call("/purchase_a_knife", "purchase_knife", "Knife Purchased!\n"),
        call("/purchase_knife", "purchase_knife",
             "Knife Purchased!\n"), // the path that the reference's own ab call uses
        call("/join_guild", "join_guild", "\nJoin Guild!\n"),
    };
    game[2].constants = game[3].constants = {{"description", "\"very sharp knife\""}};
    game[4].constants = {{"description", "\"nice guild\""}};
    return game;
}

const EventDeclaration* Catalogue::find(std::string_view path) const {
    const auto found =
        std::lower_bound(by_path_.begin(), by_path_.end(), path, [this](std::size_t index, std::string_view wanted) {
            return declarations_[index].path < wanted;
        });
    if (found == by_path_.end() || declarations_[*found].path != path) return nullptr;
    return &declarations_[*found];
}

} // namespace questlog::event
