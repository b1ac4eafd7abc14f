#pragma once

#include <string>
#include <string_view>

namespace questlog::event {

/// Reads a query string or an application/x-www-form-urlencoded body: pairs between '&', percent-decoded, '+' as a
/// space. As in Python's urllib, a '%' that two hex digits do not follow stands for itself. Empty pairs are skipped;
/// a pair without '=' has an empty value.
class FormCursor {
public:
    explicit FormCursor(std::string_view text) : rest_(text) {}
    /// False at the end. The decoded bytes may be anything; UTF-8 is the caller's to check.
    bool next(std::string& name, std::string& value);

private:
    std::string_view rest_;
};

} // namespace questlog::event
