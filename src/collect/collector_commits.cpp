#include "base/operator_log.h"
#include "collect/answers.h"
#include "collect/collector.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

/// How the collector's commits begin and end.
namespace questlog::collect {

bool Collector::commit() {
    ++commits_;
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
    give_up_waits();
    if (!stage_.flying() || given_up_) return;
    if (env_.clock.monotonic() - commit_began_ > options_.commit_wait_max) give_up_commit();
}

/// At a stop nobody waits to be landed, which may take long, and to be forwarded only as long as 504 can still be sent.
void Collector::give_up_waits() {
    const auto now = env_.clock.monotonic();
    auto over = waits_.give_up(now);
    const auto give_up_all = [&](Progress progress) {
        for (http::Resolution& resolution : waits_.give_up_all(progress)) over.push_back(std::move(resolution));
    };
    if (draining_.load()) {
        if (!drain_began_) drain_began_ = now;
        give_up_all(Progress::landed);
        if (now - *drain_began_ >= options_.drain_forwarded_wait) give_up_all(Progress::forwarded);
    }
    tally_.unconfirmed +=
        std::count_if(over.begin(), over.end(), [](const http::Resolution& one) { return one.status == 504; });
    server_.resolve(over);
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
    if (options_.grown) options_.grown();
    fault_.reset();
    metrics_.synced(outcome.sync_time);
    if (std::exchange(given_up_, false)) return;
    tally_.pending -= commit.events;
    tally_.settle(Fate::accepted, commit.events);
    tally_.mismatched += commit.mismatched;
    metrics_.acknowledged(commit.arrivals, env_.clock.monotonic());
    if (waits_.any(Progress::landed)) options_.ask_for_landing();
    if (close_books()) server_.committed(true);
}

void Collector::fail_commit(std::int64_t events, Fate fate, const std::string& reason) {
    tally_.pending -= events;
    tally_.settle(fate, events);
    flight_failed_ = awaits_flight_;
    waits_.forget(commits_);
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

} // namespace questlog::collect
