#include "event/row_decoder.h"

#include "event/json_unescape.h"

#include <charconv>
#include <cstring>
#include <simdjson.h>
#include <string>
#include <unordered_map>

namespace questlog::event {

namespace {

constexpr std::uint32_t unknown_key = UINT32_MAX;

using Key = simdjson::ondemand::raw_json_string;

[[nodiscard]] std::string_view without_space_after(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

/// The key as it stands between its quotes, in an event that ends at `end`.
[[nodiscard]] std::string_view raw_key(Key key, const char* end) {
    const char* at = key.raw();
    while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
    return {key.raw(), static_cast<std::size_t>(std::min(at, end) - key.raw())};
}

/// A member's value as it stands in the event, trimmed. A scalar is not consumed; reading on skips it.
[[nodiscard]] bool raw_value(simdjson::ondemand::value& value, std::string_view& raw) {
    raw = value.raw_json_token();
    if (raw.front() == '{') {
        simdjson::ondemand::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS || object.raw_json().get(raw) != simdjson::SUCCESS)
            return false;
    } else if (raw.front() == '[') {
        simdjson::ondemand::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS || array.raw_json().get(raw) != simdjson::SUCCESS)
            return false;
    }
    raw = without_space_after(raw);
    return true;
}

/// An integer in full: "1.5" and "1e3" are none. False also beyond int64.
[[nodiscard]] bool read_bigint(std::string_view raw, std::int64_t& value) {
    const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
    return error == std::errc() && end == raw.data() + raw.size();
}

[[nodiscard]] bool read_double(std::string_view raw, double& value) {
    if (std::int64_t integer = 0; read_bigint(raw, integer)) {
        value = static_cast<double>(integer);
        return true;
    }
    const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
    if (error == std::errc::result_out_of_range)
        value = raw.front() == '-' ? -0.0 : 0.0; // 1e-400; a larger one is a string
    return error != std::errc::invalid_argument && end == raw.data() + raw.size();
}

/// A key of the events of one type at one position, as it stood in the event before.
struct PredictedKey {
    std::string raw;
    std::uint32_t column = unknown_key;
    bool is_known = false; ///< An event had a key here: "" is one, too.

    [[nodiscard]] bool matches(Key key, const char* end) const {
        const char* at = key.raw();
        return is_known && raw.size() < static_cast<std::size_t>(end - at) && at[raw.size()] == '"' &&
               std::memcmp(at, raw.data(), raw.size()) == 0;
    }
};

/// A member that has no cell to go to.
struct Rescued {
    std::string_view key; ///< As between its quotes.
    std::string_view value;
    std::uint32_t column = unknown_key;
};

} // namespace

struct RowDecoder::State {
    Schema columns;
    std::vector<bool> wanted;
    std::vector<std::size_t> wanted_list;
    std::uint32_t rescue = unknown_key; ///< The column of rescued_data_key.
    std::unordered_map<std::string_view, std::uint32_t> by_key;
    std::vector<PredictedKey> predicted;
    std::vector<Rescued> rescued_members;
    std::string strings; ///< Unescaped; never grows within an event, so that cells can point into it.
    std::string rescued;
    std::string key;
    simdjson::ondemand::parser parser;

    [[nodiscard]] std::uint32_t column_of(std::size_t position, Key raw, const char* end) {
        if (position >= predicted.size()) predicted.resize(position + 1);
        PredictedKey& expected = predicted[position];
        if (expected.matches(raw, end)) return expected.column;
        expected.raw = raw_key(raw, end);
        expected.is_known = true;
        key.clear();
        expected.column = unknown_key;
        if (append_unescaped(key, expected.raw))
            if (const auto found = by_key.find(key); found != by_key.end()) expected.column = found->second;
        return expected.column;
    }

    [[nodiscard]] bool read_string(std::string_view raw, std::string_view& value) {
        if (raw.front() != '"') { // another value is its JSON text; -0 is 0, as among integers
            value = raw == "-0" ? raw.substr(1) : raw;
            return true;
        }
        raw = raw.substr(1, raw.size() - 2);
        if (std::memchr(raw.data(), '\\', raw.size()) == nullptr) {
            value = raw;
            return true;
        }
        const std::size_t begin = strings.size();
        if (!append_unescaped(strings, raw)) return false;
        value = std::string_view(strings).substr(begin);
        return true;
    }

    /// Whether `raw` fits the column; then the cell has its value.
    [[nodiscard]] bool fill(ColumnType type, std::string_view raw, Cell& cell) {
        cell.type = ColumnType::null;
        if (raw == "null") return true;
        bool fits = false;
        switch (type) {
        case ColumnType::boolean:
            cell.boolean = raw.front() == 't';
            fits = cell.boolean || raw.front() == 'f';
            break;
        case ColumnType::bigint: fits = read_bigint(raw, cell.bigint); break;
        case ColumnType::double_: fits = read_double(raw, cell.number); break;
        case ColumnType::null:
        case ColumnType::string:
            type = ColumnType::string;
            fits = read_string(raw, cell.string);
            break;
        }
        if (fits) cell.type = type;
        return fits;
    }

