#include "base/checked_text.h"

#include "base/crc32c.h"

#include <algorithm>
#include <span>

namespace questlog {

namespace {

constexpr std::string_view version_key = "version = ";
constexpr std::string_view checksum_key = "crc32c = ";

std::string checksum_line(std::string_view covered) {
    return fmt::format("{}{:08x}\n", checksum_key, crc32c(std::as_bytes(std::span(covered))));
}

} // namespace

std::string encode_checked_text(const TextKind& kind, std::string_view lines) {
    const auto text = fmt::format("{}\n{}{}\n{}", kind.title, version_key, kind.version, lines);
    return text + checksum_line(text);
}

Error damaged_text(const TextKind& kind, const std::string& path, std::string_view what) {
    return corrupt("{} is damaged: {}; {}", path, what, kind.cure);
}

Result<std::string_view> decode_checked_text(const TextKind& kind, std::string_view text, const std::string& path) {
    const auto checksum_at = text.rfind(checksum_key);
    if (checksum_at == std::string_view::npos) return damaged_text(kind, path, "it has no checksum");
    auto rest = text.substr(0, checksum_at);
    if (text.substr(checksum_at) != checksum_line(rest)) return damaged_text(kind, path, "its checksum is wrong");
    if (take_text_line(rest) != kind.title)
        return damaged_text(kind, path, fmt::format("its first line is not \"{}\"", kind.title));
    const auto version_line = take_text_line(rest);
    int version = 0;
    if (!version_line.starts_with(version_key) || !parse_number(version_line.substr(version_key.size()), version))
        return damaged_text(kind, path, "it has no version");
    if (version != kind.version)
        return reject("{} has format version {}, and this questlog reads version {}: use the newer questlog that wrote "
                      "it",
                      path, version, kind.version);
    return rest;
}

std::string_view take_text_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

} // namespace questlog
