#include "scan/timestamp_text.h"

#include "scan/plan.h"

#include <fmt/format.h>

namespace questlog::scan {

namespace {

struct Date {
    std::int64_t year;
    unsigned month;
    unsigned day;
};

[[nodiscard]] std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

/// The proleptic Gregorian date of a day counted from 1970-01-01, by eras of 400 years that begin on 1 March.
[[nodiscard]] Date date_of(std::int64_t days) {
    constexpr std::int64_t days_of_era = 146'097;
    constexpr std::int64_t days_before_epoch = 719'468; // from 0000-03-01
    const std::int64_t shifted = days + days_before_epoch;
    const std::int64_t era = floor_divide(shifted, days_of_era);
    const auto day_of_era = static_cast<unsigned>(shifted - era * days_of_era);
    const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned month_from_march = (5 * day_of_year + 2) / 153;
    const unsigned day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    const unsigned month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

void write_second(std::int64_t second, std::string& out) {
    constexpr std::int64_t seconds_of_day = 86'400;
    const std::int64_t days = floor_divide(second, seconds_of_day);
    const std::int64_t time = second - days * seconds_of_day;
    const Date date = date_of(days);
    out.clear();
    if (date.year > 9999) out += '+'; // as java.time writes years of more than four digits
    fmt::format_to(std::back_inserter(out), "{}{:04}-{:02}-{:02} {:02}:{:02}:{:02}", date.year < 0 ? "-" : "",
                   date.year < 0 ? -date.year : date.year, date.month, date.day, time / 3600, time / 60 % 60,
                   time % 60);
}

} // namespace

std::string_view TimestampText::write(TimestampMs timestamp) {
    const std::int64_t second = floor_divide(timestamp.value, 1000);
    if (second_length_ == 0 || second != second_) {
        write_second(second, text_);
        second_ = second;
        second_length_ = text_.size();
    }
    text_.resize(second_length_);
    const auto rest = static_cast<int>(timestamp.value % 1000);
    if (const int milliseconds = rest < 0 ? rest + 1000 : rest; milliseconds != 0) {
        const char fraction[] = {'.', static_cast<char>('0' + milliseconds / 100),
                                 static_cast<char>('0' + milliseconds / 10 % 10),
                                 static_cast<char>('0' + milliseconds % 10)};
        text_.append(fraction, sizeof fraction);
        while (text_.back() == '0') text_.pop_back();
    }
    return text_;
}

std::string spark_timestamp(TimestampMs timestamp) {
    return std::string(TimestampText().write(timestamp));
}

} // namespace questlog::scan
