#pragma once

#include "base/limits.h"
#include "base/result.h"
#include "io/env.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

/// Transport only: listening, parsing, limits, pipelining, answers in order. Knows nothing of events.
/// One io thread. Everything here is called on it, but for Server::post and Server::request_stop. It is one thread at a
/// time: when a call of Server::run_blocking blocks it, another one is the io thread from then on, and sees all that
/// was done before.
///
/// A turn: every request that has arrived on any connection is handled; then one commit for all of them; then one send
/// for each connection, with all its answers. While a commit is in flight further requests are read and handled, for
/// the next one. Answers of a connection leave in the order of its requests, whatever each of them waits for. What is
/// refused without asking the handler, and why: docs/decisions/0002-http-transport.md.
namespace questlog::http {

struct Header {
    std::string_view name; ///< As sent.
    std::string_view value;
};

enum class Method : std::uint8_t { get, head, post, put, delete_, options, patch, other };

/// How a body is zipped. `other`: in a way that is not taken, or in several.
enum class ContentCoding : std::uint8_t { identity, gzip, zstd, other };

inline constexpr std::size_t body_padding_bytes = 64; ///< Readable behind every body, for SIMD parsers.

/// One whole request. The views are valid during Handler::handle only.
struct Request {
    Method method = Method::other;
    std::string_view method_text;
    std::string_view target; ///< As sent.
    std::string_view path;   ///< Before '?', as sent (not percent-decoded); begins with '/', or is "*" (OPTIONS). The
                             ///< scheme and authority of an absolute target are left out.
    std::string_view query;  ///< After '?', without it; empty if none.
    int version = 11;        ///< 10 or 11.
    std::span<const Header> headers;                ///< In the order sent.
    std::string_view body;                          ///< Unchunked; followed by body_padding_bytes that are readable.
    ContentCoding coding = ContentCoding::identity; ///< Of the body, which a BodyDecoder unzips. A body that is zipped
                                                    ///< in another way was refused.
    std::string_view peer;                          ///< The client's address, as text.
};

/// What to answer. `head` answers are sent without the body but with its length.
struct Response {
    unsigned status = 200; ///< 200–599; 204 and 304 go out without body, length and type.
    std::string_view content_type = "text/html; charset=utf-8";
    std::string_view body = {};
    std::string_view extra_headers = {}; ///< Whole lines with CRLF, e.g. "Retry-After: 1\r\n"; empty if none.
    /// True: goes out only once the commit that Handler::commit() started after this request is done; if that commit
    /// fails, the handler's failure answer goes out in its place.
    bool after_commit = false;
    /// Not 0: goes out only once Server::resolve() has named it, too, in its place among the connection's answers. A
    /// number of the handler's, not given before. Where the commit fails, it is not waited for.
    std::uint64_t hold = 0;
};

/// The exchange of one request with the handler: exactly one respond() during Handler::handle, which copies the answer.
/// None is answered with 500; a second is ignored.
class Exchange {
public:
    virtual ~Exchange() = default;
    virtual void respond(const Response& response) = 0;
};

/// The application behind the server. Called on the io thread.
class Handler {
public:
    virtual ~Handler() = default;
    virtual void handle(const Request& request, Exchange& exchange) = 0;
    /// The loop turn is over: start committing what the turn's requests staged. The server calls it once for all
    /// requests of a turn, and not again before committed() was called for the last. False: nothing was staged, so
    /// nothing will be reported.
    virtual bool commit() = 0;
    /// Called at least every half second, also while a commit is in flight: nothing that waits may wait for ever.
    virtual void tick() {}
    /// Nothing more will be asked or answered. A commit in flight may still run. Not called after Server::fail().
    virtual void stopped() {}
    /// After a failed commit: the answer for every request of it that waited (`after_commit`).
    virtual Response commit_failure() = 0;
    /// Every answered request, after its answer was handed to the kernel (for access logs). Also those that the server
    /// refused by itself; where their request line could not be read, method and target are empty.
    virtual void answered(std::string_view peer, std::string_view method, std::string_view target, int version,
                          unsigned status) = 0;
    /// False: answered() is never called, and nothing is kept for it. Asked once.
    [[nodiscard]] virtual bool wants_answered() const = 0;
};

struct ServerOptions {
    std::string host = "127.0.0.1"; ///< An address, "[::1]" or a name; of a name's addresses an IPv4 one comes first.
    std::uint16_t port = 5000;      ///< 0: any free one.
    std::size_t request_line_bytes_max = limits::request_line_bytes_max; ///< Longer: 414.
    std::size_t header_bytes_max = limits::header_bytes_max;             ///< All header lines together; more: 431.
    std::size_t header_fields_max = limits::header_fields_max;           ///< More: 431.
    std::size_t body_bytes_max = limits::body_bytes_max;                 ///< Unchunked; larger: 413 before it is read.
    std::size_t connections_max = limits::connections_max;               ///< One more is answered 503 and closed.
    std::size_t unsent_bytes_max = limits::unsent_bytes_max; ///< A client that leaves more unread is not read from.
    std::size_t unsent_bytes_of_all_max =
        128 * 1024 * 1024;                              ///< Answers that all clients together leave unread; beyond,
                                                        ///< a client with any of its own unread is not read from.
    std::size_t pipelined_requests_max = 1024;          ///< With as many unanswered, a client is not read from.
    std::size_t buffered_bytes_max = 256 * 1024 * 1024; ///< Input buffers of all connections; beyond, requests that
                                                        ///< need more room get 503.
    std::chrono::milliseconds header_timeout = limits::header_timeout; ///< First byte to the end of the header: 408.
    /// A body may take this long, and a second more for every `body_bytes_per_second_min` received: 408.
    std::chrono::milliseconds body_timeout = limits::body_timeout;
    std::size_t body_bytes_per_second_min = limits::body_bytes_per_second_min;
    std::chrono::milliseconds idle_timeout = limits::idle_timeout; ///< Between requests; closed without a word.
    std::chrono::milliseconds send_timeout =
        limits::send_timeout; ///< A client that reads nothing of its answers so long is dropped.
    /// After a refusal the rest of what the client sends is read and dropped for so long, or its kernel would throw the
    /// answer away unread.
    std::chrono::milliseconds linger_timeout{2'000};
    std::chrono::milliseconds drain_timeout = limits::drain_timeout;
    std::string server_name = "questlog"; ///< The Server header.
    io::Clock* clock = nullptr;           ///< For the Date header; without one there is no Date.
    /// A call of Server::run_blocking that takes longer, or up to twice as long, no longer holds up the others.
    std::chrono::milliseconds blocking_call_max{20};
};

/// Counted since the server began to listen.
struct ServerStats {
    std::int64_t connections_open = 0;
    std::int64_t connections_accepted = 0;
    std::int64_t connections_refused = 0; ///< Over connections_max: answered 503.
    std::int64_t requests = 0;            ///< Handed to the handler.
    std::int64_t bad_requests = 0;        ///< Refused by the server itself: framing, syntax, limits.
    std::int64_t timeouts = 0;            ///< Slow requests (408) and clients that did not read their answers.
};

/// What becomes of answers that are held.
struct Resolution {
    std::uint64_t hold = 0;
    unsigned status = 0; ///< 0: the answer goes out as it was given; else with this status and body, as JSON.
    std::string body{};
};

class Server {
public:
    virtual ~Server() = default;
    /// Binds and listens, so that a taken port is told before anything else happens (`reject`, naming the port).
    static Result<std::unique_ptr<Server>> listen(const ServerOptions& options);
    [[nodiscard]] virtual std::uint16_t port() const = 0;
    /// Serves until request_stop(): then stops accepting, closes idle connections, answers what has arrived or is
    /// arriving (at most drain_timeout), waits for the commit in flight, and returns. An error from fail() is returned.
    /// Once a Server.
    virtual Status run(Handler& handler) = 0;
    /// The commit that Handler::commit() started is done: its answers go out, or, where it failed, commit_failure()'s.
    /// From the io thread, also from within Handler::commit() itself, and from Handler::tick() for one that is given
    /// up.
    virtual void committed(bool succeeded) = 0;
    /// These answers are held no longer. Those that are gone with their connections are no matter. io thread.
    virtual void resolve(const std::vector<Resolution>& resolutions) = 0;
    virtual void post(std::function<void()> action) = 0; ///< Any thread: runs `action` on the io thread.
    virtual void request_stop() = 0;                     ///< Any thread and signal-safe enough for a signal thread.
    /// From within Handler::commit(): runs `call`, which may block, and then `then` on the io thread: when commit() has
    /// returned, or at once. While `call` blocks, another thread serves; `call` may touch nothing of the io thread's.
    /// Not again before `then`: there is one other thread, and a second call that blocks would stop it, too. For calls
    /// that are short nearly always: these stay on the thread and cost nothing more. run() does not return while `call`
    /// runs, whatever ended it, and drops the `then` of such a one.
    virtual void run_blocking(std::function<void()> call, std::function<void()> then) = 0;
    virtual void fail(Error error) = 0; ///< io thread: run() returns this error at once, nothing more is answered.
    [[nodiscard]] virtual ServerStats stats() const = 0; ///< io thread.
};

} // namespace questlog::http
