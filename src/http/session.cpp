#include "http/session.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace questlog::http {
namespace {

constexpr std::size_t idle_buffer_max = 16 * 1024;
constexpr std::string_view plain_text = "text/plain; charset=utf-8";

} // namespace

/// The exchange of one request.
class Session::Answering final : public Exchange {
public:
    Answering(Session& session, const Request& request, Framing framing)
        : session_(session), request_(request), framing_(framing) {}

    void respond(const Response& response) override {
        if (answered_) return;
        answered_ = true;
        SharedState& shared = session_.shared_;
        shared.writer.append(session_.answers_.bytes(), response, framing_);
        shared.staged = shared.staged || response.after_commit;
        session_.answers_.add({.commit = response.after_commit ? shared.staging : 0,
                               .hold = response.hold,
                               .framing = framing_,
                               .status = response.status,
                               .version = request_.version},
                              request_, shared.log);
    }

    [[nodiscard]] bool answered() const { return answered_; }

private:
    Session& session_;
    const Request& request_;
    Framing framing_;
    bool answered_ = false;
};

CommitNumber SharedState::begin_commit() {
    staged = false;
    commit_in_flight = true;
    return staging++;
}

void SharedState::end_commit(bool succeeded) {
    commit_in_flight = false;
    done = staging - 1;
    failed_commit = 0;
    if (succeeded) return;
    failed_commit = done;
    failure = handler->commit_failure();
    failure_text = fmt::format("{}{}{}", failure.content_type, failure.body, failure.extra_headers);
    const std::string_view text = failure_text;
    const std::size_t body_end = failure.content_type.size() + failure.body.size();
    failure.content_type = text.substr(0, failure.content_type.size());
    failure.body = text.substr(failure.content_type.size(), failure.body.size());
    failure.extra_headers = text.substr(body_end);
}

Session::Session(SharedState& shared) : shared_(shared), parser_(shared.options) {}

Session::~Session() {
    shared_.buffered_bytes -= parser_.capacity();
    shared_.unsent_bytes -= answers_counted_;
}

void Session::open(std::string_view peer) {
    close();
    peer = peer.substr(0, peer_text_.size());
    std::copy(peer.begin(), peer.end(), peer_text_.begin());
    peer_ = {peer_text_.data(), peer.size()};
    closing_ = linger_ = input_ended_ = false;
    phase_ = RequestParser::Phase::between;
    phase_began_ = send_progress_ = shared_.now;
}

void Session::close() {
    const std::size_t before = parser_.capacity();
    parser_.reset();
    count_buffer(before);
    answers_.clear();
    answers_.shrink();
    count_answers();
}

void Session::count_answers() {
    shared_.unsent_bytes += answers_.unsent_bytes();
    shared_.unsent_bytes -= std::exchange(answers_counted_, answers_.unsent_bytes());
}

void Session::count_buffer(std::size_t before) {
    shared_.buffered_bytes += parser_.capacity();
    shared_.buffered_bytes -= before;
}

std::span<char> Session::space() {
    const std::size_t more = parser_.growth();
    if (more != 0 && shared_.buffered_bytes + more > shared_.options.buffered_bytes_max) {
        refuse({503, "the server holds as many unfinished requests as it has room for: try again in a second"});
        return {};
    }
    const std::size_t before = parser_.capacity();
    const auto space = parser_.space();
    count_buffer(before);
    return space;
}

void Session::received(std::size_t bytes) {
    parser_.received(bytes);
}

void Session::input_ended() {
    input_ended_ = true;
    linger_ = false;
}

bool Session::has_room() const {
    const bool of_all = shared_.unsent_bytes <= shared_.options.unsent_bytes_of_all_max || answers_.empty();
    return of_all && answers_.unsent_bytes() <= shared_.options.unsent_bytes_max &&
           answers_.size() < shared_.options.pipelined_requests_max;
}

