#include "event/census.h"

#include "event/wide_numbers.h"

#include <algorithm>
#include <simdjson.h>
#include <string>
#include <unordered_map>
#include <vector>

namespace questlog::event {

namespace {

constexpr std::uint32_t no_column = UINT32_MAX;

struct HashText {
    using is_transparent = void;
    [[nodiscard]] std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class Value> using ByText = std::unordered_map<std::string, Value, HashText, std::equal_to<>>;

/// One member of the event under observation.
struct Field {
    std::string_view key;
    ColumnType type = ColumnType::null;
    std::uint32_t column = no_column;
};

struct SeenColumn {
    std::string key;
    ColumnType type = ColumnType::null;
    std::int64_t event = 0;     ///< The last event that had it, by number from 1.
    std::uint32_t field = 0;    ///< And where.
    std::uint64_t appeared = 0; ///< Columns of any type that were there before.
};

struct SeenType {
    std::string name;
    std::int64_t events = 0;
    std::vector<SeenColumn> columns; ///< By first appearance.
    ByText<std::uint32_t> by_key;
    std::vector<std::uint32_t> predicted; ///< The column of the event before, by the field's position.
    bool rescues = false;
    mutable Schema schema;
    mutable bool schema_is_old = false;

    /// The column of the field at `position`, made if it is new; no_column for what is to be rescued.
    [[nodiscard]] std::uint32_t column_of(std::size_t position, std::string_view key, std::uint64_t& columns_seen) {
        if (position < predicted.size()) {
            const std::uint32_t expected = predicted[position];
            if (expected != no_column && columns[expected].key == key) return expected;
        } else {
            predicted.resize(position + 1, no_column);
        }
        return predicted[position] = looked_up(key, columns_seen);
    }

    void apply(std::vector<Field>& fields, std::uint64_t& columns_seen) {
        ++events;
        for (std::uint32_t i = 0; i < fields.size(); ++i) {
            fields[i].column = column_of(i, fields[i].key, columns_seen);
            if (fields[i].column == no_column) continue;
            SeenColumn& column = columns[fields[i].column];
            if (column.event == events) fields[column.field].column = no_column; // repeated: the last one counts
            column.event = events;
            column.field = i;
        }
        for (const Field& field : fields) {
            if (field.column == no_column) continue;
            ColumnType& type = columns[field.column].type;
            if (type == field.type || field.type == ColumnType::null) continue;
            type = widen(type, field.type);
            schema_is_old = true;
        }
    }

    [[nodiscard]] const Schema& sorted() const {
        if (!schema_is_old) return schema;
        schema.clear();
        for (const SeenColumn& column : columns) schema.push_back({column.key, column.type});
        if (rescues) schema.push_back({std::string(rescued_data_key), ColumnType::string});
        std::sort(schema.begin(), schema.end());
        schema_is_old = false;
        return schema;
    }

private:
    [[nodiscard]] std::uint32_t looked_up(std::string_view key, std::uint64_t& columns_seen) {
        if (const auto found = by_key.find(key); found != by_key.end()) return found->second;
        schema_is_old = true;
        if (columns.size() >= limits::columns_max || key == rescued_data_key) {
            rescues = true;
            return no_column;
        }
        const auto column = static_cast<std::uint32_t>(columns.size());
        columns.push_back({std::string(key), ColumnType::null, 0, 0, columns_seen++});
        by_key.emplace(key, column);
        return column;
    }
};

[[nodiscard]] ColumnType type_of(simdjson::dom::element value) {
    switch (value.type()) {
    case simdjson::dom::element_type::NULL_VALUE: return ColumnType::null;
    case simdjson::dom::element_type::BOOL: return ColumnType::boolean;
    case simdjson::dom::element_type::INT64: return ColumnType::bigint;
    case simdjson::dom::element_type::DOUBLE: return ColumnType::double_;
    case simdjson::dom::element_type::UINT64: // beyond int64: its digits
    case simdjson::dom::element_type::STRING:
    case simdjson::dom::element_type::ARRAY:
    case simdjson::dom::element_type::OBJECT: return ColumnType::string;
    }
    return ColumnType::string;
}

} // namespace

struct Census::State {
    simdjson::dom::parser parser;
    std::vector<Field> fields;
    std::string rewritten; ///< An event whose wide numbers were blanked, and padding.
    std::vector<SeenType> types;
    ByText<TypeId> by_name;
    TypeId last = not_an_event;
    std::uint64_t columns_seen = 0;

    /// Fills `fields` and `event_type`; false if `value` is no event.
    [[nodiscard]] bool read(std::string_view value, std::string_view& event_type) {
        simdjson::dom::object event;
        auto error = parser.parse(value.data(), value.size(), false).get_object().get(event);
        if (error == simdjson::NUMBER_ERROR) {
            rewritten.assign(value);
            if (!blank_wide_numbers(rewritten)) return false;
            const std::size_t length = rewritten.size();
            rewritten.append(json_padding_bytes, ' ');
            error = parser.parse(rewritten.data(), length, false).get_object().get(event);
        }
        if (error != simdjson::SUCCESS) return false;
        fields.clear();
        bool has_type = false;
        for (const auto [key, member] : event) {
            fields.push_back({key, type_of(member)});
            if (key == "event_type") has_type = member.get_string().get(event_type) == simdjson::SUCCESS;
        }
        return has_type;
    }

    [[nodiscard]] TypeId id_of(std::string_view name) {
        if (last < types.size() && types[last].name == name) return last;
        if (const auto found = by_name.find(name); found != by_name.end()) return last = found->second;
        const auto id = static_cast<TypeId>(std::min(types.size(), limits::event_types_max));
        if (id == further_types) {
            if (types.size() == id) types.emplace_back();
            return id;
        }
        types.emplace_back().name = name;
        by_name.emplace(name, id);
        return last = id;
    }
};

Census::Census() : state_(std::make_unique<State>()) {}
Census::~Census() = default;
Census::Census(Census&&) noexcept = default;
Census& Census::operator=(Census&&) noexcept = default;

Census::TypeId Census::expect(std::string_view type) {
    return state_->id_of(type);
}

Census::TypeId Census::observe(std::string_view value) {
    std::string_view event_type;
    if (!state_->read(value, event_type)) return not_an_event;
    const TypeId id = state_->id_of(event_type);
    state_->types[id].apply(state_->fields, state_->columns_seen);
    return id;
}

std::size_t Census::type_count() const {
    return state_->types.size();
}
std::string_view Census::type_name(TypeId id) const {
    return state_->types[id].name;
}
std::int64_t Census::events(TypeId id) const {
    return state_->types[id].events;
}
const Schema& Census::schema(TypeId id) const {
    return state_->types[id].sorted();
}

std::vector<std::pair<std::uint64_t, std::string>> Census::keys(TypeId id) const {
    std::vector<std::pair<std::uint64_t, std::string>> keys;
    for (const SeenColumn& column : state_->types[id].columns) keys.emplace_back(column.appeared, column.key);
    return keys;
}

std::string_view why_no_event(std::string_view value) {
    Census::State state;
    std::string_view event_type;
    if (state.read(value, event_type)) return {};
    std::string copy(value);
    static_cast<void>(blank_wide_numbers(copy));
    const std::size_t length = copy.size();
    copy.append(json_padding_bytes, ' ');
    simdjson::dom::element root;
    if (state.parser.parse(copy.data(), length, false).get(root) != simdjson::SUCCESS) return "not JSON";
    return root.is_object() ? "no string event_type" : "not a JSON object";
}

} // namespace questlog::event
