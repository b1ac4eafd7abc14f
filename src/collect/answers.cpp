#include "collect/answers.h"

#include "event/json_string.h"

#include <fmt/format.h>
#include <iterator>

namespace questlog::collect {
namespace {

/// Where they follow each other in one partition, the first says it all.
void append_receipt(std::string& body, bool single, std::string_view log_id, std::span<const Position> positions) {
    auto out = std::back_inserter(body);
    const Position& first = positions.front();
    fmt::format_to(out, ", \"log\": {}, ", event::json_string(log_id));
    bool in_a_row = true;
    for (std::size_t i = 0; i < positions.size(); ++i)
        in_a_row = in_a_row && positions[i].partition == first.partition &&
                   positions[i].offset == first.offset.plus(static_cast<std::int64_t>(i));
    if (in_a_row) {
        fmt::format_to(out, "\"partition\": {}, \"{}\": {}", first.partition, single ? "offset" : "first_offset",
                       first.offset);
        return;
    }
    std::string_view separator = "\"receipts\": [";
    for (const Position& position : positions) {
        fmt::format_to(out, "{}{{\"partition\": {}, \"offset\": {}}}", separator, position.partition, position.offset);
        separator = ", ";
    }
    body += ']';
}

} // namespace

http::Response answer(unsigned status, std::string_view type, std::string_view body, std::string_view extra_headers) {
    http::Response response;
    response.status = status;
    response.content_type = type;
    response.body = body;
    response.extra_headers = extra_headers;
    return response;
}

std::string receipt_answer(std::string_view log_id, const Position& position, bool is_repeat) {
    return fmt::format("{{\"log\": {}, \"partition\": {}, \"offset\": {}{}}}\n", event::json_string(log_id),
                       position.partition, position.offset, is_repeat ? ", \"duplicate\": true" : "");
}

IntakeAnswer intake_answer(const event::Intake& intake, std::string_view log_id, std::span<const Position> positions,
                           std::size_t repeated) {
    IntakeAnswer answer;
    if (!intake.rejected.empty()) answer.status = intake.accepted.empty() ? 400 : 207;
    auto out = std::back_inserter(answer.body);
    fmt::format_to(out, "{{\"accepted\": {}, \"rejected\": {}", intake.accepted.size(), intake.rejected.size());
    if (repeated > 0) fmt::format_to(out, ", \"duplicates\": {}", repeated);
    if (!intake.rejected.empty()) {
        std::string_view separator = ", \"rejections\": [";
        for (const event::RejectedEvent& rejected : intake.rejected) {
            fmt::format_to(out, "{}{{\"index\": {}, \"reason\": {}}}", separator, rejected.index,
                           event::json_string(rejected.reason));
            separator = ", ";
        }
        answer.body += ']';
    }
    if (!positions.empty()) append_receipt(answer.body, intake.single, log_id, positions);
    answer.body += "}\n";
    return answer;
}

std::string pending_answer(std::string_view receipts) {
    return fmt::format("{{\"error\": \"stored here, outcome pending; retry with the same message_id\", {}",
                       receipts.substr(1));
}

std::string error_answer(std::string_view message) {
    return fmt::format("{{\"error\": {}}}\n", event::json_string(message));
}

std::string allow_header(std::span<const std::string> methods) {
    std::string line = "Allow: ";
    for (const std::string& method : methods) line += method + ", ";
    if (std::find(methods.begin(), methods.end(), "GET") != methods.end()) line += "HEAD, ";
    return line + "OPTIONS\r\n";
}

std::string path_list(const event::Catalogue& catalogue) {
    std::string text = "There is nothing here. The calls of this game are:\n";
    for (const event::EventDeclaration& declaration : catalogue.declarations())
        text += fmt::format("  {:<12} {}\n", fmt::format("{}", fmt::join(declaration.methods, ", ")), declaration.path);
    text += "Any event, as one JSON object, an array of them, or one a line:\n  POST         /events\n"
            "About this server:\n  GET          /healthz, /readyz, /metrics\n";
    return text;
}

} // namespace questlog::collect