void Session::proceed() {
    bool moved_on = false;
    bool waiting = false;
    while (!waiting && !closing_ && !shared_.failed && has_room()) {
        switch (parser_.next()) {
        case RequestParser::Progress::whole:
            handle_request();
            count_answers();
            moved_on = true;
            break;
        case RequestParser::Progress::continue_expected:
            answers_.bytes().append("HTTP/1.1 100 Continue\r\n\r\n");
            answers_.add({}, Request{}, false);
            break;
        case RequestParser::Progress::refused:
            ++shared_.stats.bad_requests;
            refuse(parser_.refusal());
            break;
        case RequestParser::Progress::need_more: waiting = true; break;
        }
    }
    if (waiting && input_ended_) {
        if (parser_.phase() == RequestParser::Phase::between)
            closing_ = true;
        else
            refuse({400, "the connection was closed before the request was whole"});
    }
    if (waiting && shared_.draining && parser_.phase() == RequestParser::Phase::between) closing_ = true;
    if (moved_on || parser_.phase() != phase_) {
        phase_ = parser_.phase();
        phase_began_ = shared_.now;
    }
}

void Session::handle_request() {
    ++shared_.stats.requests;
    Request request = parser_.request();
    request.peer = peer_;
    const bool last = shared_.draining && !parser_.more();
    Framing framing{.head = request.method == Method::head, .persistence = Persistence::implied};
    if (!parser_.keep_alive() || last) {
        framing.persistence = Persistence::close;
        closing_ = true;
        linger_ = parser_.more() && !input_ended_;
    } else if (request.version < 11) {
        framing.persistence = Persistence::keep_alive;
    }
    Answering answering(*this, request, framing);
    shared_.handler->handle(request, answering);
    if (!answering.answered())
        answering.respond(
            {.status = 500, .content_type = plain_text, .body = "the server has no answer to this request\n"});
}

void Session::refuse(const Refusal& refusal) {
    if (closing_) return;
    closing_ = true;
    linger_ = !input_ended_;
    const Request request = parser_.request_so_far();
    const Framing framing{.head = request.method == Method::head, .persistence = Persistence::close};
    const std::string text = refusal.text + "\n";
    Response response{.status = refusal.status, .content_type = plain_text, .body = text};
    if (refusal.status == 503) response.extra_headers = "Retry-After: 1\r\n";
    if (refusal.status == 415) response.extra_headers = "Accept-Encoding: gzip, zstd\r\n";
    shared_.writer.append(answers_.bytes(), response, framing);
    answers_.add({.framing = framing, .status = refusal.status, .version = request.version}, request, shared_.log);
}

void Session::sent(std::size_t bytes) {
    send_progress_ = shared_.now;
    answers_.sent(bytes, shared_.log,
                  [this](std::string_view method, std::string_view target, int version, unsigned status) {
                      shared_.handler->answered(peer_, method, target, version, status);
                  });
    count_answers();
    // Idle time begins when the answer is out.
    if (phase_ == RequestParser::Phase::between) phase_began_ = shared_.now;
}

Session::Verdict Session::check_time(bool blocked) {
    const ServerOptions& options = shared_.options;
    const auto older_than = [this](Tick since, Tick ticks) { return shared_.now - since > ticks; };
    if (!answers_.sendable().empty()) {
        if (!blocked || !older_than(send_progress_, shared_.ticks(options.send_timeout))) return Verdict::keep;
        ++shared_.stats.timeouts;
        return Verdict::close;
    }
    if (!answers_.empty() || closing_) return Verdict::keep; // it is the server's turn
    switch (phase_) {
    case RequestParser::Phase::between:
        return older_than(phase_began_, shared_.ticks(options.idle_timeout)) ? Verdict::close : Verdict::keep;
    case RequestParser::Phase::head:
        if (!older_than(phase_began_, shared_.ticks(options.header_timeout))) return Verdict::keep;
        refuse({408, fmt::format("the header did not arrive within {} ms", options.header_timeout.count())});
        break;
    case RequestParser::Phase::body: {
        const std::chrono::milliseconds earned(parser_.body_bytes_received() * 1000 /
                                               std::max<std::size_t>(options.body_bytes_per_second_min, 1));
        if (!older_than(phase_began_, shared_.ticks(options.body_timeout + earned))) return Verdict::keep;
        refuse({408, fmt::format("the body did not arrive within {} ms, and a second more for every {} bytes",
                                 options.body_timeout.count(), options.body_bytes_per_second_min)});
        break;
    }
    }
    ++shared_.stats.timeouts;
    return Verdict::refused;
}

bool Session::oversized() const {
    return idle() && parser_.capacity() > idle_buffer_max;
}

void Session::shrink() {
    answers_.shrink();
    const std::size_t before = parser_.capacity();
    parser_.shrink();
    count_buffer(before);
}

} // namespace questlog::http
