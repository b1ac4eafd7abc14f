#include "collect/collector.h"
#include "io/sim_env.h"
#include "log/retention.h"
#include "scan/repeats.h"
#include "simulated_client.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <gtest/gtest.h>

/// Clients, server, collector and log on a machine that loses power, kills, runs full and has a failing disk; one seed
/// a history of several lives, replayable by its number: QUESTLOG_SIM_SEEDS=FIRST:COUNT. Now and then what readers have
/// seen is taken for landed, and expires.
namespace questlog::sim {
namespace {

using Fault = io::SimEnv::Fault;

constexpr int lives_of_a_history = 8;
constexpr std::int64_t segment_bytes = 24 * 1024; // segments roll often

class History {
public:
    explicit History(std::uint64_t seed)
        : random_(seed), sim_(seed), topics_(sim_.env(), "/data/log"),
          catalogue_(event::Catalogue::make(declarations(random_() % 2 == 0)).value()), resends_(random_() % 2 == 0) {
        const auto partitions = static_cast<std::int32_t>(1 + random_() % 3);
        topic_ = topics_.create("game-events", {partitions, {}}).value();
        topic_.segment_bytes = segment_bytes;
        shown_.resize(static_cast<std::size_t>(partitions));
        landed_.resize(static_cast<std::size_t>(partitions));
        expired_.resize(static_cast<std::size_t>(partitions));
    }

    /// One life of the server, its end, and what must be true after it.
    void live() {
        choose_faults();
        const Status lived = serve();
        EXPECT_TRUE(lived.ok() || sim_.fault_happened() || full_) << lived.error().message;
        end();
        look("after the end");
    }

    int power_cuts = 0;
    std::int64_t events_accepted = 0;
    [[nodiscard]] std::int64_t events_expired() const {
        std::int64_t events = 0;
        for (const Offset end : expired_) events += end.value;
        return events;
    }

private:
    /// The reference's game; and its events and one that is posted with keys, so that a commit has several partitions.
    static std::vector<event::EventDeclaration> declarations(bool with_keys) {
        auto game = event::Catalogue::builtin();
        if (!with_keys) return game;
        for (event::EventDeclaration& call : game) call.key = "number";
        event::EventDeclaration win;
        win.path = "/win";
        win.methods = {"POST"};
        win.type = "win";
        win.key = "number";
        game.push_back(win);
        return game;
    }

    void choose_faults() {
        sim_.fail_nothing();
        const auto operation = static_cast<std::int64_t>(random_() % 300);
        switch (random_() % 6) {
        case 0: sim_.fail_operation(operation, Fault::io_error); break;
        case 1: sim_.fail_operation(operation, Fault::disk_full); break;
        case 2: break;
        default: sim_.fail_operation(operation, Fault::stop); break;
        }
    }

    /// Those of the log, as a start finds them.
    Result<std::vector<collect::SeenIds>> seen_ids() {
        std::vector<collect::SeenIds> all = collect::no_ids_seen(topic_.partitions);
        TRY(reader, log::open_reader(sim_.env(), topics_, topic_));
        for (std::int32_t i = 0; i < topic_.partitions; ++i) {
            log::PartitionReader& partition = reader->partition(Partition{i});
            TRY(start, partition.start_offset());
            TRY(end, partition.end_offset());
            CHECK_OK(scan::visit_ids(partition, start, end,
                                     [&](const event::IdSighting& id) { all[static_cast<std::size_t>(i)].add(id); }));
        }
        return all;
    }

