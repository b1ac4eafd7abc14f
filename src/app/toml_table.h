#pragma once

#include "base/result.h"
#include "scan/expression.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <toml++/toml.h>
#include <utility>
#include <vector>

namespace questlog::app {

/// What a file says goes before what stands in `to`.
template <class T> void take(const std::optional<T>& from, T& to) {
    if (from) to = *from;
}

/// One table of a configuration file while it is read. Each get names a key and the type wanted; a wrong type is
/// `reject` at file:line:column. finish() refuses keys that nobody asked for, naming the nearest one that exists.
class TomlTable {
public:
    /// `where` is how errors name the table: "[server]", "[[event]] number 2". `table` must outlive this.
    TomlTable(const toml::table& table, std::string file, std::string where);

    Result<std::optional<std::string>> string(std::string_view key);
    Result<std::optional<std::int64_t>> integer(std::string_view key, std::int64_t least, std::int64_t most);
    Result<std::optional<bool>> boolean(std::string_view key);
    Result<std::vector<std::string>> strings(std::string_view key); ///< Empty where missing.
    Result<std::optional<TomlTable>> table(std::string_view key);
    [[nodiscard]] bool is_string(std::string_view key) const;    ///< Of a key that may be more than one thing.
    Result<std::vector<TomlTable>> tables(std::string_view key); ///< [[key]]; empty where missing.
    /// An error for a key that must be there, at the table's own position.
    [[nodiscard]] Error missing(std::string_view key, std::string_view example) const;
    /// An error at the key's value.
    [[nodiscard]] Error wrong(std::string_view key, const std::string& message) const;
    /// Position of the first character within the key's value (inside the quotes of a string).
    [[nodiscard]] scan::SourcePosition position(std::string_view key) const;
    /// All keys in the order of the file.
    [[nodiscard]] std::vector<std::string> keys() const;
    /// The JSON text of a scalar value (string, integer, float, boolean), as json.dumps writes it.
    Result<std::string> json(std::string_view key);
    /// The same of an array's, in order; empty where missing.
    Result<std::vector<std::string>> jsons(std::string_view key);
    /// Every string, integer and boolean of the table and of the tables in it, in the order of the file: `a.b = 1` and
    /// `"a.b" = 1` are the same.
    struct Scalar {
        std::string name; ///< With dots.
        std::string text;
        std::string at; ///< file:line:column
    };
    Result<std::vector<Scalar>> scalars() const;
    /// The JSON text of a number.
    Result<std::optional<std::string>> number(std::string_view key);
    Status finish() const;

private:
    Result<std::string> json_of(const toml::node& node, std::string_view key) const;
    Status add_scalars(const toml::table& table, const std::string& prefix,
                       std::vector<std::pair<toml::source_position, Scalar>>& found) const;
    const toml::node* find(std::string_view key);
    [[nodiscard]] Error expected(const toml::node& node, std::string_view key, std::string_view what) const;
    [[nodiscard]] std::string at(const toml::source_region& region) const;

    const toml::table* table_;
    std::string file_;
    std::string where_;
    std::set<std::string, std::less<>> asked_;
};

} // namespace questlog::app
