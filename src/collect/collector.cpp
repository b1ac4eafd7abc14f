#include "collect/collector.h"

#include "base/operator_log.h"
#include "collect/answers.h"
#include "collect/request_options.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

namespace questlog::collect {
namespace {

constexpr std::size_t access_lines_bytes_max = 64 * 1024;

constexpr std::string_view too_many_for_a_commit = "the events are more than one commit takes: send fewer at once";

http::Response answer(unsigned status, std::string_view type, std::string_view body,
                      std::string_view extra_headers = {}) {
    http::Response response;
    response.status = status;
    response.content_type = type;
    response.body = body;
    response.extra_headers = extra_headers;
    return response;
}

void answer_method_not_allowed(std::span<const std::string> methods, http::Exchange& exchange) {
    const std::string allow = allow_header(methods);
    const std::string body = fmt::format("This path takes {}.\n", fmt::join(methods, " and "));
    exchange.respond(answer(405, text_type, body, allow));
}

void answer_options(std::span<const std::string> methods, http::Exchange& exchange) {
    exchange.respond(answer(200, text_type, "", allow_header(methods)));
}

} // namespace

Collector::Collector(io::Env env, const event::Catalogue& catalogue, log::LogWriter& log, http::Server& server,
                     Metrics& metrics, CollectorOptions options, std::vector<SeenIds> seen)
    : env_(env), catalogue_(catalogue), log_(log), server_(server), options_(std::move(options)), metrics_(metrics),
      decoder_(options_.unzipped), envelope_(options_.event_limits), intake_parser_(options_.event_limits, &catalogue),
      stage_(env.clock, log, options_.commit_bytes_max, std::move(seen)),
      retry_header_(fmt::format("Retry-After: {}\r\n", options_.retry_after.count())), not_found_(path_list(catalogue)),
      committer_(env.clock, options_.commit_on, options_.inline_commit_max, server,
                 [this](const CommitOutcome& outcome) { finish_commit(outcome); }) {}

Collector::~Collector() {
    write_access_log();
}

void Collector::handle(const http::Request& request, http::Exchange& exchange) {
    if (const event::EventDeclaration* call = catalogue_.find(request.path))
        return handle_call(*call, request, exchange);
    if (request.path == "/events") return handle_events(request, exchange);
    handle_own_page(request, exchange);
}

// ---- declared calls

void Collector::handle_call(const event::EventDeclaration& call, const http::Request& request,
                            http::Exchange& exchange) {
    const auto takes = [&](std::string_view method) {
        return std::find(call.methods.begin(), call.methods.end(), method) != call.methods.end();
    };
    if (takes(request.method_text)) return take_call(call, request, exchange);
    if (request.method == http::Method::head && takes("GET"))
        return exchange.respond(answer(200, call.content_type, call.reply)); // no event: nothing was done
    if (request.method == http::Method::options) return answer_options(call.methods, exchange);
    answer_method_not_allowed(call.methods, exchange);
}

void Collector::take_call(const event::EventDeclaration& call, const http::Request& request, http::Exchange& exchange) {
    ++tally_.received;
    const auto options = read_request_options(request.query, Reads::call);
    std::string_view body;
    if (!unzip(request, body, exchange)) return tally_.settle(Fate::invalid_call, 1);
    read_headers(request);
    value_.clear();
    const auto key = read_idempotency_key(request.headers);
    const Status written = !options.ok() ? options.error()
                           : !key.ok()   ? key.error()
                                         : envelope_.write(call, request.query, body, headers_, value_);
    if (!written.ok()) {
        tally_.settle(Fate::invalid_call, 1);
        return exchange.respond(
            answer(http_status_of(written.error().kind), json_type, error_answer(written.error().message)));
    }
    const std::string_view own_name = envelope_.message_id();
    const std::string_view message_id = own_name.empty() ? key.value() : own_name;
    const StagedEvent event{value_, message_id, envelope_.key()};
    const auto repeated = stage_.find(event);
    if (repeated && can_answer(*repeated)) {
        tally_.settle(Fate::repeated, 1);
        const std::string receipt = options->receipt ? receipt_answer(log_.topic().id, repeated->first, true) : "";
        return answer_call(call, receipt, waits_for(*repeated), exchange);
    }
    if (given_up_ || !stage_.has_room(1, BatchStage::bytes_of(event))) {
        tally_.settle(Fate::queue_full, 1);
        return answer_queue_full(exchange);
    }
    stage_.begin_request();
    const Position position = stage_.add(event);
    if (envelope_.mismatched()) stage_.count_mismatched(1);
    ++tally_.pending;
    answer_call(call, options->receipt ? receipt_answer(log_.topic().id, position, false) : "", true, exchange);
}

/// Not where the commit of the first one is given up: nobody knows then.
bool Collector::can_answer(const Repeated& repeated) const {
    return !given_up_ || repeated.in == Repeated::In::log;
}

/// Whether the answer to a repeat must wait: until the first one is durable. Of what is in flight the answers are with
/// the server; this one goes with the next commit's, which fails if the one in flight does.
bool Collector::waits_for(const Repeated& repeated) {
    if (repeated.in == Repeated::In::flight) awaits_flight_ = true;
    return repeated.in != Repeated::In::log;
}

void Collector::answer_call(const event::EventDeclaration& call, const std::string& receipt, bool after_commit,
                            http::Exchange& exchange) {
    http::Response response =
        receipt.empty() ? answer(200, call.content_type, call.reply) : answer(200, json_type, receipt);
    response.after_commit = after_commit;
    exchange.respond(response);
}

void Collector::read_headers(const http::Request& request) {
    headers_.clear();
    for (const http::Header& header : request.headers) headers_.emplace_back(header.name, header.value);
}

/// False: it does not unzip, and that was answered.
bool Collector::unzip(const http::Request& request, std::string_view& body, http::Exchange& exchange) {
    const auto refusal = decoder_.decode(request.coding, request.body, body);
    if (!refusal) return true;
    const std::string_view retry = refusal->status == 503 ? std::string_view(retry_header_) : std::string_view();
    exchange.respond(answer(refusal->status, json_type, error_answer(refusal->text), retry));
    return false;
}

// ---- POST /events

void Collector::handle_events(const http::Request& request, http::Exchange& exchange) {
    static const std::vector<std::string> methods{"POST"};
    if (request.method == http::Method::options) return answer_options(methods, exchange);
    if (request.method != http::Method::post) return answer_method_not_allowed(methods, exchange);
    const auto options = read_request_options(request.query, Reads::intake);
    std::string_view body;
    if (!unzip(request, body, exchange)) {
        ++tally_.unreadable_bodies;
        return;
    }
    const auto key = read_idempotency_key(request.headers);
    const auto intake = !options.ok() ? options.error() : !key.ok() ? key.error() : parse_events(request, body);
    if (!intake.ok()) {
        ++tally_.unreadable_bodies;
        return exchange.respond(
            answer(http_status_of(intake.error().kind), json_type, error_answer(intake.error().message)));
    }
    if (options->replay && key->empty())
        return exchange.respond(answer(400, json_type, error_answer("replay=1 needs an Idempotency-Key")));
    take_events(*intake.value(), key.value(), *options, exchange);
}

Result<const event::Intake*> Collector::parse_events(const http::Request& request, std::string_view body) {
    if (!options_.intake_headers) return intake_parser_.parse(body);
    read_headers(request);
    return intake_parser_.parse(body, event::HeaderSelection(headers_, options_.intake_store_headers));
}

/// Fills ids_: an event's own name, or the request's key, or "<key>/<index>" where the request may hold several. How
/// many bytes the events take of a batch.
std::size_t Collector::name_events(const event::Intake& intake, std::string_view key, bool replay) {
    ids_.clear();
    if (!replay) ids_.assign(intake.message_ids.begin(), intake.message_ids.end());
    ids_.resize(intake.accepted.size());
    if (!key.empty()) {
        names_.clear();
        names_.reserve(ids_.size() * (key.size() + 1 + 20)); // views into it are taken at once
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            if (!ids_[i].empty()) continue;
            const std::size_t begin = names_.size();
            names_ += key;
            if (!intake.single) fmt::format_to(std::back_inserter(names_), "/{}", intake.accepted_index[i]);
            ids_[i] = std::string_view(names_).substr(begin);
        }
    }
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < ids_.size(); ++i) bytes += BatchStage::bytes_of(event_of(intake, i));
    return bytes;
}

