#include "duck/native.h"

#include <cstring>
#include <exception>

namespace questlog::duck {

void ColumnWriter::set_null(std::size_t row) {
    if (*validity_ == nullptr) {
        const auto vector = static_cast<duckdb_vector>(vector_);
        duckdb_vector_ensure_validity_writable(vector);
        *validity_ = duckdb_vector_get_validity(vector);
    }
    (*validity_)[row / 64] &= ~(std::uint64_t{1} << (row % 64));
}

void ColumnWriter::set_string(std::size_t row, std::string_view value) {
    auto& cell = static_cast<duckdb_string_t*>(data_)[row];
    if (value.size() <= sizeof cell.value.inlined.inlined) { // DuckDB compares all 16 bytes: the rest must be zero
        std::memset(&cell, 0, sizeof cell);
        cell.value.inlined.length = static_cast<std::uint32_t>(value.size());
        if (!value.empty()) std::memcpy(cell.value.inlined.inlined, value.data(), value.size());
        return;
    }
    duckdb_unsafe_vector_assign_string_element_len(static_cast<duckdb_vector>(vector_), row, value.data(),
                                                   value.size());
}

namespace native {

std::int64_t SourceRegistry::add(std::shared_ptr<const RowSource> source) {
    auto offered = std::make_shared<Offered>();
    offered->source = std::move(source);
    return sources_.with([&](Sources& sources) {
        sources.by_number.emplace(sources.next, std::move(offered));
        return sources.next++;
    });
}

void SourceRegistry::remove(std::int64_t number) {
    // What is removed is destroyed after the lock is given back: a source may hold much.
    const auto removed = sources_.with([&](Sources& sources) { return sources.by_number.extract(number); });
}

std::shared_ptr<Offered> SourceRegistry::find(std::int64_t number) {
    return sources_.with([&](Sources& sources) -> std::shared_ptr<Offered> {
        const auto found = sources.by_number.find(number);
        return found == sources.by_number.end() ? nullptr : found->second;
    });
}

namespace {

/// One scan's state between DuckDB's calls.
struct Scan {
    std::shared_ptr<Offered> offered;
    std::unique_ptr<RowStream> stream;
    std::vector<std::size_t> position; ///< Of the i-th projected column in the output chunk.
    std::vector<std::uint64_t*> validity;
    std::vector<ColumnWriter> writers;
};

template <class T> void destroy(void* object) {
    delete static_cast<T*>(object);
}

/// Runs `action`; no exception may pass through DuckDB's C functions.
template <class Action> [[nodiscard]] Status guarded(Action&& action) {
    try {
        return action();
    } catch (const std::exception& failure) {
        return internal("reading rows failed: {}", failure.what());
    }
}

void bind(duckdb_bind_info info) {
    auto* registry = static_cast<SourceRegistry*>(duckdb_bind_get_extra_info(info));
    Value number(duckdb_bind_get_parameter(info, 0));
    auto offered = registry->find(duckdb_get_int64(number.get()));
    if (offered == nullptr) {
        duckdb_bind_set_error(info, "these rows are no longer offered");
        return;
    }
    for (const SourceColumn& column : offered->source->columns()) {
        LogicalType type(duckdb_create_logical_type(native_type(column.type)));
        duckdb_bind_add_result_column(info, column.name.c_str(), type.get());
    }
    duckdb_bind_set_cardinality(info, static_cast<idx_t>(offered->source->cardinality()), true);
    duckdb_bind_set_bind_data(info, new std::shared_ptr<Offered>(std::move(offered)),
                              destroy<std::shared_ptr<Offered>>);
}

Status open_scan(duckdb_init_info info, Scan& scan) {
    const std::size_t known = scan.offered->source->columns().size();
    std::vector<std::size_t> projected;
    for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
        const idx_t index = duckdb_init_get_column_index(info, i);
        if (index >= known) continue; // a row id, which nobody reads
        projected.push_back(index);
        scan.position.push_back(i);
    }
    TRY(stream, scan.offered->source->open(projected));
    scan.stream = std::move(stream);
    return {};
}

void init(duckdb_init_info info) {
    auto scan = std::make_unique<Scan>();
    scan->offered = *static_cast<std::shared_ptr<Offered>*>(duckdb_init_get_bind_data(info));
    duckdb_init_set_max_threads(info, 1);
    if (Status opened = guarded([&] { return open_scan(info, *scan); }); !opened) {
        scan->offered->failure.with([&](auto& failure) { failure = opened.error(); });
        duckdb_init_set_error(info, opened.error().message.c_str());
        return;
    }
    duckdb_init_set_init_data(info, scan.release(), destroy<Scan>);
}

Status fill_chunk(Scan& scan, duckdb_data_chunk chunk) {
    const std::size_t count = scan.position.size();
    scan.writers.clear();
    scan.validity.assign(count, nullptr);
    for (std::size_t i = 0; i < count; ++i) {
        const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, scan.position[i]);
        scan.writers.emplace_back(vector, duckdb_vector_get_data(vector), &scan.validity[i]);
    }
    TRY(rows, scan.stream->fill(scan.writers, duckdb_vector_size()));
    duckdb_data_chunk_set_size(chunk, rows);
    return {};
}

void fill(duckdb_function_info info, duckdb_data_chunk chunk) {
    auto* scan = static_cast<Scan*>(duckdb_function_get_init_data(info));
    if (Status filled = guarded([&] { return fill_chunk(*scan, chunk); }); !filled) {
        scan->offered->failure.with([&](auto& failure) { failure = filled.error(); });
        duckdb_function_set_error(info, filled.error().message.c_str());
    }
}

} // namespace

Status register_rows_function(duckdb_connection connection, SourceRegistry& registry) {
    TableFunction function(duckdb_create_table_function());
    duckdb_table_function_set_name(function.get(), rows_function);
    LogicalType number(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
    duckdb_table_function_add_parameter(function.get(), number.get());
    duckdb_table_function_set_extra_info(function.get(), &registry, nullptr);
    duckdb_table_function_set_bind(function.get(), bind);
    duckdb_table_function_set_init(function.get(), init);
    duckdb_table_function_set_function(function.get(), fill);
    duckdb_table_function_supports_projection_pushdown(function.get(), true);
    if (duckdb_register_table_function(connection, function.get()) != DuckDBSuccess)
        return internal("DuckDB refused the table function {}", rows_function);
    return {};
}

} // namespace native
} // namespace questlog::duck
