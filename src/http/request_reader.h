#pragma once

#include "http/request_parser.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

/// For tests: drives a RequestParser as a server does, and writes down what comes of it.
namespace questlog::http {

/// What a connection's bytes come to: the requests, written out, and the refusal if there was one.
struct Reading {
    std::vector<std::string> requests;
    unsigned refused = 0;
    std::string why;
    int continues = 0;

    bool operator==(const Reading& other) const {
        return requests == other.requests && refused == other.refused && why == other.why;
    }
};

inline std::string written_out(const RequestParser& parser) {
    const Request& request = parser.request();
    std::string text = std::string(request.method_text) + " " + std::string(request.path) + " ?" +
                       std::string(request.query) + " HTTP/" + std::to_string(request.version) +
                       (parser.keep_alive() ? " stays\n" : " closes\n");
    for (const Header& header : request.headers)
        text += std::string(header.name) + "=" + std::string(header.value) + "\n";
    return text + "[" + std::string(request.body) + "]";
}

/// Drives a parser as a server does.
class Reader {
public:
    explicit Reader(ServerOptions options = {}) : options_(std::move(options)), parser_(options_) {}

    /// Feeds `bytes` in pieces of at most `piece` bytes.
    Reading& feed(std::string_view bytes, std::size_t piece = std::string_view::npos) {
        while (!bytes.empty() && reading_.refused == 0) {
            const auto space = parser_.space();
            const std::size_t count = std::min({piece, bytes.size(), space.size()});
            std::memcpy(space.data(), bytes.data(), count);
            parser_.received(count);
            bytes.remove_prefix(count);
            take();
        }
        return reading_;
    }

    RequestParser& parser() { return parser_; }
    [[nodiscard]] const Reading& reading() const { return reading_; }

private:
    void take() {
        for (;;) {
            switch (parser_.next()) {
            case RequestParser::Progress::need_more: return;
            case RequestParser::Progress::continue_expected: ++reading_.continues; break;
            case RequestParser::Progress::refused:
                reading_.refused = parser_.refusal().status;
                reading_.why = parser_.refusal().text;
                return;
            case RequestParser::Progress::whole: reading_.requests.push_back(written_out(parser_)); break;
            }
        }
    }

    ServerOptions options_;
    RequestParser parser_;
    Reading reading_;
};

inline Reading read_whole(std::string_view bytes) {
    return Reader().feed(bytes);
}

inline const std::string canary = "GET /canary HTTP/1.1\r\nHost: game\r\n\r\n";

inline std::string get(std::string_view lines) {
    return "GET / HTTP/1.1\r\n" + std::string(lines) + "\r\n";
}
inline std::string post(std::string_view lines, std::string_view body) {
    return "POST /events HTTP/1.1\r\nHost: game\r\n" + std::string(lines) + "\r\n" + std::string(body);
}

} // namespace questlog::http
