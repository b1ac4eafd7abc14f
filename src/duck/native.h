#pragma once

#include "base/guarded.h"
#include "base/result.h"
#include "duck/duck.h"

#include <cstdint>
#include <duckdb.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

/// What the .cpp files of duck/ share over DuckDB's handles. Not for other folders.
namespace questlog::duck::native {

/// Owns one of DuckDB's handles.
template <class T, void (*destroy)(T*)> class Handle {
public:
    Handle() = default;
    explicit Handle(T handle) : handle_(handle) {}
    ~Handle() { destroy(&handle_); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, T{})) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }

    [[nodiscard]] T& get() { return handle_; }
    [[nodiscard]] T* out() { return &handle_; }

private:
    T handle_{};
};

using Config = Handle<duckdb_config, duckdb_destroy_config>;
using Result = Handle<duckdb_result, duckdb_destroy_result>;
using Chunk = Handle<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using LogicalType = Handle<duckdb_logical_type, duckdb_destroy_logical_type>;
using TableFunction = Handle<duckdb_table_function, duckdb_destroy_table_function>;
using Statements = Handle<duckdb_extracted_statements, duckdb_destroy_extracted>;
using Prepared = Handle<duckdb_prepared_statement, duckdb_destroy_prepare>;
using Value = Handle<duckdb_value, duckdb_destroy_value>;

/// A source offered to SQL, and the error that ended its last scan.
struct Offered {
    std::shared_ptr<const RowSource> source;
    Guarded<std::optional<Error>> failure;
};

/// The sources that a database's connections offer, by the number that stands in `FROM questlog_rows(number)`.
class SourceRegistry {
public:
    std::int64_t add(std::shared_ptr<const RowSource> source);
    void remove(std::int64_t number);
    std::shared_ptr<Offered> find(std::int64_t number);

private:
    struct Sources {
        std::int64_t next = 1;
        std::map<std::int64_t, std::shared_ptr<Offered>> by_number;
    };
    Guarded<Sources> sources_;
};

inline constexpr const char* rows_function = "questlog_rows";
/// Makes the sources of `registry` readable as questlog_rows(number). Once a database; the registry outlives it.
Status register_rows_function(duckdb_connection connection, SourceRegistry& registry);

/// An open in-memory database with its sources.
struct Instance {
    SourceRegistry registry;
    duckdb_database database = nullptr;

    Instance() = default;
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    ~Instance() { duckdb_close(&database); }
};

/// A connection with the instance it belongs to, so that neither is closed while a result is read.
struct Link {
    std::shared_ptr<Instance> instance;
    duckdb_connection connection = nullptr;

    explicit Link(std::shared_ptr<Instance> of) : instance(std::move(of)) {}
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() { duckdb_disconnect(&connection); }
};

std::unique_ptr<Connection> make_connection(std::shared_ptr<Link> link);

/// Words of the statement that is_own_view(), as written: names of tables, columns or strings.
std::vector<std::string> own_views_in(std::string_view sql);

/// `declared`: the columns to show in place of the result's own, where each cell was cast to VARCHAR.
std::unique_ptr<Rows> make_rows(std::shared_ptr<Link> link, Result result,
                                std::optional<std::vector<ResultColumn>> declared);
/// `rows` with every cell readable through varchar(); `reject` where a column's type has no plain text form here.
questlog::Result<std::unique_ptr<Rows>> make_plain_text(std::unique_ptr<Rows> rows);

[[nodiscard]] ValueType value_type(duckdb_type type);
[[nodiscard]] duckdb_type native_type(ValueType type);
/// DuckDB's own spelling: "DECIMAL(18,3)", "INTEGER[]", "STRUCT(a BIGINT)".
[[nodiscard]] std::string type_name(duckdb_logical_type type);

[[nodiscard]] ErrorKind error_kind(duckdb_error_type type, std::string_view message);
[[nodiscard]] Error error_of(duckdb_error_type type, const char* message);
/// For calls that tell a message alone: the kind is read from its beginning ("Parser Error: ...").
[[nodiscard]] Error error_of(const char* message);

} // namespace questlog::duck::native
