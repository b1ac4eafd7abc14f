#include "kafka/topic_partition.h"

#include "base/limits.h"
#include "io/whole_file.h"
#include "kafka/checkpoint.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::kafka {
namespace {

/// What is read again in a moment needs to be in no file. The first that is read is, so that the topic is known again.
constexpr std::int64_t worth_saving = 16'384;

/// Null: there is none.
std::unique_ptr<RecordStream> take_last(std::vector<std::unique_ptr<RecordStream>>& streams) {
    if (streams.empty()) return nullptr;
    auto taken = std::move(streams.back());
    streams.pop_back();
    return taken;
}

} // namespace

TopicPartition::TopicPartition(io::Env env, const Client& asker, std::string topic, Partition partition,
                               const Options& options)
    : env_(env), asker_(asker), topic_(std::move(topic)), partition_(partition), directory_(options.directory),
      as_they_lie_(options.as_they_lie), with_headers_(options.with_headers), stop_(options.stop),
      cache_(env.files, directory_, options.cache_bytes_max) {}

std::string TopicPartition::path() const {
    return fmt::format("{}/{}-{}.origins", directory_, topic_, partition_);
}

Result<TopicPartition::Ends> TopicPartition::ends() {
    TRY(found, asker_.watermarks(topic_, partition_, asker_.settings().patience));
    const auto anchor = known_.with([](const Known& known) { return known.anchor; });
    if (anchor && anchor->offset.value >= found.high) return ends_before(*anchor, Offset{found.high});
    return Ends{Offset{found.low}, Offset{found.high}};
}

Result<Offset> TopicPartition::find_time(TimestampMs time, Offset end) {
    if (time.value <= 0) { // what has no time is of 0 here, and a broker takes less for other questions
        TRY(ends, this->ends());
        return std::min(end, ends.low);
    }
    TRY(found, asker_.find_offset(topic_, partition_, time.value, asker_.settings().patience, "look for a time in"));
    return found < 0 ? end : std::min(end, Offset{found});
}

Result<OriginPoints> TopicPartition::load() {
    TRY(stat, env_.files.stat(path()));
    if (stat.kind == io::Kind::missing) return OriginPoints{};
    TRY(text, io::read_text_file(env_.files, path()));
    TRY(points, OriginPoints::decode(text, path()));
    if (points.witness) CHECK_OK(check_witness(*points.witness));
    return points;
}

Error TopicPartition::another_topic(std::string_view what) const {
    return corrupt(
        "topic {} [{}] of Kafka {} is not the one that was read before: {}. It was deleted and made anew, "
        "or this is another cluster. To read it as a new topic, remove {}/{}-*.origins, and move the lake's folder "
        "away, which has what was landed from the old one",
        topic_, partition_, asker_.settings().bootstrap, what, directory_, topic_);
}

Error TopicPartition::ends_before(const OriginPoints::Witness& witness, Offset high) const {
    return another_topic(fmt::format("it had offset {}, and ends at {}", witness.offset, high));
}

Status TopicPartition::check_witness(const OriginPoints::Witness& witness) {
    TRY(ends, this->ends());
    if (witness.offset < ends.low) return {}; // it has expired; what comes after it is as good
    if (witness.offset >= ends.high) return ends_before(witness, ends.high);
    auto idle = known_.with([](Known& known) { return take_last(known.idle); });
    if (idle == nullptr) {
        TRY(opened, open_stream());
        idle = std::move(opened);
    }
    TRY(found, idle->fingerprint_at(witness.offset));
    give_back(std::move(idle));
    if (found && *found != witness.fingerprint) // else it was compacted away
        return another_topic(fmt::format("another record is at offset {}", witness.offset));
    return {};
}

Status TopicPartition::confirm() {
    struct Read {
        std::optional<OriginPoints::Witness> anchor, last;
        Offset to;
    };
    const auto read = known_.with([](const Known& known) -> Read {
        if (!known.points || known.read_to <= known.confirmed_to) return {};
        return {known.anchor, known.points->witness, known.read_to};
    });
    if (!read.anchor) return {};
    CHECK_OK(check_witness(*read.anchor));
    known_.with([&](Known& known) {
        known.confirmed_to = std::max(known.confirmed_to, read.to);
        known.anchor = read.last; // the first one expires some day
    });
    return {};
}

Result<std::unique_ptr<RecordStream>> TopicPartition::open_stream() {
    TRY(messages, PartitionStream::open(asker_.settings(), topic_, partition_, stop_));
    return std::make_unique<RecordStream>(std::move(messages), with_headers_);
}

Result<OriginPoints::Point> TopicPartition::point_before(Offset at) {
    const bool knows = known_.with([](Known& known) { return known.points.has_value(); });
    if (!knows) {
        TRY(loaded, load());
        known_.with([&](Known& known) {
            if (known.points) return;
            if (const auto last = loaded.before(Offset{INT64_MAX})) known.saved = last->at;
            known.anchor = loaded.witness;
            known.points = std::move(loaded);
        });
    }
    TRY(ends, this->ends());
    const auto point = known_.with([&](Known& known) {
        known.points->forget_below(ends.low);
        return known.points->before(at);
    });
    if (point && point->at >= ends.low) return *point;
    // What a record before the first one there is says can matter no more than by what is known of it.
    return OriginPoints::Point{std::min(at, ends.low), point ? point->seen : OriginsSeen{}};
}

