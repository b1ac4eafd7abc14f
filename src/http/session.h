#pragma once

#include "http/answer_queue.h"
#include "http/request_parser.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace questlog::http {

/// The server's coarse clock: sweeps since it began to run.
using Tick = std::uint64_t;

/// What all sessions of a server share. Io thread only.
struct SharedState {
    explicit SharedState(const ServerOptions& server_options)
        : options(server_options), writer(server_options.server_name) {}

    const ServerOptions options;
    Handler* handler = nullptr;
    AnswerWriter writer;
    bool log = false;               ///< handler->wants_answered().
    bool draining = false;          ///< Stopping: connections close as soon as what has come is answered.
    bool failed = false;            ///< Nothing more is handled or sent.
    CommitNumber staging = 1;       ///< Of the commit that will cover the requests handled now.
    bool staged = false;            ///< A request waits for that commit.
    bool commit_in_flight = false;  ///< The one before it is under way.
    CommitNumber done = 0;          ///< Every commit up to this one is done …
    CommitNumber failed_commit = 0; ///< … but this one, if not 0, has failed, and its requests get:
    Response failure;
    std::string failure_text;       ///< The memory behind `failure`.
    std::size_t buffered_bytes = 0; ///< Input buffers of all sessions.
    std::size_t unsent_bytes = 0;   ///< Answers of all sessions.
    Tick now = 0;
    std::chrono::milliseconds tick{1000};
    ServerStats stats;

    /// What was staged until now is being committed under the number that is returned.
    CommitNumber begin_commit();
    /// It is done. release() is then due for every session that waits: it tells a failure only until the next end.
    void end_commit(bool succeeded);

    [[nodiscard]] Tick ticks(std::chrono::milliseconds duration) const {
        return static_cast<Tick>((duration + tick - std::chrono::milliseconds(1)) / tick);
    }
};

/// One connection's side of HTTP, without its socket: bytes in, requests to the handler, answers in order.
class Session {
public:
    explicit Session(SharedState& shared);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void open(std::string_view peer); ///< Begins anew, for the next connection.
    void close();                     ///< Forgets everything, and gives back what it holds of the shared memory.

    /// Where to read more into; empty if the session was refused for want of memory.
    [[nodiscard]] std::span<char> space();
    void received(std::size_t bytes);
    void input_ended(); ///< The client has half-closed: what it sent is answered, then the connection is closed.

    /// Hands every whole request that is there to the handler, as long as there is room for answers.
    void proceed();
    void refuse(const Refusal& refusal); ///< The answer after all others; nothing more is read.

    /// Makes sendable what waited for commits that are done.
    /// To be called after each commit, for every session that waits for one.
    void release() { answers_.release(shared_.done, shared_.failed_commit, shared_.failure, shared_.writer); }
    /// release() is due then.
    void resolve(const Resolutions& resolutions) { answers_.resolve(resolutions, shared_.writer); }
    void sent(std::size_t bytes); ///< With the kernel.
    /// The kernel takes no more, or the client has read some of what it holds.
    void begin_wait() { send_progress_ = shared_.now; }
    [[nodiscard]] const AnswerQueue& answers() const { return answers_; }

    /// More input would be read and handled now.
    [[nodiscard]] bool wants_input() const { return !closing_ && !input_ended_ && has_room(); }
    /// No further answer will come: to be closed once answers() is empty.
    [[nodiscard]] bool closing() const { return closing_; }
    /// The client may still be sending: its input is to be read and dropped before the close.
    [[nodiscard]] bool must_linger() const { return linger_; }
    /// Between requests, with nothing to answer.
    [[nodiscard]] bool idle() const { return answers_.empty() && parser_.phase() == RequestParser::Phase::between; }

    enum class Verdict : std::uint8_t { keep, close, refused };
    /// Whether the client has had its time. `refused`: a 408 is the next answer. `blocked`: the kernel took no more for
    /// it; else what is sendable is sent at the end of this turn, however old the connection's last send is.
    [[nodiscard]] Verdict check_time(bool blocked);
    /// Holds much more memory than an idle session needs. It gives it back by shrink(), when no space() is in use.
    [[nodiscard]] bool oversized() const;
    void shrink();

private:
    class Answering;

    void handle_request();
    void count_buffer(std::size_t before);
    void count_answers();
    [[nodiscard]] bool has_room() const;

    SharedState& shared_;
    RequestParser parser_;
    AnswerQueue answers_;
    std::size_t answers_counted_ = 0; ///< Of shared_.unsent_bytes.
    std::array<char, 48> peer_text_{};
    std::string_view peer_;
    bool closing_ = false;
    bool linger_ = false;
    bool input_ended_ = false;
    RequestParser::Phase phase_ = RequestParser::Phase::between;
    Tick phase_began_ = 0;
    Tick send_progress_ = 0;
};

} // namespace questlog::http
