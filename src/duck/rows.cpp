#include "duck/native.h"

namespace questlog::duck::native {

namespace {

template <class T> [[nodiscard]] T element(const void* data, std::size_t row) {
    return static_cast<const T*>(data)[row];
}

class ChunkedRows final : public Rows {
public:
    ChunkedRows(std::shared_ptr<Link> link, Result result, std::optional<std::vector<ResultColumn>> declared)
        : link_(std::move(link)), result_(std::move(result)) {
        const idx_t count = duckdb_column_count(result_.out());
        for (idx_t i = 0; i < count; ++i) {
            LogicalType type(duckdb_column_logical_type(result_.out(), i));
            const duckdb_type id = duckdb_get_type_id(type.get());
            types_.push_back(id);
            columns_.push_back({duckdb_column_name(result_.out(), i), value_type(id), type_name(type.get())});
        }
        if (declared) columns_ = std::move(*declared);
        vectors_.resize(columns_.size());
    }

    [[nodiscard]] const std::vector<ResultColumn>& columns() const override { return columns_; }

    questlog::Result<std::size_t> next() override {
        chunk_ = Chunk(duckdb_fetch_chunk(result_.get()));
        if (chunk_.get() == nullptr) {
            if (const char* message = duckdb_result_error(result_.out()); message != nullptr)
                return error_of(duckdb_result_error_type(result_.out()), message);
            return std::size_t{0};
        }
        for (std::size_t i = 0; i < vectors_.size(); ++i) {
            const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk_.get(), i);
            vectors_[i] = {duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector)};
        }
        return static_cast<std::size_t>(duckdb_data_chunk_get_size(chunk_.get()));
    }

    [[nodiscard]] bool is_null(std::size_t column, std::size_t row) const override {
        const std::uint64_t* validity = vectors_[column].validity;
        return validity != nullptr && (validity[row / 64] >> (row % 64) & 1) == 0;
    }

    [[nodiscard]] bool boolean(std::size_t column, std::size_t row) const override {
        return element<bool>(vectors_[column].data, row);
    }

    [[nodiscard]] std::int64_t bigint(std::size_t column, std::size_t row) const override {
        const void* data = vectors_[column].data;
        switch (types_[column]) {
        case DUCKDB_TYPE_TINYINT: return element<std::int8_t>(data, row);
        case DUCKDB_TYPE_SMALLINT: return element<std::int16_t>(data, row);
        case DUCKDB_TYPE_INTEGER: return element<std::int32_t>(data, row);
        case DUCKDB_TYPE_UTINYINT: return element<std::uint8_t>(data, row);
        case DUCKDB_TYPE_USMALLINT: return element<std::uint16_t>(data, row);
        case DUCKDB_TYPE_UINTEGER: return element<std::uint32_t>(data, row);
        default: return element<std::int64_t>(data, row);
        }
    }

    [[nodiscard]] double number(std::size_t column, std::size_t row) const override {
        const void* data = vectors_[column].data;
        switch (types_[column]) {
        case DUCKDB_TYPE_DOUBLE: return element<double>(data, row);
        case DUCKDB_TYPE_FLOAT: return static_cast<double>(element<float>(data, row));
        default: return static_cast<double>(bigint(column, row));
        }
    }

    [[nodiscard]] std::string_view varchar(std::size_t column, std::size_t row) const override {
        const auto* text = static_cast<const duckdb_string_t*>(vectors_[column].data) + row;
        const std::uint32_t length = text->value.inlined.length;
        return {length <= sizeof text->value.inlined.inlined ? text->value.inlined.inlined : text->value.pointer.ptr,
                length};
    }

private:
    struct Vector {
        const void* data = nullptr;
        const std::uint64_t* validity = nullptr;
    };

    std::shared_ptr<Link> link_;
    Result result_;
    Chunk chunk_;
    std::vector<ResultColumn> columns_;
    std::vector<duckdb_type> types_;
    std::vector<Vector> vectors_;
};

/// Rows of statements that are no SELECT, which cannot be cast in SQL: booleans, numbers and strings as text.
class PlainTextRows final : public Rows {
public:
    explicit PlainTextRows(std::unique_ptr<Rows> rows) : rows_(std::move(rows)) {
        texts_.resize(rows_->columns().size());
    }

    [[nodiscard]] const std::vector<ResultColumn>& columns() const override { return rows_->columns(); }
    [[nodiscard]] bool is_null(std::size_t column, std::size_t row) const override {
        return rows_->is_null(column, row);
    }
    [[nodiscard]] bool boolean(std::size_t column, std::size_t row) const override {
        return rows_->boolean(column, row);
    }
    [[nodiscard]] std::int64_t bigint(std::size_t column, std::size_t row) const override {
        return rows_->bigint(column, row);
    }
    [[nodiscard]] double number(std::size_t column, std::size_t row) const override {
        return rows_->number(column, row);
    }

    questlog::Result<std::size_t> next() override {
        TRY(count, rows_->next());
        for (std::size_t column = 0; column < texts_.size(); ++column) {
            texts_[column].resize(count);
            for (std::size_t row = 0; row < count; ++row)
                texts_[column][row] = rows_->is_null(column, row) ? std::string() : text_of(column, row);
        }
        return count;
    }

    [[nodiscard]] std::string_view varchar(std::size_t column, std::size_t row) const override {
        return texts_[column][row];
    }

private:
    [[nodiscard]] std::string text_of(std::size_t column, std::size_t row) const {
        switch (columns()[column].type) {
        case ValueType::boolean: return rows_->boolean(column, row) ? "true" : "false";
        case ValueType::bigint: return fmt::format("{}", rows_->bigint(column, row));
        case ValueType::double_: return fmt::format("{}", rows_->number(column, row));
        case ValueType::varchar: return std::string(rows_->varchar(column, row));
        case ValueType::blob:
        case ValueType::timestamp_tz:
        case ValueType::other: break; // make_plain_text() has refused these
        }
        return {};
    }

    std::unique_ptr<Rows> rows_;
    std::vector<std::vector<std::string>> texts_;
};

} // namespace

std::unique_ptr<Rows> make_rows(std::shared_ptr<Link> link, Result result,
                                std::optional<std::vector<ResultColumn>> declared) {
    return std::make_unique<ChunkedRows>(std::move(link), std::move(result), std::move(declared));
}

questlog::Result<std::unique_ptr<Rows>> make_plain_text(std::unique_ptr<Rows> rows) {
    for (const ResultColumn& column : rows->columns()) {
        const bool plain = column.type == ValueType::boolean || column.type == ValueType::bigint ||
                           column.type == ValueType::double_ || column.type == ValueType::varchar;
        if (!plain)
            return reject("column {} is a {}, which only a SELECT can show as text: read it with SELECT ... FROM",
                          quote_identifier(column.name), column.type_name);
    }
    return std::unique_ptr<Rows>(std::make_unique<PlainTextRows>(std::move(rows)));
}

} // namespace questlog::duck::native