    /// Until something ends it: nothing, a fault, or its time.
    Status serve() {
        log::WriterOptions options;
        options.prepare_segments_in_background = false;
        TRY(writer, log::open_writer(sim_.env(), topics_, topic_, options));
        SimulatedServer server(http::ServerOptions{}, random_());
        Metrics metrics;
        collect::CollectorOptions collector_options;
        collector_options.commit_on = collect::CommitOn::io_thread;
        if (random_() % 2 != 0) server.block_calls();
        TRY(seen, seen_ids());
        collect::Collector collector(sim_.env(), catalogue_, *writer, server, metrics, collector_options,
                                     std::move(seen));
        server.serve(collector);
        std::vector<SimulatedClient> clients;
        bool may_trim = true;
        const std::size_t steps = 20 + random_() % 60;
        for (std::size_t step = 0; step < steps && !server.failure(); ++step) {
            if (clients.size() < 6 && random_() % 8 == 0) clients.emplace_back(server, ledger_, random_(), resends_);
            for (SimulatedClient& client : clients) {
                if (random_() % 2 == 0) client.ask();
                client.transmit();
            }
            disturb();
            if (random_() % 2 == 0) server.turn();
            if (random_() % 3 == 0) server.run_posted();
            for (SimulatedClient& client : clients) client.listen();
            if (random_() % 10 == 0) look("while it serves");
            if (may_trim && !resends_ && random_() % 12 == 0) may_trim = trim();
        }
        EXPECT_TRUE(collector.tally().balances());
        if (server.failure()) return *server.failure();
        if (random_() % 3 == 0) return {}; // it is killed
        while (server.busy() && !server.failure()) {
            server.turn();
            server.run_posted();
        }
        server.turn();
        for (SimulatedClient& client : clients) client.listen();
        if (server.failure()) return *server.failure();
        return writer->close();
    }

    /// As the retention stage does it. False: this process may trim no more.
    bool trim() {
        const auto reader = log::open_reader(sim_.env(), topics_, topic_);
        if (!reader.ok()) return true; // look() says whether it may be so
        const log::RetentionLimits limits{static_cast<std::int64_t>(random_() % (3 * segment_bytes)), std::nullopt};
        for (std::int32_t p = 0; p < topic_.partitions; ++p) {
            const auto number = static_cast<std::size_t>(p);
            const auto age = log::look_at_age(sim_.env(), topics_, **reader, Partition{p}, limits);
            EXPECT_TRUE(age.ok() || sim_.fault_happened()) << age.error().message;
            if (!age.ok()) return true;
            landed_[number] = Offset{static_cast<std::int64_t>(shown_[number].size())};
            const auto plan = log::plan_trim(*age, limits, landed_[number]);
            const auto trimmed = log::trim(sim_.env().files, topics_, topic_, plan);
            if (trimmed.ok() && !plan.expire.empty()) expired_[number] = plan.new_start();
            const bool again = trimmed.ok() || trimmed.error().kind == ErrorKind::retry_later;
            EXPECT_TRUE(trimmed.ok() || sim_.fault_happened() || full_) << trimmed.error().message;
            if (!again) return false;
        }
        return true;
    }

    void disturb() {
        switch (random_() % 40) {
        case 0:
            full_ = !full_;
            sim_.fill_disk(full_);
            break;
        case 1:
            sim_.jump_wall(std::chrono::milliseconds(static_cast<std::int64_t>(random_() % 7'200'000) - 3'600'000));
            break;
        default: sim_.advance(std::chrono::milliseconds(random_() % 5)); break;
        }
    }

    void end() {
        if (random_() % 4 == 0) {
            sim_.crash();
        } else {
            sim_.power_cut();
            ++power_cuts;
        }
        sim_.fail_nothing();
        sim_.fill_disk(full_ = false);
    }

    /// Reads the log as another process would, and holds it against the ledger.
    void look(const std::string& when) {
        const auto reader = log::open_reader(sim_.env(), topics_, topic_);
        if (!reader.ok()) { // a stopped machine or a failing disk
            EXPECT_TRUE(sim_.fault_happened()) << when << ": " << reader.error().message;
            return;
        }
        std::map<std::int64_t, std::pair<std::int32_t, std::int64_t>> places;
        for (std::int32_t p = 0; p < topic_.partitions; ++p) {
            std::vector<std::int64_t>& shown = shown_[static_cast<std::size_t>(p)];
            Offset start;
            std::vector<std::int64_t> seen = shown; // of which what has expired stays known
            const Status read = read_partition((*reader)->partition(Partition{p}), start, seen);
            if (!read.ok()) {
                EXPECT_TRUE(sim_.fault_happened()) << when << ": " << read.error().message;
                return;
            }
            ASSERT_GE(start, expired_[static_cast<std::size_t>(p)]) << when << ": what has expired is back";
            ASSERT_LE(start, landed_[static_cast<std::size_t>(p)]) << when << ": events expired that were not landed";
            ASSERT_GE(seen.size(), shown.size()) << when << ": events that were shown are gone";
            ASSERT_TRUE(std::equal(shown.begin(), shown.end(), seen.begin())) << when << ": what was shown has changed";
            for (std::size_t i = 0; i < seen.size(); ++i)
                ASSERT_TRUE(places.emplace(seen[i], std::pair(p, static_cast<std::int64_t>(i))).second)
                    << when << ": event " << seen[i] << " is there twice";
            shown = std::move(seen);
        }
        events_accepted = 0;
        for (const auto& [number, sent] : ledger_) {
            const auto place = places.find(number);
            if (sent.fate == Sent::Fate::refused && !sent.again) {
                ASSERT_EQ(place, places.end()) << when << ": event " << number << " was refused, and is there";
            }
            if (sent.fate != Sent::Fate::accepted) continue;
            ++events_accepted;
            ASSERT_NE(place, places.end()) << when << ": event " << number << " was accepted, and is gone";
            ASSERT_EQ(place->second, std::pair(sent.partition, sent.offset)) << when << ": event " << number;
        }
    }

