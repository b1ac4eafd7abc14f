#include "base/limits.h"
#include "event/envelope.h"
#include "event/header_members.h"
#include "event/json_split.h"
#include "event/json_text.h"
#include "event/json_validator.h"

#include <algorithm>
#include <cstring>

namespace questlog::event {
namespace {

bool has_line_break(std::string_view text) {
    return std::memchr(text.data(), '\n', text.size()) != nullptr ||
           std::memchr(text.data(), '\r', text.size()) != nullptr;
}

/// Writes valid events anew, with the headers of one request.
class HeaderWriter {
public:
    void begin(HeaderSelection headers) {
        header_text_.clear();
        headers_.clear();
        append_header_members(header_text_, headers_, std::move(headers));
    }

    void append(std::string& out, std::string_view value) {
        text_.clear();
        members_.clear();
        append_object_members(text_, members_, value);
        const auto type = std::find_if(members_.begin(), members_.end(),
                                       [this](const Member& member) { return member.key(text_) == "\"event_type\""; });
        if (type != members_.end()) std::rotate(members_.begin(), type, type + 1);
        const std::size_t shift = text_.size();
        text_ += header_text_;
        for (Member header : headers_) {
            header.key_at += shift;
            header.value_at += shift;
            header.end += shift;
            members_.push_back(header);
        }
        keep_last_values(text_, members_);
        out += '{';
        append_members(out, text_, members_);
        out += '}';
    }

private:
    std::string header_text_;
    std::vector<Member> headers_; ///< In header_text_.
    std::string text_;
    std::vector<Member> members_; ///< Of one event, in text_.
};

} // namespace

struct IntakeParser::State {
    explicit State(const EventLimits& of) : limits(of), validator(of) {}

    EventLimits limits;
    JsonValidator validator;
    Intake intake;
    std::vector<std::string_view> elements;
    std::string minified; ///< Reserved before views into it are taken.
    HeaderWriter header_writer;
    std::string with_headers; ///< Views into it are taken when all is written.

    void begin(std::size_t body_bytes) {
        intake.accepted.clear();
        intake.accepted_index.clear();
        intake.rejected.clear();
        intake.single = false;
        minified.clear();
        body_bytes_ = body_bytes;
    }

    void accept(std::size_t index, std::string_view value, bool may_hold_line_breaks = true) {
        if (may_hold_line_breaks && has_line_break(value)) value = without_line_breaks(value);
        intake.accepted.push_back(value);
        intake.accepted_index.push_back(index);
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
            const EventFault fault = validator.check_event(elements[i]);
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
        while (!lines.empty()) {
            const void* found = std::memchr(lines.data(), '\n', lines.size());
            const std::size_t length = found == nullptr
                                           ? lines.size()
                                           : static_cast<std::size_t>(static_cast<const char*>(found) - lines.data());
            const std::string_view line = trim_json_space(lines.substr(0, length));
            lines.remove_prefix(found == nullptr ? length : length + 1);
            if (line.empty()) continue;
            const EventFault fault = validator.check_event(line);
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
        const EventFault whole = validator.check_event(text);
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
        std::size_t kept = 0;
        for (std::size_t i = 0; i < intake.accepted.size(); ++i) {
            const std::size_t begin = with_headers.size();
            const std::size_t index = intake.accepted_index[i];
            header_writer.append(with_headers, intake.accepted[i]);
            if (with_headers.size() - begin > limits.bytes_max) {
                with_headers.resize(begin);
                CHECK_OK(refuse(index, reason_of(EventFault::too_large, limits) + " with the request's headers"));
                continue;
            }
            if (with_headers.size() > questlog::limits::events_with_headers_bytes_max)
                return reject("the events are more than {} bytes with the request's headers, which each of them gets: "
                              "send fewer at once",
                              questlog::limits::events_with_headers_bytes_max);
            ends.push_back(with_headers.size());
            intake.accepted_index[kept++] = index;
        }
        intake.accepted_index.resize(kept);
        intake.accepted.clear();
        for (std::size_t begin = 0; const std::size_t end : ends) {
            intake.accepted.push_back(std::string_view(with_headers).substr(begin, end - begin));
            begin = end;
        }
        std::sort(intake.rejected.begin(), intake.rejected.end(),
                  [](const RejectedEvent& one, const RejectedEvent& other) { return one.index < other.index; });
        return {};
    }

private:
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

IntakeParser::IntakeParser(const EventLimits& limits) : state_(std::make_unique<State>(limits)) {}
IntakeParser::~IntakeParser() = default;
IntakeParser::IntakeParser(IntakeParser&&) noexcept = default;
IntakeParser& IntakeParser::operator=(IntakeParser&&) noexcept = default;

Result<const Intake*> IntakeParser::parse(std::string_view body) {
    state_->begin(body.size());
    CHECK_OK(state_->parse(body));
    return &state_->intake;
}

Result<const Intake*> IntakeParser::parse(std::string_view body, HeaderSelection headers) {
    state_->begin(body.size());
    CHECK_OK(state_->parse(body));
    CHECK_OK(state_->add_headers(std::move(headers)));
    return &state_->intake;
}

} // namespace questlog::event
