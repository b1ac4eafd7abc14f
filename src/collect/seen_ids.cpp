#include "collect/seen_ids.h"

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>
#include <vector>

namespace questlog::collect {
namespace {

struct Entry {
    event::MessageHash id;
    Offset first; ///< Of the event that counts.
    TimestampMs time;
};

/// In order of their events. Numbers count from the beginning; they wrap around, which is far beyond any window.
struct Entries {
    std::deque<Entry> kept;
    std::uint32_t begin = 0; ///< The number of kept.front().

    [[nodiscard]] const Entry& at(std::uint32_t number) const { return kept[std::uint32_t{number - begin}]; }
    [[nodiscard]] std::uint32_t end() const { return begin + static_cast<std::uint32_t>(kept.size()); }
};

/// The index holds numbers, 4 bytes an entry, and compares the ids that they stand for.
struct Hash {
    using is_transparent = void;
    const Entries* entries;
    std::size_t operator()(const event::MessageHash& id) const { return id.low; }
    std::size_t operator()(std::uint32_t number) const { return entries->at(number).id.low; }
};
struct Equal {
    using is_transparent = void;
    const Entries* entries;
    [[nodiscard]] const event::MessageHash& id(std::uint32_t number) const { return entries->at(number).id; }
    bool operator()(std::uint32_t a, std::uint32_t b) const { return id(a) == id(b); }
    bool operator()(const event::MessageHash& a, std::uint32_t b) const { return a == id(b); }
    bool operator()(std::uint32_t a, const event::MessageHash& b) const { return id(a) == b; }
};
using Shard = boost::unordered_flat_set<std::uint32_t, Hash, Equal>;

constexpr std::size_t shards = 512; ///< So that none takes more than a millisecond to grow.

} // namespace

struct SeenIds::State {
    explicit State(const event::RepeatWindow& limits)
        : window(limits), index(shards, Shard(0, Hash{&entries}, Equal{&entries})) {}

    [[nodiscard]] Shard& shard_of(const event::MessageHash& id) { return index[id.high % shards]; }

    [[nodiscard]] bool is_within(std::uint32_t number, TimestampMs time) const {
        return std::int64_t{std::uint32_t{entries.end() - number}} <= window.ids &&
               time.minus(entries.at(number).time) <= window.time.count();
    }

    /// Unless a later entry has its id.
    void drop_from_index(std::uint32_t number) {
        Shard& shard = shard_of(entries.at(number).id);
        const auto found = shard.find(entries.at(number).id);
        if (found != shard.end() && *found == number) shard.erase(found);
    }

    event::RepeatWindow window;
    Entries entries;
    std::vector<Shard> index;
};

SeenIds::SeenIds(const event::RepeatWindow& window) : state_(std::make_unique<State>(window)) {}
SeenIds::~SeenIds() = default;
SeenIds::SeenIds(SeenIds&&) noexcept = default;
SeenIds& SeenIds::operator=(SeenIds&&) noexcept = default;

std::optional<Offset> SeenIds::find(const event::MessageHash& id, TimestampMs time) const {
    const Shard& shard = state_->shard_of(id);
    const auto found = shard.find(id);
    if (found == shard.end() || !state_->is_within(*found, time)) return std::nullopt;
    return state_->entries.at(*found).first;
}

void SeenIds::add(const event::IdSighting& event) {
    Entries& entries = state_->entries;
    while (!entries.kept.empty() && !state_->is_within(entries.begin, event.time)) {
        state_->drop_from_index(entries.begin);
        entries.kept.pop_front();
        ++entries.begin;
    }
    const Offset first = find(event.id, event.time).value_or(event.offset);
    Shard& shard = state_->shard_of(event.id);
    shard.erase(event.id);
    entries.kept.push_back({event.id, first, event.time});
    shard.insert(entries.end() - 1);
}

void SeenIds::forget_from(Offset offset) {
    Entries& entries = state_->entries;
    while (!entries.kept.empty() && entries.kept.back().first >= offset) {
        state_->drop_from_index(entries.end() - 1);
        entries.kept.pop_back();
    }
}

std::size_t SeenIds::size() const {
    return state_->entries.kept.size();
}

std::vector<SeenIds> no_ids_seen(std::int32_t partitions, const event::RepeatWindow& window) {
    std::vector<SeenIds> seen;
    for (std::int32_t i = 0; i < partitions; ++i) seen.emplace_back(window);
    return seen;
}

} // namespace questlog::collect