StagedEvent Collector::event_of(const event::Intake& intake, std::size_t index) const {
    return {intake.accepted[index], ids_[index], intake.keys.empty() ? std::nullopt : intake.keys[index]};
}

void Collector::take_events(const event::Intake& intake, std::string_view key, const RequestOptions& options,
                            http::Exchange& exchange) {
    const auto accepted = static_cast<std::int64_t>(intake.accepted.size());
    const auto rejected = static_cast<std::int64_t>(intake.rejected.size());
    const std::size_t bytes = name_events(intake, key, options.replay);
    if (!stage_.can_have_room(intake.accepted.size(), bytes)) {
        ++tally_.unreadable_bodies;
        return exchange.respond(answer(413, json_type, error_answer(too_many_for_a_commit)));
    }
    tally_.received += accepted + rejected;
    if (accepted > 0 && (given_up_ || !stage_.has_room(intake.accepted.size(), bytes))) {
        tally_.settle(Fate::queue_full, accepted + rejected); // the client sends them all again
        return answer_queue_full(exchange);
    }
    tally_.settle(Fate::invalid_event, rejected);
    positions_.clear();
    bool after_commit = false;
    std::int64_t repeats = 0;
    for (std::size_t i = 0; i < intake.accepted.size(); ++i) {
        const StagedEvent event = event_of(intake, i);
        const auto repeated = stage_.find(event);
        if (repeated && waits_for(*repeated)) after_commit = true;
        if (!repeated && i == static_cast<std::size_t>(repeats)) stage_.begin_request(); // its first new one
        const Position position = repeated ? repeated->first : stage_.add(event);
        if (repeated) ++repeats;
        if (options.receipt) positions_.push_back(position);
    }
    tally_.settle(Fate::repeated, repeats);
    tally_.pending += accepted - repeats;
    stage_.count_mismatched(std::min(intake.mismatched, static_cast<std::size_t>(accepted - repeats)));
    const IntakeAnswer told = intake_answer(intake, log_.topic().id, positions_, static_cast<std::size_t>(repeats));
    http::Response response = answer(told.status, json_type, told.body);
    response.after_commit = after_commit || repeats < accepted;
    exchange.respond(response);
}

