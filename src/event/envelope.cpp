#include "event/envelope.h"

#include "base/limits.h"
#include "event/form.h"
#include "event/header_members.h"
#include "event/json_text.h"
#include "event/json_unescape.h"
#include "event/json_validator.h"
#include "event/message_id.h"
#include "event/record_key.h"
#include "event/typed_field.h"

#include <algorithm>

namespace questlog::event {
namespace {

constexpr std::string_view event_type_key = "\"event_type\"";
constexpr std::string_view id_key = "\"message_id\"";

bool is_reserved_query_name(std::string_view name) {
    return name == "receipt" || name == "wait";
}

std::string_view content_type_of(std::span<const HeaderView> headers) {
    std::string_view found;
    for (const auto& [name, value] : headers)
        if (equal_ignoring_case(name, "content-type")) found = value;
    return found.substr(0, found.find_first_of("; \t"));
}

} // namespace

/// The members of one event, before they are written: an arena of `"key": value` texts and their places in it.
struct Envelope::State {
    explicit State(const EventLimits& of) : limits(of), validator(of) {}

    EventLimits limits;
    JsonValidator validator;
    std::string text;
    std::vector<Member> members;
    std::string name;
    std::string value;
    std::string message_id;
    std::string key;
    bool has_key = false;
    bool mismatched = false;

    void begin() {
        text.clear();
        members.clear();
        message_id.clear();
        key.clear();
        has_key = false;
        mismatched = false;
    }

    Status read_message_id() {
        const auto found = std::find_if(members.begin(), members.end(),
                                        [this](const Member& member) { return member.key(text) == id_key; });
        if (found == members.end()) return {};
        const std::string_view json = found->value(text);
        if (json == "null") return {};
        const bool is_string = json.front() == '"';
        if (!is_string || !append_unescaped(message_id, json.substr(1, json.size() - 2)) || !is_message_id(message_id))
            return reject("{}", message_id_rule);
        return {};
    }

    void add_constants(const EventDeclaration& declaration) {
        for (const auto& [constant, json] : declaration.constants) {
            Member member;
            member.key_at = text.size();
            static_cast<void>(append_json_string(text, constant)); // the catalogue has checked it
            text += ": ";
            member.value_at = text.size();
            text += json;
            member.end = text.size();
            members.push_back(member);
        }
    }

    Status add_form(std::string_view form, std::string_view what, bool skip_reserved) {
        FormCursor cursor(form);
        while (cursor.next(name, value)) {
            if (skip_reserved && is_reserved_query_name(name)) continue;
            Member member;
            member.key_at = text.size();
            if (!append_json_string(text, name)) return reject("{}: a field's name is not valid UTF-8", what);
            text += ": ";
            member.value_at = text.size();
            if (!append_json_string(text, value)) return reject("{}: field \"{}\" is not valid UTF-8", what, name);
            member.end = text.size();
            member.from_text = true;
            if (member.key(text) != event_type_key) members.push_back(member);
        }
        return {};
    }

    Status add_body(std::string_view body, std::span<const HeaderView> headers) {
        const std::string_view json = trim_json_space(body);
        if (json.empty()) return {};
        if (body.size() > limits.bytes_max)
            return reject("body: {} bytes, and an event has at most {}", body.size(), limits.bytes_max);
        if (json.front() != '{' && equal_ignoring_case(content_type_of(headers), "application/x-www-form-urlencoded"))
            return add_form(json, "body", false);
        const auto kind = validator.validate(json);
        if (!kind.ok()) return kind.error().within("body");
        if (kind.value() != JsonKind::object) return reject("body: not a JSON object");
        const std::size_t before = members.size();
        append_object_members(text, members, json);
        members.erase(std::remove_if(members.begin() + static_cast<std::ptrdiff_t>(before), members.end(),
                                     [this](const Member& member) { return member.key(text) == event_type_key; }),
                      members.end());
        return {};
    }
};

Envelope::Envelope(const EventLimits& limits) : state_(std::make_unique<State>(limits)) {}
Envelope::~Envelope() = default;
Envelope::Envelope(Envelope&&) noexcept = default;
Envelope& Envelope::operator=(Envelope&&) noexcept = default;

std::string_view Envelope::message_id() const {
    return state_->message_id;
}

std::optional<std::string_view> Envelope::key() const {
    if (!state_->has_key) return std::nullopt;
    return state_->key;
}

bool Envelope::mismatched() const {
    return state_->mismatched;
}

Status Envelope::write(const EventDeclaration& declaration, std::string_view query, std::string_view body,
                       std::span<const HeaderView> headers, std::string& out) {
    const std::size_t before = out.size();
    State& state = *state_;
    state.begin();
    HeaderSelection selection(headers, declaration.store_headers);
    if (query.empty() && body.empty() && declaration.adds_only) {
        out += declaration.opening;
        std::string_view name;
        std::string_view value;
        while (selection.next(name, value)) {
            out += ", ";
            append_header_name(out, name);
            append_json_latin1(out, value);
        }
    } else {
        state.add_constants(declaration);
        CHECK_OK(state.add_form(query, "query", true));
        CHECK_OK(state.add_body(body, headers));
        append_header_members(state.text, state.members, std::move(selection));
        keep_last_values(state.text, state.members);
        CHECK_OK(state.read_message_id());
        const Status typed = apply_declared_types(declaration.fields, state.text, state.members);
        if (!typed.ok() && declaration.on_mismatch == OnMismatch::reject) return typed.error();
        state.mismatched = !typed.ok();
        if (!declaration.key_json.empty())
            state.has_key = append_record_key(state.key, state.text, state.members, declaration.key_json);
        out += "{\"event_type\": ";
        static_cast<void>(append_json_string(out, declaration.type)); // the catalogue has checked it
        if (!state.members.empty()) out += ", ";
        append_members(out, state.text, state.members);
    }
    out += '}';
    if (const std::size_t bytes = out.size() - before; bytes > state.limits.bytes_max) {
        out.resize(before);
        return reject("the event would be {} bytes, and may be {}", bytes, state.limits.bytes_max);
    }
    return {};
}

} // namespace questlog::event
