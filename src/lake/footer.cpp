#include "lake/footer.h"

#include "base/crc32c.h"
#include "event/json_string.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

namespace questlog::lake {
namespace {

constexpr std::string_view facts_key = "questlog.snapshot";
constexpr std::string_view checksum_key = "questlog.snapshot.crc32c";
constexpr std::int64_t facts_version = 1;

std::string checksum(std::string_view text) {
    return fmt::format("{:08x}", crc32c(std::as_bytes(std::span(text.data(), text.size()))));
}

event::ColumnType column_type(std::string_view duckdb_type) {
    if (duckdb_type == "BOOLEAN") return event::ColumnType::boolean;
    if (duckdb_type == "BIGINT") return event::ColumnType::bigint;
    if (duckdb_type == "DOUBLE") return event::ColumnType::double_;
    return event::ColumnType::string;
}

/// Runs `sql` and hands each row to `visit`.
template <class Visit> Status each_row(duck::Connection& connection, const std::string& sql, Visit&& visit) {
    TRY(rows, connection.query(sql));
    while (true) {
        TRY(count, rows->next());
        if (count == 0) return {};
        for (std::size_t row = 0; row < count; ++row) visit(*rows, row);
    }
}

/// What a Parquet file says of itself before the facts are understood.
struct RawFooter {
    std::optional<std::string> text;
    std::optional<std::string> checksum;
    std::int64_t rows = 0;
    std::int64_t rows_of_groups = 0;
    std::vector<duck::ResultColumn> columns;
};

Result<RawFooter> read_raw(duck::Connection& connection, const std::string& path) {
    const std::string file = duck::quote_literal(path);
    RawFooter raw;
    const Status keys = each_row(connection, fmt::format("SELECT key, value FROM parquet_kv_metadata({})", file),
                                 [&](const duck::Rows& rows, std::size_t row) {
                                     const std::string_view key = rows.varchar(0, row);
                                     if (key == facts_key) raw.text = std::string(rows.varchar(1, row));
                                     if (key == checksum_key) raw.checksum = std::string(rows.varchar(1, row));
                                 });
    CHECK_OK(keys);
    const Status count = each_row(connection, fmt::format("SELECT num_rows FROM parquet_file_metadata({})", file),
                                  [&](const duck::Rows& rows, std::size_t row) { raw.rows = rows.bigint(0, row); });
    CHECK_OK(count);
    std::int64_t group = -1;
    const Status groups = each_row( // one row for each column of each group, group by group
        connection, fmt::format("SELECT row_group_id, row_group_num_rows FROM parquet_metadata({})", file),
        [&](const duck::Rows& rows, std::size_t row) {
            if (std::exchange(group, rows.bigint(0, row)) != rows.bigint(0, row))
                raw.rows_of_groups += rows.bigint(1, row);
        });
    CHECK_OK(groups);
    TRY(none, connection.query(fmt::format("SELECT * FROM read_parquet({}) LIMIT 0", file)));
    raw.columns = none->columns();
    return raw;
}

/// Numbers that array_to_string joined.
std::vector<std::int64_t> numbers(std::string_view joined) {
    std::vector<std::int64_t> found;
    const char* at = joined.data();
    const char* const end = at + joined.size();
    while (at < end) {
        std::int64_t number = 0;
        const auto parsed = std::from_chars(at, end, number);
        if (parsed.ec != std::errc{}) break;
        found.push_back(number);
        at = parsed.ptr + 1;
    }
    return found;
}

/// A list that is left out where it is empty.
void append_names(std::string& text, std::string_view list, const std::map<std::string, std::string>& keys) {
    if (keys.empty()) return;
    text += fmt::format(R"(, "{}": [)", list);
    for (const auto& [name, key] : keys)
        text += fmt::format(R"({}{{"name": {}, "key": {}}})", text.back() == '[' ? "" : ", ", event::json_string(name),
                            event::json_string(key));
    text += ']';
}

/// Fills in what append_names() wrote.
Status parse_names(duck::Connection& connection, const std::string& text, std::string_view list,
                   std::map<std::string, std::string>& keys) {
    return each_row(connection,
                    fmt::format("SELECT k->>'name', k->>'key' FROM (SELECT unnest(({}::JSON->'{}')::JSON[]) AS k)",
                                duck::quote_literal(text), list),
                    [&](const duck::Rows& rows, std::size_t row) {
                        if (!rows.is_null(0, row) && !rows.is_null(1, row))
                            keys.emplace(rows.varchar(0, row), rows.varchar(1, row));
                    });
}

/// The facts of a text whose checksum is right. That each was understood is for the caller to check, by writing them
/// anew.
Result<SnapshotFacts> parse_facts(duck::Connection& connection, const std::string& text, std::int64_t& version) {
    const std::string sql = fmt::format(
        "SELECT (j->>'version')::BIGINT, j->>'log_id', j->>'topic', j->>'declaration', (j->>'examined')::BIGINT, "
        "(j->>'dead_lettered')::BIGINT, array_to_string(j->>'$.ranges[*].partition', ' '), "
        "array_to_string(j->>'$.ranges[*].from', ' '), array_to_string(j->>'$.ranges[*].to', ' ') "
        "FROM (SELECT {}::JSON AS j)",
        duck::quote_literal(text));
    SnapshotFacts facts;
    const Status parsed = each_row(connection, sql, [&](const duck::Rows& rows, std::size_t row) {
        const auto text_at = [&](std::size_t i) {
            return rows.is_null(i, row) ? std::string_view() : rows.varchar(i, row);
        };
        const auto number_at = [&](std::size_t i) { return rows.is_null(i, row) ? 0 : rows.bigint(i, row); };
        version = number_at(0);
        facts.log_id = text_at(1);
        facts.topic = text_at(2);
        facts.declaration = text_at(3);
        facts.examined = number_at(4);
        facts.dead_lettered = number_at(5);
        const auto partitions = numbers(text_at(6));
        const auto from = numbers(text_at(7));
        const auto to = numbers(text_at(8));
        for (std::size_t i = 0; i < std::min({partitions.size(), from.size(), to.size()}); ++i)
            facts.ranges.push_back({static_cast<std::int32_t>(partitions[i]), Offset{from[i]}, Offset{to[i]}});
    });
    CHECK_OK(parsed);
    CHECK_OK(parse_names(connection, text, "keys", facts.keys));
    CHECK_OK(parse_names(connection, text, "replaced", facts.replaced));
    const Status nulls =
        each_row(connection, fmt::format("SELECT unnest(({}::JSON->'nulls')::VARCHAR[])", duck::quote_literal(text)),
                 [&](const duck::Rows& rows, std::size_t row) {
                     if (!rows.is_null(0, row)) facts.nulls.emplace_back(rows.varchar(0, row));
                 });
    CHECK_OK(nulls);
    return facts;
}

/// Whatever DuckDB says about a file that it cannot make sense of, the file is damaged.
Error damaged(const Error& error) {
    switch (error.kind) {
    case ErrorKind::retry_later: return error;
    case ErrorKind::reject:
    case ErrorKind::corrupt:
    case ErrorKind::internal: return Error{ErrorKind::corrupt, error.message, error.system_errno};
    }
    return error;
}

} // namespace

std::string facts_text(const SnapshotFacts& facts, const std::vector<duck::ResultColumn>& columns) {
    std::string text = fmt::format(R"({{"version": {}, "topic": {}, "log_id": {}, "declaration": {}, "ranges": [)",
                                   facts_version, event::json_string(facts.topic), event::json_string(facts.log_id),
                                   event::json_string(facts.declaration));
    for (const LandedRange& range : facts.ranges)
        text += fmt::format(R"({}{{"partition": {}, "from": {}, "to": {}}})", text.back() == '[' ? "" : ", ",
                            range.partition, range.from, range.to);
    text += fmt::format(R"(], "examined": {}, "dead_lettered": {}, "columns": [)", facts.examined, facts.dead_lettered);
    for (const duck::ResultColumn& column : columns)
        text += fmt::format(R"({}{{"name": {}, "type": {}}})", text.back() == '[' ? "" : ", ",
                            event::json_string(column.name), event::json_string(column.type_name));
    text += ']';
    append_names(text, "keys", facts.keys);
    append_names(text, "replaced", facts.replaced);
    if (!facts.nulls.empty()) text += R"(, "nulls": [)";
    for (const std::string& column : facts.nulls)
        text += fmt::format("{}{}", text.back() == '[' ? "" : ", ", event::json_string(column));
    return text + (facts.nulls.empty() ? "}" : "]}");
}

std::string footer_option(const std::string& text) {
    return fmt::format("KV_METADATA {{{}: {}, {}: {}}}", duck::quote_literal(facts_key), duck::quote_literal(text),
                       duck::quote_literal(checksum_key), duck::quote_literal(checksum(text)));
}

Result<std::optional<SnapshotFacts>> read_footer(duck::Connection& connection, const std::string& path) {
    auto raw = read_raw(connection, path);
    if (!raw.ok()) return damaged(raw.error());
    if (!raw->text && !raw->checksum) return std::optional<SnapshotFacts>{};
    if (!raw->text || !raw->checksum || checksum(*raw->text) != *raw->checksum)
        return corrupt("the facts in its footer do not match their checksum");
    if (raw->rows != raw->rows_of_groups)
        return corrupt("its footer counts {} rows and its row groups {}", raw->rows, raw->rows_of_groups);

    std::int64_t version = 0;
    auto facts = parse_facts(connection, *raw->text, version);
    if (!facts.ok()) return damaged(facts.error());
    if (version > facts_version)
        return reject("it is of snapshot format {}, and this questlog reads up to {}: read it with the newer one",
                      version, facts_version);
    // The facts are right by their checksum; the columns are the file's. A flipped bit in either shows here.
    if (facts_text(*facts, raw->columns) != *raw->text)
        return corrupt("its columns are not those that the facts in its footer name");
    for (const duck::ResultColumn& column : raw->columns)
        facts->schema.push_back({column.name, std::binary_search(facts->nulls.begin(), facts->nulls.end(), column.name)
                                                  ? event::ColumnType::null
                                                  : column_type(column.type_name)});
    std::sort(facts->schema.begin(), facts->schema.end());
    facts->rows = raw->rows;
    facts->filtered = facts->examined - facts->rows - facts->dead_lettered;
    if (facts->filtered < 0)
        return corrupt("it holds {} rows of {} events, {} of them dead letters", facts->rows, facts->examined,
                       facts->dead_lettered);
    return std::optional(std::move(*facts));
}

} // namespace questlog::lake
