#pragma once

#include "base/metrics.h"
#include "base/result.h"
#include "collect/access_log.h"
#include "collect/batch_stage.h"
#include "collect/collector_metrics.h"
#include "collect/committer.h"
#include "collect/request_options.h"
#include "collect/tally.h"
#include "collect/waits.h"
#include "event/catalogue.h"
#include "event/envelope.h"
#include "http/body_decoder.h"
#include "http/server.h"
#include "io/env.h"
#include "log/event_log.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::collect {

struct CollectorOptions {
    /// Where commits run. Alone whichever_is_better serves fast and slow disks alike; io_thread is for simulations.
    CommitOn commit_on = CommitOn::whichever_is_better;
    /// Commits that take longer on average leave the io thread: below it two thread switches would cost more than they
    /// save, above it requests would wait unread.
    std::chrono::nanoseconds inline_commit_max{500'000};
    /// Events that wait for the disk, in bytes of their batches. What does not fit is answered 503 at once.
    std::size_t commit_bytes_max = limits::batch_bytes_max;
    /// How long a commit may take. Then its requests are answered 503, with the outcome unknown, and until it is done
    /// after all, every other event is at once.
    std::chrono::milliseconds commit_wait_max = limits::commit_wait_max;
    /// Values posted to /events are stored with their request's headers, as declared calls' are, and no longer as sent.
    bool intake_headers = false;
    /// Of Authorization, Proxy-Authorization and Cookie: those that they are stored with all the same.
    std::vector<std::string> intake_store_headers;
    http::BodyDecoder::Limits unzipped{limits::unzipped_bytes_max, limits::unzipped_ratio_max}; ///< Beyond: 413.
    event::EventLimits event_limits;
    /// Asked from the io thread for what is durable to be landed soon; landed() then tells. None: nobody lands, and
    /// wait=landed is refused.
    std::function<void()> ask_for_landing;
    std::chrono::milliseconds landed_wait_max = limits::landed_wait_max; ///< From the request on; then 202.
    /// Whether what comes after the log takes more, asked on the io thread, once for each request with events: empty,
    /// or why not. Then it is answered 503 with that, nothing of it is stored, and /readyz says it too. A call that
    /// repeats a stored event brings none, and is answered as ever. No function: it always does.
    std::function<std::string()> refusal;
    /// Told on the io thread that the log has more. None: nobody wants to know.
    std::function<void()> grown;
    /// A clause more for /readyz while it says yes. None: nothing is to be said.
    std::function<std::string()> standing;
    /// No answer leaves before its events are forwarded: forwarded() tells.
    bool wait_for_forwarding = false;
    std::chrono::milliseconds forwarded_wait_max = limits::forwarded_wait_max; ///< From the request on; then 504.
    /// From drain() on, for what waits then: longer would be cut off by the server's end.
    std::chrono::milliseconds drain_forwarded_wait = limits::drain_forwarded_wait;
    std::chrono::seconds retry_after{1}; ///< How long a client is asked to wait after a 503.
    /// How long /readyz says no after a commit that failed. Then it says yes again without proof: only a request can
    /// show whether the log takes events, and a balancer sends none to a server that says no.
    std::chrono::seconds unready_for{5};
    /// Takes whole lines of the access log, many at a time, on the io thread. None: nothing is kept for it.
    std::function<void(std::string_view lines)> access_log;
};

/// Request -> event -> durable answer.
///
/// handle() turns a request into events and stages them in the open batch; commit() makes the batch durable; only then
/// do the answers leave (Response::after_commit). While a batch is in flight the next one gathers. A commit that finds
/// the disk full answers 503 to all its requests, and so does the batch behind it, whose offsets would have moved; the
/// next request tries again. So does a commit that takes longer than commit_wait_max, whose events may be in the log
/// all the same; no answer waits longer. What is durable may have to get on before its answer leaves (Waits): landed
/// where the client asks for that, forwarded where the options do. A sync that fails ends the process by Server::fail:
/// nothing may be answered after it.
///
/// Everything runs on the server's io thread, but for drain(). Owns nothing that it is given; outlived by all of it.
class Collector final : public http::Handler {
public:
    Collector(io::Env env, const event::Catalogue& catalogue, log::LogWriter& log, http::Server& server,
              Metrics& metrics, CollectorOptions options, std::vector<SeenIds> seen);
    ~Collector() override;

    void handle(const http::Request& request, http::Exchange& exchange) override;
    bool commit() override;
    void tick() override;
    void stopped() override;
    http::Response commit_failure() override;
    void answered(std::string_view peer, std::string_view method, std::string_view target, int version,
                  unsigned status) override;
    [[nodiscard]] bool wants_answered() const override { return static_cast<bool>(options_.access_log); }

