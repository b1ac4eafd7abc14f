#include "http/head_parser.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <functional>
#include <limits>

namespace questlog::http {
namespace {

namespace beast = boost::beast;
using beast::http::field;
using beast::http::verb;

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

Refusal bad_request(std::string_view what) {
    return Refusal{400, std::string(what)};
}

Method method_of(verb method) {
    switch (method) {
    case verb::get: return Method::get;
    case verb::head: return Method::head;
    case verb::post: return Method::post;
    case verb::put: return Method::put;
    case verb::delete_: return Method::delete_;
    case verb::options: return Method::options;
    case verb::patch: return Method::patch;
    default: return Method::other; // the thirty-odd further verbs that Beast knows
    }
}

bool all_digits(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Lenient about what a host is, strict about what would make two readers see two hosts.
bool is_host(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || std::string_view(",/\\@?#").find(c) != std::string_view::npos;
    });
}

ContentCoding content_coding_of(std::string_view value) {
    const auto is = [value](std::string_view name) {
        return beast::iequals({value.data(), value.size()}, {name.data(), name.size()});
    };
    if (value.empty() || is("identity")) return ContentCoding::identity;
    if (is("gzip") || is("x-gzip")) return ContentCoding::gzip;
    return is("zstd") ? ContentCoding::zstd : ContentCoding::other;
}

/// Beast reads the grammar; what it lets pass and may be read in two ways is refused here, field by field.
class StrictParser final : public beast::http::basic_parser<true> {
public:
    StrictParser(std::string_view bytes, std::vector<Header>& headers, Head& head)
        : bytes_(bytes), headers_(headers), head_(head) {
        header_limit((std::numeric_limits<std::uint32_t>::max)()); // the limits were checked by the caller
        body_limit(boost::none);
    }

    std::optional<Refusal>& fault() { return fault_; }
    [[nodiscard]] int hosts() const { return hosts_; }
    [[nodiscard]] int lengths() const { return lengths_; }
    [[nodiscard]] bool closes() const { return closes_; }
    [[nodiscard]] std::string_view expectation() const { return expectation_; }

private:
    void on_request_impl(verb method, beast::string_view method_text, beast::string_view target, int version,
                         beast::error_code& /*ec*/) override {
        head_.request.method = method_of(method);
        head_.request.method_text = view(method_text);
        head_.request.target = view(target);
        head_.request.version = version;
    }

    void on_field_impl(field name, beast::string_view name_text, beast::string_view value,
                       beast::error_code& ec) override {
        const Header header{view(name_text), view(value)};
        if (continued(header)) return refuse("a header line must not be continued on the next line", ec);
        headers_.push_back(header);
        switch (name) {
        case field::host: return take_host(header.value, ec);
        case field::content_length: return take_length(header.value, ec);
        case field::transfer_encoding: return take_coding(header.value, ec);
        case field::content_encoding: take_content_coding(header.value); return;
        case field::expect: expectation_ = header.value; return;
        case field::connection: closes_ = closes_ || beast::http::token_list(value).exists("close"); return;
        default: return;
        }
    }

    /// Beast unfolds a continued line into a buffer of its own, or skips an empty first line.
    [[nodiscard]] bool continued(const Header& header) const {
        const std::less<const char*> before;
        const char* const name_end = header.name.data() + header.name.size();
        const char* const value = header.value.data();
        if (before(value, name_end) || before(bytes_.data() + bytes_.size(), value)) return true;
        return std::find(name_end, value, '\n') != value;
    }

    void take_host(std::string_view value, beast::error_code& ec) {
        ++hosts_;
        if (!is_host(value)) refuse("the Host header must hold one host, and a port if need be", ec);
    }

    void take_length(std::string_view value, beast::error_code& ec) {
        ++lengths_;
        if (lengths_ > 1) return refuse("there must be one Content-Length only", ec);
        if (!all_digits(value)) refuse("Content-Length must be one decimal number", ec);
    }

    void take_coding(std::string_view value, beast::error_code& ec) {
        if (head_.chunked) return refuse("there must be one Transfer-Encoding only", ec);
        if (!beast::iequals({value.data(), value.size()}, "chunked"))
            return refuse("the only Transfer-Encoding taken is 'chunked', alone", ec);
        if (head_.request.version < 11) return refuse("HTTP/1.0 has no Transfer-Encoding; send a Content-Length", ec);
        head_.chunked = true;
    }

    void take_content_coding(std::string_view value) {
        const ContentCoding coding = content_coding_of(value);
        if (coding == ContentCoding::identity) return;
        ContentCoding& all = head_.request.coding;
        all = all == ContentCoding::identity ? coding : ContentCoding::other;
    }

    void refuse(std::string_view what, beast::error_code& ec) {
        fault_ = bad_request(what);
        ec = beast::http::error::bad_value;
    }

