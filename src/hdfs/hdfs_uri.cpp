#include "hdfs/hdfs_files.h"

#include <charconv>

namespace questlog::hdfs {
namespace {

constexpr std::string_view scheme = "hdfs://";
constexpr int port_max = 65'535;

/// A path whose parts HDFS takes, without anything that leads elsewhere.
bool is_plain_path(std::string_view path) {
    for (std::size_t at = 1; at <= path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view part = path.substr(at, end - at);
        if (part.empty() || part == "." || part == ".." || part.find(':') != std::string_view::npos) return false;
        for (const char c : part)
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\') return false;
        at = end + 1;
    }
    return true;
}

} // namespace

bool is_hdfs_uri(std::string_view text) {
    return text.starts_with(scheme);
}

Result<HdfsUri> parse_hdfs_uri(std::string_view text) {
    const auto wrong = [&](std::string_view what) {
        return reject("\"{}\" {}; write hdfs://HOST:PORT/PATH, as hdfs://namenode:8020/lake", text, what);
    };
    if (!is_hdfs_uri(text)) return wrong("is no address of HDFS");
    std::string_view rest = text.substr(scheme.size());
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return wrong("names no folder");
    std::string_view authority = rest.substr(0, slash);
    std::string_view path = rest.substr(slash);
    while (path.ends_with('/')) path.remove_suffix(1);
    const std::size_t colon = authority.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return wrong("names no HOST:PORT");
    int port = 0;
    const std::string_view digits = authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size() || port < 1 || port > port_max)
        return wrong("has no port from 1 to 65535");
    const std::string_view host = authority.substr(0, colon);
    if (host.find_first_of("@/?# \t") != std::string_view::npos) return wrong("names no HOST:PORT");
    if (!path.empty() && !is_plain_path(path)) return wrong("has a path that HDFS does not take");
    return HdfsUri{std::string(host), port, std::string(path)};
}

} // namespace questlog::hdfs
