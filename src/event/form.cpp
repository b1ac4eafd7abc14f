#include "event/form.h"

namespace questlog::event {
namespace {

int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    const char lower = static_cast<char>(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void decode(std::string& out, std::string_view text) {
    out.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape =
            text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
        if (escape) {
            out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
}

} // namespace

bool FormCursor::next(std::string& name, std::string& value) {
    while (!rest_.empty()) {
        const std::string_view pair = rest_.substr(0, rest_.find('&'));
        rest_.remove_prefix(pair.size() < rest_.size() ? pair.size() + 1 : pair.size());
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        decode(name, pair.substr(0, equals));
        decode(value, equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
        return true;
    }
    return false;
}

} // namespace questlog::event
