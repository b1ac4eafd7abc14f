#include "scan/expression_node.h"

#include <algorithm>
#include <fmt/format.h>

/// Trees written as SQL. Every operation is in parentheses, so no engine's precedence matters.
namespace questlog::scan {
namespace {

using Node = Expression::Node;

/// Written so in both engines: the digits alone are a wider number before their sign is read.
constexpr std::string_view least_bigint = "CAST('-9223372036854775808' AS BIGINT)";

class Renderer {
public:
    explicit Renderer(Dialect dialect) : dialect_(dialect) {}

    std::string run(const Node& root) {
        // A column needs a type; NULL has none, and DuckDB gives NULL || 'a' none either.
        if (root.kind == Kind::null || (root.kind == Kind::string && holds_null(root)))
            write_text(root, true);
        else
            write(root);
        return std::move(out_);
    }

private:
    [[nodiscard]] bool spark() const { return dialect_ == Dialect::spark; }
    [[nodiscard]] std::string_view text_type() const { return spark() ? "STRING" : "VARCHAR"; }

    static bool holds_null(const Node& node) {
        return node.op == Op::null || std::any_of(node.children.begin(), node.children.end(),
                                                  [](const NodePtr& child) { return holds_null(*child); });
    }

    void write(const Node& node) {
        switch (node.op) {
        case Op::null: write_null(node.kind); return;
        case Op::boolean:
        case Op::double_: out_ += node.text; return;
        case Op::bigint: out_ += fmt::format("CAST({} AS BIGINT)", node.text); return;
        case Op::string: write_string(node.text); return;
        case Op::column: write_name(node.text); return;
        case Op::negate: write_negated(node); return;
        case Op::arithmetic: write_arithmetic(node); return;
        case Op::concat: write_concat(node); return;
        case Op::compare: join("(", node, fmt::format(" {} ", node.text), ")"); return;
        case Op::distinct: join("(", node, node.negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ", ")"); return;
        case Op::is_null: join("(", node, "", node.negated ? " IS NOT NULL)" : " IS NULL)"); return;
        case Op::in: write_in(node); return;
        case Op::between: write_between(node); return;
        case Op::like: write_like(node); return;
        case Op::not_: join("(NOT ", node, "", ")"); return;
        case Op::and_: join("(", node, " AND ", ")"); return;
        case Op::or_: join("(", node, " OR ", ")"); return;
        case Op::case_: write_case(node); return;
        case Op::cast_text: write_text(*node.children[0], true); return;
        case Op::function: write_function(node); return;
        case Op::number_of: write_number_of(*node.children[0]); return;
        case Op::boolean_of: join("CASE ", node, "", " WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"); return;
        }
    }

    void write_null(Kind kind) {
        switch (kind) {
        case Kind::unknown:
        case Kind::null: out_ += "NULL"; return;
        case Kind::boolean: out_ += "CAST(NULL AS BOOLEAN)"; return;
        case Kind::bigint: out_ += "CAST(NULL AS BIGINT)"; return;
        case Kind::double_: out_ += "CAST(NULL AS DOUBLE)"; return;
        case Kind::string: out_ += fmt::format("CAST(NULL AS {})", text_type()); return;
        }
    }

    /// A whole number beyond 64 bits is NULL. Each engine has an operator that gives it.
    void write_arithmetic(const Node& node) {
        if (node.kind != Kind::bigint) return join("(", node, fmt::format(" {} ", node.text), ")");
        if (node.text == "%") return write_remainder(node);
        if (!spark()) return join("TRY(", node, fmt::format(" {} ", node.text), ")");
        join(node.text == "+" ? "try_add(" : node.text == "-" ? "try_subtract(" : "try_multiply(", node, ", ", ")");
    }

    /// Always within 64 bits; but DuckDB refuses -2^63 % -1 among 64-bit numbers.
    void write_remainder(const Node& node) {
        if (spark()) return join("(", node, " % ", ")");
        out_ += "CAST((CAST(";
        write(*node.children[0]);
        out_ += " AS HUGEINT) % ";
        write(*node.children[1]);
        out_ += ") AS BIGINT)";
    }

    /// -2^63 has no negative and no absolute value among 64-bit numbers.
    void write_negated(const Node& node) {
        if (node.kind == Kind::bigint) return join("(-nullif(", node, "", fmt::format(", {}))", least_bigint));
        out_ += "(-";
        const std::size_t operand = out_.size();
        write(*node.children[0]);
        if (out_[operand] == '-') out_.insert(operand, " "); // two would begin a comment
        out_ += ')';
    }

