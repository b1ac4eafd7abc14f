#pragma once

#include "base/result.h"
#include "scan/expression_lexer.h"
#include "scan/expression_node.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Recursive descent over an expression's tokens; for the expression_*.cpp files alone.
namespace questlog::scan {

inline constexpr std::size_t expression_terms_max = 1000; ///< DuckDB's own limit for depth is 1,000.
inline constexpr std::size_t expression_depth_max = 64;   ///< Parentheses, CASE and calls within each other.

/// Precedence from loose to tight: OR, AND, NOT, one predicate (=, IS, IN, BETWEEN, LIKE), one of {+ -} or {||},
/// {* / %}, unary minus. Where the two engines' precedences differ, parentheses are demanded.
class ExpressionParser {
public:
    ExpressionParser(std::string_view text, const SourcePosition& start, std::vector<Token> tokens)
        : text_(text), start_(start), tokens_(std::move(tokens)) {}

    Result<NodePtr> parse(Role role);

private:
    struct Operand { ///< A parsed part and the token it begins with.
        NodePtr node;
        std::size_t token = 0;
    };

    Result<Operand> disjunction();
    Result<Operand> conjunction();
    Result<Operand> negation();
    Result<Operand> predicate();
    Result<Operand> predicate_of(Operand left);
    Result<Operand> comparison(Operand left);
    Result<Operand> is_test(Operand left);
    Result<Operand> in_list(Operand left, bool negated);
    Result<Operand> between(Operand left, bool negated);
    Result<Operand> like(Operand left, bool negated);
    Result<Operand> sum();
    Result<Operand> product();
    Result<Operand> sign();
    Result<Operand> primary();
    Result<Operand> word();
    Result<Operand> literal(bool negative);
    Result<Operand> case_when();
    Result<Operand> cast();
    Result<Operand> call();
    Result<NodePtr> checked_call(const std::string& name, std::size_t at, std::span<const Operand> arguments);

    Result<Operand> arithmetic(std::string symbol, Operand left, Operand right);
    Status expect_kind(const Operand& operand, Kind kind, std::string_view what) const;
    Result<Kind> common_kind(std::span<const Operand> operands, std::string_view what) const;
    static std::vector<NodePtr> nodes_of(std::span<const Operand> operands);
    Status check_divisor(const Operand& divisor) const;
    Status check_text(const Operand& operand) const;

    [[nodiscard]] const Token& now() const { return tokens_[next_]; }
    [[nodiscard]] bool is_keyword(std::string_view keyword, std::size_t ahead = 0) const;
    [[nodiscard]] bool is_symbol(std::string_view symbol) const;
    bool take_keyword(std::string_view keyword);
    bool take_symbol(std::string_view symbol);
    Status expect_keyword(std::string_view keyword);
    Status expect_symbol(std::string_view symbol, std::string_view where);
    [[nodiscard]] Error refuse_at(std::size_t token, std::string_view message) const;
    [[nodiscard]] Error unexpected(std::string_view wanted) const;
    Result<NodePtr> make(Op op, Kind kind, std::string text, std::vector<NodePtr> children, bool negated = false);

    std::string_view text_;
    const SourcePosition& start_;
    std::vector<Token> tokens_;
    std::size_t next_ = 0;
    std::size_t terms_ = 0;
    std::size_t depth_ = 0;
};

/// Why a function that both engines know by name, or one of them does, is not in the subset, and what to write instead.
[[nodiscard]] std::string refused_function(std::string_view lower_case_name);

} // namespace questlog::scan
