#include "query/output.h"

#include "query/row_text.h"

#include <array>
#include <fmt/format.h>
#include <span>

namespace questlog::query {
namespace {

/// Gathers text and passes it on in chunks.
class Buffered {
public:
    explicit Buffered(const Sink& sink) : sink_(sink) {}
    std::string& text() { return text_; }
    Status pass_on_if_full() { return text_.size() < limits::output_chunk_bytes ? Status() : pass_on(); }
    Status pass_on() {
        const Status passed = text_.empty() ? Status() : sink_(text_);
        text_.clear();
        return passed;
    }

private:
    const Sink& sink_;
    std::string text_;
};

/// Calls `each_row` for every row, in order.
template <class EachRow> Status for_each_row(duck::Rows& rows, EachRow&& each_row) {
    for (;;) {
        TRY(count, rows.next());
        if (count == 0) return {};
        for (std::size_t row = 0; row < count; ++row) CHECK_OK(each_row(row));
    }
}

Status write_csv(duck::Rows& rows, const Sink& sink) {
    Buffered out(sink);
    const std::size_t width = rows.columns().size();
    for (std::size_t i = 0; i < width; ++i) {
        if (i != 0) out.text() += ',';
        append_csv(out.text(), rows.columns()[i].name);
    }
    out.text() += '\n';
    CHECK_OK(for_each_row(rows, [&](std::size_t row) {
        for (std::size_t i = 0; i < width; ++i) {
            if (i != 0) out.text() += ',';
            if (!rows.is_null(i, row)) append_csv(out.text(), rows.varchar(i, row));
        }
        out.text() += '\n';
        return out.pass_on_if_full();
    }));
    return out.pass_on();
}

Status write_json(duck::Rows& rows, const Sink& sink) {
    Buffered out(sink);
    const std::vector<duck::ResultColumn>& columns = rows.columns();
    std::vector<std::string> keys;
    std::vector<bool> bare;
    for (const duck::ResultColumn& column : columns) {
        std::string& key = keys.emplace_back();
        append_json(key, column.name);
        key += ": ";
        bare.push_back(is_number_type(column.type_name) || column.type == duck::ValueType::boolean);
    }
    bool first = true;
    CHECK_OK(for_each_row(rows, [&](std::size_t row) {
        out.text() += first ? "[\n{" : ",\n{";
        first = false;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (i != 0) out.text() += ", ";
            out.text() += keys[i];
            if (rows.is_null(i, row))
                out.text() += "null";
            else if (bare[i] && is_json_literal(rows.varchar(i, row)))
                out.text() += rows.varchar(i, row);
            else if (bare[i])
                out.text() += "null"; // NaN and infinity, for which JSON has no number.
            else
                append_json(out.text(), rows.varchar(i, row));
        }
        out.text() += '}';
        return out.pass_on_if_full();
    }));
    out.text() += first ? "[]\n" : "\n]\n";
    return out.pass_on();
}

Status write_table(duck::Rows& rows, const Sink& sink) {
    Box box;
    for (const duck::ResultColumn& column : rows.columns())
        box.add_column(column.name, is_number_type(column.type_name));
    std::size_t count = 0;
    CHECK_OK(for_each_row(rows, [&](std::size_t row) -> Status {
        if (++count > limits::table_rows_max) return {};
        std::vector<std::optional<std::string>> cells(rows.columns().size());
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (!rows.is_null(i, row)) cells[i] = std::string(rows.varchar(i, row));
        }
        box.add_row(std::move(cells));
        return {};
    }));
    std::string text = box.text();
    if (count > limits::table_rows_max)
        text += fmt::format("only showing {} of {} rows: --format csv writes all\n", limits::table_rows_max, count);
    else
        text += fmt::format("({} {})\n", count, count == 1 ? "row" : "rows");
    return sink(text);
}

Status pass_on_file(io::Files& files, const std::string& path, const Sink& sink) {
    TRY(file, files.open(path, io::Open::read));
    std::vector<std::byte> chunk(limits::output_chunk_bytes);
    for (std::int64_t position = 0;;) {
        TRY(count, file->read_at(position, chunk));
        if (count == 0) return {};
        CHECK_OK(sink(std::string_view(reinterpret_cast<const char*>(chunk.data()), count)));
        position += static_cast<std::int64_t>(count);
    }
}

/// DuckDB writes Parquet to real files only: into a scratch folder, then through Files like everything else.
Status write_parquet(const World& world, Session& session, const std::string& sql, const Sink& sink) {
    io::Files& files = world.env.files;
    TRY(scratch, files.scratch_directory(world.store.root()));
    const std::string written = scratch + "/query.parquet";
    const std::string adopted = scratch + "/answer.parquet";
    const auto write = [&]() -> Status {
        CHECK_OK(session.copy_to_parquet(sql, written));
        CHECK_OK(files.make_directories(scratch));
        CHECK_OK(files.adopt(written, adopted));
        return pass_on_file(files, adopted, sink);
    };
    const Status done = write();
    static_cast<void>(files.remove_tree(scratch)); // What is left of it is swept with the others of its kind.
    return done;
}

} // namespace

std::optional<Format> format_named(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, Format>, 4> formats{
        {{"table", Format::table}, {"csv", Format::csv}, {"json", Format::json}, {"parquet", Format::parquet}}};
    for (const auto& [known, format] : formats) {
        if (known == name) return format;
    }
    return std::nullopt;
}

Status run_sql(const World& world, Session& session, const std::string& sql, Format format, const Sink& sink) {
    if (format == Format::parquet) return write_parquet(world, session, sql, sink);
    TRY(rows, session.query_as_text(sql));
    switch (format) {
    case Format::table: return write_table(*rows, sink);
    case Format::csv: return write_csv(*rows, sink);
    case Format::json: return write_json(*rows, sink);
    case Format::parquet: break; // Above.
    }
    return {};
}

} // namespace questlog::query
