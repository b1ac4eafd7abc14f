#include "simulated_client.h"

#include <charconv>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace questlog::sim {

std::int64_t number_in(std::string_view json, std::string_view name) {
    const std::string key = fmt::format("\"{}\": ", name);
    std::size_t at = json.find(key);
    if (at == std::string_view::npos) return -1;
    at += key.size();
    if (at < json.size() && json[at] == '"') ++at;
    std::int64_t number = -1;
    std::from_chars(json.data() + at, json.data() + json.size(), number);
    return number;
}

std::int64_t SimulatedClient::next_event() {
    if (resends_ && !ledger_.empty() && random_() % 4 == 0) {
        const auto again = ledger_.begin()->first + static_cast<std::int64_t>(random_() % ledger_.size());
        ledger_[again].again = true;
        return again;
    }
    const auto number = static_cast<std::int64_t>(ledger_.size());
    ledger_.emplace(number, Sent{});
    return number;
}

std::string SimulatedClient::body_of_events(Asked& asked) {
    const std::size_t kind = random_() % 3;
    const std::size_t count = kind == 0 ? 1 : 1 + random_() % 12;
    std::string body;
    for (std::size_t i = 0; i < count; ++i) {
        const bool nonsense = kind != 0 && random_() % 16 == 0;
        asked.events.push_back(nonsense ? -1 : next_event());
        if (i > 0) body += kind == 1 ? ", " : "\n";
        body += nonsense ? std::string(R"({"no_type": true})")
                         : fmt::format(R"({{"event_type": "win", "number": {0}, "message_id": "m{0}", "note": "{1}"}})",
                                       asked.events.back(), std::string(random_() % 400, 'x'));
    }
    return kind == 1 ? "[" + body + "]" : body;
}

void SimulatedClient::ask() {
    Asked asked;
    switch (random_() % 8) {
    case 0:
        outgoing_ += "GET /nowhere HTTP/1.1\r\nHost: game\r\n\r\n";
        asked.events.push_back(-1);
        break;
    case 1:
    case 2:
    case 3: {
        const std::string body = body_of_events(asked);
        outgoing_ += fmt::format("POST /events?receipt=1 HTTP/1.1\r\nHost: game\r\nContent-Length: {}\r\n\r\n{}",
                                 body.size(), body);
        break;
    }
    default:
        asked.events.push_back(next_event());
        outgoing_ +=
            fmt::format("GET /purchase_a_sword?number={0}&message_id=m{0}&receipt=1 HTTP/1.1\r\nHost: game\r\n\r\n",
                        asked.events.back());
        break;
    }
    asked_.push_back(std::move(asked));
}

void SimulatedClient::transmit() {
    outgoing_.erase(0, server_.arrive(connection_, outgoing_));
}

void SimulatedClient::listen() {
    incoming_ += server_.received(connection_);
    for (;;) {
        const std::size_t head = incoming_.find("\r\n\r\n");
        if (head == std::string::npos) return;
        const std::size_t length_at = incoming_.find("Content-Length: ");
        ASSERT_LT(length_at, head);
        std::size_t length = 0;
        std::from_chars(incoming_.data() + length_at + 16, incoming_.data() + head, length);
        if (incoming_.size() < head + 4 + length) return;
        unsigned status = 0;
        std::from_chars(incoming_.data() + 9, incoming_.data() + 12, status);
        ASSERT_FALSE(asked_.empty()) << "an answer that nobody asked for: " << incoming_;
        take_answer(asked_.front(), status, std::string_view(incoming_).substr(head + 4, length));
        asked_.pop_front();
        incoming_.erase(0, head + 4 + length);
    }
}

/// One for each event, which went to several partitions.
void SimulatedClient::take_receipts(const Asked& asked, std::string_view receipts) {
    for (const std::int64_t event : asked.events) {
        if (event < 0) continue;
        const std::size_t begin = receipts.find('{');
        ASSERT_NE(begin, std::string_view::npos) << "too few receipts";
        receipts = receipts.substr(begin);
        accepted(event, number_in(receipts, "partition"), number_in(receipts, "offset"));
        receipts = receipts.substr(receipts.find('}'));
    }
}

/// Whenever it is sent again, it is the first one that counts.
void SimulatedClient::accepted(std::int64_t event, std::int64_t partition, std::int64_t offset) {
    Sent& sent = ledger_[event];
    if (sent.fate == Sent::Fate::accepted) {
        ASSERT_EQ(sent.partition, partition) << "event " << event;
        ASSERT_EQ(sent.offset, offset) << "event " << event;
    }
    sent = {Sent::Fate::accepted, static_cast<std::int32_t>(partition), offset, sent.again};
}

void SimulatedClient::take_answer(const Asked& asked, unsigned status, std::string_view body) {
    const bool some = status == 200 || status == 207;
    const std::size_t receipts = body.find("\"receipts\": [");
    if (receipts != std::string_view::npos) return take_receipts(asked, body.substr(receipts));
    std::int64_t offset =
        number_in(body, body.find("first_offset") != std::string_view::npos ? "first_offset" : "offset");
    const std::int64_t partition = number_in(body, "partition");
    for (const std::int64_t event : asked.events) {
        if (event < 0) continue;
        if (some) {
            ASSERT_GE(offset, 0) << "no receipt: " << body;
            accepted(event, partition, offset++);
        } else {
            ASSERT_TRUE(status == 503 || status == 400) << status << " " << body;
            if (!ledger_[event].again) ledger_[event].fate = Sent::Fate::refused;
        }
    }
}

} // namespace questlog::sim
