#include "lake/table_path.h"

#include <algorithm>
#include <iterator>

namespace questlog::lake {
namespace {

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

Status check_part(std::string_view path, std::string_view part) {
    if (part.empty())
        return reject("table path '{}' has an empty part: write it relative to the lake root, as tmp/sword_purchases",
                      path);
    if (part.front() == '.' || part.front() == '_')
        return reject("table path '{}': '{}' begins with '{}', which readers of Parquet folders skip; begin every part "
                      "with a letter or digit",
                      path, part, part.front());
    return {};
}

} // namespace

Status check_table_path(std::string_view path) {
    for (const char c : path)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\')
            return reject("a table path has a control character or a backslash at byte {}: use letters, digits, '_' "
                          "and '-', with '/' between parts",
                          path.find(c));
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        CHECK_OK(check_part(path, path.substr(begin, end - begin)));
        begin = end + 1;
    }
    if (escaped_table_path(path).size() > limits::escaped_path_bytes_max)
        return reject("table path '{}' is too long: at most {} bytes, and three for each that is not a letter, digit, "
                      "'_' or '-'",
                      path, limits::escaped_path_bytes_max);
    return {};
}

std::string escaped_table_path(std::string_view path) {
    std::string name;
    for (const char c : path) {
        if (is_plain(c))
            name += c;
        else
            fmt::format_to(std::back_inserter(name), "%{:02X}", static_cast<unsigned char>(c));
    }
    return name;
}

} // namespace questlog::lake