    // Not reached: bodies are not given to Beast.
    void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}
    void on_header_impl(beast::error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, beast::error_code&) override {}
    std::size_t on_body_impl(beast::string_view body, beast::error_code&) override { return body.size(); }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, beast::error_code&) override {
        return body.size();
    }
    void on_finish_impl(beast::error_code&) override {}

    std::string_view bytes_;
    std::vector<Header>& headers_;
    Head& head_;
    std::optional<Refusal> fault_;
    std::string_view expectation_;
    int hosts_ = 0;
    int lengths_ = 0;
    bool closes_ = false;
};

/// "… HTTP/2.0" is a version that is not spoken here; anything else in its place is no request line at all.
bool names_a_version(std::string_view request_line) {
    const std::size_t space = request_line.rfind(' ');
    if (std::count(request_line.begin(), request_line.end(), ' ') != 2) return false;
    const std::string_view version = request_line.substr(space + 1);
    return version.size() == 8 && version.starts_with("HTTP/") && all_digits(version.substr(5, 1)) &&
           version[6] == '.' && all_digits(version.substr(7));
}

Refusal refusal_of(const beast::error_code& ec, std::string_view bytes) {
    using beast::http::error;
    if (ec == error::bad_method) return bad_request("the method must be a word of letters, followed by one space");
    if (ec == error::bad_target)
        return bad_request("the target must be printable, without spaces, and followed by one space and the version");
    if (ec == error::bad_version) {
        if (!names_a_version(bytes.substr(0, bytes.find('\r'))))
            return bad_request("the request line must be: method, target, HTTP/1.1, with one space between them");
        return Refusal{505, "the versions spoken here are HTTP/1.1 and HTTP/1.0"};
    }
    if (ec == error::bad_field)
        return bad_request("a header line must be: name, colon, value, with no space before the colon");
    if (ec == error::bad_content_length || ec == error::multiple_content_length || ec == error::bad_transfer_encoding)
        return bad_request("the body's length must be told once: by one decimal Content-Length, or by "
                           "'Transfer-Encoding: chunked'");
    if (ec == error::bad_line_ending) return bad_request("every line of the header must end with CR LF");
    return bad_request("a header value holds control characters or is not of its form");
}

bool starts_with_scheme(std::string_view target, std::string_view scheme) {
    return target.size() >= scheme.size() &&
           beast::iequals({target.data(), scheme.size()}, {scheme.data(), scheme.size()});
}

/// Fills path and query from the target, which is "/path?query", "http://host/path?query" or, for OPTIONS, "*".
bool split_target(Request& request) {
    std::string_view rest = request.target;
    if (rest == "*" && request.method == Method::options) {
        request.path = rest;
        return true;
    }
    if (rest.find('#') != std::string_view::npos) return false; // a fragment stays with the client
    if (!rest.starts_with('/')) {
        const std::size_t scheme = starts_with_scheme(rest, "http://")    ? 7
                                   : starts_with_scheme(rest, "https://") ? 8
                                                                          : 0;
        const std::size_t path = std::min(rest.find_first_of("/?", scheme), rest.size());
        if (scheme == 0 || !is_host(rest.substr(scheme, path - scheme)) || path == scheme) return false;
        rest.remove_prefix(path);
    }
    const std::size_t question = rest.find('?');
    request.path = rest.substr(0, question);
    request.query = question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1);
    if (request.path.empty()) request.path = "/";
    return true;
}

std::optional<Refusal> check(const StrictParser& parser, Head& head) {
    if (parser.hosts() > 1) return bad_request("there must be one Host header only");
    if (parser.hosts() == 0 && head.request.version >= 11) return bad_request("HTTP/1.1 requires a Host header");
    if (parser.lengths() > 0 && head.chunked)
        return bad_request("Content-Length and Transfer-Encoding must not stand in one request");
    if (!split_target(head.request))
        return bad_request("the target must begin with '/' or with http://host/, and hold no '#'");
    // HTTP/1.0 has no expectations: ignored there.
    if (head.request.version >= 11 && !parser.expectation().empty()) {
        const std::string_view expectation = parser.expectation();
        if (!beast::iequals({expectation.data(), expectation.size()}, "100-continue"))
            return Refusal{417, "the only expectation met here is 100-continue"};
        head.continue_expected = true;
    }
    return std::nullopt;
}

} // namespace

bool is_token_character(char c) {
    return beast::http::detail::is_token_char(c);
}

std::optional<Refusal> read_head(std::string_view bytes, std::vector<Header>& headers, Head& head) {
    headers.clear();
    head = Head{};
    StrictParser parser(bytes, headers, head);
    beast::error_code ec;
    const std::size_t read = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    if (parser.fault()) return std::move(parser.fault());
    if (ec) return refusal_of(ec, bytes);
    if (!parser.is_header_done() || read != bytes.size())
        return bad_request("the header is not of the form of HTTP/1.1");
    if (auto refusal = check(parser, head)) return refusal;
    const auto length = parser.content_length();
    // Beyond any limit, also where std::size_t is narrower than what was sent.
    head.content_length =
        !length ? 0
                : static_cast<std::size_t>(std::min<std::uint64_t>(*length, (std::numeric_limits<std::size_t>::max)()));
    head.keep_alive = parser.keep_alive() && !parser.closes();
    return std::nullopt;
}

} // namespace questlog::http
