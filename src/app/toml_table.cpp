#include "app/toml_table.h"

#include "event/envelope.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace questlog::app {
namespace {

/// Edits (insert, delete, replace) that turn one word into the other.
std::size_t edit_distance(std::string_view one, std::string_view other) {
    std::vector<std::size_t> row(other.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= one.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= other.size(); ++j) {
            const std::size_t replaced = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

std::string_view kind_of(const toml::node& node) {
    switch (node.type()) {
    case toml::node_type::none: return "nothing";
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a float";
    case toml::node_type::boolean: return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time: return "a date or time";
    }
    return "something else";
}

} // namespace

TomlTable::TomlTable(const toml::table& table, std::string file, std::string where)
    : table_(&table), file_(std::move(file)), where_(std::move(where)) {}

std::string TomlTable::at(const toml::source_region& region) const {
    return fmt::format("{}:{}:{}", file_, region.begin.line, region.begin.column);
}

const toml::node* TomlTable::find(std::string_view key) {
    asked_.emplace(key);
    return table_->get(key);
}

Error TomlTable::expected(const toml::node& node, std::string_view key, std::string_view what) const {
    return reject("{}: {} in {} is {}; write {}", at(node.source()), key, where_, kind_of(node), what);
}

Error TomlTable::missing(std::string_view key, std::string_view example) const {
    return reject("{}: {} has no {}; write {}", at(table_->source()), where_, key, example);
}

Error TomlTable::wrong(std::string_view key, const std::string& message) const {
    const auto* node = table_->get(key);
    return reject("{}: {}", at(node != nullptr ? node->source() : table_->source()), message);
}

scan::SourcePosition TomlTable::position(std::string_view key) const {
    const auto* node = table_->get(key);
    const auto& begin = (node != nullptr ? node->source() : table_->source()).begin;
    const bool quoted = node != nullptr && node->is_string();
    return {file_, static_cast<int>(begin.line), static_cast<int>(begin.column) + (quoted ? 1 : 0)};
}

std::vector<std::string> TomlTable::keys() const {
    std::vector<std::pair<toml::source_position, std::string>> found; // toml++ sorts by name; the file's order is meant
    for (const auto& [key, node] : *table_) found.emplace_back(key.source().begin, std::string(key.str()));
    std::sort(found.begin(), found.end(), [](const auto& one, const auto& other) { return one.first < other.first; });
    std::vector<std::string> names;
    names.reserve(found.size());
    for (auto& [position, name] : found) names.push_back(std::move(name));
    return names;
}

bool TomlTable::is_string(std::string_view key) const {
    const auto* node = table_->get(key);
    return node != nullptr && node->is_string();
}

Result<std::optional<std::string>> TomlTable::string(std::string_view key) {
    const auto* node = find(key);
    if (node == nullptr) return std::optional<std::string>{};
    const auto* text = node->as_string();
    if (text == nullptr) return expected(*node, key, fmt::format("{} = \"...\"", key));
    return std::optional<std::string>{text->get()};
}

Result<std::optional<std::int64_t>> TomlTable::integer(std::string_view key, std::int64_t least, std::int64_t most) {
    const auto* node = find(key);
    if (node == nullptr) return std::optional<std::int64_t>{};
    const auto* number = node->as_integer();
    if (number == nullptr) return expected(*node, key, fmt::format("a whole number from {} to {}", least, most));
    if (number->get() < least || number->get() > most)
        return wrong(key, fmt::format("{} in {} is {}; write a whole number from {} to {}", key, where_, number->get(),
                                      least, most));
    return std::optional<std::int64_t>{number->get()};
}

Result<std::optional<bool>> TomlTable::boolean(std::string_view key) {
    const auto* node = find(key);
    if (node == nullptr) return std::optional<bool>{};
    const auto* value = node->as_boolean();
    if (value == nullptr) return expected(*node, key, "true or false");
    return std::optional<bool>{value->get()};
}

Result<std::vector<std::string>> TomlTable::strings(std::string_view key) {
    std::vector<std::string> values;
    const auto* node = find(key);
    if (node == nullptr) return values;
    const auto* array = node->as_array();
    if (array == nullptr) return expected(*node, key, fmt::format("{} = [\"...\"]", key));
    for (const auto& element : *array) {
        const auto* text = element.as_string();
        if (text == nullptr) return expected(element, key, fmt::format("strings in {} = [\"...\"]", key));
        values.push_back(text->get());
    }
    return values;
}

Result<std::optional<TomlTable>> TomlTable::table(std::string_view key) {
    const auto* node = find(key);
    if (node == nullptr) return std::optional<TomlTable>{};
    const auto* inner = node->as_table();
    if (inner == nullptr) return expected(*node, key, fmt::format("a table: [{}] or {} = {{ ... }}", key, key));
    const bool is_section = where_ == "the file";
    return std::optional<TomlTable>{
        TomlTable(*inner, file_, is_section ? fmt::format("[{}]", key) : fmt::format("{} of {}", key, where_))};
}

Result<std::vector<TomlTable>> TomlTable::tables(std::string_view key) {
    std::vector<TomlTable> found;
    const auto* node = find(key);
    if (node == nullptr) return found;
    const auto* array = node->as_array();
    if (array == nullptr) return expected(*node, key, fmt::format("[[{}]] with two brackets", key));
    for (const auto& element : *array) {
        const auto* inner = element.as_table();
        if (inner == nullptr) return expected(element, key, fmt::format("tables: [[{}]]", key));
        found.emplace_back(*inner, file_, fmt::format("[[{}]] number {}", key, found.size() + 1));
    }
    return found;
}

Result<std::string> TomlTable::json(std::string_view key) {
    const auto* node = find(key);
    if (node == nullptr) return missing(key, fmt::format("{} = \"...\"", key));
    return json_of(*node, key);
}

Result<std::vector<std::string>> TomlTable::jsons(std::string_view key) {
    std::vector<std::string> all;
    const auto* node = find(key);
    if (node == nullptr) return all;
    const auto* array = node->as_array();
    if (array == nullptr || array->empty()) return expected(*node, key, "an array of values");
    for (const toml::node& one : *array) {
        TRY(json, json_of(one, key));
        all.push_back(std::move(json));
    }
    return all;
}

Result<std::vector<TomlTable::Scalar>> TomlTable::scalars() const {
    std::vector<std::pair<toml::source_position, Scalar>> found;
    CHECK_OK(add_scalars(*table_, "", found));
    std::sort(found.begin(), found.end(), [](const auto& one, const auto& other) { return one.first < other.first; });
    std::vector<Scalar> scalars;
    std::set<std::string> names;
    for (auto& [position, scalar] : found) {
        if (!names.insert(scalar.name).second)
            return reject("{}: {} is there twice in {}", scalar.at, scalar.name, where_);
        scalars.push_back(std::move(scalar));
    }
    return scalars;
}

Status TomlTable::add_scalars(const toml::table& table, const std::string& prefix,
                              std::vector<std::pair<toml::source_position, Scalar>>& found) const {
    for (const auto& [key, node] : table) {
        const std::string name = prefix + std::string(key.str());
        std::string text;
        if (const auto* inner = node.as_table()) {
            CHECK_OK(add_scalars(*inner, name + ".", found));
            continue;
        }
        if (const auto* string = node.as_string())
            text = string->get();
        else if (const auto* number = node.as_integer())
            text = fmt::format("{}", number->get());
        else if (const auto* value = node.as_boolean())
            text = value->get() ? "true" : "false";
        else
            return expected(node, name, "a string, a whole number, true or false");
        found.emplace_back(node.source().begin, Scalar{name, std::move(text), at(node.source())});
    }
    return {};
}

Result<std::optional<std::string>> TomlTable::number(std::string_view key) {
    const auto* node = find(key);
    if (node == nullptr) return std::optional<std::string>{};
    if (!node->is_number()) return expected(*node, key, "a number");
    TRY(json, json_of(*node, key));
    return std::optional(std::move(json));
}

Result<std::string> TomlTable::json_of(const toml::node& node, std::string_view key) const {
    if (const auto* text = node.as_string()) {
        std::string out;
        if (!event::append_json_string(out, text->get())) return wrong(key, fmt::format("{} is not valid UTF-8", key));
        return out;
    }
    if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
    if (const auto* number = node.as_floating_point()) {
        const double value = number->get();
        if (!(value - value == 0)) return wrong(key, fmt::format("{} is {}, which JSON cannot hold", key, value));
        const std::string text = fmt::format("{}", value);
        return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    }
    if (const auto* value = node.as_boolean()) return std::string(value->get() ? "true" : "false");
    return expected(node, key, "a string, a number, true or false");
}

Status TomlTable::finish() const {
    for (const auto& [key, node] : *table_) {
        if (asked_.contains(key.str())) continue;
        std::string nearest;
        std::size_t distance = 4; // further off than this is another word, not a slip
        for (const auto& known : asked_) {
            const std::size_t edits = edit_distance(key.str(), known);
            if (edits < distance) {
                distance = edits;
                nearest = known;
            }
        }
        std::string advice;
        if (!nearest.empty()) {
            advice = fmt::format("did you mean {}?", nearest);
        } else {
            std::string all;
            for (const auto& known : asked_) all += (all.empty() ? "" : ", ") + known;
            advice = fmt::format("known here: {}", all);
        }
        return reject("{}: unknown key {} in {}; {}", at(key.source()), key.str(), where_, advice);
    }
    return {};
}

} // namespace questlog::app
