#include "lake/delta_actions.h"

#include "event/json_node.h"
#include "event/json_string.h"
#include "lake/delta_types.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace questlog::lake {
namespace {

using event::json_string;
using event::JsonNode;

std::string object_of(const std::map<std::string, std::string>& pairs) {
    std::string text;
    for (const auto& [key, value] : pairs)
        text += fmt::format("{}{}:{}", text.empty() ? "" : ",", json_string(key), json_string(value));
    return "{" + text + "}";
}

std::string field_text(std::string_view name, std::string_view type) {
    return fmt::format(R"({{"name":{},"type":"{}","nullable":true,"metadata":{{}}}})", json_string(name), type);
}

std::string protocol_line() {
    return fmt::format("{{\"protocol\":{{\"minReaderVersion\":{},\"minWriterVersion\":{}}}}}\n", delta_reader_version,
                       delta_writer_version);
}

std::string metadata_line(const DeltaMetadata& metadata) {
    const std::string description =
        metadata.description.empty() ? "" : ",\"description\":" + json_string(metadata.description);
    const std::string schema = metadata.schema.empty() ? schema_text(metadata.columns, {}) : metadata.schema;
    return fmt::format(
        "{{\"metaData\":{{\"id\":{},\"name\":{}{},\"format\":{{\"provider\":\"parquet\",\"options\":{{}}}},"
        "\"schemaString\":{},\"partitionColumns\":[\"{}\"],\"configuration\":{},\"createdTime\":{}}}}}\n",
        json_string(metadata.id), json_string(metadata.name), description, json_string(schema), partition_column,
        object_of(metadata.configuration), metadata.created_ms);
}

std::string transaction_line(std::string_view id, std::int64_t version) {
    return fmt::format("{{\"txn\":{{\"appId\":{},\"version\":{}}}}}\n", json_string(id), version);
}

std::string add_line(const DeltaFile& file, bool data_change) {
    const std::string stats = file.stats.empty() ? "" : ",\"stats\":" + json_string(file.stats);
    return fmt::format("{{\"add\":{{\"path\":{},\"partitionValues\":{{\"{}\":{}}},\"size\":{},\"modificationTime\":{},"
                       "\"dataChange\":{}{}}}}}\n",
                       json_string(encode_path(file.path)), partition_column,
                       file.date.empty() ? "null" : json_string(file.date), file.bytes, file.modified_ms, data_change,
                       stats);
}

std::string remove_line(std::string_view path, std::int64_t deleted_ms, bool data_change) {
    return fmt::format("{{\"remove\":{{\"path\":{},\"deletionTimestamp\":{},\"dataChange\":{}}}}}\n",
                       json_string(encode_path(path)), deleted_ms, data_change);
}

} // namespace

std::string encode_path(std::string_view path) {
    std::string uri;
    for (const char c : path) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              std::string_view("-_.~/=").find(c) != std::string_view::npos;
        if (is_plain)
            uri += c;
        else
            uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return uri;
}

std::string schema_text(const std::vector<DeltaColumn>& columns, std::string_view before) {
    std::string fields;
    std::set<std::string> there;
    const auto append = [&](const std::string& name, const std::string& field) {
        if (there.insert(name).second) fields += (fields.empty() ? "" : ",") + field;
    };
    const auto schema = event::parse_json(before);
    if (const JsonNode* known = schema ? schema->find("fields") : nullptr)
        for (const JsonNode& field : known->elements) append(field.string_of("name"), event::json_text(field));
    for (const DeltaColumn& column : columns)
        append(column.name, field_text(column.name, delta_type_name(column.type)));
    const std::string partition(partition_column);
    append(partition, field_text(partition, "date"));
    return fmt::format(R"({{"type":"struct","fields":[{}]}})", fields);
}

std::string encode_commit(const DeltaCommit& commit, std::int64_t now_ms) {
    std::string lines = fmt::format("{{\"commitInfo\":{{\"timestamp\":{},\"operation\":{},\"operationParameters\":{{}},"
                                    "\"engineInfo\":\"{}{}\"}}}}\n",
                                    now_ms, json_string(commit.operation), engine_prefix, QUESTLOG_VERSION);
    if (commit.metadata) lines += protocol_line() + metadata_line(*commit.metadata);
    for (const auto& [id, version] : commit.transactions) lines += transaction_line(id, version);
    for (const std::string& path : commit.remove) lines += remove_line(path, now_ms, true);
    for (const DeltaFile& file : commit.add) lines += add_line(file, true);
    return lines;
}

std::string encode_checkpoint(const DeltaState& state, std::int64_t tombstones_from_ms) {
    std::string lines = protocol_line() + metadata_line(state.metadata);
    for (const auto& [id, version] : state.transactions) lines += transaction_line(id, version);
    for (const auto& [path, deleted_ms] : state.tombstones)
        if (deleted_ms >= tombstones_from_ms) lines += remove_line(path, deleted_ms, false);
    for (const DeltaFile& file : state.files) lines += add_line(file, false);
    return lines;
}

void apply_commit(const DeltaCommit& commit, std::int64_t now_ms, DeltaState& state) {
    if (commit.metadata) state.metadata = *commit.metadata;
    for (const auto& [id, version] : commit.transactions) state.transactions[id] = version;
    for (const std::string& path : commit.remove) state.tombstones[path] = now_ms;
    if (!commit.remove.empty()) {
        const std::set<std::string_view> removed(commit.remove.begin(), commit.remove.end());
        std::erase_if(state.files, [&](const DeltaFile& file) { return removed.contains(file.path); });
    }
    for (const DeltaFile& file : commit.add) state.tombstones.erase(file.path);
    state.files.insert(state.files.end(), commit.add.begin(), commit.add.end());
}

} // namespace questlog::lake
