#include "collect/access_log.h"

#include <array>
#include <chrono>
#include <fmt/format.h>

namespace questlog::collect {
namespace {

void append_printable(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c >= ' ' && c < 0x7f)
            out += c;
        else
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
}

std::string date_of(std::int64_t second) {
    constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::sys_seconds time{std::chrono::seconds(second)};
    const auto midnight = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day day(midnight);
    const std::chrono::hh_mm_ss clock(time - midnight);
    return fmt::format("{:02}/{}/{:04} {:02}:{:02}:{:02}", static_cast<unsigned>(day.day()),
                       months[static_cast<unsigned>(day.month()) - 1], static_cast<int>(day.year()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

} // namespace

void AccessLogFormat::append(std::string& out, TimestampMs now, const AccessLine& line) {
    const std::int64_t second = now.value / 1000;
    if (second != second_) {
        second_ = second;
        date_ = date_of(second);
    }
    append_printable(out, line.peer);
    out += " - - [";
    out += date_;
    out += "] \"";
    if (line.method.empty()) {
        out += '-'; // the request line could not be read
    } else {
        append_printable(out, line.method);
        out += ' ';
        append_printable(out, line.target);
        out += line.version == 10 ? " HTTP/1.0" : " HTTP/1.1";
    }
    fmt::format_to(std::back_inserter(out), "\" {} -\n", line.status);
}

} // namespace questlog::collect
