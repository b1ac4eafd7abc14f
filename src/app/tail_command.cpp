#include "app/commands.h"
#include "app/tail_format.h"
#include "log/event_log.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fmt/format.h>

/// `questlog tail`: what kcat -C prints, from the embedded log.
namespace questlog::app {
namespace {

constexpr std::chrono::milliseconds wait_slice{200}; // how soon a signal is noticed while nothing comes in

/// Where -o says to begin, in a partition that holds [start, end).
Result<Offset> first_offset(const std::string& text, Offset start, Offset end) {
    if (text == "beginning") return start;
    if (text == "end") return end;
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
        return reject("-o {} is no place to begin; write beginning, end, an offset, or -N for the last N", text);
    if (number < 0 || text.front() == '-') return std::max(start, end.plus(number));
    return std::max(start, Offset{number});
}

class Tail {
public:
    Tail(const Context& context, const TailArguments& arguments, log::LogReader& reader, TailFormat format)
        : context_(context), arguments_(arguments), reader_(reader), format_(std::move(format)) {}

    Status run() {
        CHECK_OK(place());
        while (!stop_requested() && !enough()) {
            CHECK_OK(print_new());
            CHECK_OK(context_.flush());
            if (enough() || (arguments_.exit_at_end && std::all_of(places_.begin(), places_.end(), at_end))) break;
            std::vector<Offset> ends(static_cast<std::size_t>(reader_.topic().partitions), Offset{INT64_MAX});
            for (const auto& place : places_) ends[static_cast<std::size_t>(place.partition.value)] = place.next;
            CHECK_OK(reader_.wait_beyond(ends, wait_slice));
        }
        return context_.flush();
    }

private:
    struct Place {
        Partition partition;
        Offset next;
        bool announced = false; ///< The notice that the end was reached has been given for this end.
    };
    static bool at_end(const Place& place) { return place.announced; }

    [[nodiscard]] bool enough() const { return arguments_.count && printed_ >= *arguments_.count; }

    Status place() {
        const std::int32_t partitions = reader_.topic().partitions;
        if (arguments_.partition && (*arguments_.partition < 0 || *arguments_.partition >= partitions))
            return reject("topic {} has no partition {}; it has 0 to {}", reader_.topic().name, *arguments_.partition,
                          partitions - 1);
        for (Partition partition{0}; partition.value < partitions; ++partition.value) {
            if (arguments_.partition && *arguments_.partition != partition.value) continue;
            auto& log = reader_.partition(partition);
            TRY(start, log.start_offset());
            TRY(end, log.end_offset());
            TRY(first, first_offset(arguments_.offset, start, end));
            places_.push_back({partition, first, false});
        }
        return {};
    }

    Status print_new() {
        for (auto& place : places_) {
            auto& log = reader_.partition(place.partition);
            TRY(end, log.end_offset());
            if (place.next < end) {
                CHECK_OK(print_range(log, place, end));
                place.announced = false;
            }
            if (enough()) return {};
            if (!place.announced && place.next >= end) CHECK_OK(announce(place));
        }
        return {};
    }

    Status print_range(log::PartitionReader& log, Place& place, Offset end) {
        TRY(cursor, log.read(place.next, end));
        log::Batch batch;
        while (!stop_requested()) {
            TRY(more, cursor->next(batch));
            if (!more) break;
            log::RecordCursor records(batch.header, batch.records);
            log::Record record;
            text_.clear();
            while (!enough()) {
                TRY(another, records.next(record));
                if (!another) break;
                if (record.offset < place.next || record.offset >= end) continue;
                format_.append(text_, reader_.topic().name, place.partition, record);
                place.next = record.offset.plus(1);
                ++printed_;
            }
            CHECK_OK(context_.print(text_));
            if (enough()) break;
        }
        return {};
    }

    /// The events before it are out when the notice is.
    Status announce(Place& place) {
        place.announced = true;
        if (arguments_.quiet) return {};
        CHECK_OK(context_.flush());
        const bool exiting = arguments_.exit_at_end && std::all_of(places_.begin(), places_.end(), at_end);
        context_.notice(fmt::format("% Reached end of topic {} [{}] at offset {}{}", reader_.topic().name,
                                    place.partition.value, place.next.value, exiting ? ": exiting" : ""));
        return {};
    }

    const Context& context_;
    const TailArguments& arguments_;
    log::LogReader& reader_;
    TailFormat format_;
    std::vector<Place> places_;
    std::int64_t printed_ = 0;
    std::string text_;
};

} // namespace

Status run(const Context& context, const TailArguments& arguments) {
    TRY(format, TailFormat::parse(arguments.format));
    const log::Topics topics(context.env, context.log_directory());
    log::Topics finder = topics;
    TRY(topic, finder.find(arguments.topic.value_or(context.config.topic)));
    TRY(reader, log::open_reader(context.env, topics, topic));
    stop_on_signals();
    return Tail(context, arguments, *reader, std::move(format)).run();
}

} // namespace questlog::app
