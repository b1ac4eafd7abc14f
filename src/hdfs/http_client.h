#pragma once

#include "base/guarded.h"
#include "base/result.h"
#include "io/env.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

/// One HTTP exchange at a time over libcurl, whose header is seen here alone.
namespace questlog::hdfs {

enum class Method : std::uint8_t { get, put, remove };

/// What a request carries: `bytes`, or all of `file`.
struct Body {
    std::span<const std::byte> bytes{};
    io::File* file = nullptr;
    std::int64_t size = 0;

    static Body of(std::string_view text) {
        return {std::as_bytes(std::span(text)), nullptr, static_cast<std::int64_t>(text.size())};
    }
};

/// Takes an answer's bytes as they come, where the status is 200.
using Sink = std::function<Status(std::span<const std::byte>)>;

struct HttpRequest {
    Method method = Method::get;
    std::string url;
    const Body* body = nullptr; ///< Null: none.
    const Sink* sink = nullptr; ///< Null: they become HttpAnswer::body.
};

struct HttpAnswer {
    int status = 0;
    std::string location;
    std::string body;
    std::int64_t date_s = 0; ///< By the server's clock, since 1970; 0: it does not say.
    /// libcurl may have sent the request twice: it does so by itself where a kept connection ends without an answer.
    bool may_be_repeated = false;
};

/// Why there is no whole answer.
struct HttpFailure {
    std::string what;
    bool may_be_done = true; ///< False: nobody took the request.
    bool local = false;      ///< The request's body, or the sink, failed: `what` is of this machine.
    Error error{};           ///< Where `local`.
};

struct HttpOptions {
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds stall_timeout{30'000}; ///< Without a byte in either direction.
};

/// Keeps connections open from one call to the next. Any thread; each call has a connection to itself.
class HttpClient {
public:
    explicit HttpClient(HttpOptions options);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// Follows no redirect: the answer says where it leads to.
    std::variant<HttpAnswer, HttpFailure> perform(const HttpRequest& request);

private:
    struct Handle;
    std::unique_ptr<Handle> take();

    HttpOptions options_;
    Guarded<std::vector<std::unique_ptr<Handle>>> idle_;
};

/// "HOST:PORT" of a URL.
[[nodiscard]] std::string host_of(std::string_view url);

/// Percent-encodes all but letters, digits and "-._~", and what `kept` holds.
[[nodiscard]] std::string url_encoded(std::string_view text, std::string_view kept = {});

} // namespace questlog::hdfs
