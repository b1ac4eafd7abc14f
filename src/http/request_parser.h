#pragma once

#include "http/refusal.h"
#include "http/server.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace questlog::http {

/// Cuts the bytes of one connection into requests, strictly: whatever could be read in two ways is refused, and after a
/// refusal nothing more is read. No sockets and no time; how the bytes are split among reads makes no difference.
///
/// Owns the connection's buffer, which is reused from request to request: the caller reads into space(), says how much
/// came by received(), and calls next() until it says need_more or refused. Request and its views are valid until the
/// next call of next(), space() or shrink(). Bodies are unchunked in place.
class RequestParser {
public:
    enum class Progress : std::uint8_t {
        need_more,         ///< The request that has begun, if any, is not whole.
        whole,             ///< request() is one request.
        continue_expected, ///< The client waits for "100 Continue" before it sends the body. Said once a request.
        refused,           ///< refusal() is the answer. Final.
    };
    enum class Phase : std::uint8_t { between, head, body }; ///< What need_more waits for; `between`: no byte yet.

    explicit RequestParser(const ServerOptions& options); ///< Keeps a reference.

    /// How much larger the buffer becomes by the next space(); 0 as a rule.
    [[nodiscard]] std::size_t growth() const { return capacity_wanted() - capacity_; }
    [[nodiscard]] std::span<char> space(); ///< Never empty.
    void received(std::size_t bytes);      ///< The first `bytes` of the last space() are there.

    [[nodiscard]] Progress next();
    [[nodiscard]] const Request& request() const { return request_; }
    /// The request that was refused or is not whole, as far as its head was read: for logs.
    [[nodiscard]] Request request_so_far();
    [[nodiscard]] bool keep_alive() const { return keep_alive_; } ///< What the request wants.
    /// Bytes of a further request have come.
    [[nodiscard]] bool more() const { return (stage_ == Stage::whole ? next_begin_ : begin_) < end_; }
    [[nodiscard]] const Refusal& refusal() const { return refusal_; } ///< The connection closes after it.

    [[nodiscard]] Phase phase() const;
    [[nodiscard]] std::size_t body_bytes_received() const { return body_bytes_received_; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    void shrink(); ///< Gives a large buffer back. Only while phase() is `between`; no space() may be in use.
    void reset();  ///< For another connection.

private:
    enum class Stage : std::uint8_t {
        request_line,
        fields,
        sized_body,
        chunk_size,
        chunk_data,
        chunk_end,
        trailers,
        whole,
        refused,
    };

    void begin_request(std::size_t at);
    [[nodiscard]] Progress refuse(unsigned status, std::string text);
    [[nodiscard]] Progress scan_head();
    [[nodiscard]] bool over_limit(std::size_t line_bytes, bool line_ended);
    [[nodiscard]] Progress take_head();
    [[nodiscard]] bool read_head();
    [[nodiscard]] Progress begin_body();
    [[nodiscard]] Progress take_body();
    [[nodiscard]] Progress take_chunks();
    [[nodiscard]] Progress take_chunk_size(std::string_view line);
    [[nodiscard]] Progress finish(std::size_t body_end, std::size_t next_begin);
    [[nodiscard]] bool take_line(std::size_t bytes_max, std::string_view& line);
    void close_gap();
    [[nodiscard]] std::size_t capacity_wanted() const;
    void move_to_front(char* to);

    const ServerOptions& options_;
    std::unique_ptr<char[]> buffer_; ///< capacity_ bytes and `body_padding_bytes` more.
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0; ///< Of the request under way.
    std::size_t end_ = 0;   ///< Of what was received.
    bool last_read_filled_ = false;

    Stage stage_ = Stage::request_line;
    std::size_t line_ = 0; ///< Where the line under way begins.
    std::size_t scan_ = 0; ///< Looked through up to here.
    std::size_t fields_begin_ = 0;
    std::size_t fields_ = 0;
    std::size_t head_end_ = 0; ///< The body begins here.
    bool blank_line_skipped_ = false;
    bool head_read_ = false;  ///< request_ is of this request.
    bool head_moved_ = false; ///< The buffer has moved since the views into the head were made.

    std::size_t content_length_ = 0;
    bool chunked_ = false;
    bool continue_expected_ = false;
    bool keep_alive_ = false;
    std::size_t chunk_left_ = 0;
    std::size_t raw_ = 0;      ///< The next byte that is still chunked.
    std::size_t body_end_ = 0; ///< Of what is unchunked.
    std::size_t trailer_bytes_ = 0;
    std::size_t body_bytes_received_ = 0;
    std::size_t next_begin_ = 0; ///< Of the request after this one.

    std::vector<Header> headers_;
    Request request_;
    Refusal refusal_;
};

} // namespace questlog::http