// ---- the server's own pages

void Collector::handle_own_page(const http::Request& request, http::Exchange& exchange) {
    static const std::vector<std::string> methods{"GET"};
    static const std::vector<std::string> all_methods{"GET", "POST"};
    const bool page = request.path == "/healthz" || request.path == "/readyz" || request.path == "/metrics";
    const bool whole_server = request.path == "*";
    if (!page && !whole_server) return exchange.respond(answer(404, text_type, not_found_));
    if (request.method == http::Method::options) return answer_options(whole_server ? all_methods : methods, exchange);
    if (whole_server || (request.method != http::Method::get && request.method != http::Method::head))
        return answer_method_not_allowed(methods, exchange);
    if (request.path == "/healthz") return exchange.respond(answer(200, text_type, "ok\n"));
    if (request.path == "/readyz") return answer_readiness(exchange);
    metrics_.update(tally_);
    const std::string text = metrics_.exposition(server_.stats(), stage_.durable_ends());
    exchange.respond(answer(200, "text/plain; version=0.0.4; charset=utf-8", text));
}

void Collector::answer_readiness(http::Exchange& exchange) {
    if (draining_.load()) return answer_unavailable("stopping: it answers what is in flight and then ends", exchange);
    if (fault_ && env_.clock.monotonic() - fault_->since < options_.unready_for)
        return answer_unavailable("the log takes no events: " + fault_->reason, exchange);
    exchange.respond(answer(200, text_type, "ready\n"));
}

void Collector::answer_queue_full(http::Exchange& exchange) {
    answer_unavailable(given_up_ ? "the disk does not answer" : "too many events wait for the disk", exchange);
}

void Collector::answer_unavailable(std::string_view message, http::Exchange& exchange) {
    exchange.respond(answer(503, json_type, error_answer(message), retry_header_));
}

// ---- commits

