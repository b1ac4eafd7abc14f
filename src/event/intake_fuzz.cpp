// Any HTTP body sent to POST /events, with and without its request's headers: each event has one fate, and what is
// accepted is what its readers expect.
#include "event/envelope.h"
#include "event/json_text.h"
#include "event/json_validator.h"
#include "event/message_id.h"
#include "event/padded_json.h"

#include "base/checked_text.h"
#include "base/limits.h"

#include <cstdlib>
#include <vector>

using namespace questlog;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check(const Result<const event::Intake*>& parsed) {
    static event::JsonValidator validator;
    if (!parsed.ok()) return require(parsed.error().kind == ErrorKind::reject && !parsed.error().message.empty());
    const event::Intake& intake = *parsed.value();
    require(intake.accepted.size() == intake.accepted_index.size());
    require(intake.message_ids.empty() || intake.message_ids.size() == intake.accepted.size());
    for (const std::string_view id : intake.message_ids) require(id.empty() || event::is_message_id(id));
    std::vector<int> fates(intake.accepted.size() + intake.rejected.size());
    require(!fates.empty());
    for (const std::size_t index : intake.accepted_index) ++fates.at(index);
    for (const auto& rejected : intake.rejected) ++fates.at(rejected.index);
    for (const int count : fates) require(count == 1);
    for (const std::string_view value : intake.accepted) {
        require(value.size() <= limits::event_bytes_max && value.find_first_of("\r\n") == std::string_view::npos);
        require(validator.check_event(event::PaddedJson(value).view()) == event::EventFault::none);
    }
}

/// In one run the lines are what each of them is by itself.
void check_lines(std::string_view text) {
    static event::JsonValidator runs;
    static event::JsonValidator single;
    runs.begin_lines(text);
    while (!text.empty()) {
        const std::string_view line = event::trim_json_space(take_text_line(text));
        if (line.empty()) continue;
        event::EventNames in_run;
        event::EventNames by_itself;
        const event::EventFault fault = runs.check_line(line, in_run);
        require(fault == single.check_event(line, by_itself));
        require(in_run.type == by_itself.type && in_run.message_id == by_itself.message_id);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const event::Catalogue catalogue = [] {
        event::EventDeclaration typed;
        typed.path = "/a";
        typed.methods = {"POST"};
        typed.type = "a";
        typed.fields = {{"n", event::ColumnType::bigint, true}};
        return event::Catalogue::make({typed}).value();
    }();
    static event::IntakeParser parser({}, &catalogue);
    static const std::vector<event::HeaderView> headers{{"Host", "h"}, {"x-name", "\xe9\"\x01"}, {"host", "i"}};
    const event::PaddedJson body({reinterpret_cast<const char*>(data), size});
    check_lines(body.view());
    check(parser.parse(body.view()));
    check(parser.parse(body.view(), event::HeaderSelection(headers, {})));
    return 0;
}
