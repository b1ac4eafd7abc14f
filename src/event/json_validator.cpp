#include "event/json_validator.h"

#include "base/limits.h"
#include "event/message_id.h"
#include "event/wide_numbers.h"

#include <fmt/format.h>
#include <simdjson.h>

namespace questlog::event {
namespace {

constexpr std::string_view type_key = "event_type";
static_assert(type_key.size() == message_id_key.size(), "check_event() tells them by their length first");

EventFault fault_of(simdjson::error_code error) {
    switch (error) {
    case simdjson::SUCCESS: return EventFault::none;
    case simdjson::UTF8_ERROR: return EventFault::not_utf8;
    case simdjson::DEPTH_ERROR: return EventFault::too_deep;
    case simdjson::CAPACITY: return EventFault::too_large;
    case simdjson::MEMALLOC: return EventFault::internal;
    default: return EventFault::not_json;
    }
}

EventFault fault_of_type(const simdjson::dom::element& type, std::string_view& text) {
    if (type.get(text) != simdjson::SUCCESS) return EventFault::event_type_not_string;
    if (text.empty()) return EventFault::event_type_empty;
    if (text.size() > limits::event_type_bytes_max) return EventFault::event_type_too_long;
    return EventFault::none;
}

/// null is none.
EventFault fault_of_id(const simdjson::dom::element& id, std::string_view& text) {
    text = {};
    if (id.is_null()) return EventFault::none;
    if (id.get(text) != simdjson::SUCCESS || !is_message_id(text)) return EventFault::message_id_wrong;
    return EventFault::none;
}

EventFault fault_of_event(const simdjson::dom::element& root, EventNames& names) {
    simdjson::dom::object object;
    if (root.get(object) != simdjson::SUCCESS) return EventFault::not_an_object;
    EventFault fault = EventFault::event_type_missing;
    EventFault id_fault = EventFault::none;
    for (const auto& [key, value] : object) {
        if (key.size() != type_key.size()) continue; // a quick no for most
        if (key == type_key) {
            if (fault != EventFault::event_type_missing) return EventFault::event_type_twice;
            fault = fault_of_type(value, names.type);
        } else if (key == message_id_key) {
            id_fault = fault_of_id(value, names.message_id);
        }
    }
    return fault != EventFault::none ? fault : id_fault;
}

/// Documents one after the other, of which simdjson finds the tokens of many at once: for short ones that takes a
/// fifth off the time. It knows no lines, so each document is held against its line.
class DocumentRun {
public:
    /// The parser has room for so many bytes at once, and no threads.
    void begin(simdjson::dom::parser& parser, std::string_view text, std::size_t bytes_at_once) {
        is_running_ = parser.parse_many(text.data(), text.size(), bytes_at_once).get(stream_) == simdjson::SUCCESS;
        if (is_running_) at_ = stream_.begin();
        is_new_ = true;
    }
    /// The parser does something else.
    void end() { is_running_ = false; }

    /// True: `line` is the next document, no more and no less, and an object or an array. False: it is not, or simdjson
    /// has met an error, and all that follows must be parsed by itself.
    [[nodiscard]] bool next(std::string_view line, simdjson::dom::element& root) {
        if (!is_running_) return false;
        if (!is_new_) ++at_; // what was read of the one before is no longer needed
        is_new_ = false;
        is_running_ = at_ != stream_.end() && (*at_).get(root) == simdjson::SUCCESS &&
                      (line.front() == '{' || line.front() == '[') && is_source(line);
        return is_running_;
    }

private:
    [[nodiscard]] bool is_source(std::string_view line) const {
        const std::string_view source = at_.source(); // from the opening bracket to the closing one
        return source.data() == line.data() && source.size() == line.size();
    }

    simdjson::dom::document_stream stream_;
    simdjson::dom::document_stream::iterator at_;
    bool is_running_ = false;
    bool is_new_ = true; ///< `at_` is the next one.
};

} // namespace

struct JsonValidator::State {
    /// simdjson counts the level that it refuses.
    explicit State(const EventLimits& of)
        : limits(of), allocated(parser.allocate(limits.bytes_max, limits.depth_max + 1)) {
#ifdef SIMDJSON_THREADS_ENABLED
        parser.threaded = false;
#endif
    }

    EventLimits limits;
    simdjson::dom::parser parser;
    DocumentRun lines; ///< The parser's, while it parses nothing else.
    std::string blanked;
    simdjson::error_code allocated;

