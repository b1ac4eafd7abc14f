#include "http/request_parser.h"

#include "http/head_parser.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace questlog::http {
namespace {

constexpr std::size_t capacity_min = 4096;             ///< What an idle connection costs.
constexpr std::size_t capacity_grown_max = 256 * 1024; ///< By full reads alone; a body's known length goes beyond.
constexpr std::size_t read_bytes_min = 1024;           ///< A read into less room is not worth its system call.
constexpr std::size_t chunk_size_digits_max = 16;
constexpr char tls_handshake = 0x16;

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_trailer(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos) return false;
    const auto name = line.substr(0, colon);
    const auto value = line.substr(colon + 1);
    return std::all_of(name.begin(), name.end(), is_token_character) &&
           std::none_of(value.begin(), value.end(),
                        [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; });
}

} // namespace

RequestParser::RequestParser(const ServerOptions& options) : options_(options) {
    headers_.reserve(16);
}

RequestParser::Phase RequestParser::phase() const {
    switch (stage_) {
    case Stage::request_line: return begin_ == end_ ? Phase::between : Phase::head;
    case Stage::fields: return Phase::head;
    case Stage::sized_body:
    case Stage::chunk_size:
    case Stage::chunk_data:
    case Stage::chunk_end:
    case Stage::trailers: return Phase::body;
    case Stage::whole: return next_begin_ == end_ ? Phase::between : Phase::head;
    case Stage::refused: return Phase::between;
    }
    return Phase::between;
}

// ---- the buffer

std::size_t RequestParser::capacity_wanted() const {
    std::size_t wanted = std::max(capacity_, capacity_min);
    if (stage_ == Stage::sized_body) { // with what has come, not with what was announced
        const std::size_t whole = head_end_ - begin_ + content_length_ + read_bytes_min;
        const bool is_full = wanted - (end_ - begin_) < read_bytes_min;
        return is_full || capacity_ < capacity_min ? std::max(wanted, std::min(whole, wanted * 4)) : wanted;
    }
    const std::size_t used = (stage_ == Stage::whole ? end_ - next_begin_ : end_ - begin_);
    if ((last_read_filled_ && wanted < capacity_grown_max && capacity_ != 0) || wanted - used < read_bytes_min)
        wanted *= 2;
    return wanted;
}

std::span<char> RequestParser::space() {
    if (stage_ == Stage::whole) begin_request(next_begin_);
    const std::size_t wanted = capacity_wanted();
    if (wanted > capacity_) {
        auto larger = std::make_unique_for_overwrite<char[]>(wanted + body_padding_bytes);
        std::memset(larger.get() + wanted, 0, body_padding_bytes);
        move_to_front(larger.get());
        buffer_ = std::move(larger);
        capacity_ = wanted;
    } else if (begin_ != 0) {
        move_to_front(buffer_.get());
    }
    last_read_filled_ = false;
    return {buffer_.get() + end_, capacity_ - end_};
}

/// Moves what is kept to `to`, the front of the old or of a larger buffer.
void RequestParser::move_to_front(char* to) {
    if (end_ != begin_) std::memmove(to, buffer_.get() + begin_, end_ - begin_);
    for (std::size_t* position : {&end_, &line_, &scan_, &fields_begin_, &head_end_, &raw_, &body_end_})
        *position -= std::min(*position, begin_);
    begin_ = 0;
    head_moved_ = true;
}

void RequestParser::received(std::size_t bytes) {
    end_ += bytes;
    last_read_filled_ = end_ == capacity_;
}

void RequestParser::shrink() {
    if (stage_ == Stage::whole) begin_request(next_begin_);
    if (capacity_ <= capacity_min || begin_ != end_) return;
    buffer_.reset();
    capacity_ = 0;
    last_read_filled_ = false;
    end_ = 0;
    begin_request(0);
}

void RequestParser::reset() {
    end_ = 0;
    begin_request(0);
    last_read_filled_ = false;
    shrink();
}

// ---- the head

void RequestParser::begin_request(std::size_t at) {
    stage_ = Stage::request_line;
    begin_ = line_ = scan_ = at;
    fields_begin_ = head_end_ = raw_ = body_end_ = at;
    fields_ = trailer_bytes_ = 0;
    head_read_ = false;
    blank_line_skipped_ = false;
    head_moved_ = false;
    body_bytes_received_ = 0;
}

RequestParser::Progress RequestParser::refuse(unsigned status, std::string text) {
    stage_ = Stage::refused;
    refusal_ = Refusal{status, std::move(text)};
    return Progress::refused;
}

RequestParser::Progress RequestParser::next() {
    switch (stage_) {
    case Stage::whole: begin_request(next_begin_); return scan_head();
    case Stage::request_line:
    case Stage::fields: return scan_head();
    case Stage::sized_body: return take_body();
    case Stage::chunk_size:
    case Stage::chunk_data:
    case Stage::chunk_end:
    case Stage::trailers: return take_chunks();
    case Stage::refused: return Progress::refused;
    }
    return Progress::refused;
}

