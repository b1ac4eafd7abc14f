#include "spark/work_order.h"

#include "duck/duck.h"
#include "event/json_string.h"
#include "event/schema.h"
#include "spark/program.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace questlog::spark {
namespace {

using event::json_string;
using event::JsonNode;

std::string list_of(const std::vector<std::string>& texts) {
    std::string list = "[";
    for (const std::string& text : texts) list += (list.size() == 1 ? "" : ", ") + json_string(text);
    return list + "]";
}

std::string types_text(const batch::Engine::Types& types) {
    return types ? list_of(*types) : "null";
}

std::string table_text(const batch::Engine::Table& table) {
    std::string columns = "[";
    for (const event::Column& column : table.relation.input_columns)
        columns += fmt::format("{}[{}, {}]", columns.size() == 1 ? "" : ", ", json_string(column.key),
                               json_string(event::type_name(column.type)));
    return fmt::format(R"("types": {}, "columns": {}], "select": {})", types_text(table.types), columns,
                       json_string(table.relation.select));
}

event::ColumnType type_of(std::string_view name) {
    using event::ColumnType;
    for (const ColumnType type : {ColumnType::boolean, ColumnType::bigint, ColumnType::double_, ColumnType::string})
        if (event::type_name(type) == name) return type;
    return ColumnType::null;
}

Error no_answer(std::string_view what) {
    return internal("the program in Spark said something else than {}; please report it", what);
}

std::string quoted_in_jaas(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

/// The Java client's name for how a user is let in.
std::string jaas(const std::string& mechanism, const std::string& user, const std::string& password) {
    const std::string_view module = mechanism.starts_with("SCRAM")
                                        ? "org.apache.kafka.common.security.scram.ScramLoginModule"
                                        : "org.apache.kafka.common.security.plain.PlainLoginModule";
    return fmt::format("{} required username={} password={};", module, quoted_in_jaas(user), quoted_in_jaas(password));
}

std::string_view sql_type_of(duck::ValueType type) {
    switch (type) {
    case duck::ValueType::boolean: return "BOOLEAN";
    case duck::ValueType::bigint: return "BIGINT";
    case duck::ValueType::double_: return "DOUBLE";
    default: return "VARCHAR";
    }
}

/// A cell comes as a text, and that of a text as the hex digits of its bytes.
std::string cell_of(const JsonNode& cell, duck::ValueType type) {
    if (cell.kind == JsonNode::Kind::null) return fmt::format("CAST(NULL AS {})", sql_type_of(type));
    if (type == duck::ValueType::varchar) return fmt::format("decode(unhex({}))", duck::quote_literal(cell.string));
    return fmt::format("CAST({} AS {})", duck::quote_literal(cell.string), sql_type_of(type));
}

} // namespace

Result<Settings::Properties> kafka_options(const Source& source, const Settings::Properties& own) {
    Settings::Properties options{{"kafka.bootstrap.servers", source.bootstrap},
                                 {"kafka.isolation.level", "read_committed"}};
    std::string mechanism = "PLAIN", user, password;
    for (const auto& [name, value] : source.client) {
        if (name == "security.protocol") options.emplace_back("kafka.security.protocol", value);
        if (name == "sasl.mechanism" || name == "sasl.mechanisms") mechanism = value;
        if (name == "sasl.username") user = value;
        if (name == "sasl.password") password = value;
        if (name == "ssl.ca.location") {
            options.emplace_back("kafka.ssl.truststore.type", "PEM");
            options.emplace_back("kafka.ssl.truststore.location", value);
        } else if (own.empty() && (name.starts_with("ssl.") || name.starts_with("sasl.oauth") ||
                                   name.starts_with("sasl.kerberos") || name == "enable.ssl.certificate.verification"))
            return reject(
                "{} of [kafka.client] is the C client's, and Spark's is Java's: write in [spark] what that is "
                "to be given, for example kafka = {{ \"ssl.keystore.location\" = \"…\" }}",
                name);
    }
    if (!user.empty()) {
        options.emplace_back("kafka.sasl.mechanism", mechanism);
        options.emplace_back("kafka.sasl.jaas.config", jaas(mechanism, user, password));
    }
    for (const auto& [name, value] : own) {
        const std::string key = "kafka." + name;
        std::erase_if(options, [&](const auto& option) { return option.first == key; });
        options.emplace_back(key, value);
    }
    return options;
}

std::vector<std::string> submit_arguments(const Settings& settings, const std::string& job,
                                          const std::string& program_folder, const std::string& socket) {
    std::vector<std::string> arguments{
        "--master", settings.master,         "--deploy-mode", "client",
        "--name",   "questlog batch " + job, "--conf",        "spark.ui.showConsoleProgress=false"};
    for (const auto& [name, value] : settings.conf) {
        arguments.emplace_back("--conf");
        arguments.push_back(name + "=" + value);
    }
    if (!settings.packages.empty()) {
        arguments.emplace_back("--packages");
        arguments.push_back(fmt::format("{}", fmt::join(settings.packages, ",")));
    }
    if (!settings.jars.empty()) {
        arguments.emplace_back("--jars");
        arguments.push_back(fmt::format("{}", fmt::join(settings.jars, ",")));
    }
    arguments.emplace_back("--py-files");
    arguments.push_back(fmt::format("{}/{}", program_folder, events_file));
    arguments.push_back(fmt::format("{}/{}", program_folder, job_file));
    arguments.push_back(socket);
    return arguments;
}

std::string order_line(const batch::Engine::Order& order, const Settings::Properties& kafka) {
    std::string ranges, options;
    for (const scan::PartitionRange& part : order.range)
        ranges += fmt::format(R"({}{{"partition": {}, "from": {}, "to": {}}})", ranges.empty() ? "" : ", ",
                              part.partition, part.from, part.to);
    for (const auto& [name, value] : kafka)
        options += fmt::format("{}{}: {}", options.empty() ? "" : ", ", json_string(name), json_string(value));
    return fmt::format(R"({{"version": 1, "job": {}, "topic": {}, "ranges": [{}], "types": {}, "kafka": {{{}}}}})",
                       json_string(order.job), json_string(order.topic), ranges, types_text(order.types), options);
}

std::string write_line(const batch::Engine::Table& table, const std::string& folder_uri) {
    return fmt::format(R"({{"do": "write", "folder": {}, {}}})", json_string(folder_uri), table_text(table));
}

std::string take_line(const batch::Engine::Table& table, std::int64_t rows) {
    return fmt::format(R"({{"do": "take", "rows": {}, {}}})", rows, table_text(table));
}

Result<scan::RangeCensus> census_of(const JsonNode& answer) {
    const JsonNode* types = answer.find("types");
    if (types == nullptr || types->kind != JsonNode::Kind::array) return no_answer("a census");
    scan::RangeCensus census;
    census.events = answer.integer_of("events", -1);
    census.not_events = answer.integer_of("not_events", -1);
    census.other_types = answer.integer_of("other_types", -1);
    if (census.events < 0 || census.not_events < 0 || census.other_types < 0) return no_answer("a census");
    for (const JsonNode& type : types->elements) {
        scan::TypeCensus& seen = census.types.emplace_back();
        const JsonNode* keys = type.find("keys");
        seen.name = type.string_of("name");
        seen.events = type.integer_of("events", -1);
        if (keys == nullptr || seen.events < 1) return no_answer("a type's census");
        for (const JsonNode& key : keys->elements) {
            if (key.elements.size() != 3 || key.elements[2].kind != JsonNode::Kind::integer)
                return no_answer("a key's census");
            seen.keys.push_back({key.elements[0].string, type_of(key.elements[1].string),
                                 static_cast<std::uint64_t>(key.elements[2].integer)});
        }
    }
    return census;
}

Result<batch::Engine::Written> written_of(const JsonNode& answer) {
    const JsonNode* parts = answer.find("parts");
    batch::Engine::Written written;
    written.read = answer.integer_of("read", -1);
    if (parts == nullptr || written.read < 0) return no_answer("what was written");
    std::vector<std::array<std::int64_t, 3>> places; // partition, first offset, task
    for (const JsonNode& part : parts->elements) {
        if (part.elements.size() != 3) return no_answer("what was written");
        places.push_back({part.elements[1].integer, part.elements[2].integer, part.elements[0].integer});
    }
    std::sort(places.begin(), places.end());
    for (const auto& place : places) written.tasks.push_back(static_cast<std::int32_t>(place[2]));
    return written;
}

Result<std::string> select_of(const JsonNode& answer, const scan::Relation& relation) {
    const JsonNode* rows = answer.find("rows");
    if (rows == nullptr) return no_answer("rows");
    std::string names, values;
    for (const auto& [name, type] : relation.columns)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", duck::quote_identifier(name));
    for (const JsonNode& row : rows->elements) {
        if (row.elements.size() != relation.columns.size()) return no_answer("rows");
        values += values.empty() ? "(" : ", (";
        for (std::size_t i = 0; i < row.elements.size(); ++i)
            values += (i == 0 ? "" : ", ") + cell_of(row.elements[i], relation.columns[i].second);
        values += ")";
    }
    if (!values.empty()) return fmt::format("SELECT * FROM (VALUES {}) AS first_rows({})", values, names);
    for (std::size_t i = 0; i < relation.columns.size(); ++i)
        values += (i == 0 ? "(" : ", ") + cell_of({}, relation.columns[i].second);
    return fmt::format("SELECT * FROM (VALUES {})) AS first_rows({}) WHERE FALSE", values, names);
}

std::string uri_of(const std::string& folder) {
    if (folder.find("://") != std::string::npos) return folder;
    return "file://" + std::filesystem::absolute(folder).lexically_normal().string();
}

} // namespace questlog::spark
