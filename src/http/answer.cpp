#include "http/answer.h"

#include <array>
#include <charconv>
#include <chrono>
#include <fmt/format.h>

namespace questlog::http {
namespace {

void append_number(std::string& out, std::size_t number) {
    std::array<char, 20> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end);
}

} // namespace

AnswerWriter::AnswerWriter(const std::string& server_name)
    : server_(fmt::format("Server: {}\r\n", server_name)), common_(server_) {}

void AnswerWriter::set_time(TimestampMs wall) {
    const std::int64_t second = static_cast<std::int64_t>(wall.value) / 1000;
    if (second == second_) return;
    second_ = second;
    common_ = fmt::format("{}Date: {}\r\n", server_, http_date(second));
}

void AnswerWriter::append(std::string& out, const Response& response, Framing framing) const {
    if (response.status == 200) {
        out.append("HTTP/1.1 200 OK\r\n");
    } else {
        out.append("HTTP/1.1 ");
        append_number(out, response.status);
        out.append(" ").append(reason_of(response.status)).append("\r\n");
    }
    out.append(common_);
    const bool bodiless = response.status == 204 || response.status == 304;
    if (!bodiless) {
        out.append("Content-Type: ").append(response.content_type).append("\r\nContent-Length: ");
        append_number(out, response.body.size());
        out.append("\r\n");
    }
    out.append(response.extra_headers);
    switch (framing.persistence) {
    case Persistence::implied: break;
    case Persistence::keep_alive: out.append("Connection: keep-alive\r\n"); break;
    case Persistence::close: out.append("Connection: close\r\n"); break;
    }
    out.append("\r\n");
    if (!bodiless && !framing.head) out.append(response.body);
}

std::string http_date(std::int64_t second) {
    static constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::sys_seconds time{std::chrono::seconds(second)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[std::chrono::weekday(day).c_encoding()],
                       static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count());
}

std::string_view reason_of(unsigned status) {
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 207: return "Multi-Status";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unnamed"; // the number is what counts
    }
}

} // namespace questlog::http
