#include "base/checked_text.h"
#include "base/limits.h"
#include "event/envelope.h"
#include "event/header_writer.h"
#include "event/json_split.h"
#include "event/json_text.h"
#include "event/json_validator.h"
#include "event/record_key.h"
#include "event/typed_field.h"

#include <algorithm>
#include <cstring>

namespace questlog::event {
namespace {

bool has_line_break(std::string_view text) {
    return std::memchr(text.data(), '\n', text.size()) != nullptr ||
           std::memchr(text.data(), '\r', text.size()) != nullptr;
}

} // namespace

struct IntakeParser::State {
    State(const EventLimits& of, const Catalogue* declared)
        : limits(of), catalogue(declared != nullptr && declared->checks_fields() ? declared : nullptr),
          keyed(declared != nullptr && declared->has_keys() ? declared : nullptr), validator(of) {}

    EventLimits limits;
    const Catalogue* catalogue; ///< Null: no event's fields are checked.
    const Catalogue* keyed;     ///< Null: no event has a key.
    JsonValidator validator;
    EventNames names; ///< Of the event checked last.
    Intake intake;
    std::vector<std::string_view> elements;
    std::string minified; ///< Reserved before views into it are taken.
    HeaderWriter header_writer;
    std::string with_headers;                          ///< Views into it are taken when all is written.
    std::string ids;                                   ///< Likewise.
    std::vector<std::uint8_t> id_bytes;                ///< Of each accepted event's, in `ids`.
    std::vector<std::span<const std::size_t>> checked; ///< Of each accepted event: by which declarations.
    std::vector<std::string_view> key_fields;          ///< Of each accepted event, as JSON text; empty: none.
    std::string keys;                                  ///< Views into it are taken when all is written.
    std::string event_text;                            ///< One event that is looked into,
    std::vector<Member> members;                       ///< and its members in it.

    void begin(std::size_t body_bytes) {
        intake.accepted.clear();
        intake.accepted_index.clear();
        intake.rejected.clear();
        intake.message_ids.clear();
        intake.keys.clear();
        intake.mismatched = 0;
        intake.single = false;
        ids.clear();
        id_bytes.clear();
        checked.clear();
        key_fields.clear();
        minified.clear();
        body_bytes_ = body_bytes;
    }

    void accept(std::size_t index, std::string_view value, bool may_hold_line_breaks = true) {
        if (may_hold_line_breaks && has_line_break(value)) value = without_line_breaks(value);
        intake.accepted.push_back(value);
        intake.accepted_index.push_back(index);
        ids += names.message_id;
        id_bytes.push_back(static_cast<std::uint8_t>(names.message_id.size()));
        if (catalogue != nullptr) checked.push_back(catalogue->checked(names.type));
        if (keyed != nullptr) key_fields.push_back(keyed->key_of(names.type));
    }

    /// `reject` once there are more wrong events than an answer names.
    Status refuse(std::size_t index, std::string_view reason) {
        if (intake.rejected.size() == rejections_max)
            return reject("more than {} events are wrong, and nothing was stored; the first is event {}: {}",
                          rejections_max, intake.rejected.front().index, intake.rejected.front().reason);
        intake.rejected.push_back({index, std::string(reason)});
        return {};
    }

    Status parse_array(std::string_view array) {
        if (!split_json_array(array, elements))
            return reject("not a JSON array: brackets, quotes or commas do not close");
        if (elements.empty()) return reject("the array holds no event");
        for (std::size_t i = 0; i < elements.size(); ++i) {
            const EventFault fault = validator.check_event(elements[i], names);
            if (breaks_json(fault)) return reject("not a JSON array: element {} is {}", i, reason_of(fault, limits));
            if (fault == EventFault::none)
                accept(i, elements[i]);
            else
                CHECK_OK(refuse(i, reason_of(fault, limits)));
        }
        return {};
    }

    /// One document a line; blank lines are no events.
    Status parse_lines(std::string_view lines) {
        const bool carriage_returns = std::memchr(lines.data(), '\r', lines.size()) != nullptr;
        std::size_t index = 0;
        validator.begin_lines(lines);
        while (!lines.empty()) {
            const std::string_view line = trim_json_space(take_text_line(lines));
            if (line.empty()) continue;
            const EventFault fault = validator.check_line(line, names);
            if (fault == EventFault::none)
                accept(index, line, carriage_returns);
            else
                CHECK_OK(refuse(index, reason_of(fault, limits)));
            ++index;
        }
        return {};
    }

    Status parse(std::string_view body) {
        const std::string_view text = trim_json_space(body);
        if (text.empty()) return reject("the body is empty: send one JSON object, an array of them, or one a line");
        if (text.front() == '[') return parse_array(text);
        const std::string_view first_line = trim_json_space(text.substr(0, text.find('\n')));
        const bool one_line = first_line.size() == text.size();
        if (!one_line && !breaks_json(validator.check_event(first_line))) return parse_lines(text);
        // A first line that is no JSON: an object over several lines, or NDJSON that begins with a broken line.
        const EventFault whole = validator.check_event(text, names);
        const bool could_be_lines = breaks_json(whole) || whole == EventFault::too_large;
        if (one_line || !could_be_lines) return take_single(text, whole);
        CHECK_OK(parse_lines(text));
        if (intake.accepted.empty() && first_line.back() != '}')
            return reject("the body is {}", reason_of(whole, limits));
        return {};
    }

