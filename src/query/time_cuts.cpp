#include "query/time_cuts.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace questlog::query {
namespace {

constexpr std::string_view timestamp_type = "TIMESTAMP WITH TIME ZONE";

bool begins_as_a_time(std::string_view text) {
    constexpr std::size_t digits_of_year = 4;
    return text.size() >= digits_of_year &&
           std::all_of(text.begin(), text.begin() + digits_of_year, [](char c) { return c >= '0' && c <= '9'; });
}

/// The plan's text; empty where there is none.
std::string plan_of(duck::Connection& connection, const std::string& select) {
    const auto rows = connection.query("EXPLAIN (FORMAT json) " + select);
    if (!rows.ok()) {
        static_cast<void>(connection.execute("ROLLBACK")); // It can be of no more use.
        return {};
    }
    const auto count = (*rows)->next();
    constexpr std::size_t text_column = 1;
    if (!count.ok() || *count == 0 || (*rows)->columns().size() <= text_column) return {};
    return std::string((*rows)->varchar(text_column, 0));
}

/// What DuckDB itself reads in the texts; infinity is no time.
Result<std::vector<scan::TimeCut>> read_timestamps(duck::Connection& connection, const std::set<std::string>& texts) {
    std::vector<scan::TimeCut> cuts;
    if (texts.empty()) return cuts;
    std::string list;
    for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + duck::quote_literal(text);
    TRY(rows,
        connection.query(fmt::format("SELECT text, epoch_us(time) FROM (SELECT text, TRY_CAST(text AS {}) AS time "
                                     "FROM (SELECT unnest([{}]) AS text)) WHERE isfinite(time)",
                                     timestamp_type, list)));
    for (;;) {
        TRY(count, rows->next());
        if (count == 0) return cuts;
        for (std::size_t row = 0; row < count; ++row)
            cuts.push_back(scan::timestamp_cut(
                fmt::format("CAST({} AS {})", duck::quote_literal(rows->varchar(0, row)), timestamp_type),
                rows->bigint(1, row)));
    }
}

} // namespace

std::vector<PlanConstant> constants_in(std::string_view plan) {
    std::vector<PlanConstant> constants;
    for (std::size_t at = plan.find('\''); at != std::string_view::npos; at = plan.find('\'', at)) {
        PlanConstant constant;
        for (++at; at < plan.size(); ++at) {
            if (plan[at] == '\'' && !plan.substr(at + 1).starts_with('\'')) break;
            if (plan[at] == '\'') ++at;
            constant.text += plan[at];
        }
        if (at >= plan.size()) break;
        constexpr std::string_view cast = "::";
        if (plan.substr(++at).starts_with(cast)) {
            at += cast.size();
            const std::size_t end = plan.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ ", at);
            constant.type = plan.substr(at, std::min(end, plan.size()) - at);
            for (const std::string_view word : {" AND ", " OR "}) // What follows it in the expression.
                constant.type = constant.type.substr(0, constant.type.find(word));
            at = std::min(end, plan.size());
        }
        constants.push_back(std::move(constant));
    }
    return constants;
}

Result<TimeCuts> find_time_cuts(duck::Connection& connection, const std::string& select) {
    std::set<std::string> timestamps;
    std::set<std::string> texts;
    for (const PlanConstant& constant : constants_in(plan_of(connection, select))) {
        if (timestamps.size() + texts.size() == limits::time_cuts_max) break;
        if (constant.type == timestamp_type)
            timestamps.insert(constant.text);
        else if (constant.type.empty() && begins_as_a_time(constant.text))
            texts.insert(constant.text);
    }
    TimeCuts cuts;
    TRY(read, read_timestamps(connection, timestamps));
    cuts.timestamps = std::move(read);
    for (const std::string& text : texts) cuts.texts.push_back(scan::text_cut(text));
    return cuts;
}

} // namespace questlog::query
