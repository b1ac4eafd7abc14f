#include "log/segment_index.h"

#include "base/big_endian.h"
#include "base/crc32c.h"
#include "io/whole_file.h"
#include "log/log_files.h"
#include "log/segment_walk.h"

namespace questlog::log {

namespace {

constexpr std::string_view magic = "qlindex1"; // the last letter is the format's version
constexpr std::size_t header_bytes = 36;
constexpr std::size_t entry_bytes = 24;
constexpr std::size_t checksum_bytes = 4;

template <class Int> void put(std::string& to, Int value) {
    std::byte bytes[sizeof value];
    store_big_endian(bytes, value);
    to.append(reinterpret_cast<const char*>(bytes), sizeof value);
}

template <class Int> Int take(std::string_view bytes, std::size_t position) {
    return load_big_endian<Int>(reinterpret_cast<const std::byte*>(bytes.data()) + position);
}

/// What is made from the data can be made again: it need not be durable, and if it cannot be written, that is no error.
Status leave(io::Files& files, const std::string& path, const std::string& bytes) {
    const auto temporary = path + std::string(io::temporary_suffix);
    {
        TRY(file, files.open(temporary, io::Open::create_new)); // refused where another reader is making it
        CHECK_OK(file->write_at(0, std::as_bytes(std::span(bytes))));
    }
    return files.rename(temporary, path);
}

} // namespace

void SegmentIndex::see(const BatchHeader& header, std::int64_t position) {
    const std::int64_t before = entries.empty() ? 0 : entries.back().position;
    if (position - before >= index_distance_bytes)
        entries.push_back({header.base_offset, position, header.base_timestamp});
    end = header.end_offset();
    segment_bytes = position + header.bytes();
}

std::string index_file(const std::string& directory, Offset base) {
    return fmt::format("{}/{:020d}{}", directory, base.value, index_file_suffix);
}

std::string encode_index(const SegmentIndex& index) {
    std::string bytes(magic);
    put(bytes, index.base.value);
    put(bytes, index.end.value);
    put(bytes, index.segment_bytes);
    put(bytes, static_cast<std::uint32_t>(index.entries.size()));
    for (const IndexEntry& entry : index.entries) {
        put(bytes, entry.offset.value);
        put(bytes, entry.position);
        put(bytes, entry.base_timestamp.value);
    }
    put(bytes, crc32c(bytes));
    return bytes;
}

std::optional<SegmentIndex> decode_index(std::string_view bytes) {
    if (bytes.size() < header_bytes + checksum_bytes || !bytes.starts_with(magic)) return std::nullopt;
    const auto covered = bytes.substr(0, bytes.size() - checksum_bytes);
    if (take<std::uint32_t>(bytes, covered.size()) != crc32c(covered)) return std::nullopt;
    SegmentIndex index;
    index.base = Offset{take<std::int64_t>(bytes, 8)};
    index.end = Offset{take<std::int64_t>(bytes, 16)};
    index.segment_bytes = take<std::int64_t>(bytes, 24);
    const std::size_t count = take<std::uint32_t>(bytes, 32);
    if (covered.size() != header_bytes + count * entry_bytes) return std::nullopt;
    for (std::size_t at = header_bytes; at < covered.size(); at += entry_bytes)
        index.entries.push_back({Offset{take<std::int64_t>(bytes, at)}, take<std::int64_t>(bytes, at + 8),
                                 TimestampMs{take<std::int64_t>(bytes, at + 16)}});
    return index;
}

std::optional<SegmentIndex> read_index(io::Files& files, const std::string& directory, Offset base, Offset end,
                                       std::int64_t segment_bytes) {
    const auto bytes = io::read_text_file(files, index_file(directory, base));
    if (!bytes.ok()) return std::nullopt;
    auto index = decode_index(*bytes);
    if (!index || index->base != base || index->end != end || index->segment_bytes != segment_bytes)
        return std::nullopt;
    return index;
}

std::optional<SegmentIndex> make_index(io::Files& files, const std::string& directory, Offset base, Offset end) {
    auto opened = files.open(segment_file(directory, base), io::Open::read);
    if (!opened.ok()) return std::nullopt;
    FileWindow window;
    window.attach(std::move(*opened));
    SegmentIndex index;
    index.base = index.end = base;
    while (true) {
        const auto look = look_at_header(window, index.segment_bytes, index.end);
        if (!look.ok() || look->what == Look::What::fault) return std::nullopt;
        if (look->what == Look::What::end_of_file) break;
        index.see(look->header, index.segment_bytes);
    }
    if (index.end != end) return std::nullopt;
    (void)leave(files, index_file(directory, base), encode_index(index));
    return index;
}

} // namespace questlog::log
