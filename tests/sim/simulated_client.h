#pragma once

#include "simulated_server.h"

#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace questlog::sim {

/// What is known of one event, by the number in it.
struct Sent {
    enum class Fate : std::uint8_t {
        unknown,  ///< No answer: it may be in the log, once, or not.
        accepted, ///< 200 or 207: durable, at the place that the receipt names.
        refused,  ///< 4xx or 503: not in the log.
    };
    Fate fate = Fate::unknown;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    bool again = false; ///< It was sent more than once, with its message id: a refusal says nothing of the other times.
};
using Ledger = std::map<std::int64_t, Sent>;

/// A client that pipelines requests on one connection: declared calls, posted events, arrays, lines, and nonsense.
/// Enters into the ledger what it is told.
class SimulatedClient {
public:
    /// `resends`: some events are sent again, of whatever fate.
    SimulatedClient(SimulatedServer& server, Ledger& ledger, std::uint64_t seed, bool resends)
        : server_(server), ledger_(ledger), random_(seed), resends_(resends), connection_(server.connect()) {}

    void ask();      ///< Writes a request, of any kind.
    void transmit(); ///< Some of what is written arrives.
    void listen();   ///< Reads the answers that have come.
    [[nodiscard]] bool closed() const { return server_.closed(connection_); }

private:
    struct Asked {
        std::vector<std::int64_t> events; ///< In order; -1 for one that is none.
    };

    std::int64_t next_event();
    std::string body_of_events(Asked& asked);
    void accepted(std::int64_t event, std::int64_t partition, std::int64_t offset);
    void take_answer(const Asked& asked, unsigned status, std::string_view body);
    void take_receipts(const Asked& asked, std::string_view receipts);

    SimulatedServer& server_;
    Ledger& ledger_;
    std::mt19937_64 random_;
    bool resends_;
    std::size_t connection_;
    std::string outgoing_;
    std::string incoming_;
    std::deque<Asked> asked_;
};

/// The number that follows `"name": ` in a JSON text, quoted or not; -1 where there is none.
[[nodiscard]] std::int64_t number_in(std::string_view json, std::string_view name);

} // namespace questlog::sim
