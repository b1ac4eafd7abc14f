#include "app/tail_format.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace questlog::app {
namespace {

constexpr std::string_view fields = "sSkKoptTh";

/// The character that the escape at `text[at]` (after the backslash) stands for; `at` moves past it.
Result<char> unescape(std::string_view text, std::size_t& at) {
    if (at == text.size()) return reject("the format ends with a lone backslash; write \\\\ for one");
    const char kind = text[at++];
    switch (kind) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case '0': return '\0';
    case '\\': return '\\';
    case 'x': {
        unsigned value = 0;
        const std::string_view digits = text.substr(at, 2);
        const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (digits.size() != 2 || parsed.ptr != digits.data() + 2)
            return reject("\\x in the format needs two hex digits, as \\x1f");
        at += 2;
        return static_cast<char>(value);
    }
    default: return reject("\\{} in the format is not known; there are \\n \\t \\r \\0 \\\\ \\xNN", kind);
    }
}

/// -1 of null.
void append_length(std::string& out, std::string_view bytes) {
    fmt::format_to(std::back_inserter(out), "{}",
                   bytes.data() == nullptr ? -1 : static_cast<std::int64_t>(bytes.size()));
}

void append_headers(std::string& out, const log::Record& record) {
    const auto headers = log::parse_headers(record);
    if (!headers.ok()) return;
    bool first = true;
    for (const auto& header : headers.value()) {
        if (!first) out += ',';
        first = false;
        out.append(header.key).append("=").append(header.value.data() == nullptr ? "NULL" : header.value);
    }
}

} // namespace

Result<TailFormat> TailFormat::parse(std::string_view text) {
    TailFormat format;
    std::string literal;
    const auto end_literal = [&] {
        if (!literal.empty()) format.parts_.push_back({0, std::move(literal)});
        literal.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at++];
        if (c == '\\') {
            TRY(character, unescape(text, at));
            literal += character;
        } else if (c != '%') {
            literal += c;
        } else if (at < text.size() && text[at] == '%') {
            literal += text[at++];
        } else if (at < text.size() && fields.find(text[at]) != std::string_view::npos) {
            end_literal();
            format.parts_.push_back({text[at++], {}});
        } else {
            return reject("%{} in the format is not known; there are %s %S %k %K %o %p %t %T %h %%",
                          at < text.size() ? text.substr(at, 1) : "");
        }
    }
    end_literal();
    return format;
}

bool TailFormat::has_headers() const {
    return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.field == 'h'; });
}

void TailFormat::append(std::string& out, std::string_view topic, Partition partition,
                        const log::Record& record) const {
    for (const auto& part : parts_) {
        switch (part.field) {
        case 0: out += part.literal; break;
        case 's': out += record.value; break;
        case 'S': append_length(out, record.value); break;
        case 'k': out += record.key.value_or(""); break;
        case 'K': append_length(out, record.key.value_or(std::string_view())); break;
        case 'o': fmt::format_to(std::back_inserter(out), "{}", record.offset.value); break;
        case 'p': fmt::format_to(std::back_inserter(out), "{}", partition.value); break;
        case 't': out += topic; break;
        case 'T': fmt::format_to(std::back_inserter(out), "{}", record.timestamp.value); break;
        case 'h': append_headers(out, record); break;
        default: break; // parse() lets no other field through
        }
    }
}

} // namespace questlog::app
