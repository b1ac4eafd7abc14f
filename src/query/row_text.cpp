#include "query/row_text.h"

#include "query/java_text.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace questlog::query {
namespace {

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// Nothing that an event holds moves the cursor or changes colours.
std::string harmless(std::string_view text) {
    std::string out;
    for (const char c : escape_meta_characters(text)) {
        if (is_control(c))
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    return out;
}

void append_padded(std::string& out, const std::string& cell, std::size_t width, bool right_aligned) {
    const std::size_t padding = width - half_width(cell);
    if (right_aligned) out.append(padding, ' ');
    out += cell;
    if (!right_aligned) out.append(padding, ' ');
}

} // namespace

void append_csv(std::string& out, std::string_view text) {
    const bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos &&
                       text.front() != ' ' && text.back() != ' ';
    if (plain) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

void append_json(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            if (is_control(c))
                out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
            else
                out += c;
        }
    }
    out += '"';
}

bool is_json_literal(std::string_view text) {
    if (text == "true" || text == "false") return true;
    return !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

bool is_number_type(std::string_view type_name) {
    static constexpr std::array<std::string_view, 13> numbers{
        "TINYINT",  "SMALLINT", "INTEGER",  "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
        "UINTEGER", "UBIGINT",  "UHUGEINT", "FLOAT",  "DOUBLE",  "DECIMAL"};
    if (type_name.ends_with(']')) return false;
    return std::find(numbers.begin(), numbers.end(), type_name.substr(0, type_name.find('('))) != numbers.end();
}

void Box::add_column(std::string_view name, bool right_aligned) {
    columns_.push_back({harmless(name), right_aligned});
}

void Box::add_row(std::vector<std::optional<std::string>> cells) {
    std::vector<std::string>& row = rows_.emplace_back();
    for (const std::optional<std::string>& cell : cells) row.push_back(cell ? harmless(*cell) : "NULL");
}

std::string Box::text() const {
    std::vector<std::size_t> widths;
    for (const Column& column : columns_) widths.push_back(half_width(column.name));
    for (const auto& row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], half_width(row[i]));
    }
    std::string border = "+";
    for (const std::size_t width : widths) border += std::string(width, '-') + "+";
    border += '\n';

    std::string out = border + "|";
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        append_padded(out, columns_[i].name, widths[i], columns_[i].right_aligned);
        out += '|';
    }
    out += '\n' + border;
    for (const auto& row : rows_) {
        out += '|';
        for (std::size_t i = 0; i < row.size(); ++i) {
            append_padded(out, row[i], widths[i], columns_[i].right_aligned);
            out += '|';
        }
        out += '\n';
    }
    return out + border;
}

} // namespace questlog::query
