#include "lake/delta_actions.h"

#include "event/json_string.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <set>

namespace questlog::lake {
namespace {

using duck::ValueType;
using event::json_string;
using event::JsonNode;

struct TypeName {
    std::string_view name;
    ValueType type;
};
/// The first name of a type is the one that is written.
constexpr std::array<TypeName, 10> type_names = {{{"boolean", ValueType::boolean},
                                                  {"long", ValueType::bigint},
                                                  {"integer", ValueType::bigint},
                                                  {"short", ValueType::bigint},
                                                  {"byte", ValueType::bigint},
                                                  {"double", ValueType::double_},
                                                  {"float", ValueType::double_},
                                                  {"string", ValueType::varchar},
                                                  {"binary", ValueType::blob},
                                                  {"timestamp", ValueType::timestamp_tz}}};

std::string_view name_of(ValueType type) {
    const auto found =
        std::find_if(type_names.begin(), type_names.end(), [type](const TypeName& name) { return name.type == type; });
    return found == type_names.end() ? "string" : found->name;
}

ValueType type_of(std::string_view name) {
    const auto found = std::find_if(type_names.begin(), type_names.end(),
                                    [name](const TypeName& known) { return known.name == name; });
    return found == type_names.end() ? ValueType::other : found->type;
}

/// A path as the protocol has it: a URI, relative to the table's folder.
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

std::string decode_path(std::string_view uri) {
    std::string path;
    for (std::size_t at = 0; at < uri.size(); ++at) {
        unsigned code = 0;
        const char* digits = uri.data() + at + 1;
        if (uri[at] == '%' && at + 2 < uri.size() && std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2) {
            path += static_cast<char>(code);
            at += 2;
        } else {
            path += uri[at];
        }
    }
    return path;
}

std::string object_of(const std::map<std::string, std::string>& pairs) {
    std::string text;
    for (const auto& [key, value] : pairs)
        text += fmt::format("{}{}:{}", text.empty() ? "" : ",", json_string(key), json_string(value));
    return "{" + text + "}";
}

std::string schema_text(const std::vector<DeltaColumn>& columns) {
    std::string fields;
    const auto add = [&](std::string_view name, std::string_view type) {
        fields += fmt::format(R"({{"name":{},"type":"{}","nullable":true,"metadata":{{}}}},)", json_string(name), type);
    };
    for (const DeltaColumn& column : columns) add(column.name, name_of(column.type));
    add(partition_column, "date");
    fields.pop_back();
    return fmt::format(R"({{"type":"struct","fields":[{}]}})", fields);
}

std::string protocol_line() {
    return fmt::format("{{\"protocol\":{{\"minReaderVersion\":{},\"minWriterVersion\":{}}}}}\n", delta_reader_version,
                       delta_writer_version);
}

std::string metadata_line(const DeltaMetadata& metadata) {
    return fmt::format(
        "{{\"metaData\":{{\"id\":{},\"name\":{},\"format\":{{\"provider\":\"parquet\",\"options\":{{}}}},"
        "\"schemaString\":{},\"partitionColumns\":[\"{}\"],\"configuration\":{},\"createdTime\":{}}}}}\n",
        json_string(metadata.id), json_string(metadata.name), json_string(schema_text(metadata.columns)),
        partition_column, object_of(metadata.configuration), metadata.created_ms);
}

std::string transaction_line(std::string_view id, std::int64_t version) {
    return fmt::format("{{\"txn\":{{\"appId\":{},\"version\":{}}}}}\n", json_string(id), version);
}

std::string add_line(const DeltaFile& file, bool data_change) {
    const std::string stats = file.stats.empty() ? "" : ",\"stats\":" + json_string(file.stats);
    return fmt::format("{{\"add\":{{\"path\":{},\"partitionValues\":{{\"{}\":{}}},\"size\":{},\"modificationTime\":{},"
                       "\"dataChange\":{}{}}}}}\n",
                       json_string(encode_path(file.path)), partition_column, json_string(file.date), file.bytes,
                       file.modified_ms, data_change, stats);
}

std::string remove_line(std::string_view path, std::int64_t deleted_ms, bool data_change) {
    return fmt::format("{{\"remove\":{{\"path\":{},\"deletionTimestamp\":{},\"dataChange\":{}}}}}\n",
                       json_string(encode_path(path)), deleted_ms, data_change);
}

DeltaFile file_of(const JsonNode& add) {
    DeltaFile file;
    file.path = decode_path(add.string_of("path"));
    if (const JsonNode* values = add.find("partitionValues")) file.date = values->string_of(partition_column);
    file.bytes = add.integer_of("size");
    file.modified_ms = add.integer_of("modificationTime");
    file.stats = add.string_of("stats");
    if (const auto stats = event::parse_json(file.stats)) file.rows = stats->integer_of("numRecords");
    return file;
}

Status read_metadata(const JsonNode& node, const std::string& table, DeltaMetadata& metadata) {
    metadata = {node.string_of("id"), node.string_of("name"), {}, {}, node.integer_of("createdTime")};
    const auto schema = event::parse_json(node.string_of("schemaString"));
    const JsonNode* fields = schema ? schema->find("fields") : nullptr;
    if (fields == nullptr) return corrupt("the Delta log of {} names no columns", table);
    for (const JsonNode& field : fields->elements) {
        std::string name = field.string_of("name");
        if (name != partition_column) metadata.columns.push_back({std::move(name), type_of(field.string_of("type"))});
    }
    if (const JsonNode* configuration = node.find("configuration"))
        for (const auto& [key, value] : configuration->members) metadata.configuration[key] = value.string;
    return {};
}

Status check_protocol(const JsonNode& protocol, const std::string& table) {
    const std::int64_t reader = protocol.integer_of("minReaderVersion");
    const std::int64_t writer = protocol.integer_of("minWriterVersion");
    if (reader <= delta_reader_version && writer <= delta_writer_version) return {};
    return reject("{} was changed by another program and now needs version {}/{} of the Delta protocol; questlog reads "
                  "and writes version {}/{}: read the table with that program, or make it anew with `questlog rebuild`",
                  table, reader, writer, delta_reader_version, delta_writer_version);
}

} // namespace

std::string encode_commit(const DeltaCommit& commit, std::int64_t now_ms) {
    std::string lines = fmt::format("{{\"commitInfo\":{{\"timestamp\":{},\"operation\":{},\"operationParameters\":{{}},"
                                    "\"engineInfo\":\"questlog/{}\"}}}}\n",
                                    now_ms, json_string(commit.operation), QUESTLOG_VERSION);
    if (commit.metadata) lines += protocol_line() + metadata_line(*commit.metadata);
    for (const auto& [id, version] : commit.transactions) lines += transaction_line(id, version);
    for (const std::string& path : commit.remove) lines += remove_line(path, now_ms, true);
    for (const DeltaFile& file : commit.add) lines += add_line(file, true);
    return lines;
}

std::string encode_checkpoint(const DeltaState& state, std::int64_t now_ms) {
    std::string lines = protocol_line() + metadata_line(state.metadata);
    for (const auto& [id, version] : state.transactions) lines += transaction_line(id, version);
    std::set<std::string_view> live; // some may have been removed once, and come again
    for (const DeltaFile& file : state.files) live.insert(file.path);
    for (const DeltaTombstone& gone : state.tombstones)
        if (gone.deleted_ms > now_ms - tombstone_ms && !live.contains(gone.path))
            lines += remove_line(gone.path, gone.deleted_ms, false);
    for (const DeltaFile& file : state.files) lines += add_line(file, false);
    return lines;
}

Status apply_action(const JsonNode& action, const std::string& table, DeltaState& state) {
    if (action.kind != JsonNode::Kind::object) return corrupt("the Delta log of {} holds what is no action", table);
    if (const JsonNode* protocol = action.find("protocol")) CHECK_OK(check_protocol(*protocol, table));
    if (const JsonNode* metadata = action.find("metaData")) CHECK_OK(read_metadata(*metadata, table, state.metadata));
    if (const JsonNode* transaction = action.find("txn"))
        state.transactions[transaction->string_of("appId")] = transaction->integer_of("version");
    if (const JsonNode* remove = action.find("remove"))
        state.tombstones.push_back({decode_path(remove->string_of("path")), remove->integer_of("deletionTimestamp")});
    if (const JsonNode* add = action.find("add")) {
        if (add->find("deletionVector") != nullptr)
            return reject("{} was changed by another program and has deletion vectors, which questlog does not read",
                          table);
        state.files.push_back(file_of(*add));
    }
    return {};
}

void drop_removed(DeltaState& state, std::size_t first) {
    if (first == state.tombstones.size()) return;
    std::set<std::string_view> removed;
    for (std::size_t i = first; i < state.tombstones.size(); ++i) removed.insert(state.tombstones[i].path);
    std::erase_if(state.files, [&](const DeltaFile& file) { return removed.contains(file.path); });
}

void apply_commit(const DeltaCommit& commit, std::int64_t now_ms, DeltaState& state) {
    if (commit.metadata) state.metadata = *commit.metadata;
    for (const auto& [id, version] : commit.transactions) state.transactions[id] = version;
    const std::size_t first = state.tombstones.size();
    for (const std::string& path : commit.remove) state.tombstones.push_back({path, now_ms});
    drop_removed(state, first);
    state.files.insert(state.files.end(), commit.add.begin(), commit.add.end());
}

} // namespace questlog::lake
