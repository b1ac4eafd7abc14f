#include "duck/native.h"

#include <algorithm>
#include <map>

namespace questlog::duck::native {

namespace {

/// Whether a statement of this type, as DuckDB names it, leaves everything as it was.
[[nodiscard]] bool only_reads(duckdb_statement_type type, std::string_view sql) {
    if (type == DUCKDB_STATEMENT_TYPE_SELECT) return true;
    if (type != DUCKDB_STATEMENT_TYPE_EXPLAIN) return false;
    // EXPLAIN ANALYZE runs what it explains, and the API does not say which it is: the mere word is refused.
    constexpr std::string_view word = "analyze";
    const auto same = [](char one, char other) { return (one | 0x20) == other; };
    return std::search(sql.begin(), sql.end(), word.begin(), word.end(), same) == sql.end();
}

/// `sql` without the semicolons and blanks at its end.
[[nodiscard]] std::string_view without_end(std::string_view sql) {
    const std::size_t last = sql.find_last_not_of("; \t\r\n");
    return sql.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

class NativeConnection final : public Connection {
public:
    explicit NativeConnection(std::shared_ptr<Link> link) : link_(std::move(link)) {}

    ~NativeConnection() override {
        for (const auto& [name, numbers] : offered_) withdraw(numbers);
    }

    Status execute(const std::string& sql) override {
        TRY(result, run(sql));
        return {};
    }

    questlog::Result<std::unique_ptr<Rows>> query(const std::string& sql) override {
        TRY(result, run(sql));
        return make_rows(link_, std::move(result), std::nullopt);
    }

    questlog::Result<std::unique_ptr<Rows>> query_as_text(const std::string& sql) override {
        TRY(statements, parse(sql));
        if (statements.count != 1) return reject("expected one SQL statement, found {}", statements.count);
        TRY(prepared, prepare(statements, 0));
        if (duckdb_prepared_statement_type(prepared.get()) != DUCKDB_STATEMENT_TYPE_SELECT) {
            TRY(rows, query(sql));
            return make_plain_text(std::move(rows));
        }
        TRY(result, run_with_casts(sql));
        return make_rows(link_, std::move(result), columns_of(prepared));
    }

    Status offer(const std::string& name, std::shared_ptr<const RowSource> source) override {
        return offer(name, std::vector<SourcePart>{{std::move(source), ""}});
    }

    Status offer(const std::string& name, const std::vector<SourcePart>& parts) override {
        std::vector<std::int64_t> numbers;
        std::string select;
        for (const SourcePart& part : parts) {
            numbers.push_back(link_->instance->registry.add(part.source));
            select += fmt::format("{}SELECT * FROM {}({})", select.empty() ? "" : " UNION ALL ", rows_function,
                                  numbers.back());
            if (!part.condition.empty()) select += " WHERE " + part.condition;
        }
        if (Status made = execute(fmt::format("CREATE OR REPLACE TEMP VIEW {} AS {}", quote_identifier(name), select));
            !made) {
            withdraw(numbers);
            return made;
        }
        withdraw(std::exchange(offered_[name], std::move(numbers)));
        return {};
    }

    std::string fresh_name(std::string_view prefix) override { return fmt::format("{}_{}", prefix, ++names_given_); }

    questlog::Result<std::vector<std::string>> table_names(const std::string& sql) override {
        CHECK_OK(parse(sql)); // get_table_names tells no reason
        TRY(names, names_that_do_not_bind(sql));
        for (std::string& own : own_views_in(sql)) names.push_back(std::move(own)); // these bind
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        return names;
    }

    questlog::Result<Statements> inspect(const std::string& sql) override {
        TRY(statements, parse(sql));
        Statements found{statements.count, true};
        for (std::size_t i = 0; i < statements.count; ++i) {
            auto prepared = prepare(statements, i);
            if (!prepared && statements.count == 1) return prepared.error();
            // One of several may not bind before the others have run (CREATE, then SELECT): then not all only read.
            if (!prepared || !only_reads(duckdb_prepared_statement_type(prepared->get()), sql)) found.all_read = false;
        }
        return found;
    }

    void interrupt() override { duckdb_interrupt(link_->connection); }

private:
    void withdraw(const std::vector<std::int64_t>& numbers) {
        for (const std::int64_t number : numbers) link_->instance->registry.remove(number);
    }

    struct Parsed {
        native::Statements handle;
        std::size_t count = 0;
    };

    [[nodiscard]] questlog::Result<Parsed> parse(const std::string& sql) {
        Parsed parsed;
        parsed.count = duckdb_extract_statements(link_->connection, sql.c_str(), parsed.handle.out());
        if (const char* message = duckdb_extract_statements_error(parsed.handle.get());
            parsed.count == 0 && message != nullptr && *message != '\0')
            return error_of(message);
        return parsed;
    }

    [[nodiscard]] questlog::Result<Prepared> prepare(Parsed& parsed, std::size_t index) {
        Prepared prepared;
        if (duckdb_prepare_extracted_statement(link_->connection, parsed.handle.get(), index, prepared.out()) !=
            DuckDBSuccess)
            return error_of(duckdb_prepare_error(prepared.get()));
        return prepared;
    }

    [[nodiscard]] questlog::Result<std::vector<std::string>> names_that_do_not_bind(const std::string& sql) {
        Value list(duckdb_get_table_names(link_->connection, sql.c_str(), false));
        if (list.get() == nullptr) return table_names_of_tree(sql);
        std::vector<std::string> names;
        for (idx_t i = 0; i < duckdb_get_list_size(list.get()); ++i) {
            Value child(duckdb_get_list_child(list.get(), i));
            char* text = duckdb_get_varchar(child.get());
            names.emplace_back(text);
            duckdb_free(text);
        }
        return names;
    }

    /// duckdb_get_table_names binds, and fails for JOIN ... USING over tables that are not there yet; the syntax tree
    /// does not. It names CTEs as well.
    [[nodiscard]] questlog::Result<std::vector<std::string>> table_names_of_tree(const std::string& sql) {
        TRY(rows, query(fmt::format("WITH tree AS (SELECT json_serialize_sql({}) AS t) SELECT DISTINCT unnest(t ->> "
                                    "'$..table_name') AS name FROM tree WHERE t ->> '$.error' = 'false' ORDER BY name",
                                    quote_literal(sql))));
        std::vector<std::string> names;
        for (;;) {
            TRY(count, rows->next());
            for (std::size_t row = 0; row < count; ++row) names.emplace_back(rows->varchar(0, row));
            if (count == 0) break;
        }
        if (names.empty()) return reject("the names of the tables in this statement cannot be read: {}", sql);
        std::erase(names, std::string()); // DESCRIBE's own node
        return names;
    }

    [[nodiscard]] static std::vector<ResultColumn> columns_of(Prepared& prepared) {
        std::vector<ResultColumn> columns;
        const idx_t count = duckdb_prepared_statement_column_count(prepared.get());
        for (idx_t i = 0; i < count; ++i) {
            LogicalType type(duckdb_prepared_statement_column_logical_type(prepared.get(), i));
            const char* name = duckdb_prepared_statement_column_name(prepared.get(), i);
            columns.push_back({name, value_type(duckdb_get_type_id(type.get())), type_name(type.get())});
            duckdb_free(const_cast<char*>(name));
        }
        return columns;
    }

    /// A statement that ends in a comment after its semicolon cannot stand in parentheses, but at the end of a view.
    [[nodiscard]] questlog::Result<Result> run_with_casts(const std::string& sql) {
        const std::string nested = fmt::format("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (\n{}\n)", without_end(sql));
        if (auto parsed = parse(nested); parsed.ok() && parsed->count == 1) return run(nested);
        const std::string view = quote_identifier(fresh_name("questlog_text"));
        CHECK_OK(execute(fmt::format("CREATE TEMP VIEW {} AS {}", view, sql)));
        auto result = run(fmt::format("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {}", view));
        CHECK_OK(execute(fmt::format("DROP VIEW {}", view)));
        return result;
    }

    [[nodiscard]] questlog::Result<Result> run(const std::string& sql) {
        Result result;
        if (duckdb_query(link_->connection, sql.c_str(), result.out()) == DuckDBSuccess) return result;
        // What a source said is kinder and truer than DuckDB's wrapping of it.
        for (const auto& [name, numbers] : offered_)
            for (const std::int64_t number : numbers) {
                const auto offered = link_->instance->registry.find(number);
                if (offered == nullptr) continue;
                if (auto failure = offered->failure.with([](auto& last) { return std::exchange(last, std::nullopt); }))
                    return *failure;
            }
        return error_of(duckdb_result_error_type(result.out()), duckdb_result_error(result.out()));
    }

    std::shared_ptr<Link> link_;
    std::map<std::string, std::vector<std::int64_t>> offered_;
    std::int64_t names_given_ = 0;
};

} // namespace

std::unique_ptr<Connection> make_connection(std::shared_ptr<Link> link) {
    return std::make_unique<NativeConnection>(std::move(link));
}

} // namespace questlog::duck::native
