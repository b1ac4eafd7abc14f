#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Texts measured and cut as Java does, which counts in UTF-16 code units. Input is UTF-8; bytes that are not count as
/// one U+FFFD each. Pure.
namespace questlog::query {

/// String.length().
[[nodiscard]] std::size_t java_length(std::string_view text);
/// substring(0, units). A character of two units that is cut in half prints as "?", as a Java console shows it.
[[nodiscard]] std::string java_prefix(std::string_view text, std::size_t units);
/// Spark's Utils.stringHalfWidth: columns on a terminal, two for each full-width code unit.
[[nodiscard]] std::size_t half_width(std::string_view text);
/// Spark's SchemaUtils.escapeMetaCharacters: \n \r \t \f \b \v \a.
[[nodiscard]] std::string escape_meta_characters(std::string_view text);

} // namespace questlog::query