    /// Events below these offsets, by partition, are in their tables. io thread.
    void landed(const std::vector<Offset>& ends);
    /// Events below these offsets, by partition, are confirmed by where the log is forwarded to. To be called at the
    /// start, too: until then none is known to be. io thread.
    void forwarded(const std::vector<Offset>& ends);

    /// From now on /readyz says no. Events are still taken: clients may not have noticed. Any thread.
    void drain() { draining_.store(true); }

    [[nodiscard]] const Tally& tally() const { return tally_; } ///< io thread, or after run().

private:
    struct Fault {
        std::string reason;
        std::chrono::nanoseconds since{};
    };

    void handle_call(const event::EventDeclaration& call, const http::Request& request, http::Exchange& exchange);
    void take_call(const event::EventDeclaration& call, const http::Request& request, http::Exchange& exchange);
    struct Placed {
        Position position;
        bool is_repeat = false;
        bool after_commit = true;
    };
    void answer_call(const event::EventDeclaration& call, const RequestOptions& options, const Placed& placed,
                     http::Exchange& exchange);
    [[nodiscard]] Result<RequestOptions> read_options(const http::Request& request, Reads reads) const;
    [[nodiscard]] bool can_answer(const Repeated& repeated) const;
    [[nodiscard]] bool waits_for(const Repeated& repeated);
    [[nodiscard]] bool waits_beyond_commit(const RequestOptions& options) const;
    void hold(http::Response& response, const RequestOptions& options, std::span<const Position> positions,
              std::string receipts);
    void handle_events(const http::Request& request, http::Exchange& exchange);
    void read_headers(const http::Request& request);
    [[nodiscard]] bool unzip(const http::Request& request, std::string_view& body, http::Exchange& exchange);
    Result<const event::Intake*> parse_events(const http::Request& request, std::string_view body,
                                              const RequestOptions& options);
    void take_events(const event::Intake& intake, std::string_view key, const RequestOptions& options,
                     http::Exchange& exchange);
    std::size_t name_events(const event::Intake& intake, std::string_view key, bool replay);
    [[nodiscard]] bool repeats_all(const event::Intake& intake) const;
    [[nodiscard]] StagedEvent event_of(const event::Intake& intake, std::size_t index) const;
    void handle_own_page(const http::Request& request, http::Exchange& exchange);
    void answer_readiness(http::Exchange& exchange);
    [[nodiscard]] bool refuse(std::int64_t events, bool has_room, http::Exchange& exchange);
    void answer_unavailable(std::string_view message, http::Exchange& exchange);

    void give_up_waits();
    void give_up_commit();
    void finish_commit(const CommitOutcome& outcome);
    void fail_commit(std::int64_t events, Fate fate, const std::string& reason);
    [[nodiscard]] bool close_books();
    void post_access_log();
    void write_access_log();

    io::Env env_;
    const event::Catalogue& catalogue_;
    log::LogWriter& log_;
    http::Server& server_;
    CollectorOptions options_;
    CollectorMetrics metrics_;
    Tally tally_;

    http::BodyDecoder decoder_;
    event::Envelope envelope_;
    event::IntakeParser intake_parser_;
    std::vector<event::HeaderView> headers_;
    std::string value_;
    std::string names_;                 ///< Of the events that the request's key names,
    std::vector<std::string_view> ids_; ///< and of each event, its own or one in names_.

    std::vector<Position> positions_; ///< Of the request's events, where a receipt is wanted.

    BatchStage stage_;
    Waits waits_;
    std::uint64_t commits_ = 0;               ///< Begun so far, whatever became of them.
    std::chrono::nanoseconds commit_began_{}; ///< Of the one in flight.
    bool given_up_ = false;                   ///< The one in flight; it is not over yet.
    bool awaits_flight_ = false;              ///< An answer of the open commit, of an event that the one in flight has.
    bool flight_failed_ = false;              ///< And that one has failed.
    std::optional<Fault> fault_;              ///< Of the last commit, if it failed.
    std::string retry_header_;
    std::string failure_body_;
    std::string not_found_;
    std::atomic<bool> draining_{false};
    std::optional<std::chrono::nanoseconds> drain_began_; ///< As tick() saw it.

    AccessLogFormat access_format_;
    std::string access_lines_;
    std::shared_ptr<Collector*> self_ = std::make_shared<Collector*>(this); ///< Posted actions hold it weakly.

    Committer committer_; ///< Last: its thread uses the log.
};

} // namespace questlog::collect
