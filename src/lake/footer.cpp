#include "lake/footer.h"

#include "lake/facts.h"

#include <utility>

namespace questlog::lake {
namespace {

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
                                     if (key == facts_checksum_key) raw.checksum = std::string(rows.varchar(1, row));
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
    TRY(none, connection.query(fmt::format("SELECT * FROM {} LIMIT 0", duck::read_parquet({path}))));
    raw.columns = none->columns();
    return raw;
}

} // namespace

std::string footer_option(const std::string& text) {
    return fmt::format("KV_METADATA {{{}: {}, {}: {}}}", duck::quote_literal(facts_key), duck::quote_literal(text),
                       duck::quote_literal(facts_checksum_key), duck::quote_literal(facts_checksum(text)));
}

Result<std::optional<SnapshotFacts>> read_footer(duck::Connection& connection, const std::string& path) {
    auto raw = read_raw(connection, path);
    if (!raw.ok()) return damaged_by(raw.error());
    if (!raw->text && !raw->checksum) return std::optional<SnapshotFacts>{};
    if (!raw->text || !raw->checksum || facts_checksum(*raw->text) != *raw->checksum)
        return corrupt("the facts in its footer do not match their checksum");
    if (raw->rows != raw->rows_of_groups)
        return corrupt("its footer counts {} rows and its row groups {}", raw->rows, raw->rows_of_groups);
    TRY(facts, parse_facts(connection, FactsPlace::footer, *raw->text, raw->columns, raw->rows));
    return std::optional(std::move(facts));
}

Result<PlainFooter> read_plain_footer(duck::Connection& connection, const std::string& path) {
    auto raw = read_raw(connection, path);
    if (!raw.ok()) return damaged_by(raw.error());
    if (raw->rows != raw->rows_of_groups)
        return corrupt("its footer counts {} rows and its row groups {}", raw->rows, raw->rows_of_groups);
    return PlainFooter{raw->rows, std::move(raw->columns)};
}

} // namespace questlog::lake
