// Any query, headers and body of a declared call: lines of the input are the query, the headers up to a blank line, and
// the rest is the body. What is written is an event of the declared type on one line of ASCII.
#include "event/envelope.h"
#include "event/json_text.h"
#include "event/json_validator.h"
#include "event/padded_json.h"

#include "base/limits.h"

#include <algorithm>
#include <cstdlib>

using namespace questlog;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

const event::Catalogue& catalogue() {
    static const event::Catalogue made = [] {
        event::EventDeclaration typed;
        typed.path = "/typed";
        typed.methods = {"POST"};
        typed.type = "typed";
        typed.constants = {{"Host", "[1, 2]"}, {"c", "null"}};
        typed.fields = {{"n", event::ColumnType::bigint, false},
                        {"d", event::ColumnType::double_, false},
                        {"b", event::ColumnType::boolean, false},
                        {"s", event::ColumnType::string, false}};
        auto declarations = event::Catalogue::builtin();
        declarations.push_back(typed);
        return event::Catalogue::make(declarations).value();
    }();
    return made;
}

std::string_view take_line(std::string_view& rest) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    return line;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static event::Envelope envelope;
    static event::JsonValidator validator;
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const std::string_view query = take_line(rest);
    std::vector<event::HeaderView> headers;
    while (headers.size() < limits::header_fields_max) {
        const std::string_view line = take_line(rest);
        if (line.empty()) break;
        const std::size_t colon = std::min(line.find(':'), line.size() - 1);
        headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    }
    const event::PaddedJson body(rest);
    for (const event::EventDeclaration& declaration : catalogue().declarations()) {
        std::string value = "kept";
        const Status written = envelope.write(declaration, query, body.view(), headers, value);
        if (!written.ok()) {
            require(written.error().kind == ErrorKind::reject && value == "kept");
            continue;
        }
        value.erase(0, 4);
        require(std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < 0x7f; }));
        require(validator.check_event(event::PaddedJson(value).view()) == event::EventFault::none);
        require(value.starts_with("{\"event_type\": \"" + declaration.type + "\""));
        std::string again;
        event::append_respaced(again, value);
        require(again == value); // json.dumps' form, no key twice
    }
    return 0;
}