    /// A member whose column had a misfit earlier in the event takes its place: the last value counts.
    void forget_misfit(std::uint32_t column) {
        std::erase_if(rescued_members, [column](const Rescued& misfit) { return misfit.column == column; });
    }

    [[nodiscard]] bool read_member(simdjson::ondemand::field& field, std::size_t position, const char* end,
                                   std::span<Cell> cells) {
        const Key raw = field.key();
        const std::uint32_t column = column_of(position, raw, end);
        const bool is_rescued = column == unknown_key || column == rescue;
        if (is_rescued && (rescue == unknown_key || !wanted[rescue])) return true;
        if (!is_rescued && !wanted[column] && (rescue == unknown_key || !wanted[rescue])) return true;
        std::string_view value;
        if (!raw_value(field.value(), value)) return false;
        if (is_rescued) {
            rescued_members.push_back({raw_key(raw, end), value});
            return true;
        }
        Cell unread;
        if (!rescued_members.empty()) forget_misfit(column);
        if (!fill(columns[column].type, value, wanted[column] ? cells[column] : unread))
            rescued_members.push_back({raw_key(raw, end), value, column});
        return true;
    }

    void write_rescued(Cell& cell) {
        rescued.clear();
        for (const Rescued& misfit : rescued_members) {
            rescued += rescued.empty() ? "{\"" : ", \"";
            rescued += misfit.key;
            rescued += "\": ";
            rescued += misfit.value;
        }
        rescued += '}';
        cell.type = ColumnType::string;
        cell.string = rescued;
    }
};

RowDecoder::RowDecoder(Schema columns, const std::vector<std::size_t>& wanted) : state_(std::make_unique<State>()) {
    state_->columns = std::move(columns);
    state_->wanted.resize(state_->columns.size());
    state_->wanted_list = wanted;
    for (const std::size_t column : wanted) state_->wanted[column] = true;
    for (std::uint32_t i = 0; i < state_->columns.size(); ++i) {
        state_->by_key.emplace(state_->columns[i].key, i);
        if (state_->columns[i].key == rescued_data_key) state_->rescue = i;
    }
}

namespace {
[[nodiscard]] std::vector<std::size_t> all_of(const Schema& columns) {
    std::vector<std::size_t> all(columns.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return all;
}
} // namespace

RowDecoder::RowDecoder(Schema columns) : RowDecoder(columns, all_of(columns)) {}
RowDecoder::~RowDecoder() = default;
RowDecoder::RowDecoder(RowDecoder&&) noexcept = default;
RowDecoder& RowDecoder::operator=(RowDecoder&&) noexcept = default;

bool RowDecoder::decode(std::string_view value, std::span<Cell> cells) {
    State& state = *state_;
    for (const std::size_t column : state.wanted_list) cells[column].type = ColumnType::null;
    state.rescued_members.clear();
    state.strings.clear();
    if (state.strings.capacity() < value.size()) state.strings.reserve(value.size());

    simdjson::ondemand::document document;
    simdjson::ondemand::object event;
    const std::size_t allocated = value.size() + simdjson::SIMDJSON_PADDING;
    if (state.parser.iterate(value.data(), value.size(), allocated).get(document) != simdjson::SUCCESS) return false;
    if (document.get_object().get(event) != simdjson::SUCCESS) return false;
    std::size_t position = 0;
    for (auto member : event) {
        simdjson::ondemand::field field;
        if (std::move(member).get(field) != simdjson::SUCCESS) return false;
        if (!state.read_member(field, position++, value.data() + value.size(), cells)) return false;
    }
    if (state.rescued_members.empty()) return true;
    if (state.rescue == unknown_key) return false;
    if (state.wanted[state.rescue]) state.write_rescued(cells[state.rescue]);
    return true;
}

bool event_type_of(std::string_view value, std::string& out) {
    static constexpr std::string_view name = "event_type";
    thread_local simdjson::ondemand::parser parser;
    thread_local std::string key;
    simdjson::ondemand::document document;
    simdjson::ondemand::object event;
    const std::size_t allocated = value.size() + simdjson::SIMDJSON_PADDING;
    if (parser.iterate(value.data(), value.size(), allocated).get(document) != simdjson::SUCCESS) return false;
    if (document.get_object().get(event) != simdjson::SUCCESS) return false;
    const char* end = value.data() + value.size();
    bool found = false;
    for (auto member : event) {
        simdjson::ondemand::field field;
        if (std::move(member).get(field) != simdjson::SUCCESS) return false;
        const char first = *field.key().raw();
        if (first != name.front() && first != '\\') continue;
        const std::string_view raw = raw_key(field.key(), end);
        if (raw != name) {
            key.clear();
            if (!append_unescaped(key, raw) || key != name) continue;
        }
        std::string_view text = without_space_after(field.value().raw_json_token());
        found = text.size() >= 2 && text.front() == '"' && text.back() == '"';
        out.clear();
        if (found) found = append_unescaped(out, text.substr(1, text.size() - 2));
    }
    return found;
}

} // namespace questlog::event