    /// In place: what follows `text` is read but never taken for a part of it.
    simdjson::error_code parse(std::string_view text, simdjson::dom::element& root) {
        lines.end();
        if (allocated != simdjson::SUCCESS) return allocated;
        const auto error = parser.parse(text.data(), text.size(), false).get(root);
        return error == simdjson::NUMBER_ERROR ? parse_wide_numbers(text, root) : error;
    }

    /// JSON allows numbers of any size, which the parser does not.
    simdjson::error_code parse_wide_numbers(std::string_view text, simdjson::dom::element& root) {
        blanked.assign(text);
        if (!blank_wide_numbers(blanked)) return simdjson::NUMBER_ERROR;
        const std::size_t length = blanked.size();
        blanked.append(simdjson::SIMDJSON_PADDING, ' ');
        return parser.parse(blanked.data(), length, false).get(root);
    }
};

JsonValidator::JsonValidator(const EventLimits& limits) : state_(std::make_unique<State>(limits)) {}
JsonValidator::~JsonValidator() = default;
JsonValidator::JsonValidator(JsonValidator&&) noexcept = default;
JsonValidator& JsonValidator::operator=(JsonValidator&&) noexcept = default;

Result<JsonKind> JsonValidator::validate(std::string_view text) {
    simdjson::dom::element root;
    const EventFault fault = fault_of(state_->parse(text, root));
    if (fault != EventFault::none) return reject("{}", reason_of(fault, state_->limits));
    if (root.is_object()) return JsonKind::object;
    return root.is_array() ? JsonKind::array : JsonKind::scalar;
}

EventFault JsonValidator::check_event(std::string_view text) {
    EventNames names;
    return check_event(text, names);
}

EventFault JsonValidator::check_event(std::string_view text, EventNames& names) {
    names = {};
    if (text.size() > state_->limits.bytes_max) return EventFault::too_large;
    simdjson::dom::element root;
    if (const auto error = state_->parse(text, root); error != simdjson::SUCCESS) return fault_of(error);
    return fault_of_event(root, names);
}

void JsonValidator::begin_lines(std::string_view text) {
    if (state_->allocated == simdjson::SUCCESS) state_->lines.begin(state_->parser, text, state_->limits.bytes_max);
}

EventFault JsonValidator::check_line(std::string_view line, EventNames& names) {
    names = {};
    simdjson::dom::element root;
    if (line.size() > state_->limits.bytes_max || !state_->lines.next(line, root)) return check_event(line, names);
    return fault_of_event(root, names);
}

std::string reason_of(EventFault fault, const EventLimits& limits) {
    switch (fault) {
    case EventFault::none: return "an event";
    case EventFault::not_json: return "not valid JSON";
    case EventFault::not_utf8: return "not valid UTF-8";
    case EventFault::too_deep: return fmt::format("nested deeper than {} levels", limits.depth_max);
    case EventFault::too_large: return fmt::format("larger than {} bytes", limits.bytes_max);
    case EventFault::not_an_object: return "not a JSON object";
    case EventFault::event_type_missing: return "no event_type: every event needs one, a non-empty string";
    case EventFault::event_type_not_string: return "event_type is not a string";
    case EventFault::event_type_empty: return "event_type is empty";
    case EventFault::event_type_too_long: return "event_type is longer than 256 bytes";
    case EventFault::event_type_twice: return "event_type appears more than once";
    case EventFault::message_id_wrong: return std::string(message_id_rule);
    case EventFault::internal: return "out of memory";
    }
    return "";
}
static_assert(limits::event_type_bytes_max == 256, "a reason above names it");

bool breaks_json(EventFault fault) {
    switch (fault) {
    case EventFault::not_json:
    case EventFault::not_utf8:
    case EventFault::internal: return true;
    case EventFault::none:
    case EventFault::too_deep:
    case EventFault::too_large:
    case EventFault::not_an_object:
    case EventFault::event_type_missing:
    case EventFault::event_type_not_string:
    case EventFault::event_type_empty:
    case EventFault::event_type_too_long:
    case EventFault::event_type_twice:
    case EventFault::message_id_wrong: return false;
    }
    return true;
}

void append_minified(std::string& out, std::string_view json) {
    const std::size_t before = out.size();
    out.resize(before + json.size() + simdjson::SIMDJSON_PADDING);
    std::size_t length = 0;
    const auto error = simdjson::minify(json.data(), json.size(), out.data() + before, length);
    out.resize(before + (error == simdjson::SUCCESS ? length : 0));
}

} // namespace questlog::event
