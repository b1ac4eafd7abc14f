#pragma once

#include "base/result.h"
#include "scan/expression.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Texts of expressions cut into tokens; for the expression_*.cpp files alone.
namespace questlog::scan {

enum class TokenKind : std::uint8_t {
    word,        ///< A keyword, function or bare column name; `text` as written.
    quoted_name, ///< "..." ; `text` unquoted.
    string,      ///< '...' ; `text` unquoted.
    integer,     ///< Digits.
    decimal,     ///< With a point or an exponent.
    symbol,      ///< An operator or a parenthesis; != is given as <>.
    end,
};

struct Token {
    TokenKind kind = TokenKind::end;
    std::string text;
    std::size_t at = 0; ///< Byte in the expression's text.
};

/// The last token is always `end`. `reject` at file:line:column for characters that are in no token of the subset.
Result<std::vector<Token>> tokenize(std::string_view text, const SourcePosition& start);

/// An error at byte `at` of `text`, whose first character stands at `start`: "file:line:column: message".
[[nodiscard]] Error refuse(std::string_view text, const SourcePosition& start, std::size_t at,
                           std::string_view message);

} // namespace questlog::scan
