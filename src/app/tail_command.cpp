#include "app/added_partitions.h"
#include "app/commands.h"
#include "app/data_folder.h"
#include "app/tail_format.h"
#include "app/tail_range.h"
#include "log/event_log.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <memory>

/// `questlog tail`: what kcat -C prints, from the embedded log or a topic of Kafka's.
namespace questlog::app {
namespace {

constexpr std::chrono::milliseconds wait_slice{200}; // how soon a signal is noticed while nothing comes in

class Tail {
public:
    Tail(const Context& context, const TailArguments& arguments, log::TopicSource& topics, TailFormat format,
         TailRange range)
        : context_(context), arguments_(arguments), topics_(topics), format_(std::move(format)),
          range_(std::move(range)), added_(context) {}

    Status run(const log::Topic& topic) {
        CHECK_OK(open(topic));
        CHECK_OK(place());
        while (!stop_requested() && !enough()) {
            CHECK_OK(print_new());
            CHECK_OK(context_.flush());
            if (enough() || finished()) break;
            std::vector<Offset> ends(static_cast<std::size_t>(reader_->topic().partitions), Offset{INT64_MAX});
            for (const auto& place : places_)
                if (!place.stopped) ends[static_cast<std::size_t>(place.partition.value)] = place.next;
            CHECK_OK(reader_->wait_beyond(ends, wait_slice));
            if (!arguments_.exit_at_end && !arguments_.partition) CHECK_OK(look_for_partitions());
        }
        return context_.flush();
    }

private:
    struct Place {
        Partition partition;
        Offset next;
        bool announced = false; ///< The notice that the end was reached has been given for this end.
        bool stopped = false;   ///< It has come to the time at which it was told to stop.
    };
    /// Nothing is left to wait for.
    [[nodiscard]] bool finished() const {
        return std::all_of(places_.begin(), places_.end(), [this](const Place& place) {
            return place.stopped || (arguments_.exit_at_end && place.announced);
        });
    }

    [[nodiscard]] bool enough() const { return arguments_.count && printed_ >= *arguments_.count; }

    Status open(const log::Topic& topic) {
        TRY(reader,
            topics_.open(topic, [this](const std::string& what) { context_.notice("questlog: recovery: " + what); }));
        reader_ = std::move(reader);
        return {};
    }

    Status place() {
        const std::int32_t partitions = reader_->topic().partitions;
        if (arguments_.partition && (*arguments_.partition < 0 || *arguments_.partition >= partitions))
            return reject("topic {} has no partition {}; it has 0 to {}", reader_->topic().name, *arguments_.partition,
                          partitions - 1);
        for (Partition partition{0}; partition.value < partitions; ++partition.value) {
            if (arguments_.partition && *arguments_.partition != partition.value) continue;
            auto& log = reader_->partition(partition);
            TRY(start, log.start_offset());
            TRY(end, log.end_offset());
            CHECK_OK(add_place(partition, range_.first_offset(start, end)));
        }
        return {};
    }

    Status add_place(Partition partition, Offset first) {
        if (range_.since) {
            TRY(found, reader_->partition(partition).find_time(*range_.since));
            first = found;
        }
        places_.push_back({partition, first, false, false});
        return {};
    }

    /// All that is in a partition that was added came after this began. A cluster that does not answer is asked again.
    Status look_for_partitions() {
        const auto added = added_.look(topics_, reader_->topic());
        if (!added.ok() && added.error().kind != ErrorKind::retry_later) return added.error();
        if (!added.ok() || !*added) return {};
        Partition partition{reader_->topic().partitions};
        TRY(topic, topics_.find(reader_->topic().name));
        CHECK_OK(open(topic));
        for (; partition.value < topic.partitions; ++partition.value) {
            TRY(start, reader_->partition(partition).start_offset());
            CHECK_OK(add_place(partition, start));
        }
        return {};
    }

    Status print_new() {
        for (auto& place : places_) {
            if (place.stopped) continue;
            auto& log = reader_->partition(place.partition);
            TRY(end, log.end_offset());
            if (place.next < end) {
                CHECK_OK(print_range(log, place, end));
                place.announced = false;
            }
            if (enough()) return {};
            if (!place.stopped && !place.announced && place.next >= end) CHECK_OK(announce(place));
        }
        return {};
    }

    Status print_range(log::PartitionReader& log, Place& place, Offset end) {
        TRY(cursor, log.read(place.next, end));
        log::Batch batch;
        while (!stop_requested()) {
            TRY(more, cursor->next(batch));
            if (!more) {
                place.next = end; // beyond its last event there may be a hole
                break;
            }
            log::RecordCursor records(batch.header, batch.records);
            log::Record record;
            text_.clear();
            while (!enough() && !place.stopped) {
                TRY(another, records.next(record));
                if (!another) break;
                if (record.offset < place.next || record.offset >= end) continue;
                place.next = record.offset;
                place.stopped = range_.until && record.timestamp >= *range_.until;
                if (place.stopped) break;
                format_.append(text_, reader_->topic().name, place.partition, record);
                place.next = record.offset.plus(1);
                ++printed_;
            }
            CHECK_OK(context_.print(text_));
            if (place.stopped) return tell(place, "Reached stop timestamp for");
            if (enough()) break;
        }
        return {};
    }

    Status announce(Place& place) {
        place.announced = true;
        return tell(place, "Reached end of");
    }

    /// The events before it are out when the notice is.
    Status tell(const Place& place, std::string_view what) {
        if (arguments_.quiet) return {};
        CHECK_OK(context_.flush());
        context_.notice(fmt::format("% {} topic {} [{}] at offset {}{}", what, reader_->topic().name,
                                    place.partition.value, place.next.value, finished() ? ": exiting" : ""));
        return {};
    }

    const Context& context_;
    const TailArguments& arguments_;
    log::TopicSource& topics_;
    std::unique_ptr<log::LogReader> reader_;
    TailFormat format_;
    TailRange range_;
    AddedPartitions added_;
    std::vector<Place> places_;
    std::int64_t printed_ = 0;
    std::string text_;
};

} // namespace

Status run(const Context& context, const TailArguments& arguments) {
    TRY(format, TailFormat::parse(arguments.format));
    TRY(range, TailRange::parse(arguments.offsets));
    // What follows the log waits for what has its place there; what ends at its end sees all that there is.
    TRY(topics, open_topics(context, {.reads_unforwarded = arguments.exit_at_end,
                                      .as_they_lie = true,
                                      .with_headers = format.has_headers()}));
    TRY(topic, topics->find(arguments.topic.value_or(context.config.topic)));
    stop_on_signals();
    return Tail(context, arguments, *topics, std::move(format), std::move(range)).run(topic);
}

} // namespace questlog::app
