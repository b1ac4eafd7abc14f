#include "batch/file_difference.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <memory>

namespace questlog::batch {
namespace {

/// Rows of files one after the other.
class RowCursor {
public:
    explicit RowCursor(std::unique_ptr<duck::Rows> rows) : rows_(std::move(rows)) {}

    Result<bool> next() {
        if (++row_ < count_) return true;
        TRY(count, rows_->next());
        count_ = count;
        row_ = 0;
        return count_ > 0;
    }
    [[nodiscard]] bool same_cell(const RowCursor& other, std::size_t column) const {
        const bool is_null = rows_->is_null(column, row_);
        if (is_null != other.rows_->is_null(column, other.row_)) return false;
        return is_null || rows_->varchar(column, row_) == other.rows_->varchar(column, other.row_);
    }
    [[nodiscard]] std::string cell(std::size_t column) const {
        return rows_->is_null(column, row_) ? "NULL" : std::string(rows_->varchar(column, row_));
    }
    [[nodiscard]] const std::vector<duck::ResultColumn>& columns() const { return rows_->columns(); }

private:
    std::unique_ptr<duck::Rows> rows_;
    std::size_t row_ = 0;
    std::size_t count_ = 0;
};

Result<RowCursor> rows_of(duck::Connection& connection, const std::vector<std::string>& paths) {
    TRY(rows, connection.query_as_text("SELECT * FROM " + duck::read_parquet(paths)));
    return RowCursor(std::move(rows));
}

} // namespace

Result<bool> same_bytes(io::File& one, io::File& other) {
    constexpr std::size_t block = 1024 * 1024;
    std::vector<std::byte> of_first(block);
    std::vector<std::byte> of_second(block);
    for (std::int64_t at = 0;; at += static_cast<std::int64_t>(block)) {
        TRY(count, one.read_at(at, of_first));
        TRY(other_count, other.read_at(at, of_second));
        if (count != other_count || std::memcmp(of_first.data(), of_second.data(), count) != 0) return false;
        if (count < block) return true;
    }
}

Result<std::string> first_difference(duck::Connection& connection, const std::vector<std::string>& landed,
                                     const std::string& again) {
    TRY(one, rows_of(connection, landed));
    TRY(other, rows_of(connection, {again}));
    const auto offset = std::find_if(one.columns().begin(), one.columns().end(), [](const duck::ResultColumn& column) {
        return column.name == "_offset" || column.name == "offset";
    });
    if (one.columns().size() != other.columns().size()) return std::string("it has other columns");
    for (std::int64_t row = 1;; ++row) {
        TRY(more, one.next());
        TRY(more_again, other.next());
        if (!more && !more_again) return std::string();
        if (more != more_again)
            return fmt::format("it has {} rows, and {} than the log", more ? row : row - 1, more ? "more" : "fewer");
        for (std::size_t i = 0; i < one.columns().size(); ++i) {
            if (one.same_cell(other, i)) continue;
            const std::string place =
                offset == one.columns().end()
                    ? std::string()
                    : fmt::format(", offset {}", other.cell(static_cast<std::size_t>(offset - one.columns().begin())));
            return fmt::format("row {}{}: {} is {}, and by the log {}", row, place, one.columns()[i].name, one.cell(i),
                               other.cell(i));
        }
    }
}

} // namespace questlog::batch