/// Goes from line to line until the empty one. Beast is given the head only when it is whole, so that how the bytes
/// were split cannot matter, and only if every line ends with CR LF and holds no other CR or LF.
RequestParser::Progress RequestParser::scan_head() {
    const char* const data = buffer_.get();
    if (begin_ < end_ && !is_token_character(data[begin_]) && data[begin_] != '\r') {
        if (data[begin_] == tls_handshake)
            return refuse(400, "this port speaks HTTP, not HTTPS: use http:// in the address");
        return refuse(400, "a request begins with its method, in letters");
    }
    while (scan_ < end_) {
        const char* const from = data + scan_;
        const auto* const lf = static_cast<const char*>(std::memchr(from, '\n', end_ - scan_));
        const char* const stop = lf != nullptr ? lf : data + end_;
        const auto stop_bytes = static_cast<std::size_t>(stop - from);
        const auto* const cr = static_cast<const char*>(std::memchr(from, '\r', stop_bytes));
        const std::size_t line_bytes = static_cast<std::size_t>((cr != nullptr ? cr : stop) - data) - line_;
        if (over_limit(line_bytes, lf != nullptr)) return Progress::refused;
        if ((cr != nullptr && cr + 1 != stop) || (cr == nullptr && lf != nullptr))
            return refuse(400, "every line of the header must end with CR LF, and hold neither alone");
        if (lf == nullptr) {
            scan_ = static_cast<std::size_t>((cr != nullptr ? cr : stop) - data);
            return Progress::need_more;
        }
        line_ = scan_ = static_cast<std::size_t>(lf + 1 - data);
        if (stage_ == Stage::fields && line_bytes == 0) return take_head();
        if (stage_ == Stage::request_line && line_bytes == 0) {
            // RFC 9112 2.2: an empty line before the request line, which old clients send after a body, is ignored.
            if (blank_line_skipped_) return refuse(400, "a request begins with its method, not with empty lines");
            begin_request(line_);
            blank_line_skipped_ = true;
            if (begin_ < end_) return scan_head();
        } else if (stage_ == Stage::request_line) {
            stage_ = Stage::fields;
            fields_begin_ = line_;
        }
    }
    return Progress::need_more;
}

bool RequestParser::over_limit(std::size_t line_bytes, bool line_ended) {
    if (stage_ == Stage::request_line) {
        if (line_bytes <= options_.request_line_bytes_max) return false;
        (void)refuse(414, fmt::format("the request line is longer than {} bytes", options_.request_line_bytes_max));
        return true;
    }
    if (line_bytes == 0) return false; // the end of the header, or nothing of the line yet
    if (line_ended) ++fields_;
    if (line_ - fields_begin_ + line_bytes > options_.header_bytes_max) {
        (void)refuse(431, fmt::format("the header is longer than {} bytes", options_.header_bytes_max));
        return true;
    }
    if (fields_ > options_.header_fields_max) {
        (void)refuse(431, fmt::format("the header has more than {} lines", options_.header_fields_max));
        return true;
    }
    return false;
}

RequestParser::Progress RequestParser::take_head() {
    head_end_ = line_;
    if (!read_head()) return Progress::refused;
    return begin_body();
}

Request RequestParser::request_so_far() {
    if (!head_read_) return Request{};
    if (head_moved_) (void)read_head(); // it was read before, and reads the same again
    return request_;
}

/// Makes request_ from the head's bytes; also again, when they have moved.
bool RequestParser::read_head() {
    Head head;
    auto refusal = http::read_head({buffer_.get() + begin_, head_end_ - begin_}, headers_, head);
    head_moved_ = false;
    head_read_ = true;
    request_ = head.request;
    request_.headers = headers_;
    if (refusal) {
        (void)refuse(refusal->status, std::move(refusal->text));
        return false;
    }
    content_length_ = head.content_length;
    chunked_ = head.chunked;
    continue_expected_ = head.continue_expected;
    keep_alive_ = head.keep_alive;
    return true;
}

// ---- the body

RequestParser::Progress RequestParser::begin_body() {
    if (content_length_ > options_.body_bytes_max)
        return refuse(413, fmt::format("the body is larger than {} bytes: send it in parts", options_.body_bytes_max));
    if (request_.coding == ContentCoding::other && (chunked_ || content_length_ > 0))
        return refuse(415, "the Content-Encodings taken are gzip and zstd, one of them; or send the body as it is");
    const bool continue_expected = continue_expected_ && (chunked_ || content_length_ > 0) && head_end_ == end_;
    raw_ = body_end_ = head_end_;
    stage_ = chunked_ ? Stage::chunk_size : Stage::sized_body;
    if (continue_expected) return Progress::continue_expected;
    return chunked_ ? take_chunks() : take_body();
}

