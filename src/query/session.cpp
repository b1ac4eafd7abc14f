#include "query/session.h"

#include "query/views.h"

#include <fmt/format.h>

namespace questlog::query {

Session::Session(const World& world, SessionOptions options) : world_(world), options_(options) {}
Session::~Session() = default;

Result<duck::Connection*> Session::prepare(const std::string& sql) {
    TRY(connection, world_.database->connect());
    TRY(names, connection->table_names(sql));
    views_ = std::make_unique<Views>(world_, options_.landed_only, std::move(connection));
    CHECK_OK(views_->create(names));
    TRY(statements, views_->connection().inspect(sql));
    if (statements.count != 1) return reject("expected one SQL statement, found {}", statements.count);
    if (!statements.all_read)
        return reject("this statement does more than read: write a SELECT (for a file, use --format csv or parquet)");
    return &views_->connection();
}

Error Session::with_advice(Error error) const {
    if (error.message.find("Table with name") == std::string::npos) return error;
    std::string names = "events";
    for (const scan::TableDeclaration& table : world_.tables) {
        if (!table.path.empty()) names += ", " + table.name;
    }
    error.message += fmt::format(" (tables: {})", names);
    return error;
}

Error Session::as_damage(const Error& error) const {
    const auto says = [&](std::string_view words) { return error.message.find(words) != std::string::npos; };
    // Of bytes that are no Parquet DuckDB says many things ("Out of buffer", "Invalid data"), none of them the author's
    // fault.
    const bool is_of_a_file = error.kind == ErrorKind::internal && !says("Out of Memory");
    const std::vector<std::string> tables = views_->landed_tables();
    if (!is_of_a_file || tables.empty()) return error;
    std::string names;
    for (const std::string& table : tables) names += (names.empty() ? "" : ", ") + table;
    return corrupt("a landed file of {} is damaged; {} writes it anew from the log ({})", names,
                   world_.batch_command(tables.front()), error.message);
}

Result<std::unique_ptr<duck::Rows>> Session::query(const std::string& sql) {
    const auto connection = prepare(sql);
    if (!connection.ok()) return with_advice(connection.error());
    auto rows = (*connection)->query(sql);
    if (!rows.ok()) return as_damage(rows.error());
    return rows;
}

Result<std::unique_ptr<duck::Rows>> Session::query_as_text(const std::string& sql) {
    const auto connection = prepare(sql);
    if (!connection.ok()) return with_advice(connection.error());
    auto rows = (*connection)->query_as_text(sql);
    if (!rows.ok()) return as_damage(rows.error());
    return rows;
}

Status Session::copy_to_parquet(const std::string& sql, const std::string& path) {
    const auto connection = prepare(sql);
    if (!connection.ok()) return with_advice(connection.error());
    const std::string view =
        duck::quote_identifier((*connection)->fresh_name("questlog_answer")); // `sql` may end in a comment.
    CHECK_OK((*connection)->execute(fmt::format("CREATE TEMP VIEW {} AS {}", view, sql)));
    const auto copied = (*connection)
                            ->execute(fmt::format("COPY {} TO {} (FORMAT parquet, COMPRESSION snappy)", view,
                                                  duck::quote_literal(path)));
    if (!copied.ok()) return as_damage(copied.error());
    return {};
}

} // namespace questlog::query
