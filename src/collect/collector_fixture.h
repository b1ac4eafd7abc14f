#pragma once

#include "collect/collector.h"
#include "collect/fake_log.h"
#include "io/sim_env.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

/// A collector between a scripted server and a log in memory, for the tests of this folder. The fakes keep the
/// contracts of http/server.h and log/event_log.h, and fail the test where the collector breaks them.
namespace questlog::collect {

inline const Error disk_full = retry_later("No space left on device");

/// A line with an event that has this message id.
inline std::string raid(const std::string& id) {
    return R"({"event_type": "raid", "message_id": ")" + id + "\"}\n";
}

/// What one request was answered, once `sent`.
struct Answer {
    unsigned status = 0;
    std::string content_type;
    std::string body;
    std::string extra_headers;
    bool after_commit = false;
    std::int64_t commit = 0; ///< The number of the commit that it waits for.
    std::uint64_t hold = 0;  ///< What is to be resolved besides; 0: nothing.
    bool sent = false;
    std::int64_t tells_accepted = 0; ///< How many events the client takes for durable once it is sent.

    [[nodiscard]] bool is_out() const { return sent && hold == 0; }

    void replace(const http::Response& response) {
        status = response.status;
        content_type = response.content_type;
        body = response.body;
        extra_headers = response.extra_headers;
        const std::size_t count = body.find("\"accepted\": ");
        tells_accepted = !after_commit || status >= 300 ? 0
                         : count == std::string::npos   ? 1
                                                        : std::strtoll(body.c_str() + count + 12, nullptr, 10);
        const std::size_t repeats = body.find("\"duplicates\": ");
        if (tells_accepted > 0 && repeats != std::string::npos)
            tells_accepted -= std::strtoll(body.c_str() + repeats + 14, nullptr, 10);
        if (body.find("\"duplicate\": true") != std::string::npos) tells_accepted = 0;
    }
};
using AnswerPtr = std::shared_ptr<Answer>;

/// The server, with the test in place of the network: requests are handled, turn() ends a turn.
class FakeServer final : public http::Server {
public:
    explicit FakeServer(FakeLog& log) : log_(log) {}

    [[nodiscard]] std::uint16_t port() const override { return 5000; }
    Status run(http::Handler&) override { return {}; }
    void run_blocking(std::function<void()> call, std::function<void()> then) override {
        EXPECT_FALSE(std::exchange(call_runs_, true)) << "a second call while one may block";
        auto whole = [this, call = std::move(call), then = std::move(then)] {
            call();
            call_runs_ = false;
            then();
        };
        if (calls_block) return post(std::move(whole));
        whole();
    }
    void request_stop() override {}
    void fail(Error error) override { failure = std::move(error); }
    [[nodiscard]] http::ServerStats stats() const override { return {}; }

    void committed(bool succeeded) override {
        ASSERT_TRUE(in_flight_) << "committed() without a commit";
        ASSERT_FALSE(failure) << "answered after fail()";
        EXPECT_EQ(std::this_thread::get_id(), io_thread_);
        in_flight_ = false;
        const std::int64_t done = staging_ - 1;
        for (const AnswerPtr& answer : waiting_) {
            if (answer->commit != done) continue;
            if (!succeeded) {
                answer->replace(handler_->commit_failure());
                answer->hold = 0;
            }
            answer->sent = true;
            told_accepted += answer->tells_accepted;
        }
        std::erase_if(waiting_, [](const AnswerPtr& answer) { return answer->sent; });
        EXPECT_LE(told_accepted, static_cast<std::int64_t>(log_.durable_events()))
            << "a 200 before its event was durable";
    }

    void resolve(const std::vector<http::Resolution>& resolutions) override {
        for (const http::Resolution& one : resolutions)
            for (const AnswerPtr& answer : held_)
                if (answer->hold == one.hold) {
                    answer->hold = 0;
                    if (one.status != 0) {
                        answer->status = one.status;
                        answer->body = one.body;
                    }
                }
    }

    void post(std::function<void()> action) override {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(action));
        posted_something_.notify_all();
    }

    AnswerPtr handle(http::Handler& handler, const http::Request& request) {
        struct Recorder final : http::Exchange {
            void respond(const http::Response& response) override {
                ASSERT_EQ(answer->status, 0U) << "answered twice";
                answer->after_commit = response.after_commit;
                answer->hold = response.hold;
                answer->replace(response);
            }
            AnswerPtr answer = std::make_shared<Answer>();
        } recorder;
        handler.handle(request, recorder);
        EXPECT_NE(recorder.answer->status, 0U) << "not answered";
        if (recorder.answer->hold != 0) held_.push_back(recorder.answer);
        if (recorder.answer->after_commit) {
            recorder.answer->commit = staging_;
            staged_ = true;
            waiting_.push_back(recorder.answer);
        } else {
            recorder.answer->sent = true;
        }
        return recorder.answer;
    }

    void turn(http::Handler& handler) {
        if (!staged_ || in_flight_ || failure) return;
        handler_ = &handler;
        staged_ = false;
        in_flight_ = true;
        ++staging_;
        if (handler.commit()) return;
        for (const AnswerPtr& answer : waiting_) {
            const bool of_this = answer->commit == staging_ - 1;
            EXPECT_TRUE(!of_this || answer->tells_accepted == 0) << "something was staged";
        }
        committed(true);
    }

    /// Runs what was posted until now.
    void run_posted() {
        std::vector<std::function<void()>> actions;
        {
            const std::lock_guard lock(mutex_);
            actions.swap(posted_);
        }
        for (const auto& action : actions) action();
    }

    /// Waits for something to be posted, and runs it.
    void wait_for_posted() {
        {
            std::unique_lock lock(mutex_);
            ASSERT_TRUE(posted_something_.wait_for(lock, std::chrono::minutes(1), [this] { return !posted_.empty(); }));
        }
        run_posted();
    }

    [[nodiscard]] bool commit_in_flight() const { return in_flight_; }

    std::optional<Error> failure;
    std::int64_t told_accepted = 0; ///< Events that clients take for durable.
    bool calls_block = false;       ///< Those that may: each ends only when what was posted is run.

