#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Thin RAII over DuckDB's C API, the only folder that includes its header. An object is one thread's at a time;
/// connections of one database may run on several threads.
///
/// Errors: what the SQL's author can mend (syntax, names, types, values) is `reject`; a full disk and an interrupted
/// query are `retry_later`; files, memory and everything else are `internal`; an error of a RowStream comes out as it
/// went in.
namespace questlog::duck {

/// Narrower integers are read as bigint and FLOAT as double_; `other` is what only query_as_text() reads.
enum class ValueType : std::uint8_t { boolean, bigint, double_, varchar, blob, timestamp_tz, other };

struct DatabaseOptions {
    int threads = 1; ///< Bytes of a COPY are the same every run only with 1.
    std::string memory_limit =
        "1GB";                  ///< What is held before it spills. Empty: 80 % of the machine's, or its container's.
    std::string temp_directory; ///< Where large sorts spill; empty: nowhere.
};

class Connection;

/// An in-memory database that never touches a network: extensions are neither installed nor loaded by themselves, the
/// time zone is UTC, and no file is cached by path.
class Database {
public:
    static Result<std::shared_ptr<Database>> open(const DatabaseOptions& options);
    virtual ~Database() = default;
    virtual Result<std::unique_ptr<Connection>> connect() = 0;
};

struct ResultColumn {
    std::string name;
    ValueType type = ValueType::other;
    std::string type_name; ///< DuckDB's: "BIGINT", "VARCHAR", "TIMESTAMP WITH TIME ZONE", "DECIMAL(18,3)" ...
};

/// A finished query's rows, chunk by chunk. They are all held (in memory, or in temp_directory beyond the memory limit)
/// until this is destroyed; it may outlive its connection.
class Rows {
public:
    virtual ~Rows() = default;
    [[nodiscard]] virtual const std::vector<ResultColumn>& columns() const = 0;
    /// Moves to the next chunk; 0 rows at the end.
    virtual Result<std::size_t> next() = 0;
    /// Cells of the present chunk: null, then the value by its type. For any type as text: Connection::query_as_text.
    [[nodiscard]] virtual bool is_null(std::size_t column, std::size_t row) const = 0;
    [[nodiscard]] virtual bool boolean(std::size_t column, std::size_t row) const = 0;
    /// Also timestamps, in µs.
    [[nodiscard]] virtual std::int64_t bigint(std::size_t column, std::size_t row) const = 0;
    /// Also integers.
    [[nodiscard]] virtual double number(std::size_t column, std::size_t row) const = 0;
    /// Also blobs. Valid until next().
    [[nodiscard]] virtual std::string_view varchar(std::size_t column, std::size_t row) const = 0;
};

/// Where a table function writes one chunk's column. Row indexes are within the chunk.
class ColumnWriter {
public:
    /// `validity` points to the vector's bit mask, null as long as every row has a value.
    ColumnWriter(void* vector, void* data, std::uint64_t** validity)
        : vector_(vector), data_(data), validity_(validity) {}
    void set_null(std::size_t row);
    void set_boolean(std::size_t row, bool value) { static_cast<bool*>(data_)[row] = value; }
    /// Also timestamps, in µs.
    void set_bigint(std::size_t row, std::int64_t value) { static_cast<std::int64_t*>(data_)[row] = value; }
    void set_double(std::size_t row, double value) { static_cast<double*>(data_)[row] = value; }
    /// Copied. Valid UTF-8 where the column is a varchar; nothing checks it.
    void set_string(std::size_t row, std::string_view value);

private:
    void* vector_;
    void* data_;
    std::uint64_t** validity_;
};

struct SourceColumn {
    std::string name;
    ValueType type = ValueType::varchar;
};

/// One scan of a RowSource.
class RowStream {
public:
    virtual ~RowStream() = default;
    /// Fills up to `capacity` (2,048) rows; writers[i] is the i-th projected column. Fewer only at the end; 0: done.
    /// An error ends the query with its message.
    virtual Result<std::size_t> fill(std::span<ColumnWriter> writers, std::size_t capacity) = 0;
};

/// Rows made by this program, offered to SQL as a table. Read-only; any thread.
class RowSource {
public:
    virtual ~RowSource() = default;
    [[nodiscard]] virtual const std::vector<SourceColumn>& columns() const = 0;
    [[nodiscard]] virtual std::int64_t cardinality() const = 0;
    /// `projected` are indexes into columns(). count(*) asks for column 0 alone.
    virtual Result<std::unique_ptr<RowStream>> open(std::span<const std::size_t> projected) const = 0;
};

/// Some of the rows of what is offered.
struct SourcePart {
    std::shared_ptr<const RowSource> source;
    std::string
        condition; ///< SQL over its columns, true of each of its rows: by it the optimizer may leave the part out.
};

class Connection {
public:
    virtual ~Connection() = default;
    virtual Status execute(const std::string& sql) = 0;
    virtual Result<std::unique_ptr<Rows>> query(const std::string& sql) = 0;
    /// Runs the one statement `sql` with every cell as DuckDB casts it to VARCHAR: columns() tells the statement's own
    /// names and types, varchar() reads each cell. `reject` for several statements, and for a result that only a SELECT
    /// could show as text (a CALL with a column that is no number, boolean or string).
    virtual Result<std::unique_ptr<Rows>> query_as_text(const std::string& sql) = 0;
    /// Makes `source` readable as `name` in FROM (a view over a table function), until the connection is closed.
    /// A source offered before under the same name is replaced. Other connections do not see it.
    virtual Status offer(const std::string& name, std::shared_ptr<const RowSource> source) = 0;
    /// The same of parts that have the same columns: their rows one part after the other. At least one.
    virtual Status offer(const std::string& name, const std::vector<SourcePart>& parts) = 0;
    /// A name that this connection has not given before: `prefix` and a number.
    virtual std::string fresh_name(std::string_view prefix) = 0;
    /// The names of the tables that `sql` reads, unquoted, as written, sorted; names of its CTEs may be among them, and
    /// is_own_view()s that it mentions otherwise.
    /// `reject` if it does not parse.
    virtual Result<std::vector<std::string>> table_names(const std::string& sql) = 0;
    struct Statements {
        std::size_t count = 0;
        /// Each only reads: SELECT, VALUES, DESCRIBE, SHOW, EXPLAIN (without ANALYZE, which runs it).
        bool all_read = true;
    };
    /// What `sql` holds, without running it. `reject` if it does not parse, or is one statement that does not bind.
    virtual Result<Statements> inspect(const std::string& sql) = 0;
    /// Stops the running query of this connection, from any thread.
    virtual void interrupt() = 0;
};

/// Whether DuckDB has a view of that name, in any case, in every database: `sqlite_master`. One of a connection's own
/// hides it; `system.main.sqlite_master` is still DuckDB's.
[[nodiscard]] bool is_own_view(std::string_view name);
[[nodiscard]] std::string quote_identifier(std::string_view name); ///< "a""b"
[[nodiscard]] std::string quote_literal(std::string_view text);    ///< 'a''b'
/// The rows of these files, in their order, as a table of SQL. It has the columns of the first file, or those of all by
/// their names, and none that the name of a folder above them would add.
enum class ParquetColumns : std::uint8_t { of_the_first, of_all };
[[nodiscard]] std::string read_parquet(const std::vector<std::string>& files,
                                       ParquetColumns columns = ParquetColumns::of_the_first);
[[nodiscard]] std::string_view library_version(); ///< "v1.5.6"

} // namespace questlog::duck
