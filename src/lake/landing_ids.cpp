#include "base/crc32c.h"
#include "io/whole_file.h"
#include "lake/landing_records.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <span>

/// The message ids of cuts, a file each. All numbers little-endian:
///
///   8  "QLids 1\n"     8  offset of the first      8  its time, ms      8  how many
///   then for each, in order of offsets:  8  high and  8  low half of its hash,  4  offset and  4  ms after the first
///   4  CRC-32C of everything before
namespace questlog::lake {
namespace {

constexpr std::string_view magic = "QLids 1\n";
constexpr std::string_view suffix = ".ids";
constexpr std::size_t header_bytes = 32;
constexpr std::size_t entry_bytes = 24;
constexpr std::size_t crc_bytes = 4;

template <class Int> void append(std::string& out, Int value) {
    char bytes[sizeof(Int)];
    std::memcpy(bytes, &value, sizeof(Int));
    out.append(bytes, sizeof(Int));
}

template <class Int> Int number_at(std::string_view bytes, std::size_t at) {
    Int value{};
    std::memcpy(&value, bytes.data() + at, sizeof(Int));
    return value;
}

struct Header {
    Offset first;
    TimestampMs time;
    std::size_t count = 0;
};

Header header_of(std::string_view bytes) {
    return {{number_at<std::int64_t>(bytes, 8)},
            {number_at<std::int64_t>(bytes, 16)},
            static_cast<std::size_t>(number_at<std::uint64_t>(bytes, 24))};
}

event::IdSighting entry_of(std::string_view bytes, const Header& header, std::size_t number) {
    const std::size_t at = header_bytes + number * entry_bytes;
    return {{number_at<std::uint64_t>(bytes, at), number_at<std::uint64_t>(bytes, at + 8)},
            header.first.plus(number_at<std::uint32_t>(bytes, at + 16)),
            header.time.plus(number_at<std::uint32_t>(bytes, at + 20))};
}

/// The file's bytes, which are what someone wrote.
Result<std::string> read_checked(io::Files& files, const std::string& path) {
    TRY(bytes, io::read_text_file(files, path));
    const bool is_whole = bytes.size() >= header_bytes + crc_bytes && bytes.starts_with(magic) &&
                          crc32c(std::string_view(bytes).substr(0, bytes.size() - crc_bytes)) ==
                              number_at<std::uint32_t>(bytes, bytes.size() - crc_bytes) &&
                          (bytes.size() - header_bytes - crc_bytes) / entry_bytes == header_of(bytes).count;
    if (!is_whole)
        return corrupt("{}: the message ids of a landed stretch are damaged; `questlog land --once` writes them anew "
                       "from the log",
                       path);
    return bytes;
}

std::string ids_name(Offset from) {
    return fmt::format("{:0{}}{}", from.value, offset_digits, suffix);
}

bool is_missing(const Error& error) {
    return error.system_errno == ENOENT;
}

/// How many ids the file says it has, and when the last of them was met. Unchecked.
struct Summary {
    std::int64_t count = 0;
    TimestampMs last;
};

Result<Summary> summary_of(io::Files& files, const std::string& path) {
    TRY(file, files.open(path, io::Open::read));
    std::array<char, header_bytes> head{};
    TRY(got, file->read_at(0, std::as_writable_bytes(std::span(head))));
    if (got < head.size()) return Summary{};
    const Header header = header_of({head.data(), head.size()});
    if (header.count == 0) return Summary{};
    std::array<char, 4> ms{};
    const std::size_t last = header_bytes + header.count * entry_bytes - ms.size();
    TRY(read, file->read_at(static_cast<std::int64_t>(last), std::as_writable_bytes(std::span(ms))));
    if (read < ms.size()) return Summary{};
    return Summary{static_cast<std::int64_t>(header.count),
                   header.time.plus(number_at<std::uint32_t>({ms.data(), ms.size()}, 0))};
}

} // namespace

Status LandingRecords::write_ids(Offset from, const std::vector<event::IdSighting>& ids) {
    const event::IdSighting& first = ids.front();
    std::string bytes(magic);
    bytes.reserve(header_bytes + ids.size() * entry_bytes + crc_bytes);
    append(bytes, first.offset.value);
    append(bytes, first.time.value);
    append(bytes, static_cast<std::uint64_t>(ids.size()));
    for (const event::IdSighting& id : ids) {
        const std::int64_t offset = id.offset.minus(first.offset);
        const std::int64_t ms = id.time.minus(first.time);
        constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
        if (offset < 0 || offset > most || ms < 0 || ms > most)
            return internal("offset {} does not follow {} in a cut", id.offset, first.offset);
        append(bytes, id.id.high);
        append(bytes, id.id.low);
        append(bytes, static_cast<std::uint32_t>(offset));
        append(bytes, static_cast<std::uint32_t>(ms));
    }
    append(bytes, crc32c(bytes));
    CHECK_OK(env_.files.make_directories(directory_));
    return io::write_file_durably(env_.files, directory_, directory_ + "/" + ids_name(from), bytes);
}

Result<std::int64_t> LandingRecords::ids_of(Offset from) const {
    const std::string path = directory_ + "/" + ids_name(from);
    TRY(present, env_.files.stat(path));
    if (present.kind == io::Kind::missing) return 0;
    const auto bytes = read_checked(env_.files, path);
    if (bytes.ok()) return static_cast<std::int64_t>(header_of(*bytes).count);
    if (bytes.error().kind == ErrorKind::corrupt) return 0;
    return bytes.error();
}

Status LandingRecords::visit_ids(Offset below, TimestampMs time,
                                 const std::function<void(const event::IdSighting&)>& sink) const {
    TRY(present, env_.files.stat(directory_));
    if (present.kind == io::Kind::missing) return {};
    TRY(entries, env_.files.list(directory_)); // by name: in order
    const std::string end = ids_name(below);
    for (const io::Entry& entry : entries) {
        if (!entry.name.ends_with(suffix) || entry.name >= end) continue;
        const auto bytes = read_checked(env_.files, directory_ + "/" + entry.name);
        if (!bytes.ok() && is_missing(bytes.error())) continue; // forgotten meanwhile
        if (!bytes.ok()) return bytes.error();
        const Header header = header_of(*bytes);
        if (header.count == 0 || entry_of(*bytes, header, header.count - 1).time < time) continue;
        for (std::size_t i = 0; i < header.count; ++i) {
            const event::IdSighting id = entry_of(*bytes, header, i);
            if (id.offset < below) sink(id);
        }
    }
    return {};
}

Status LandingRecords::forget_ids(const event::RepeatWindow& window) {
    TRY(present, env_.files.stat(directory_));
    if (present.kind == io::Kind::missing) return {};
    TRY(entries, env_.files.list(directory_));
    std::int64_t after = 0; // ids of later cuts
    std::optional<TimestampMs> newest;
    const std::int64_t time = window.time.count() + window.time.count() / 8;
    const std::int64_t ids = window.ids + window.ids / 8;
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
        if (!entry->name.ends_with(suffix)) continue;
        const std::string path = directory_ + "/" + entry->name;
        TRY(summary, summary_of(env_.files, path));
        if (summary.count == 0) continue; // damaged: who needs it tells
        if (!newest) newest = summary.last;
        if (newest->minus(summary.last) > time || after > ids) CHECK_OK(env_.files.remove_file(path));
        after += summary.count;
    }
    return {};
}

} // namespace questlog::lake