bool Collector::commit() {
    const bool is_lost = std::exchange(flight_failed_, false);
    awaits_flight_ = false;
    if (!is_lost && stage_.open_events() == 0) return false;
    if (is_lost || given_up_) {
        const std::int64_t events = stage_.open_events();
        stage_.drop_open();
        fail_commit(events, Fate::log_failed, fault_ ? fault_->reason : "the commit before it failed");
        return true;
    }
    const auto appends = stage_.take();
    if (appends.empty()) {
        fail_commit(stage_.in_flight().events, Fate::log_failed, fault_ ? fault_->reason : "its end has moved");
    } else {
        commit_began_ = env_.clock.monotonic();
        committer_.submit(appends);
    }
    return true;
}

void Collector::tick() {
    if (!stage_.flying() || given_up_) return;
    if (env_.clock.monotonic() - commit_began_ > options_.commit_wait_max) give_up_commit();
}

/// No answer waits for ever. Its events stay where they are: the disk may take them yet.
void Collector::give_up_commit() {
    given_up_ = true;
    fail_commit(stage_.in_flight().events, Fate::undecided,
                fmt::format("the disk has not answered for {} ms; whether these events are stored is not known: send "
                            "them again with the same message_id",
                            options_.commit_wait_max.count()));
}

/// The process ends only with the commit: nothing may be left half written by an end in order.
void Collector::stopped() {
    if (!stage_.flying()) return;
    const auto waited =
        std::chrono::duration_cast<std::chrono::milliseconds>(env_.clock.monotonic() - commit_began_).count();
    log_warn("the disk has not answered for {} ms: it is waited for; another signal ends the process at once", waited);
}

void Collector::finish_commit(const CommitOutcome& outcome) {
    if (outcome.sync_error) return server_.fail(outcome.sync_error->within("syncing the log"));
    if (outcome.append_error) {
        if (outcome.append_error->kind != ErrorKind::retry_later)
            return server_.fail(outcome.append_error->within("writing the log"));
        stage_.failed();
        if (std::exchange(given_up_, false)) return;
        return fail_commit(stage_.in_flight().events, Fate::log_failed, outcome.append_error->message);
    }
    const StagedCommit& commit = stage_.in_flight();
    stage_.landed();
    fault_.reset();
    metrics_.synced(outcome.sync_time);
    if (std::exchange(given_up_, false)) return;
    tally_.pending -= commit.events;
    tally_.settle(Fate::accepted, commit.events);
    tally_.mismatched += commit.mismatched;
    metrics_.acknowledged(commit.arrivals, env_.clock.monotonic());
    if (close_books()) server_.committed(true);
}

void Collector::fail_commit(std::int64_t events, Fate fate, const std::string& reason) {
    tally_.pending -= events;
    tally_.settle(fate, events);
    flight_failed_ = awaits_flight_;
    failure_body_ = error_answer("the log takes no events: " + reason);
    fault_ = Fault{reason, env_.clock.monotonic()};
    if (close_books()) server_.committed(false);
}

/// Books that do not balance mean that an answer is not true: then none goes out.
bool Collector::close_books() {
    metrics_.update(tally_);
    if (tally_.balances()) return true;
    server_.fail(internal("the collector's books do not balance: an event has no fate, or two"));
    return false;
}

http::Response Collector::commit_failure() {
    return answer(503, json_type, failure_body_, retry_header_);
}

// ---- access log

void Collector::answered(std::string_view peer, std::string_view method, std::string_view target, int version,
                         unsigned status) {
    if (!options_.access_log) return;
    const bool first_of_turn = access_lines_.empty();
    access_format_.append(access_lines_, env_.clock.wall_ms(), {peer, method, target, version, status});
    if (access_lines_.size() >= access_lines_bytes_max)
        write_access_log();
    else if (first_of_turn)
        post_access_log();
}

/// At the end of the turn, unless the collector is gone by then.
void Collector::post_access_log() {
    server_.post([self = std::weak_ptr(self_)] {
        if (const auto collector = self.lock()) (*collector)->write_access_log();
    });
}

void Collector::write_access_log() {
    if (access_lines_.empty()) return;
    options_.access_log(access_lines_);
    access_lines_.clear();
}

} // namespace questlog::collect