    /// Puts what is there behind what has expired, which `seen` begins with.
    static Status read_partition(log::PartitionReader& partition, Offset& start, std::vector<std::int64_t>& seen) {
        TRY(from, partition.start_offset());
        start = from;
        seen.resize(std::min(seen.size(), static_cast<std::size_t>(from.value)));
        TRY(end, partition.end_offset());
        TRY(cursor, partition.read(from, end));
        log::Batch batch;
        TimestampMs newest{-1};
        for (;;) {
            TRY(more, cursor->next(batch));
            if (!more) break;
            log::RecordCursor records(batch.header, batch.records);
            log::Record record;
            for (;;) {
                TRY(another, records.next(record));
                if (!another) break;
                EXPECT_EQ(record.offset.value, static_cast<std::int64_t>(seen.size()));
                EXPECT_GE(record.timestamp, newest) << "time went back within a partition";
                newest = record.timestamp;
                seen.push_back(number_in(record.value, "number"));
            }
        }
        EXPECT_EQ(end.value, static_cast<std::int64_t>(seen.size()));
        return {};
    }

    std::mt19937_64 random_;
    io::SimEnv sim_;
    log::Topics topics_;
    log::Topic topic_;
    event::Catalogue catalogue_;
    Ledger ledger_;
    std::vector<std::vector<std::int64_t>> shown_; ///< Per partition, the events that a reader saw.
    std::vector<Offset> landed_;                   ///< Likewise, up to where they may expire.
    std::vector<Offset> expired_;                  ///< Likewise, up to where they have expired for ever.
    bool full_ = false;
    bool resends_; ///< Clients send events again. Then nothing expires: what has may come again, as here nothing lands.
};

/// "100:50": fifty histories from seed 100 on.
std::pair<std::uint64_t, std::uint64_t> seeds_to_run() {
    std::uint64_t first = 1;
    std::uint64_t count = 180;
    const char* asked = std::getenv("QUESTLOG_SIM_SEEDS");
    if (asked == nullptr) return {first, count};
    const std::string_view text(asked);
    const std::size_t colon = std::min(text.find(':'), text.size());
    std::from_chars(text.data(), text.data() + colon, first);
    if (colon < text.size()) std::from_chars(text.data() + colon + 1, text.data() + text.size(), count);
    return {first, count};
}

TEST(Pipeline, KeepsWhatItAcceptedThroughEveryEnd) {
    const auto [first, count] = seeds_to_run();
    int power_cuts = 0;
    std::int64_t accepted = 0;
    std::int64_t expired = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        SCOPED_TRACE(fmt::format("QUESTLOG_SIM_SEEDS={}:1", seed));
        History history(seed);
        for (int life = 0; life < lives_of_a_history && !HasFailure(); ++life) history.live();
        power_cuts += history.power_cuts;
        accepted += history.events_accepted;
        expired += history.events_expired();
        if (HasFailure()) return;
    }
    std::printf("%d power cuts, %lld events accepted and kept, %lld of them until they expired\n", power_cuts,
                static_cast<long long>(accepted), static_cast<long long>(expired));
    if (count >= 10) {
        EXPECT_GT(expired, static_cast<std::int64_t>(count)) << "too little expired";
        EXPECT_GT(accepted, static_cast<std::int64_t>(count) * 20) << "too little was simulated";
    }
}

} // namespace
} // namespace questlog::sim