    /// Exchanges the accepted values for what they are with `headers`; what is then too large is rejected.
    Status add_headers(HeaderSelection headers) {
        header_writer.begin(std::move(headers));
        with_headers.clear();
        std::vector<std::size_t> ends;
        CHECK_OK(keep_accepted([&](std::size_t i) -> Result<std::string> {
            const std::size_t begin = with_headers.size();
            header_writer.append(with_headers, intake.accepted[i]);
            if (with_headers.size() - begin > limits.bytes_max) {
                with_headers.resize(begin);
                return reason_of(EventFault::too_large, limits) + " with the request's headers";
            }
            if (with_headers.size() > questlog::limits::events_with_headers_bytes_max)
                return reject("the events are more than {} bytes with the request's headers, which each of them gets: "
                              "send fewer at once",
                              questlog::limits::events_with_headers_bytes_max);
            ends.push_back(with_headers.size());
            return std::string();
        }));
        for (std::size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++])
            intake.accepted[i] = std::string_view(with_headers).substr(begin, ends[i] - begin);
        return {};
    }

    /// Makes the views of message_ids; `ids` grows no more.
    void name_accepted() {
        if (ids.empty()) return;
        std::size_t begin = 0;
        for (const std::size_t bytes : id_bytes) {
            intake.message_ids.push_back(std::string_view(ids).substr(begin, bytes));
            begin += bytes;
        }
    }

    /// Fills intake.keys.
    void find_keys() {
        if (keyed == nullptr) return;
        keys.clear();
        std::vector<std::size_t> ends;
        for (std::size_t i = 0; i < intake.accepted.size(); ++i) {
            intake.keys.emplace_back();
            if (!key_fields[i].empty()) {
                read_members(intake.accepted[i]);
                if (append_record_key(keys, event_text, members, key_fields[i])) intake.keys.back().emplace();
            }
            ends.push_back(keys.size());
        }
        for (std::size_t i = 0, begin = 0; i < ends.size(); begin = ends[i++])
            if (intake.keys[i]) intake.keys[i] = std::string_view(keys).substr(begin, ends[i] - begin);
    }

    /// Rejects, or counts, the accepted events whose declared fields are not as declared.
    Status check_fields() {
        if (catalogue == nullptr) return {};
        return keep_accepted([&](std::size_t i) -> Result<std::string> {
            if (checked[i].empty()) return std::string();
            read_members(intake.accepted[i]);
            keep_last_values(event_text, members);
            std::string reason;
            bool keep = false;
            for (const std::size_t index : checked[i]) {
                const EventDeclaration& declaration = catalogue->declarations()[index];
                const Status typed = apply_declared_types(declaration.fields, event_text, members);
                if (typed.ok()) return std::string();
                if (reason.empty()) reason = typed.error().message;
                keep = keep || declaration.on_mismatch == OnMismatch::keep;
            }
            if (!keep) return reason;
            ++intake.mismatched;
            return std::string();
        });
    }

private:
    void read_members(std::string_view event) {
        event_text.clear();
        members.clear();
        append_object_members(event_text, members, event);
    }

    /// Goes through the accepted events and rejects those for which `fault_of` gives a reason.
    template <class FaultOf> Status keep_accepted(FaultOf fault_of) {
        const std::size_t rejected_before = intake.rejected.size();
        std::size_t kept = 0;
        for (std::size_t i = 0; i < intake.accepted.size(); ++i) {
            TRY(reason, fault_of(i));
            if (!reason.empty()) {
                CHECK_OK(refuse(intake.accepted_index[i], reason));
                continue;
            }
            intake.accepted[kept] = intake.accepted[i];
            intake.accepted_index[kept] = intake.accepted_index[i];
            if (!intake.message_ids.empty()) intake.message_ids[kept] = intake.message_ids[i];
            if (!checked.empty()) checked[kept] = checked[i];
            if (!key_fields.empty()) key_fields[kept] = key_fields[i];
            ++kept;
        }
        intake.accepted.resize(kept);
        intake.accepted_index.resize(kept);
        if (!intake.message_ids.empty()) intake.message_ids.resize(kept);
        if (!checked.empty()) checked.resize(kept);
        if (!key_fields.empty()) key_fields.resize(kept);
        if (intake.rejected.size() == rejected_before) return {};
        std::sort(intake.rejected.begin(), intake.rejected.end(),
                  [](const RejectedEvent& one, const RejectedEvent& other) { return one.index < other.index; });
        return {};
    }

    Status take_single(std::string_view text, EventFault fault) {
        intake.single = true;
        if (fault != EventFault::none) return refuse(0, reason_of(fault, limits));
        accept(0, text);
        return {};
    }

    std::string_view without_line_breaks(std::string_view value) {
        minified.reserve(body_bytes_ + 128);
        const std::size_t before = minified.size();
        append_minified(minified, value);
        return std::string_view(minified).substr(before);
    }

    std::size_t body_bytes_ = 0;
};

IntakeParser::IntakeParser(const EventLimits& limits, const Catalogue* declared)
    : state_(std::make_unique<State>(limits, declared)) {}
IntakeParser::~IntakeParser() = default;
IntakeParser::IntakeParser(IntakeParser&&) noexcept = default;
IntakeParser& IntakeParser::operator=(IntakeParser&&) noexcept = default;

Result<const Intake*> IntakeParser::parse(std::string_view body) {
    state_->begin(body.size());
    CHECK_OK(state_->parse(body));
    state_->name_accepted();
    CHECK_OK(state_->check_fields());
    state_->find_keys();
    return &state_->intake;
}

Result<const Intake*> IntakeParser::parse(std::string_view body, HeaderSelection headers) {
    state_->begin(body.size());
    CHECK_OK(state_->parse(body));
    state_->name_accepted();
    CHECK_OK(state_->add_headers(std::move(headers)));
    CHECK_OK(state_->check_fields());
    state_->find_keys();
    return &state_->intake;
}

} // namespace questlog::event
