#include "app/commands.h"
#include "app/data_folder.h"
#include "query/output.h"
#include "query/session.h"
#include "query/show.h"
#include "scan/plan.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <iostream>
#include <iterator>
#include <unistd.h>

/// `questlog sql`, `show` and `schema`: landed tables and the log after them, as one.
namespace questlog::app {
namespace {

Result<std::string> sql_text(const SqlArguments& arguments) {
    const auto is_blank = [](const std::string& text) {
        return text.find_first_not_of(" \t\r\n;") == std::string::npos;
    };
    if (arguments.text && is_blank(*arguments.text))
        return reject("the SQL is empty; write a query, as questlog sql \"FROM events LIMIT 5\"");
    if (arguments.text) return *arguments.text;
    if (isatty(STDIN_FILENO) == 1)
        return reject("no SQL was given; write it as an argument, questlog sql \"FROM events LIMIT 5\", or pipe it in");
    std::string text{std::istreambuf_iterator<char>(std::cin), {}};
    if (is_blank(text)) return reject("stdin held no SQL; write a query, as echo 'FROM events LIMIT 5' | questlog sql");
    return text;
}

/// Where rows go: the file that -o names, made only when the first rows come so that a mistake empties nothing, or
/// `out`.
class RowSink {
public:
    RowSink(const Context& context, const std::optional<std::string>& path) : context_(context), path_(path) {}
    ~RowSink() {
        if (file_ != nullptr) std::fclose(file_);
    }
    RowSink(const RowSink&) = delete;
    RowSink& operator=(const RowSink&) = delete;

    Status write(std::string_view bytes) {
        if (!path_) return context_.print(bytes);
        if (file_ == nullptr) {
            file_ = std::fopen(path_->c_str(), "wb");
            if (file_ == nullptr) return failure(ErrorKind::reject);
        }
        if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) return failure(ErrorKind::retry_later);
        return {};
    }

    Status close() {
        if (file_ == nullptr) return context_.flush();
        std::FILE* file = std::exchange(file_, nullptr);
        if (std::fclose(file) != 0) return failure(ErrorKind::retry_later);
        return {};
    }

private:
    [[nodiscard]] Error failure(ErrorKind kind) const {
        return fail(kind, "cannot write {}: {}", *path_, std::strerror(errno));
    }

    const Context& context_;
    const std::optional<std::string>& path_;
    std::FILE* file_ = nullptr;
};

/// The columns that each version added; of a table that another program has changed, also those that went.
std::string history_text(const std::vector<lake::DeltaSchemaChange>& changes) {
    const auto types = [](duck::ValueType type) -> std::string_view {
        switch (type) {
        case duck::ValueType::boolean: return "boolean";
        case duck::ValueType::bigint: return "long";
        case duck::ValueType::double_: return "double";
        case duck::ValueType::blob: return "binary";
        case duck::ValueType::timestamp_tz: return "timestamp";
        case duck::ValueType::varchar: return "string";
        case duck::ValueType::other: return "another program's";
        }
        return "string";
    };
    std::string text;
    std::vector<lake::DeltaColumn> before;
    const auto tell = [&](std::string_view sign, const std::vector<lake::DeltaColumn>& columns,
                          const std::vector<lake::DeltaColumn>& others) {
        for (const lake::DeltaColumn& column : columns)
            if (std::find(others.begin(), others.end(), column) == others.end())
                text += fmt::format(" {} {}: {}\n", sign, column.name, types(column.type));
    };
    for (const lake::DeltaSchemaChange& change : changes) {
        text += fmt::format("version {}, {} UTC\n", change.version,
                            scan::spark_timestamp(TimestampMs{change.committed_ms}));
        tell("-", before, change.columns);
        tell("+", change.columns, before);
        before = change.columns;
    }
    return text;
}

} // namespace

Status run(const Context& context, const SqlArguments& arguments) {
    const auto format = query::format_named(arguments.format);
    if (!format) return reject("--format {} is not known; write table, csv, json or parquet", arguments.format);
    if (*format == query::Format::parquet && !arguments.output && isatty(fileno(context.out)) == 1)
        return reject("a Parquet file is not for a terminal; write -o FILE.parquet, or redirect stdout");
    TRY(text, sql_text(arguments));
    TRY(folder, DataFolder::open(context, {}, QueryMemory::the_machines));
    query::Session session(folder->world(), query::SessionOptions{arguments.landed});
    RowSink sink(context, arguments.output);
    CHECK_OK(query::run_sql(folder->world(), session, text, *format,
                            [&](std::string_view bytes) { return sink.write(bytes); }));
    return sink.close();
}

Status run(const Context& context, const ShowArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    query::Session session(folder->world(), query::SessionOptions{arguments.landed});
    query::ShowOptions options;
    options.rows = arguments.rows;
    if (!arguments.truncate) options.truncate = 0;
    TRY(text, query::show_table(session, arguments.table, options));
    return context.print(text);
}

Status run(const Context& context, const SchemaArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    if (arguments.history) {
        TRY(changes, folder->continuous().history(arguments.table));
        return context.print(history_text(changes));
    }
    query::Session session(folder->world(), query::SessionOptions{arguments.landed});
    TRY(text, query::schema_table(session, arguments.table));
    return context.print(text);
}

} // namespace questlog::app
