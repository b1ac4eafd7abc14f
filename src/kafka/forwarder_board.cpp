#include "kafka/forwarder_board.h"

#include "base/operator_log.h"

#include <utility>

namespace questlog::kafka {

std::string_view name_of(ForwarderState state) {
    switch (state) {
    case ForwarderState::starting: return "starting";
    case ForwarderState::running: return "running";
    case ForwarderState::unreachable: return "unreachable";
    case ForwarderState::refused: return "refused";
    }
    return "";
}

void ForwarderBoard::change(ForwarderState state, const std::string& text) {
    if (state == ForwarderState::running && this->state() == state) return;
    const ForwarderState before = state_.exchange(state, std::memory_order_relaxed);
    const bool same_text = board_.with([&](Board& board) {
        const bool same = board.text == text;
        board.text = text;
        if (!text.empty()) board.last_error = text;
        return same;
    });
    // Of one outage librdkafka says many things in turn.
    if (before != state || (state == ForwarderState::refused && !same_text)) tell(before, state, text);
}

void ForwarderBoard::tell(ForwarderState before, ForwarderState state, const std::string& text) const {
    switch (state) {
    case ForwarderState::starting: return;
    case ForwarderState::running:
        if (before != ForwarderState::starting)
            log_info("topic {} gets its events at Kafka {} again", topic_, bootstrap_);
        else
            log_info("topic {} gets its events at Kafka {}", topic_, bootstrap_);
        return;
    case ForwarderState::unreachable:
        log_warn("topic {} waits: {}; its events are kept here and forwarded when Kafka is back", topic_, text);
        return;
    case ForwarderState::refused:
        log_error("topic {} gets no events at Kafka {}, they are kept here: {}", topic_, bootstrap_, text);
        return;
    }
}

void ForwarderBoard::arrived(Arrivals arrivals) {
    board_.with([&](Board& board) { board.arrivals = std::move(arrivals); });
}

std::string ForwarderBoard::text() const {
    return board_.with([](const Board& board) { return board.text; });
}

std::string ForwarderBoard::last_error() const {
    return board_.with([](const Board& board) { return board.last_error; });
}

ForwarderBoard::Arrivals ForwarderBoard::arrivals() const {
    return board_.with([](const Board& board) { return board.arrivals; });
}

} // namespace questlog::kafka
