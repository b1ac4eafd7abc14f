// The request parser on arbitrary bytes in arbitrary pieces. What it hands on must be within its limits and readable,
// and must not depend on how the bytes were split.
#include "http/request_parser.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using namespace questlog::http;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

ServerOptions limits() {
    ServerOptions options;
    options.request_line_bytes_max = 200;
    options.header_bytes_max = 600;
    options.header_fields_max = 12;
    options.body_bytes_max = 3000;
    return options;
}

/// Everything the parser handed on, and "refused" at the end if it was.
std::vector<std::string> read(const ServerOptions& options, std::string_view bytes, std::uint32_t seed) {
    std::vector<std::string> seen;
    RequestParser parser(options);
    bool refused = false;
    while (!bytes.empty() && !refused) {
        const auto space = parser.space();
        require(!space.empty(), "there is space to read into");
        seed = seed * 1664525 + 1013904223;
        const std::size_t wanted = seed == 0 ? bytes.size() : 1 + (seed >> 16) % 97;
        const std::size_t count = std::min({seed < 0x20000000 ? bytes.size() : wanted, bytes.size(), space.size()});
        std::memcpy(space.data(), bytes.data(), count);
        parser.received(count);
        bytes.remove_prefix(count);
        for (auto progress = parser.next(); progress != RequestParser::Progress::need_more; progress = parser.next()) {
            if (progress == RequestParser::Progress::continue_expected) continue;
            if (progress == RequestParser::Progress::refused) {
                require(parser.refusal().status >= 400 && !parser.refusal().text.empty(), "a refusal says why");
                refused = true;
                break;
            }
            const Request& request = parser.request();
            require(request.body.size() <= options.body_bytes_max, "the body is within its limit");
            require(request.headers.size() <= options.header_fields_max, "the header is within its limit");
            require(request.target.size() <= options.request_line_bytes_max, "the target is within its limit");
            require(request.path.starts_with('/') || request.path == "*", "the path begins with '/'");
            std::string text(request.body.data(), request.body.size() + 64); // readable: the sanitizer watches
            text.resize(request.body.size());
            for (const Header& header : request.headers) {
                require(header.name.size() + header.value.size() <= options.header_bytes_max,
                        "a line is within its limit");
                require(header.value.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos,
                        "no value holds NUL, CR or LF");
                text.append(header.name).append(header.value);
            }
            seen.push_back(text.append(request.method_text).append(request.target).append(request.query));
        }
    }
    require(parser.capacity() <= 64 * 1024, "memory is bounded");
    if (refused) seen.emplace_back("refused");
    return seen;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const ServerOptions options = limits();
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = read(options, bytes, 0);
    for (const std::uint32_t seed : {1u, 2u, static_cast<std::uint32_t>(size) * 2654435761u + 3u})
        require(read(options, bytes, seed) == whole, "how the bytes are split makes no difference");
    return 0;
}