    /// The number that a text is by JSON's grammar, else NULL.
    void write_number_of(const Node& text) {
        out_ += spark() ? "try_cast(regexp_extract(" : "TRY_CAST(regexp_extract(";
        write(text);
        out_ += spark() ? R"(, '\\A(-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?)\\z', 1) AS DOUBLE))"
                        : R"(, '\A(-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?)\z', 1) AS DOUBLE))";
    }

    void join(std::string_view before, const Node& node, std::string_view between, std::string_view after) {
        out_ += before;
        for (std::size_t i = 0; i < node.children.size(); ++i) {
            if (i != 0) out_ += between;
            write(*node.children[i]);
        }
        out_ += after;
    }

    void write_string(std::string_view text) {
        out_ += '\'';
        for (const char c : text) {
            if (c == '\'') out_ += spark() ? '\\' : '\'';
            out_ += c;
        }
        out_ += '\'';
    }

    void write_name(std::string_view name) { out_ += quote_name(name, dialect_); }

    /// A value where text is read: DuckDB refuses other types there, Spark casts them.
    void write_text(const Node& node, bool always = false) {
        if (node.kind == Kind::string && !always) return write(node);
        out_ += "CAST(";
        write(node);
        out_ += fmt::format(" AS {})", text_type());
    }

    void write_concat(const Node& node) {
        out_ += '(';
        write_text(*node.children[0]);
        out_ += " || ";
        write_text(*node.children[1]);
        out_ += ')';
    }

    void write_in(const Node& node) {
        out_ += '(';
        write(*node.children[0]);
        out_ += node.negated ? " NOT IN (" : " IN (";
        for (std::size_t i = 1; i < node.children.size(); ++i) {
            if (i != 1) out_ += ", ";
            write(*node.children[i]);
        }
        out_ += "))";
    }

    void write_between(const Node& node) {
        out_ += '(';
        write(*node.children[0]);
        out_ += node.negated ? " NOT BETWEEN " : " BETWEEN ";
        write(*node.children[1]);
        out_ += " AND ";
        write(*node.children[2]);
        out_ += ')';
    }

    void write_like(const Node& node) {
        out_ += '(';
        write_text(*node.children[0]);
        out_ += node.negated ? " NOT LIKE " : " LIKE ";
        write(*node.children[1]);
        out_ += ')';
    }

    void write_case(const Node& node) {
        out_ += "CASE";
        std::size_t i = 0;
        for (; i + 1 < node.children.size(); i += 2) {
            out_ += " WHEN ";
            write(*node.children[i]);
            out_ += " THEN ";
            write(*node.children[i + 1]);
        }
        if (i < node.children.size()) {
            out_ += " ELSE ";
            write(*node.children[i]);
        }
        out_ += " END";
    }

    void write_function(const Node& node) {
        const Node& first = *node.children[0];
        if (node.text == "length") {
            out_ += spark() ? "CAST(length(" : "length(";
            write_text(first);
            out_ += spark() ? ") AS BIGINT)" : ")";
        } else if (node.text == "trim") {
            out_ += "trim(";
            write_text(first);
            out_ += spark() ? ")" : ", ' ')"; // DuckDB's trim(x) takes every Unicode space, Spark's U+0020 alone.
        } else if (node.text == "substr" || node.text == "replace") {
            out_ += node.text + "(";
            write_text(first);
            for (std::size_t i = 1; i < node.children.size(); ++i) {
                out_ += ", ";
                if (node.text == "substr")
                    out_ += node.children[i]->text; // Spark takes an INT here, no BIGINT.
                else
                    write_text(*node.children[i]);
            }
            out_ += ')';
        } else if (node.text == "abs" && node.kind == Kind::bigint) {
            join("abs(nullif(", node, "", fmt::format(", {}))", least_bigint));
        } else {
            join(node.text + "(", node, ", ", ")");
        }
    }

    Dialect dialect_;
    std::string out_;
};

} // namespace

std::string quote_name(std::string_view name, Dialect dialect) {
    const char quote = dialect == Dialect::spark ? '`' : '"';
    std::string quoted(1, quote);
    for (const char c : name) {
        if (c == quote) quoted += quote;
        quoted += c;
    }
    return quoted += quote;
}

std::string render(const Expression::Node& root, Dialect dialect) {
    return Renderer(dialect).run(root);
}

} // namespace questlog::scan
