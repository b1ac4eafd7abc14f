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
    const auto options = read_options(request, Reads::call);
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
        return answer_call(call, *options, {repeated->first, true, waits_for(*repeated)}, exchange);
    }
    if (refuse(1, stage_.has_room(1, BatchStage::bytes_of(event)), exchange)) return;
    stage_.begin_request();
    const Position position = stage_.add(event);
    if (envelope_.mismatched()) stage_.count_mismatched(1);
    ++tally_.pending;
    answer_call(call, *options, {position}, exchange);
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

Result<RequestOptions> Collector::read_options(const http::Request& request, Reads reads) const {
    TRY(options, read_request_options(request.query, reads));
    if (options.landed && !options_.ask_for_landing)
        return reject("wait=landed: this server lands nothing ([landing] enabled = false); leave wait out, or say "
                      "wait=durable");
    return options;
}

void Collector::answer_call(const event::EventDeclaration& call, const RequestOptions& options, const Placed& placed,
                            http::Exchange& exchange) {
    std::string receipt;
    if (options.receipt || waits_beyond_commit(options))
        receipt = receipt_answer(log_.topic().id, placed.position, placed.is_repeat);
    http::Response response =
        options.receipt ? answer(200, json_type, receipt) : answer(200, call.content_type, call.reply);
    response.after_commit = placed.after_commit;
    hold(response, options, {&placed.position, 1}, receipt);
    exchange.respond(response);
}

bool Collector::waits_beyond_commit(const RequestOptions& options) const {
    return options.landed || options_.wait_for_forwarding;
}

/// Until its events are landed, where the client wants that, and forwarded, where every answer waits for that.
void Collector::hold(http::Response& response, const RequestOptions& options, std::span<const Position> positions,
                     std::string receipts) {
    if (!waits_beyond_commit(options)) return;
    const auto now = env_.clock.monotonic();
    Waits::Until until;
    if (options.landed) until[Waits::index(Progress::landed)] = now + options_.landed_wait_max;
    if (options_.wait_for_forwarding) until[Waits::index(Progress::forwarded)] = now + options_.forwarded_wait_max;
    response.hold = waits_.add(positions, until, std::move(receipts), response.after_commit ? commits_ + 1 : 0);
    if (options.landed && waits_.any(Progress::landed)) options_.ask_for_landing();
}

void Collector::landed(const std::vector<Offset>& ends) {
    server_.resolve(waits_.reached(Progress::landed, ends));
}

void Collector::forwarded(const std::vector<Offset>& ends) {
    server_.resolve(waits_.reached(Progress::forwarded, ends));
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
    const auto options = read_options(request, Reads::intake);
    std::string_view body;
    if (!unzip(request, body, exchange)) {
        ++tally_.unreadable_bodies;
        return;
    }
    const auto key = read_idempotency_key(request.headers);
    const auto intake = !options.ok() ? options.error()
                        : !key.ok()   ? key.error()
                                      : parse_events(request, body, *options);
    if (!intake.ok()) {
        ++tally_.unreadable_bodies;
        return exchange.respond(
            answer(http_status_of(intake.error().kind), json_type, error_answer(intake.error().message)));
    }
    if (options->replay && key->empty())
        return exchange.respond(answer(400, json_type, error_answer("replay=1 needs an Idempotency-Key")));
    take_events(*intake.value(), key.value(), *options, exchange);
}

/// What is replayed has the headers that it came with.
Result<const event::Intake*> Collector::parse_events(const http::Request& request, std::string_view body,
                                                     const RequestOptions& options) {
    if (!options_.intake_headers || options.replay) return intake_parser_.parse(body);
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

/// Whether nothing of it is to be stored.
bool Collector::repeats_all(const event::Intake& intake) const {
    for (std::size_t i = 0; i < intake.accepted.size(); ++i) {
        const auto repeated = stage_.find(event_of(intake, i));
        if (!repeated || !can_answer(*repeated)) return false;
    }
    return true;
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
    const bool has_room = stage_.has_room(intake.accepted.size(), bytes);
    if (accepted > 0 && !repeats_all(intake) && refuse(accepted + rejected, has_room, exchange))
        return; // the client sends them all again
    tally_.settle(Fate::invalid_event, rejected);
    positions_.clear();
    const bool waits = waits_beyond_commit(options);
    bool after_commit = false;
    std::int64_t repeats = 0;
    for (std::size_t i = 0; i < intake.accepted.size(); ++i) {
        const StagedEvent event = event_of(intake, i);
        const auto repeated = stage_.find(event);
        if (repeated && waits_for(*repeated)) after_commit = true;
        if (!repeated && i == static_cast<std::size_t>(repeats)) stage_.begin_request(); // its first new one
        const Position position = repeated ? repeated->first : stage_.add(event);
        if (repeated) ++repeats;
        if (options.receipt || waits) positions_.push_back(position);
    }
    tally_.settle(Fate::repeated, repeats);
    tally_.pending += accepted - repeats;
    stage_.count_mismatched(std::min(intake.mismatched, static_cast<std::size_t>(accepted - repeats)));
    const auto answer_with = [&](const std::vector<Position>& positions) {
        return intake_answer(intake, log_.topic().id, positions, static_cast<std::size_t>(repeats));
    };
    const IntakeAnswer told = answer_with(options.receipt ? positions_ : std::vector<Position>());
    http::Response response = answer(told.status, json_type, told.body);
    response.after_commit = after_commit || repeats < accepted;
    hold(response, options, positions_, waits ? answer_with(positions_).body : "");
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
    if (const std::string reason = options_.refusal ? options_.refusal() : ""; !reason.empty())
        return answer_unavailable(reason, exchange);
    const std::string standing = options_.standing ? "; " + options_.standing() : "";
    exchange.respond(answer(200, text_type, "ready" + standing + "\n"));
}

/// True: so many events are not taken now, and that was answered.
bool Collector::refuse(std::int64_t events, bool has_room, http::Exchange& exchange) {
    if (given_up_ || !has_room) {
        tally_.settle(Fate::queue_full, events);
        answer_unavailable(given_up_ ? "the disk does not answer" : "too many events wait for the disk", exchange);
        return true;
    }
    if (!options_.refusal) return false;
    const std::string reason = options_.refusal();
    if (reason.empty()) return false;
    tally_.settle(Fate::not_taken, events);
    answer_unavailable(reason, exchange);
    return true;
}

void Collector::answer_unavailable(std::string_view message, http::Exchange& exchange) {
    exchange.respond(answer(503, json_type, error_answer(message), retry_header_));
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
