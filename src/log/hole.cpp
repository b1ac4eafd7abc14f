#include "log/hole.h"

#include "base/big_endian.h"
#include "base/checked_text.h"
#include "base/crc32c.h"
#include "io/whole_file.h"
#include "log/log_files.h"

#include <algorithm>
#include <array>
#include <limits>

namespace questlog::log {

namespace {

constexpr TextKind holes_text{"questlog holes", 1, "`questlog log repair` makes it anew from the log"};
constexpr std::string_view hole_key = "hole = ";
constexpr std::string_view no_file = "-";
constexpr std::size_t hole_words = 6;
constexpr std::size_t attributes_position = 21;
constexpr std::size_t crc_position = 17;

/// Fields in the order in which they lie; docs/formats/log.md has the table.
class HeaderBytes {
public:
    template <class Int> HeaderBytes& put(Int value) {
        store_big_endian(bytes_.data() + used_, value);
        used_ += sizeof value;
        return *this;
    }
    const std::array<std::byte, batch_header_bytes>& seal() {
        store_big_endian(bytes_.data() + crc_position, crc32c(std::span(bytes_).subspan(attributes_position)));
        return bytes_;
    }

private:
    std::array<std::byte, batch_header_bytes> bytes_{};
    std::size_t used_ = 0;
};

std::array<std::byte, batch_header_bytes> hole_batch(Offset from, std::int32_t last_offset_delta, TimestampMs newest) {
    constexpr auto batch_length = static_cast<std::int32_t>(batch_header_bytes - 12);
    HeaderBytes header;
    header.put(from.value).put(batch_length).put(std::int32_t{0}).put(std::int8_t{2}).put(std::uint32_t{0});
    header.put(std::int16_t{0}).put(last_offset_delta).put(newest.value).put(newest.value);
    header.put(std::int64_t{-1}).put(std::int16_t{-1}).put(std::int32_t{-1}).put(std::int32_t{0});
    return header.seal();
}

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const auto end = std::min(line.find(' '), line.size());
        words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

std::optional<Hole> parse_hole(std::string_view line) {
    if (!line.starts_with(hole_key)) return std::nullopt;
    const auto words = words_of(line.substr(hole_key.size()));
    Hole hole;
    if (words.size() != hole_words || !parse_number(words[0], hole.from.value) ||
        !parse_number(words[1], hole.to.value) || (words[2] != "known" && words[2] != "unknown") ||
        !parse_number(words[3], hole.repaired.value) || !parse_number(words[4], hole.bytes) || hole.from.value < 0 ||
        hole.to < hole.from)
        return std::nullopt;
    hole.count_known = words[2] == "known";
    if (words[5] != no_file) hole.set_aside = words[5];
    return hole;
}

} // namespace

std::vector<std::byte> hole_batches(Offset from, Offset to, TimestampMs newest) {
    constexpr std::int64_t offsets_max = std::numeric_limits<std::int32_t>::max();
    std::vector<std::byte> bytes;
    while (from < to) {
        const std::int64_t offsets = std::min(to.minus(from), offsets_max);
        const auto batch = hole_batch(from, static_cast<std::int32_t>(offsets - 1), newest);
        bytes.insert(bytes.end(), batch.begin(), batch.end());
        from = from.plus(offsets);
    }
    return bytes;
}

std::int64_t lost_between(const std::vector<Hole>& holes, Offset from, Offset to) {
    std::int64_t lost = 0;
    for (const Hole& hole : holes)
        lost += std::max<std::int64_t>(0, std::min(to, hole.to).minus(std::max(from, hole.from)));
    return lost;
}

std::string holes_file(const std::string& directory) {
    return directory + "/holes";
}

std::string encode_holes(const std::vector<Hole>& holes) {
    std::string lines;
    for (const Hole& hole : holes)
        lines +=
            fmt::format("{}{} {} {} {} {} {}\n", hole_key, hole.from, hole.to, hole.count_known ? "known" : "unknown",
                        hole.repaired, hole.bytes, hole.set_aside.empty() ? std::string(no_file) : hole.set_aside);
    return encode_checked_text(holes_text, lines);
}

Result<std::vector<Hole>> decode_holes(std::string_view text, const std::string& path) {
    TRY(lines, decode_checked_text(holes_text, text, path));
    std::vector<Hole> holes;
    while (!lines.empty()) {
        auto hole = parse_hole(take_text_line(lines));
        if (!hole) return damaged_text(holes_text, path, "a line of it does not parse");
        holes.push_back(std::move(*hole));
    }
    return holes;
}

Result<std::vector<Hole>> read_holes(io::Files& files, const std::string& directory) {
    const auto path = holes_file(directory);
    TRY(stat, files.stat(path));
    if (stat.kind == io::Kind::missing) return std::vector<Hole>{};
    TRY(text, io::read_text_file(files, path));
    return decode_holes(text, path);
}

Status write_holes(io::Files& files, const std::string& directory, const std::vector<Hole>& holes) {
    if (!holes.empty()) return io::write_file_durably(files, directory, holes_file(directory), encode_holes(holes));
    TRY(stat, files.stat(holes_file(directory)));
    if (stat.kind == io::Kind::missing) return {};
    CHECK_OK(files.remove_file(holes_file(directory)));
    return files.sync_directory(directory);
}

} // namespace questlog::log
