#include "log/log_files.h"

#include "io/whole_file.h"

#include <algorithm>
#include <charconv>

namespace questlog::log {

namespace {

constexpr std::size_t segment_digits = 20;
constexpr std::uint64_t closed_bit = std::uint64_t{1} << 63;
constexpr std::uint64_t offset_bits = (std::uint64_t{1} << 62) - 1;

} // namespace

std::string topic_file(const std::string& log_directory, const std::string& topic) {
    return fmt::format("{}/{}{}", log_directory, topic, topic_file_suffix);
}

std::string lock_file(const std::string& log_directory, const std::string& topic) {
    return fmt::format("{}/{}.lock", log_directory, topic);
}

std::string partition_directory(const std::string& log_directory, const std::string& topic, Partition partition) {
    return fmt::format("{}/{}-{}", log_directory, topic, partition);
}

std::string durable_end_file(const std::string& directory) {
    return directory + "/durable_end";
}

std::string segment_file(const std::string& directory, Offset base) {
    return fmt::format("{}/{:020d}{}", directory, base.value, segment_file_suffix);
}

std::string spare_segment_file(const std::string& directory) {
    return fmt::format("{}/spare{}", directory, io::temporary_suffix);
}

std::optional<Offset> segment_base_of(std::string_view file_name) {
    if (file_name.size() != segment_digits + segment_file_suffix.size() || !file_name.ends_with(segment_file_suffix))
        return std::nullopt;
    const auto digits = file_name.substr(0, segment_digits);
    std::int64_t base = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), base);
    if (error != std::errc() || end != digits.data() + digits.size() || base < 0) return std::nullopt;
    return Offset{base};
}

Result<std::vector<Offset>> find_segments(io::Files& files, const std::string& directory) {
    TRY(stat, files.stat(directory));
    if (stat.kind != io::Kind::directory)
        return corrupt("{} is missing, and with it a part of the log; restore it from a backup", directory);
    TRY(entries, files.list(directory));
    std::vector<Offset> bases;
    for (const auto& entry : entries) {
        if (entry.kind != io::Kind::file) continue;
        if (const auto base = segment_base_of(entry.name)) bases.push_back(*base);
    }
    std::ranges::sort(bases);
    return bases;
}

std::uint64_t encode(DurableEnd end) {
    return static_cast<std::uint64_t>(end.offset.value) | (end.closed ? closed_bit : 0);
}

DurableEnd decode_durable_end(std::uint64_t word) {
    return DurableEnd{Offset{static_cast<std::int64_t>(word & offset_bits)}, (word & closed_bit) != 0};
}

Result<std::unique_ptr<io::SharedWord>> map_durable_end(io::Files& files, const std::string& directory, io::Open mode) {
    const auto path = durable_end_file(directory);
    TRY(stat, files.stat(path));
    if (stat.kind == io::Kind::missing)
        return corrupt("{} is missing: without it no one can tell which events were acknowledged; {}", path,
                       damage_advice);
    return files.map_word(path, mode);
}

} // namespace questlog::log
