#include "app/jobs_section.h"

#include "base/letter_case.h"
#include "lake/continuous_table.h"
#include "log/topic_metadata.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace questlog::app {
namespace {

Result<std::vector<scan::SetColumn>> parse_set(TomlTable& job) {
    std::vector<scan::SetColumn> set;
    TRY(table, job.table("set"));
    if (!table) return set;
    for (const auto& column : table->keys()) {
        const bool has_control = std::any_of(column.begin(), column.end(), [](unsigned char c) { return c < 0x20; });
        if (column.empty() || has_control)
            return table->wrong(column, "a column's name is a text without control characters, such as Host");
        for (const auto& other : set)
            if (equal_but_for_case(other.column, column))
                return table->wrong(column, fmt::format("set has {} and {}, which SQL reads as one column; keep one",
                                                        other.column, column));
        TRY(text, table->string(column));
        TRY(expression, scan::Expression::parse(*text, table->position(column)));
        set.push_back({column, std::move(expression)});
    }
    return set;
}

Status check_output_path(const TomlTable& output, const std::string& path) {
    const auto bad = [&](std::string_view why) {
        return output.wrong("path", fmt::format("path \"{}\" {}; write one under the lake's root, such as "
                                                "\"tmp/sword_purchases\"",
                                                path, why));
    };
    if (path == lake::continuous_folder || path.starts_with(fmt::format("{}/", lake::continuous_folder)))
        return bad("is where the continuous tables are");
    std::size_t begin = 0;
    while (begin <= path.size()) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = std::string_view(path).substr(begin, end - begin);
        if (part.empty()) return bad("is absolute or has an empty part");
        if (part[0] == '.' || part[0] == '_') return bad("has a part that begins with '.' or '_', which readers skip");
        for (const char c : part)
            if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-' && c != '.')
                return bad("has a character other than letters, digits, '_', '-' and '.'");
        begin = end + 1;
    }
    return {};
}

Result<batch::JobOutput> parse_output(TomlTable& table, const std::vector<scan::SetColumn>& set,
                                      const std::string& topic) {
    batch::JobOutput output;
    TRY(path, table.string("path"));
    TRY(where, table.string("where"));
    TRY(show, table.boolean("show"));
    TRY(print_schema, table.boolean("print_schema"));
    CHECK_OK(table.finish());
    output.at = table.position("path");
    output.table.topic = topic;
    output.table.set = set;
    if (path) {
        CHECK_OK(check_output_path(table, *path));
        output.table.path = *path;
        output.table.name = path->substr(path->rfind('/') + 1);
    }
    if (where) {
        TRY(expression, scan::Expression::parse(*where, table.position("where"), scan::Role::filter));
        output.table.where = std::move(expression);
    }
    output.show = show.value_or(output.show);
    output.print_schema = print_schema.value_or(output.print_schema);
    if (!path && !output.show && !output.print_schema)
        return table.missing("path", "path = \"tmp/...\", or show = true: as it is, the output does nothing");
    return output;
}

/// Every written table has a name of its own in SQL, letters' case apart.
Status check_table_names(const std::vector<batch::Job>& jobs) {
    std::map<std::string, std::string> seen; // lower-case name -> job
    for (const auto& job : jobs) {
        for (const auto& output : job.outputs) {
            if (output.table.path.empty()) continue;
            const std::string name = lower_ascii(output.table.name);
            if (name == "events" || name == "ledger" || name == "dead_letters")
                return reject("{}: the table name {} is reserved; choose another last part of path", output.at.text(),
                              output.table.name);
            const auto [other, fresh] = seen.emplace(name, job.name);
            if (!fresh)
                return reject("{}: job {} writes a table named {}, and so does job {}; choose another last part of "
                              "path, or give the job that one's name to replace it",
                              output.at.text(), job.name, output.table.name, other->second);
        }
    }
    return {};
}

/// A table is replaced as a whole, and with it what lies in its folder.
Status check_table_paths(const std::vector<batch::Job>& jobs) {
    std::map<std::string, const batch::JobOutput*> outputs; // by path
    for (const auto& job : jobs)
        for (const auto& output : job.outputs)
            if (!output.table.path.empty()) outputs.emplace(output.table.path, &output);
    for (const auto& [path, output] : outputs)
        for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
            if (outputs.contains(path.substr(0, slash)))
                return reject("{}: path {} lies inside the table {}; choose one beside it", output->at.text(), path,
                              path.substr(0, slash));
    return {};
}

} // namespace

Result<batch::Job> parse_job(TomlTable& table, const std::string& default_topic) {
    batch::Job job;
    TRY(name, table.string("name"));
    if (!name) return table.missing("name", "name = \"my_job\"");
    TRY(from, table.string("from"));
    TRY(set, parse_set(table));
    TRY(outputs, table.tables("output"));
    CHECK_OK(table.finish());
    job.name = *name;
    job.topic = from.value_or(default_topic);
    if (auto named = log::check_topic_name(job.topic); !named.ok()) return table.wrong("from", named.error().message);
    if (outputs.empty()) return table.missing("output", "[[job.output]] with a path or show = true");
    for (auto& output : outputs) {
        TRY(parsed, parse_output(output, set, job.topic));
        if (parsed.table.name.empty()) parsed.table.name = job.name;
        job.outputs.push_back(std::move(parsed));
    }
    return job;
}

Status check_tables(const std::vector<batch::Job>& jobs) {
    CHECK_OK(check_table_names(jobs));
    return check_table_paths(jobs);
}

} // namespace questlog::app
