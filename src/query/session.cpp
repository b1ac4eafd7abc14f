#include "query/session.h"

#include "base/letter_case.h"
#include "query/views.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>

namespace questlog::query {
namespace {

Status check_statements(const duck::Connection::Statements& statements) {
    if (statements.count != 1) return reject("expected one SQL statement, found {}", statements.count);
    if (!statements.all_read)
        return reject("this statement does more than read: write a SELECT (for a file, use --format csv or parquet)");
    return {};
}

/// Why the tables of `sql` cannot be named, `unnamed` being what was said of that: it is no single statement, or none
/// that reads. `connection` has no views yet, so that what names a table does not bind.
Error refusal_of(duck::Connection& connection, const std::string& sql, const Error& unnamed) {
    const auto statements = connection.inspect(sql);
    const bool does_not_parse = !statements.ok() && statements.error().message == unnamed.message;
    if (does_not_parse) return unnamed; // Naming and inspecting both begin by parsing.
    const Status checked = check_statements(statements.ok() ? *statements : duck::Connection::Statements{1, false});
    return checked.ok() ? unnamed : checked.error();
}

/// Takes blanks and comments from the beginning; those between /* and */ may lie in each other.
void skip_blanks(std::string_view& sql) {
    while (true) {
        sql.remove_prefix(std::min(sql.find_first_not_of(" \t\r\n\f\v"), sql.size()));
        if (sql.starts_with("--")) {
            sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
        } else if (sql.starts_with("/*")) {
            int depth = 0;
            do {
                depth += sql.starts_with("/*") ? 1 : sql.starts_with("*/") ? -1 : 0;
                sql.remove_prefix(sql.starts_with("/*") || sql.starts_with("*/") ? 2 : 1);
            } while (depth > 0 && !sql.empty());
        } else {
            return;
        }
    }
}

/// Takes the word from the beginning, in any case, if it is the next.
bool take_word(std::string_view& sql, std::string_view word) {
    std::string_view rest = sql;
    skip_blanks(rest);
    const auto end = std::find_if_not(rest.begin(), rest.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
    });
    const auto length = static_cast<std::size_t>(end - rest.begin());
    if (!equal_but_for_case(rest.substr(0, length), word)) return false;
    sql = rest.substr(length);
    return true;
}

/// `SHOW TABLES`, and no statement after it.
bool shows_tables(std::string_view sql) {
    if (!take_word(sql, "SHOW") || !take_word(sql, "TABLES")) return false;
    skip_blanks(sql);
    sql.remove_prefix(std::min(sql.find(';'), sql.size()));
    while (sql.starts_with(';')) {
        sql.remove_prefix(1);
        skip_blanks(sql);
    }
    return sql.empty();
}

bool is_missing_file(const Error& error) {
    return error.system_errno == ENOENT || error.message.find("No such file or directory") != std::string::npos ||
           error.message.find("No files found that match") != std::string::npos;
}

/// The statement that an EXPLAIN explains; else `sql` itself.
std::string explained(const std::string& sql) {
    std::string_view rest = sql;
    if (!take_word(rest, "EXPLAIN")) return sql;
    skip_blanks(rest);
    if (rest.starts_with('(')) rest.remove_prefix(std::min(rest.find(')'), rest.size() - 1) + 1); // (FORMAT json)
    return std::string(rest);
}

} // namespace

Session::Session(const World& world, SessionOptions options) : world_(world), options_(options) {}
Session::~Session() = default;

Result<duck::Connection*> Session::prepare(const std::string& sql) {
    TRY(connection, world_.database->connect());
    auto names = connection->table_names(sql);
    if (!names.ok()) {
        const Error unnamed = names.error();
        names = connection->table_names(explained(sql));
        if (!names.ok()) return refusal_of(*connection, sql, unnamed);
    }
    views_ = std::make_unique<Views>(world_, options_.landed_only, std::move(connection));
    CHECK_OK(views_->create(*names));
    auto statements = views_->connection().inspect(sql);
    if (!statements.ok()) {
        CHECK_OK(views_->create_unlanded());
        statements = views_->connection().inspect(sql);
    }
    if (!statements.ok()) return statements.error();
    CHECK_OK(check_statements(*statements));
    CHECK_OK(views_->narrow(explained(sql)));
    return &views_->connection();
}

