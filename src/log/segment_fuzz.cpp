// Any bytes as the segment of a log: opening, reading and inspecting them must end with an answer, and never with more
// events than a recovery admits.
#include "base/limits.h"
#include "io/sim_env.h"
#include "log/batch_codec.h"
#include "log/event_log.h"
#include "log/inspect.h"
#include "log/log_files.h"

#include <cstdlib>

namespace {

using namespace questlog;

void read_records(std::span<const std::byte> bytes) {
    const auto header = log::parse_batch_header(bytes);
    if (!header.ok()) return;
    log::BatchDecompressor decompressor;
    const auto records = decompressor.records(*header, bytes);
    if (!records.ok()) return;
    if (records->size() > limits::decompressed_batch_bytes_max) std::abort();
    log::RecordCursor cursor(*header, *records);
    log::Record record;
    while (true) {
        const auto more = cursor.next(record);
        if (!more.ok() || !*more) return;
        if (record.offset < header->base_offset || record.offset >= header->end_offset()) std::abort();
        (void)log::parse_headers(record).ok();
    }
}

/// Events that a reader sees; -1 where it refuses.
std::int64_t read_log(io::SimEnv& sim, const log::Topics& topics, const log::Topic& topic) {
    const auto reader = log::open_reader(sim.env(), topics, topic);
    if (!reader.ok()) return -1;
    auto& partition = (*reader)->partition(Partition{0});
    const auto end = partition.end_offset();
    if (!end.ok()) return -1;
    auto cursor = partition.read(Offset{0}, *end);
    if (!cursor.ok()) return -1;
    log::Batch batch;
    while (true) {
        const auto more = (*cursor)->next(batch);
        if (!more.ok()) return -1;
        if (!*more) return end->value;
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    read_records(std::as_bytes(std::span(data + 1, size - 1)));

    io::SimEnv sim(1);
    log::Topics topics(sim.env(), "/log");
    const auto topic = topics.create("t", {});
    if (!topic.ok()) std::abort();
    const auto directory = log::partition_directory("/log", "t", Partition{0});
    const std::uint64_t durable_end = data[0]; // small offsets are the interesting ones
    sim.put(log::segment_file(directory, Offset{0}), {reinterpret_cast<const char*>(data + 1), size - 1});
    sim.put(log::durable_end_file(directory), {reinterpret_cast<const char*>(&durable_end), sizeof durable_end});

    log::InspectOptions options;
    options.records = true;
    (void)log::inspect(sim.env(), topics, *topic, options, [](std::string_view) { return true; }).ok();
    const auto first = read_log(sim, topics, *topic);
    if (first >= 0 && first < static_cast<std::int64_t>(durable_end)) std::abort(); // something acknowledged was cut
    if (read_log(sim, topics, *topic) != first) std::abort(); // a recovery must not change its mind
    return 0;
}
