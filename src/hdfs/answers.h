#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "io/env.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The JSON of WebHDFS's answers. simdjson's header is seen by answers.cpp alone.
namespace questlog::hdfs {

/// What the NameNode knows of a file or folder.
struct FileStatus {
    std::string name; ///< In its folder; empty where one path was asked for.
    io::Kind kind = io::Kind::file;
    std::int64_t length = 0; ///< Bytes.
    TimestampMs modified{};
    std::int64_t file_id = 0; ///< Of this file alone, whatever its name becomes.
    std::int64_t replication = 0;
    std::string permission; ///< Octal: "644".
    std::string owner;
    std::string group;
};

/// What GETFILECHECKSUM says.
struct RemoteChecksum {
    std::string algorithm; ///< "MD5-of-0MD5-of-512CRC32C"
    std::string bytes;     ///< Hexadecimal, of `length` bytes and more.
    std::int64_t length = 0;
    auto operator<=>(const RemoteChecksum&) const = default;
};

/// A RemoteException, which is how WebHDFS refuses.
struct Refusal {
    std::string exception; ///< "AccessControlException"
    std::string message;   ///< Its first line.
};

/// `internal`: it is no such answer.
Result<FileStatus> parse_file_status(std::string_view json);
Result<std::vector<FileStatus>> parse_listing(std::string_view json); ///< LISTSTATUS
struct ListingPart {
    std::vector<FileStatus> entries;
    std::int64_t remaining = 0;
};
Result<ListingPart> parse_listing_part(std::string_view json); ///< LISTSTATUS_BATCH
Result<RemoteChecksum> parse_checksum(std::string_view json);
Result<std::int64_t> parse_remaining_bytes(std::string_view json); ///< GETSTATUS
/// nullopt: the answer has none, as RENAME's with options.
std::optional<bool> parse_boolean(std::string_view json);
/// nullopt: it is no RemoteException.
std::optional<Refusal> parse_refusal(std::string_view json);

} // namespace questlog::hdfs
