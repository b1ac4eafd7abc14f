#pragma once

#include "event/schema.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace questlog::event {

/// One decoded value. `type` is the column's type, or null.
struct Cell {
    ColumnType type = ColumnType::null;
    bool boolean = false;
    std::int64_t bigint = 0;
    double number = 0;
    std::string_view string; ///< Valid until the decoder's next call.
};

/// Decodes events of one schema into cells, by predicted keys: fast where events of a type have their keys in one
/// order, right in any. docs/formats/columns.md says which value becomes which cell. One thread.
class RowDecoder {
public:
    explicit RowDecoder(Schema columns); ///< Only these keys are decoded.
    /// Fills only the cells of `wanted`, indexes into `columns`; the others are left as they are.
    RowDecoder(Schema columns, const std::vector<std::size_t>& wanted);
    ~RowDecoder();
    RowDecoder(RowDecoder&&) noexcept;
    RowDecoder& operator=(RowDecoder&&) noexcept;

    /// Fills cells[i] for column i (null where the key is missing). `value` was accepted by Census::observe under a
    /// schema no wider than `columns`, and is followed by json_padding_bytes readable bytes. False: it does not decode,
    /// which then is a fault of the caller. Where `columns` has rescued_data_key, a value that does not fit its column
    /// and a key that has none go there, and nothing is a fault.
    [[nodiscard]] bool decode(std::string_view value, std::span<Cell> cells);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The string `event_type` of an event, unescaped, into `out`; false if it has none, is no object, or is not UTF-8.
/// Only the keys are looked at: text that Census refuses for its other values may still tell a type. Any thread.
/// `value` is followed by json_padding_bytes readable bytes.
[[nodiscard]] bool event_type_of(std::string_view value, std::string& out);

} // namespace questlog::event
