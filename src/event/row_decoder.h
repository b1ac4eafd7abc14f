#pragma once

#include "event/schema.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

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
/// order, right in any. One thread.
class RowDecoder {
public:
    explicit RowDecoder(Schema columns); ///< Only these keys are decoded.
    ~RowDecoder();
    RowDecoder(RowDecoder&&) noexcept;
    RowDecoder& operator=(RowDecoder&&) noexcept;

    /// Fills cells[i] for column i (null where the key is missing). `value` was accepted by Census::observe under a schema
    /// no wider than `columns`, and is followed by json_padding_bytes readable bytes. False: it does not decode, which
    /// then is a fault of the caller.
    [[nodiscard]] bool decode(std::string_view value, std::span<Cell> cells);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The string `event_type` of an event, unescaped, into `out`; false if it has none. Reads no more than it must.
[[nodiscard]] bool event_type_of(std::string_view value, std::string& out);

} // namespace questlog::event
