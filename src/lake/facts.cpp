#include "lake/facts.h"

#include "base/crc32c.h"
#include "event/json_string.h"

#include <algorithm>
#include <charconv>
#include <span>

namespace questlog::lake {
namespace {

constexpr std::int64_t version_of_one_file = 1;
constexpr std::int64_t version_of_files = 2; ///< With `files`, which an earlier questlog would not know.

std::int64_t version_of(const SnapshotFacts& facts) {
    return facts.files.empty() ? version_of_one_file : version_of_files;
}

event::ColumnType column_type(std::string_view duckdb_type) {
    if (duckdb_type == "BOOLEAN") return event::ColumnType::boolean;
    if (duckdb_type == "BIGINT") return event::ColumnType::bigint;
    if (duckdb_type == "DOUBLE") return event::ColumnType::double_;
    return event::ColumnType::string;
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
Result<SnapshotFacts> understood(duck::Connection& connection, const std::string& text, std::int64_t& version) {
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
    TRY(files, files_of_facts(connection, text));
    facts.files = std::move(files);
    return facts;
}

} // namespace

/// Whatever DuckDB says about a file that it cannot make sense of, the file is damaged.
Error damaged_by(const Error& error) {
    switch (error.kind) {
    case ErrorKind::retry_later: return error;
    case ErrorKind::reject:
    case ErrorKind::corrupt:
    case ErrorKind::internal: return Error{ErrorKind::corrupt, error.message, error.system_errno};
    }
    return error;
}

std::string facts_text(const SnapshotFacts& facts, const std::vector<duck::ResultColumn>& columns) {
    std::string text = fmt::format(R"({{"version": {}, "topic": {}, "log_id": {}, "declaration": {}, "ranges": [)",
                                   version_of(facts), event::json_string(facts.topic), event::json_string(facts.log_id),
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
    if (!facts.nulls.empty()) text += ']';
    if (!facts.files.empty()) text += R"(, "files": [)";
    for (const DataFile& file : facts.files)
        text += fmt::format(R"({}{{"name": {}, "bytes": {}, "rows": {}}})", text.back() == '[' ? "" : ", ",
                            event::json_string(file.name), file.bytes, file.rows);
    return text + (facts.files.empty() ? "}" : "]}");
}

std::string facts_checksum(std::string_view text) {
    return fmt::format("{:08x}", crc32c(text));
}

Result<SnapshotFacts> parse_facts(duck::Connection& connection, FactsPlace place, const std::string& text,
                                  const std::vector<duck::ResultColumn>& columns, std::int64_t rows) {
    std::int64_t version = 0;
    auto facts = understood(connection, text, version);
    if (!facts.ok()) return damaged_by(facts.error());
    const std::int64_t known = place == FactsPlace::footer ? version_of_one_file : version_of_files;
    if (version > known)
        return reject("it is of snapshot format {}, and this questlog reads up to {}: read it with the newer one",
                      version, known);
    // The facts are right by their checksum; the columns are the files'. A flipped bit in either shows here.
    if (facts_text(*facts, columns) != text)
        return corrupt("its columns are not those that the facts in its footer name");
    for (const duck::ResultColumn& column : columns)
        facts->schema.push_back({column.name, std::binary_search(facts->nulls.begin(), facts->nulls.end(), column.name)
                                                  ? event::ColumnType::null
                                                  : column_type(column.type_name)});
    std::sort(facts->schema.begin(), facts->schema.end());
    facts->rows = rows;
    facts->filtered = facts->examined - facts->rows - facts->dead_lettered;
    if (facts->filtered < 0)
        return corrupt("it holds {} rows of {} events, {} of them dead letters", facts->rows, facts->examined,
                       facts->dead_lettered);
    return facts;
}

namespace {
constexpr std::string_view file_begin = R"({"questlog.snapshot": )";
constexpr std::string_view file_middle = R"(, "questlog.snapshot.crc32c": ")";
constexpr std::string_view file_end = "\"}\n";
constexpr std::size_t checksum_digits = 8;
} // namespace

std::string facts_file_text(const std::string& facts) {
    return fmt::format("{}{}{}{}{}", file_begin, facts, file_middle, facts_checksum(facts), file_end);
}

Result<std::string> facts_of_file(const std::string& contents) {
    const std::size_t around = file_begin.size() + file_middle.size() + checksum_digits + file_end.size();
    if (contents.size() < around) return corrupt("it is cut short");
    std::string facts = contents.substr(file_begin.size(), contents.size() - around);
    if (facts_file_text(facts) != contents) return corrupt("the facts in it do not match their checksum");
    return facts;
}

Result<std::vector<DataFile>> files_of_facts(duck::Connection& connection, const std::string& text) {
    std::vector<DataFile> files;
    const Status read =
        each_row(connection,
                 fmt::format("SELECT f->>'name', (f->>'bytes')::BIGINT, (f->>'rows')::BIGINT FROM (SELECT "
                             "unnest(({}::JSON->'files')::JSON[]) AS f)",
                             duck::quote_literal(text)),
                 [&](const duck::Rows& rows, std::size_t row) {
                     if (!rows.is_null(0, row) && !rows.is_null(1, row) && !rows.is_null(2, row))
                         files.push_back({std::string(rows.varchar(0, row)), rows.bigint(1, row), rows.bigint(2, row)});
                 });
    if (!read.ok()) return damaged_by(read.error());
    return files;
}

} // namespace questlog::lake
