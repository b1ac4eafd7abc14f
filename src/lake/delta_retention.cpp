#include "lake/delta_retention.h"

#include "base/checked_text.h"

#include <array>
#include <limits>
#include <utility>

namespace questlog::lake {
namespace {

constexpr std::int64_t second_ms = 1000;
constexpr std::int64_t minute_ms = 60 * second_ms;
constexpr std::int64_t hour_ms = 60 * minute_ms;
constexpr std::int64_t day_ms = 24 * hour_ms;
constexpr std::int64_t week_ms = 7 * day_ms;
constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> units = {{{"week", week_ms},
                                                                             {"day", day_ms},
                                                                             {"hour", hour_ms},
                                                                             {"minute", minute_ms},
                                                                             {"second", second_ms},
                                                                             {"millisecond", 1}}};
constexpr std::int64_t default_tombstone_ms = week_ms;
constexpr std::int64_t default_log_ms = 30 * day_ms;
constexpr std::int64_t count_max = 1'000'000'000; ///< Of a unit; more is no interval of ours.

std::string_view take_interval_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
}

/// nullopt: it is not set.
std::optional<std::string_view> property(const std::map<std::string, std::string>& configuration,
                                         const std::string& key) {
    const auto found = configuration.find(key);
    return found == configuration.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

} // namespace

std::optional<std::int64_t> interval_ms(std::string_view text) {
    std::int64_t sum = 0;
    std::string_view word = take_interval_word(text);
    if (word == "interval" || word == "INTERVAL") word = take_interval_word(text);
    if (word.empty()) return std::nullopt;
    for (; !word.empty(); word = take_interval_word(text)) {
        std::int64_t count = 0;
        if (!parse_number(word, count) || count < 0 || count > count_max) return std::nullopt;
        std::string_view unit = take_interval_word(text);
        if (unit.ends_with('s')) unit.remove_suffix(1);
        std::int64_t unit_ms = 0;
        for (const auto& [name, ms] : units)
            if (name == unit) unit_ms = ms;
        if (unit_ms == 0) return std::nullopt;
        sum += count * unit_ms;
    }
    return sum;
}

std::int64_t tombstone_retention_ms(const std::map<std::string, std::string>& configuration) {
    const auto set = property(configuration, "delta.deletedFileRetentionDuration");
    if (!set) return default_tombstone_ms;
    constexpr std::int64_t for_ever = std::numeric_limits<std::int64_t>::max() / 2;
    return interval_ms(*set).value_or(for_ever);
}

std::optional<std::int64_t> log_retention_ms(const std::map<std::string, std::string>& configuration) {
    if (property(configuration, "delta.enableExpiredLogCleanup") == "false") return std::nullopt;
    const auto set = property(configuration, "delta.logRetentionDuration");
    return set ? interval_ms(*set) : default_log_ms;
}

} // namespace questlog::lake
