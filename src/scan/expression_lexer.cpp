#include "scan/expression_lexer.h"

#include "base/checked_text.h"

#include <algorithm>
#include <array>
#include <optional>

namespace questlog::scan {
namespace {

bool is_word_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_word(char c) {
    return is_word_start(c) || is_digit(c);
}
bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class Lexer {
public:
    Lexer(std::string_view text, const SourcePosition& start) : text_(text), start_(start) {}

    Result<std::vector<Token>> run() {
        for (;;) {
            while (at_ < text_.size() && is_space(text_[at_])) ++at_;
            if (at_ == text_.size()) break;
            TRY(token, next());
            tokens_.push_back(std::move(token));
        }
        tokens_.push_back(Token{TokenKind::end, "", text_.size()});
        return std::move(tokens_);
    }

private:
    [[nodiscard]] char peek(std::size_t ahead) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    [[nodiscard]] Error refuse_here(std::string_view message) const { return refuse(text_, start_, at_, message); }

    Result<Token> next() {
        const char c = text_[at_];
        if (c == '\'') return quoted(TokenKind::string);
        if (c == '"') return quoted(TokenKind::quoted_name);
        if (is_digit(c)) return number();
        if (is_word_start(c)) {
            const std::size_t from = at_;
            while (is_word(peek(0))) ++at_;
            return Token{TokenKind::word, std::string(text_.substr(from, at_ - from)), from};
        }
        return symbol();
    }

    Result<Token> quoted(TokenKind kind) {
        const std::size_t from = at_;
        const char quote = text_[at_++];
        std::string content;
        for (;; ++at_) {
            if (at_ == text_.size()) {
                at_ = from;
                return refuse_here(kind == TokenKind::string ? "this text has no closing '"
                                                             : "this column name has no closing \"");
            }
            const char c = text_[at_];
            if (c == quote) {
                ++at_;
                if (peek(0) != quote) break;
            }
            if (c == '\0') return refuse_here("a text cannot hold the character U+0000");
            if (c == '\\' && kind == TokenKind::string)
                return refuse_here("a backslash in a text means itself to DuckDB and an escape to Spark: leave it out "
                                   "(a quote is written twice: 'it''s')");
            content.push_back(c);
        }
        if (kind == TokenKind::quoted_name && content.empty()) {
            at_ = from;
            return refuse_here("a column name is missing between the quotes");
        }
        return Token{kind, std::move(content), from};
    }

    Result<Token> number() {
        const std::size_t from = at_;
        TokenKind kind = TokenKind::integer;
        while (is_digit(peek(0))) ++at_;
        if (peek(0) == '.') {
            if (!is_digit(peek(1))) return refuse_here("a digit is missing after the point");
            kind = TokenKind::decimal;
            for (++at_; is_digit(peek(0));) ++at_;
        }
        if (peek(0) == 'e' || peek(0) == 'E') {
            const std::size_t digits = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
            if (!is_digit(peek(digits))) return refuse_here("a digit is missing in the exponent");
            kind = TokenKind::decimal;
            for (at_ += digits; is_digit(peek(0));) ++at_;
        }
        if (is_word(peek(0))) {
            at_ = from;
            return refuse_here("a name cannot begin with a digit: a column of that name is written in double quotes");
        }
        return Token{kind, std::string(text_.substr(from, at_ - from)), from};
    }

    Result<Token> symbol() {
        const std::string_view rest = text_.substr(at_);
        static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> refused{{
            {"--", "comments are not part of an expression (and - - needs a space)"},
            {"/*", "comments are not part of an expression"},
            {"==", "write = to compare"},
            {"<=>", "write IS NOT DISTINCT FROM, which DuckDB reads too"},
            {"::", "write CAST(x AS VARCHAR), which Spark reads too"},
            {"//", "write / or %: DuckDB's // is not in Spark"},
            {"`", "a column name is quoted with \"double quotes\""},
            {";", "an expression is no statement: leave the ; out"},
            {".", "a column is named without a table; a number needs a digit before its point"},
        }};
        for (const auto& [symbol, advice] : refused) {
            if (rest.starts_with(symbol)) return refuse_here(advice);
        }
        static constexpr std::array<std::string_view, 17> symbols{"<>", "!=", "<=", ">=", "||", "=", "<", ">", "+",
                                                                  "-",  "*",  "/",  "%",  "(",  ")", ",", ""};
        const auto found = std::find_if(symbols.begin(), symbols.end(), [&](auto s) { return rest.starts_with(s); });
        if (found->empty()) {
            return refuse_here("this character is not part of the expressions that DuckDB and Spark read alike: "
                               "a name that holds it is written in \"double quotes\", a text in 'single quotes'");
        }
        Token token{TokenKind::symbol, std::string(*found == "!=" ? "<>" : *found), at_};
        at_ += found->size();
        return token;
    }

    std::string_view text_;
    const SourcePosition& start_;
    std::size_t at_ = 0;
    std::vector<Token> tokens_;
};

} // namespace

Error refuse(std::string_view text, const SourcePosition& start, std::size_t at, std::string_view message) {
    SourcePosition position = start;
    for (const char c : text.substr(0, at)) {
        if (c == '\n') {
            ++position.line;
            position.column = 1;
        } else if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) { // Not the inside of a UTF-8 character.
            ++position.column;
        }
    }
    return reject("{}: {}", position.text(), message);
}

Result<std::vector<Token>> tokenize(std::string_view text, const SourcePosition& start) {
    return Lexer(text, start).run();
}

} // namespace questlog::scan
