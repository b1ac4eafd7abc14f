#include "hdfs/answers.h"

#include <simdjson.h>

namespace questlog::hdfs {
namespace {

using simdjson::dom::element;

std::string text_of(element object, std::string_view key) {
    std::string_view text;
    return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::int64_t integer_of(element object, std::string_view key, std::int64_t otherwise = 0) {
    std::int64_t number = otherwise;
    return object[key].get(number) == simdjson::SUCCESS ? number : otherwise;
}

Error unexpected(std::string_view json) {
    constexpr std::size_t shown = 200;
    return internal("WebHDFS answered something else than was asked for: {}", json.substr(0, shown));
}

FileStatus status_of(element node) {
    FileStatus status;
    status.name = text_of(node, "pathSuffix");
    status.kind = text_of(node, "type") == "DIRECTORY" ? io::Kind::directory : io::Kind::file;
    status.length = integer_of(node, "length");
    status.modified = TimestampMs{integer_of(node, "modificationTime")};
    status.file_id = integer_of(node, "fileId");
    status.replication = integer_of(node, "replication");
    status.permission = text_of(node, "permission");
    status.owner = text_of(node, "owner");
    status.group = text_of(node, "group");
    return status;
}

Result<std::vector<FileStatus>> statuses_of(simdjson::simdjson_result<element> node, std::string_view json) {
    simdjson::dom::array list;
    if (node["FileStatuses"]["FileStatus"].get(list) != simdjson::SUCCESS) return unexpected(json);
    std::vector<FileStatus> statuses;
    statuses.reserve(list.size());
    for (const element one : list) statuses.push_back(status_of(one));
    return statuses;
}

} // namespace

Result<FileStatus> parse_file_status(std::string_view json) {
    simdjson::dom::parser parser;
    element node;
    if (parser.parse(json.data(), json.size())["FileStatus"].get(node) != simdjson::SUCCESS || !node.is_object())
        return unexpected(json);
    return status_of(node);
}

Result<std::vector<FileStatus>> parse_listing(std::string_view json) {
    simdjson::dom::parser parser;
    return statuses_of(parser.parse(json.data(), json.size()), json);
}

Result<ListingPart> parse_listing_part(std::string_view json) {
    simdjson::dom::parser parser;
    element listing;
    if (parser.parse(json.data(), json.size())["DirectoryListing"].get(listing) != simdjson::SUCCESS)
        return unexpected(json);
    TRY(entries, statuses_of(listing["partialListing"], json));
    return ListingPart{std::move(entries), integer_of(listing, "remainingEntries")};
}

Result<RemoteChecksum> parse_checksum(std::string_view json) {
    simdjson::dom::parser parser;
    element node;
    if (parser.parse(json.data(), json.size())["FileChecksum"].get(node) != simdjson::SUCCESS || !node.is_object())
        return unexpected(json);
    return RemoteChecksum{text_of(node, "algorithm"), text_of(node, "bytes"), integer_of(node, "length")};
}

Result<std::int64_t> parse_remaining_bytes(std::string_view json) {
    simdjson::dom::parser parser;
    std::int64_t remaining = 0;
    if (parser.parse(json.data(), json.size())["FsStatus"]["remaining"].get(remaining) != simdjson::SUCCESS)
        return unexpected(json);
    return remaining;
}

std::optional<bool> parse_boolean(std::string_view json) {
    simdjson::dom::parser parser;
    bool value = false;
    if (parser.parse(json.data(), json.size())["boolean"].get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
}

std::optional<Refusal> parse_refusal(std::string_view json) {
    simdjson::dom::parser parser;
    element node;
    if (parser.parse(json.data(), json.size())["RemoteException"].get(node) != simdjson::SUCCESS) return std::nullopt;
    std::string message = text_of(node, "message");
    message.resize(std::min(message.size(), message.find('\n')));
    return Refusal{text_of(node, "exception"), std::move(message)};
}

} // namespace questlog::hdfs
