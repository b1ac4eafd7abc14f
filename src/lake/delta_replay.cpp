#include "lake/delta_replay.h"

#include "base/checked_text.h"
#include "lake/delta_actions.h"
#include "lake/delta_types.h"

#include <charconv>
#include <fmt/format.h>

namespace questlog::lake {
namespace {

using event::JsonNode;

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

Status check_protocol(const JsonNode& protocol, const std::string& table) {
    const std::int64_t reader = protocol.integer_of("minReaderVersion");
    const std::int64_t writer = protocol.integer_of("minWriterVersion");
    if (reader <= delta_reader_version && writer <= delta_writer_version) return {};
    return reject("{} was changed by another program and now needs version {}/{} of the Delta protocol; questlog reads "
                  "and writes version {}/{}: read the table with that program, or make it anew with `questlog rebuild`",
                  table, reader, writer, delta_reader_version, delta_writer_version);
}

/// What keeps us from writing into the column, which another program may have made. Empty: nothing.
std::string unwritable_column(const JsonNode& field) {
    const std::string name = field.string_of("name");
    const std::string type = field.string_of("type");
    const bool is_partition = name == partition_column;
    const DeltaType* known = delta_type(type);
    if (is_partition ? type != "date" : known == nullptr || !known->is_ours)
        return fmt::format("column {} is of Delta's type {}", name, type.empty() ? "of several parts" : type);
    const JsonNode* nullable = field.find("nullable");
    const JsonNode* metadata = field.find("metadata");
    if ((nullable != nullptr && !nullable->boolean && !is_partition) ||
        (metadata != nullptr && metadata->find("delta.invariants") != nullptr))
        return fmt::format("column {} does not take every value", name);
    return {};
}

Status read_metadata(const JsonNode& node, const std::string& table, DeltaMetadata& metadata) {
    metadata = {node.string_of("id"), node.string_of("name"), {}, {}, node.integer_of("createdTime")};
    metadata.description = node.string_of("description");
    if (const JsonNode* configuration = node.find("configuration"))
        for (const auto& [key, value] : configuration->members) metadata.configuration[key] = value.string;
    CHECK_OK(read_schema(node.string_of("schemaString"), table, metadata));
    const JsonNode* partitions = node.find("partitionColumns");
    if (partitions == nullptr || partitions->elements.size() != 1 ||
        partitions->elements.front().string != partition_column)
        return reject("{} is not partitioned by {}: it is no table of questlog's", table, partition_column);
    return {};
}

} // namespace

Status read_schema(const std::string& schema, const std::string& table, DeltaMetadata& metadata) {
    const auto node = event::parse_json(schema);
    const JsonNode* fields = node ? node->find("fields") : nullptr;
    if (fields == nullptr) return corrupt("the Delta log of {} names no columns", table);
    metadata.columns.clear();
    metadata.unwritable.clear();
    for (const JsonNode& field : fields->elements) {
        if (metadata.unwritable.empty()) metadata.unwritable = unwritable_column(field);
        std::string name = field.string_of("name");
        if (name == partition_column) continue;
        const DeltaType* type = delta_type(field.string_of("type"));
        metadata.columns.push_back({std::move(name), type != nullptr ? type->type : duck::ValueType::other});
    }
    metadata.schema = schema == schema_text(metadata.columns, {}) ? "" : schema;
    return {};
}

DeltaReplay::DeltaReplay(std::string table, DeltaState state)
    : table_(std::move(table)), state_(std::move(state)), has_metadata_(state_.version >= 0),
      is_gone_(state_.files.size()) {
    places_.reserve(state_.files.size());
    for (std::size_t i = 0; i < state_.files.size(); ++i) places_.emplace(state_.files[i].path, i);
}

Status DeltaReplay::add_commit(std::int64_t version, std::string_view lines) {
    std::vector<JsonNode> adds;
    bool is_empty = true;
    is_foreign_ = true;
    while (!lines.empty()) {
        const std::string_view line = take_text_line(lines);
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        auto action = event::parse_json(line);
        if (!action) return corrupt("a line of it is no JSON");
        is_empty = false;
        CHECK_OK(apply(*action));
        if (action->find("add") != nullptr) adds.push_back(std::move(*action));
    }
    if (is_empty) return corrupt("it is empty");
    for (const JsonNode& action : adds) CHECK_OK(add(*action.find("add")));
    if (!has_metadata_) return corrupt("no commit up to it names the columns");
    state_.version = version;
    if (is_foreign_) state_.unsynced.push_back(version);
    return {};
}

Status DeltaReplay::add_checkpoint_row(std::int64_t version, std::string_view row) {
    const auto action = event::parse_json(row);
    if (!action) return corrupt("a row of it is no action");
    CHECK_OK(apply(*action));
    if (const JsonNode* one = action->find("add")) CHECK_OK(add(*one));
    state_.version = version;
    return {};
}

/// All but what it adds.
Status DeltaReplay::apply(const JsonNode& action) {
    if (action.kind != JsonNode::Kind::object) return corrupt("a line of it is no action");
    if (const JsonNode* info = action.find("commitInfo"))
        is_foreign_ = !info->string_of("engineInfo").starts_with(engine_prefix);
    if (const JsonNode* protocol = action.find("protocol")) CHECK_OK(check_protocol(*protocol, table_));
    if (const JsonNode* metadata = action.find("metaData")) {
        CHECK_OK(read_metadata(*metadata, table_, state_.metadata));
        has_metadata_ = true;
    }
    if (const JsonNode* transaction = action.find("txn"))
        state_.transactions[transaction->string_of("appId")] = transaction->integer_of("version");
    if (const JsonNode* gone = action.find("remove")) remove(*gone);
    return {};
}

void DeltaReplay::remove(const JsonNode& action) {
    takes_all_files_ = takes_all_files_ || state_.files_let_go > 0;
    std::string path = decode_path(action.string_of("path"));
    if (const auto place = places_.find(path); place != places_.end()) {
        is_gone_[place->second] = true;
        places_.erase(place);
    }
    state_.tombstones[std::move(path)] = action.integer_of("deletionTimestamp");
}

/// A file that is there already gets a new description; what we add ourselves is new.
Status DeltaReplay::add(const JsonNode& action) {
    if (action.find("deletionVector") != nullptr)
        return reject("{} was changed by another program and has deletion vectors, which questlog does not read",
                      table_);
    takes_all_files_ = takes_all_files_ || (is_foreign_ && state_.files_let_go > 0);
    DeltaFile file = file_of(action);
    if (file.path.empty()) return corrupt("it adds a file without a path");
    state_.tombstones.erase(file.path);
    const auto [place, is_new] = places_.try_emplace(file.path, state_.files.size());
    if (is_new) {
        state_.files.push_back(std::move(file));
        is_gone_.push_back(false);
    } else {
        state_.files[place->second] = std::move(file);
    }
    return {};
}

DeltaState DeltaReplay::finish() && {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < state_.files.size(); ++i) {
        if (is_gone_[i]) continue;
        if (kept != i) state_.files[kept] = std::move(state_.files[i]);
        ++kept;
    }
    state_.files.resize(kept);
    return std::move(state_);
}

} // namespace questlog::lake