/// DuckDB would list the views that a statement has named, and its own sources.
Result<std::string> Session::meaning_of(const std::string& sql) const {
    if (!shows_tables(sql)) return sql;
    TRY(connection, world_.database->connect());
    TRY(all, Views(world_, options_.landed_only, std::move(connection)).all_names());
    std::string names;
    for (const std::string& name : all)
        names += fmt::format("{}({})", names.empty() ? "" : ", ", duck::quote_literal(name));
    return fmt::format("SELECT name FROM (VALUES {}) AS tables(name) ORDER BY name", names);
}

Error Session::with_advice(Error error) const {
    if (error.message.find("Table with name") == std::string::npos) return error;
    constexpr std::size_t shown_max = 20;
    auto connection = world_.database->connect();
    if (!connection.ok()) return error;
    const auto all = Views(world_, options_.landed_only, std::move(connection).value()).all_names();
    if (!all.ok()) return error;
    std::string names;
    for (std::size_t i = 0; i < std::min(all->size(), shown_max); ++i)
        names += fmt::format("{}{}", i == 0 ? "" : ", ", (*all)[i]);
    error.message += fmt::format(" (tables: {}{})", names,
                                 all->size() > shown_max ? ", and more: `questlog sql \"SHOW TABLES\"`" : "");
    return error;
}

Error Session::as_damage(const Error& error) const {
    const auto says = [&](std::string_view words) { return error.message.find(words) != std::string::npos; };
    // Of bytes that are no Parquet DuckDB says many things ("Out of buffer", "Invalid data"), none of them the author's
    // fault.
    const bool is_of_a_file = (error.kind == ErrorKind::internal && !says("Out of Memory")) ||
                              says("Failed to read file \"/proc/self/fd/"); // a name that only landed files have
    const std::vector<std::string> tables = views_->landed_tables();
    if (!is_of_a_file || tables.empty()) return error;
    std::string names;
    for (const std::string& table : tables) names += (names.empty() ? "" : ", ") + table;
    return corrupt("a landed file of {} is damaged; {} writes it anew from the log ({})", names,
                   world_.batch_command(tables.front()), error.message);
}

/// Runs the statement; once more from its beginning where a continuous table was made anew after its files were listed.
template <class Answer, class Run> Result<Answer> Session::again_where_replaced(const std::string& asked, Run&& run) {
    constexpr int attempts_max = 5; // each one is lost only to a rebuild
    TRY(sql, meaning_of(asked));
    for (int attempt = 1;; ++attempt) {
        const auto connection = prepare(sql);
        const bool is_last = attempt == attempts_max;
        if (!connection.ok() && !is_last && is_missing_file(connection.error())) continue;
        if (!connection.ok()) return with_advice(connection.error());
        auto answer = run(**connection, sql);
        if (answer.ok()) return answer;
        if (is_last || !is_missing_file(answer.error())) return as_damage(answer.error());
    }
}

Result<std::unique_ptr<duck::Rows>> Session::query(const std::string& asked) {
    return again_where_replaced<std::unique_ptr<duck::Rows>>(
        asked, [](duck::Connection& connection, const std::string& sql) { return connection.query(sql); });
}

Result<std::unique_ptr<duck::Rows>> Session::query_as_text(const std::string& asked) {
    return again_where_replaced<std::unique_ptr<duck::Rows>>(
        asked, [](duck::Connection& connection, const std::string& sql) { return connection.query_as_text(sql); });
}

Status Session::copy_to_parquet(const std::string& asked, const std::string& path) {
    const auto copied =
        again_where_replaced<bool>(asked, [&](duck::Connection& connection, const std::string& sql) -> Result<bool> {
            const std::string view =
                duck::quote_identifier(connection.fresh_name("questlog_answer")); // `sql` may end in a comment.
            CHECK_OK(connection.execute(fmt::format("CREATE TEMP VIEW {} AS {}", view, sql)));
            CHECK_OK(connection.execute(
                fmt::format("COPY {} TO {} (FORMAT parquet, COMPRESSION snappy)", view, duck::quote_literal(path))));
            return true;
        });
    return copied.ok() ? Status() : Status(copied.error());
}

} // namespace questlog::query
