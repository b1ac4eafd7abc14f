#include "app/events_section.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::app {
namespace {

Result<event::ColumnType> column_type(const TomlTable& table, std::string_view key, const std::string& text) {
    for (const auto type :
         {event::ColumnType::boolean, event::ColumnType::bigint, event::ColumnType::double_, event::ColumnType::string})
        if (event::type_name(type) == text) return type;
    return table.wrong(key, fmt::format("type \"{}\" is not known; write \"string\", \"bigint\", \"double\" or "
                                        "\"boolean\"",
                                        text));
}

Result<event::FieldDeclaration> parse_field(TomlTable& fields, const std::string& name) {
    event::FieldDeclaration field;
    field.name = name;
    if (auto text = fields.string(name); text.ok() && text.value()) { // price = "double"
        TRY(type, column_type(fields, name, *text.value()));
        field.type = type;
        return field;
    }
    TRY(details, fields.table(name)); // price = { type = "double", required = true }
    TRY(type_text, details->string("type"));
    TRY(required, details->boolean("required"));
    TRY(one_of, details->jsons("one_of"));
    TRY(least, details->number("min"));
    TRY(most, details->number("max"));
    CHECK_OK(details->finish());
    field.one_of = std::move(one_of);
    field.least = std::move(least);
    field.most = std::move(most);
    if (type_text) {
        TRY(type, column_type(*details, "type", *type_text));
        field.type = type;
    }
    take(required, field.required);
    return field;
}

} // namespace

Result<event::EventDeclaration> parse_event(TomlTable& table) {
    event::EventDeclaration event;
    TRY(path, table.string("path"));
    if (!path) return table.missing("path", "path = \"/purchase_a_sword\"");
    TRY(type, table.string("type"));
    if (!type) return table.missing("type", "type = \"purchase_sword\"");
    TRY(methods, table.strings("methods"));
    TRY(reply, table.string("reply"));
    TRY(content_type, table.string("content_type"));
    TRY(store_headers, table.strings("store_headers"));
    TRY(constants, table.table("set"));
    TRY(fields, table.table("fields"));
    TRY(on_mismatch, table.string("on_mismatch"));
    TRY(key, table.string("key"));
    CHECK_OK(table.finish());

    event.path = *path;
    event.type = *type;
    event.methods = methods.empty() ? std::vector<std::string>{"GET", "POST"} : std::move(methods);
    event.reply = reply.value_or("ok\n");
    take(content_type, event.content_type);
    if (key && key->empty())
        return table.wrong("key", "key is empty; name a field, as key = \"player\", or leave it out");
    take(key, event.key);
    event.store_headers = std::move(store_headers);
    if (on_mismatch == "keep")
        event.on_mismatch = event::OnMismatch::keep;
    else if (on_mismatch && on_mismatch != "reject")
        return table.wrong("on_mismatch",
                           fmt::format("on_mismatch \"{}\" is not known; write \"reject\" or \"keep\"", *on_mismatch));
    if (on_mismatch && !fields)
        return table.wrong("on_mismatch", "on_mismatch has no effect without fields; declare some, or leave it out");
    if (constants) {
        for (const auto& name : constants->keys()) {
            TRY(json, constants->json(name));
            event.constants.emplace_back(name, std::move(json));
        }
    }
    if (fields) {
        for (const auto& name : fields->keys()) {
            TRY(field, parse_field(*fields, name));
            event.fields.push_back(std::move(field));
        }
    }
    return event;
}

Status check_event(const TomlTable& table, const event::EventDeclaration& event,
                   const std::vector<event::EventDeclaration>& before, const event::EventLimits& limits) {
    const auto checked = event::Catalogue::make({event}, limits);
    if (checked.ok()) {
        const bool is_taken = std::any_of(before.begin(), before.end(), [&](const event::EventDeclaration& other) {
            return other.path == event.path;
        });
        if (is_taken)
            return table.wrong("path",
                               fmt::format("path \"{}\" is declared twice; give each [[event]] its own", event.path));
        const auto other_key = std::find_if(before.begin(), before.end(), [&](const event::EventDeclaration& other) {
            return other.type == event.type && other.key != event.key;
        });
        if (other_key == before.end()) return {};
        return table.wrong(
            event.key.empty() ? "type" : "key",
            fmt::format("events of type \"{}\" have {} by path \"{}\"; give every [[event]] of a type the "
                        "same key",
                        event.type, other_key->key.empty() ? "no key" : fmt::format("the key \"{}\"", other_key->key),
                        other_key->path));
    }
    const auto right_without = [&](auto forget) {
        event::EventDeclaration other = event;
        forget(other);
        return event::Catalogue::make({other}, limits).ok();
    };
    std::string_view key = "path";
    if (right_without([](auto& other) { other.methods = {"GET"}; })) key = "methods";
    if (right_without([](auto& other) { other.type = "x"; })) key = "type";
    if (right_without([](auto& other) { other.fields.clear(); })) key = "fields";
    if (right_without([](auto& other) { other.constants.clear(); })) key = "set";
    if (right_without([](auto& other) { other.key.clear(); })) key = "key";
    if (right_without([](auto& other) { other.store_headers.clear(); })) key = "store_headers";
    if (right_without([](auto& other) { other.content_type = "text/plain"; })) key = "content_type";
    return table.wrong(key, checked.error().message);
}

event::Schema declared_columns(const std::vector<event::EventDeclaration>& events,
                               const std::optional<std::vector<std::string>>& types) {
    event::Schema columns;
    for (const auto& event : events) {
        if (types && std::find(types->begin(), types->end(), event.type) == types->end()) continue;
        columns = event::merge(columns, {{"event_type", event::ColumnType::string}});
        for (const auto& [name, json] : event.constants) {
            const char first = json.front();
            const bool is_number = first != '"' && first != 't' && first != 'f';
            const auto number =
                json.find_first_of(".eE") == std::string::npos ? event::ColumnType::bigint : event::ColumnType::double_;
            const auto other = first == '"' ? event::ColumnType::string : event::ColumnType::boolean;
            columns = event::merge(columns, {{name, is_number ? number : other}});
        }
        for (const auto& field : event.fields) columns = event::merge(columns, {{field.name, field.type}});
    }
    return columns;
}

} // namespace questlog::app