RequestParser::Progress RequestParser::take_body() {
    body_bytes_received_ = std::min(end_ - head_end_, content_length_);
    if (body_bytes_received_ < content_length_) return Progress::need_more;
    return finish(head_end_ + content_length_, head_end_ + content_length_);
}

RequestParser::Progress RequestParser::finish(std::size_t body_end, std::size_t next_begin) {
    if (head_moved_ && !read_head()) return Progress::refused;
    stage_ = Stage::whole;
    next_begin_ = next_begin;
    request_.body = {buffer_.get() + head_end_, body_end - head_end_};
    return Progress::whole;
}

/// The line at raw_, without its CR LF; false if it is not whole, or if it was refused.
bool RequestParser::take_line(std::size_t bytes_max, std::string_view& line) {
    const char* const from = buffer_.get() + raw_;
    const auto* const lf = static_cast<const char*>(std::memchr(from, '\n', end_ - raw_));
    const std::size_t bytes = lf != nullptr ? static_cast<std::size_t>(lf - from) : end_ - raw_;
    const auto* const cr = static_cast<const char*>(std::memchr(from, '\r', bytes));
    const bool ends_well = cr != nullptr ? cr + 1 == from + bytes : lf == nullptr;
    if (!ends_well || bytes - (cr != nullptr ? 1 : 0) > bytes_max) {
        if (stage_ == Stage::chunk_size)
            (void)refuse(400, "a chunk begins with its size in at most 16 hexadecimal digits and CR LF; "
                              "chunk extensions are not taken");
        else if (!ends_well)
            (void)refuse(400, "every trailer line must end with CR LF, and hold neither alone");
        else
            (void)refuse(431, fmt::format("the trailers are longer than {} bytes", options_.header_bytes_max));
        return false;
    }
    if (lf == nullptr) return false;
    line = {from, bytes - 1};
    raw_ += bytes + 1;
    return true;
}

RequestParser::Progress RequestParser::take_chunk_size(std::string_view line) {
    std::uint64_t size = 0;
    for (const char c : line) {
        const int digit = hex_digit(c);
        if (digit < 0)
            return refuse(400, "a chunk begins with its size in hexadecimal digits and CR LF; "
                               "chunk extensions are not taken");
        size = size << 4 | static_cast<std::uint64_t>(digit);
    }
    if (line.empty()) return refuse(400, "a chunk's size is missing");
    if (size > options_.body_bytes_max - (body_end_ - head_end_))
        return refuse(413, fmt::format("the body is larger than {} bytes: send it in parts", options_.body_bytes_max));
    chunk_left_ = static_cast<std::size_t>(size);
    stage_ = size == 0 ? Stage::trailers : Stage::chunk_data;
    return Progress::need_more;
}

RequestParser::Progress RequestParser::take_chunks() {
    std::string_view line;
    while (raw_ < end_) {
        if (stage_ == Stage::chunk_size) {
            if (!take_line(chunk_size_digits_max, line)) break;
            if (take_chunk_size(line) == Progress::refused) break;
        } else if (stage_ == Stage::chunk_data) {
            const std::size_t bytes = std::min(chunk_left_, end_ - raw_);
            if (raw_ != body_end_) std::memmove(buffer_.get() + body_end_, buffer_.get() + raw_, bytes);
            raw_ += bytes;
            body_end_ += bytes;
            chunk_left_ -= bytes;
            if (chunk_left_ == 0) stage_ = Stage::chunk_end;
        } else if (stage_ == Stage::chunk_end) {
            const char* const at = buffer_.get() + raw_;
            if (at[0] != '\r' || (end_ - raw_ > 1 && at[1] != '\n'))
                return refuse(400, "a chunk is longer than its size says");
            if (end_ - raw_ < 2) break;
            raw_ += 2;
            stage_ = Stage::chunk_size;
        } else {
            if (!take_line(options_.header_bytes_max - std::min(trailer_bytes_, options_.header_bytes_max), line))
                break;
            if (line.empty()) return finish(body_end_, raw_);
            trailer_bytes_ += line.size() + 2;
            if (!is_trailer(line)) return refuse(400, "a trailer line must be: name, colon, value");
        }
    }
    if (stage_ == Stage::refused) return Progress::refused;
    body_bytes_received_ = body_end_ - head_end_;
    close_gap();
    return Progress::need_more;
}

/// Closes the gap that the chunks' framing left between the body and what is still chunked.
void RequestParser::close_gap() {
    const std::size_t gap = raw_ - body_end_;
    if (gap == 0) return;
    std::memmove(buffer_.get() + body_end_, buffer_.get() + raw_, end_ - raw_);
    end_ -= gap;
    raw_ = body_end_;
}

} // namespace questlog::http
