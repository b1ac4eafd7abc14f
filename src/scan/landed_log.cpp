#include "scan/landed_log.h"

#include "base/crc32c.h"
#include "log/record_batch.h"

#include <fmt/format.h>
#include <string>

namespace questlog::scan {
namespace {

/// Without headers: on its way to a cluster a record gets one more. The bits never change: they lie on disk.
std::uint32_t fingerprint_of(const log::Record& record) {
    std::string text = fmt::format("{} ", record.timestamp);
    if (record.key) text += fmt::format("{} {}", record.key->size(), *record.key);
    text += '\n';
    text += record.value;
    return crc32c(text);
}

Result<std::optional<Witness>> read_witness(log::PartitionReader& log, Offset offset) {
    TRY(cursor, log.read(offset, offset.plus(1)));
    log::Batch batch;
    while (true) {
        TRY(more, cursor->next(batch));
        if (!more) return std::optional<Witness>{};
        log::RecordCursor records(batch.header, batch.records);
        log::Record record;
        while (true) {
            TRY(another, records.next(record));
            if (!another) break;
            if (record.offset == offset) return std::optional(Witness{offset, fingerprint_of(record)});
        }
    }
}

Error not_the_landed_log(std::string_view what) {
    return corrupt("this is not the log that was landed: {}. It was restored from an older backup, or its topic was "
                   "deleted and made anew: bring the newer log back, or move the lake's folder away to land this one",
                   what);
}

} // namespace

Result<std::optional<Witness>> witness_at(log::PartitionReader& log, Offset offset) {
    TRY(start, log.start_offset());
    if (offset < start) return std::optional<Witness>{};
    auto found = read_witness(log, offset);
    if (found.ok()) return found;
    if (found.error().kind == ErrorKind::corrupt) return std::optional<Witness>{}; // who reads on is told
    TRY(start_now, log.start_offset());
    if (offset < start_now) return std::optional<Witness>{}; // it has expired meanwhile
    return found;
}

Status check_landed(log::PartitionReader& log, Offset landed_to, const std::optional<Witness>& last) {
    TRY(end, log.end_offset());
    if (end < landed_to)
        return not_the_landed_log(fmt::format("offset {} was landed, and the log ends at {}", landed_to.plus(-1), end));
    if (!last) return {};
    TRY(found, witness_at(log, last->offset));
    if (found && *found != *last)
        return not_the_landed_log(
            fmt::format("another event than the one that was landed is at offset {}", last->offset));
    return {};
}

} // namespace questlog::scan