private:
    FakeLog& log_;
    http::Handler* handler_ = nullptr;
    std::vector<AnswerPtr> waiting_;
    std::vector<AnswerPtr> held_; ///< Also those that are no longer.
    std::int64_t staging_ = 1;
    bool staged_ = false;
    bool in_flight_ = false;
    bool call_runs_ = false;
    const std::thread::id io_thread_ = std::this_thread::get_id();
    std::mutex mutex_;
    std::condition_variable posted_something_;
    std::vector<std::function<void()>> posted_;
};

/// The reference's game, and one call with typed fields (POST /trade), on a log that a test can break.
class CollectorTest : public ::testing::Test {
protected:
    static CollectorOptions on_io_thread() {
        CollectorOptions options;
        options.commit_on = CommitOn::io_thread;
        return options;
    }

    static CollectorOptions waits_two_seconds_for_a_commit() {
        CollectorOptions options;
        options.commit_wait_max = std::chrono::milliseconds(2'000);
        return options;
    }

    static std::vector<event::EventDeclaration> declarations() {
        auto game = event::Catalogue::builtin();
        event::EventDeclaration trade;
        trade.path = "/trade";
        trade.methods = {"POST"};
        trade.type = "trade";
        trade.fields = {{"gold", event::ColumnType::bigint, true}};
        trade.reply = "{\"done\": true}";
        trade.content_type = "application/json";
        game.push_back(trade);
        return game;
    }

    explicit CollectorTest(CollectorOptions options = on_io_thread(), std::int32_t partitions = 1,
                           std::vector<event::EventDeclaration> game = declarations())
        : log_(clock_, partitions), server_(log_), catalogue_(event::Catalogue::make(std::move(game)).value()),
          options_(std::move(options)) {
        start();
    }

    /// A collector on the log as it is, as after a restart.
    void start() {
        collector_.reset();
        collector_ = std::make_unique<Collector>(io::Env{clock_, sim_.env().files, sim_.env().entropy}, catalogue_,
                                                 log_, server_, metrics_, options_, seen_ids());
    }

    /// Of every test: what clients take for durable is durable, nothing else is, and every event has one fate.
    void TearDown() override {
        EXPECT_TRUE(collector_->tally().balances());
        if (server_.failure) return;
        EXPECT_EQ(server_.told_accepted, static_cast<std::int64_t>(log_.durable_events()));
        EXPECT_EQ(collector_->tally().pending, 0);
    }

    AnswerPtr send(std::string_view method, std::string_view target, std::string_view body = {},
                   std::vector<http::Header> headers = {{"Host", "user1.comcast.com"}}) {
        const std::string padded = std::string(body) + std::string(64, '}');
        http::Request request;
        request.method = method == "GET"       ? http::Method::get
                         : method == "HEAD"    ? http::Method::head
                         : method == "POST"    ? http::Method::post
                         : method == "OPTIONS" ? http::Method::options
                                               : http::Method::other;
        request.method_text = method;
        request.target = target;
        request.path = target.substr(0, target.find('?'));
        request.query = target.substr(std::min(request.path.size() + 1, target.size()));
        request.headers = headers;
        request.body = std::string_view(padded).substr(0, body.size());
        request.peer = "127.0.0.1";
        request.coding = coding_;
        return server_.handle(*collector_, request);
    }
    AnswerPtr get(std::string_view target) { return send("GET", target); }
    AnswerPtr post(std::string_view target, std::string_view body) { return send("POST", target, body); }
    void turn() { server_.turn(*collector_); }

    /// A request that has its turn for itself.
    AnswerPtr ask(std::string_view method, std::string_view target, std::string_view body = {}) {
        const AnswerPtr answer = send(method, target, body);
        turn();
        return answer;
    }

    /// Those of the log, as a start finds them.
    std::vector<SeenIds> seen_ids() {
        std::vector<SeenIds> all = no_ids_seen(log_.topic().partitions);
        for (std::size_t i = 0; i < all.size(); ++i)
            for (std::size_t offset = 0; offset < partition(i).events.size(); ++offset) {
                const LoggedEvent& event = partition(i).events[offset];
                if (!event.message_id.empty())
                    all[i].add(
                        {event::hash_of(event.message_id), Offset{static_cast<std::int64_t>(offset)}, event.timestamp});
            }
        return all;
    }

    FakePartition& partition(std::size_t index = 0) { return *log_.partitions.at(index); }

    std::vector<std::string> values(std::size_t index = 0) {
        std::vector<std::string> all;
        for (const LoggedEvent& event : partition(index).events) all.push_back(event.value);
        return all;
    }

    /// What /metrics shows for a name with its labels.
    std::string metric(const std::string& name) {
        const std::string text = "\n" + get("/metrics")->body;
        const std::size_t at = text.find("\n" + name + " ");
        if (at == std::string::npos) return "missing";
        const std::size_t begin = at + name.size() + 2;
        return text.substr(begin, text.find('\n', begin) - begin);
    }

    http::ContentCoding coding_ = http::ContentCoding::identity; ///< Of the bodies that are sent.
    io::SimEnv sim_{1};
    FakeClock clock_;
    FakeLog log_;
    FakeServer server_;
    Metrics metrics_;
    event::Catalogue catalogue_;
    CollectorOptions options_;
    std::unique_ptr<Collector> collector_;
};

} // namespace questlog::collect