Result<std::unique_ptr<RecordStream>> TopicPartition::stream_at(Offset at) {
    auto stream = known_.with([&](Known& known) -> std::unique_ptr<RecordStream> {
        const auto best =
            std::find_if(known.idle.begin(), known.idle.end(), [&](const auto& one) { return one->at() == at; });
        if (best != known.idle.end()) std::iter_swap(best, std::prev(known.idle.end()));
        return take_last(known.idle);
    });
    if (stream == nullptr) {
        TRY(opened, open_stream());
        stream = std::move(opened);
    } else if (stream->at() == at) {
        CHECK_OK(stream->resume());
        return stream;
    }
    if (as_they_lie_) {
        CHECK_OK(stream->begin(at, std::nullopt));
        return stream;
    }
    TRY(point, point_before(at));
    CHECK_OK(stream->begin(point.at, std::move(point.seen)));
    CHECK_OK(stream->pass(at));
    return stream;
}

void TopicPartition::give_back(std::unique_ptr<RecordStream> stream) {
    stream->rest();
    known_.with([&](Known& known) { known.idle.push_back(std::move(stream)); });
}

Result<std::optional<TopicPartition::ReadBatch>> TopicPartition::read(RecordStream& stream, Offset to,
                                                                      log::BatchBuilder& builder) {
    const Offset from = stream.at();
    builder.begin(from);
    CHECK_OK(stream.read(std::min(to, cache_.next_base(from).value_or(to)), builder));
    known_.with([&](Known& known) {
        if (!known.points || as_they_lie_) return;
        known.points->add(stream.at(), stream.seen());
        known.read_to = std::max(known.read_to, stream.at());
        known.confirmed_to = std::min(known.confirmed_to, from); // also what is read for the second time
        if (!stream.witness()) return;
        known.points->witness = stream.witness();
        if (!known.anchor) known.anchor = stream.witness();
    });
    if (builder.empty()) return std::optional<ReadBatch>{};
    const auto records = builder.records();
    if (as_they_lie_) return std::optional(ReadBatch{{builder.header(), 0, 0, 0}, records});
    if (builder.bytes() > limits::batch_bytes_max)
        return reject(
            "the record at offset {} of topic {} [{}] is larger than {} bytes, which is what can be read. Reading goes "
            "on where the topic begins behind it: remove it, and with it all that is before it, by "
            "kafka-delete-records "
            "with the file {{\"partitions\": [{{\"topic\": \"{}\", \"partition\": {}, \"offset\": {}}}], \"version\": "
            "1}}",
            stream.at().plus(-1), topic_, partition_, limits::batch_bytes_max, topic_, partition_, stream.at());
    TRY(cached, cache_.put(builder.header(), records));
    return std::optional(ReadBatch{cached, records});
}

Result<OriginsSeen> TopicPartition::seen_before(Offset at) {
    TRY(point, point_before(at));
    if (point.at == at) return std::move(point.seen);
    TRY(stream, stream_at(point.at));
    log::BatchBuilder builder;
    while (stream->at() < at) CHECK_OK(read(*stream, at, builder));
    OriginsSeen seen = stream->seen();
    give_back(std::move(stream));
    return seen;
}

Result<std::set<std::string>> TopicPartition::origins(Offset at) {
    if (as_they_lie_) return std::set<std::string>{};
    TRY(known, point_before(Offset{INT64_MAX}));
    if (known.at >= at) return known.seen.logs();
    TRY(seen, seen_before(at));
    CHECK_OK(confirm());
    CHECK_OK(save());
    return seen.logs();
}

Result<std::optional<Offset>> TopicPartition::last_of(const log::Topic& embedded, Partition partition, Offset at) {
    CheckpointFile file(env_, directory_, topic_);
    TRY(checkpoint, file.read(embedded.partitions));
    TRY(ends, this->ends());
    OriginPoints::Point point;
    bool is_known = false;
    if (checkpoint && checkpoint->log_id == embedded.id) {
        if (const auto& arrived = checkpoint->last[static_cast<std::size_t>(partition.value)]) {
            point.at = std::max(Offset{arrived->record}.plus(1), ends.low); // also where its record has expired
            (void)point.seen.see({embedded.id, partition, arrived->event});
            is_known = point.at <= at;
        }
    }
    if (!is_known && !as_they_lie_) { // what is read now is in the cache, and asked for next
        TRY(seen, seen_before(at));
        return seen.last(embedded.id, partition);
    }
    if (!is_known) {
        TRY(known, point_before(at));
        point = std::move(known);
    }
    TRY(stream, open_stream());
    CHECK_OK(stream->begin(point.at, std::move(point.seen)));
    CHECK_OK(stream->pass(at));
    return stream->seen().last(embedded.id, partition);
}

Status TopicPartition::save() {
    const auto text = known_.with([](Known& known) -> std::optional<std::string> {
        if (!known.points) return std::nullopt;
        const auto last = known.points->before(Offset{INT64_MAX});
        if (!last || !known.points->witness) return std::nullopt;
        if (known.saved && last->at.minus(*known.saved) < worth_saving) return std::nullopt;
        known.saved = last->at;
        return known.points->encode();
    });
    if (!text) return {};
    CHECK_OK(env_.files.make_directories(directory_));
    const auto lock = env_.files.lock(directory_ + "/.lock", partition_.value, io::Files::Share::exclusive, {});
    if (!lock.ok()) return {}; // somebody else saves what he has learnt
    return io::write_file_durably(env_.files, directory_, path(), *text);
}

} // namespace questlog::kafka
