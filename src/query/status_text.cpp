#include "base/plural.h"
#include "query/java_text.h"
#include "query/row_text.h"
#include "query/status.h"
#include "query/text_columns.h"
#include "scan/plan.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::query {
namespace {

/// The landed end of each partition: "70", or of several "70 81 64", cut where there are many.
std::string landed_text(const std::vector<lake::LandedRange>& ranges) {
    constexpr std::size_t shown_max = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(ranges.size(), shown_max); ++i)
        text += fmt::format("{}{}", i == 0 ? "" : " ", ranges[i].to);
    if (ranges.size() > shown_max) text += " ...";
    return text.empty() ? "-" : text;
}

/// "  partition 0: 3 events lost (offsets 21..23), see 00000000000000000000.log.damaged-8192"
std::string hole_text(Partition partition, const log::Hole& hole) {
    std::string text = fmt::format("  partition {}: ", partition);
    if (!hole.count_known)
        text += fmt::format("an unknown number of events lost after offset {}", hole.from.plus(-1));
    else if (hole.events() == 1)
        text += fmt::format("1 event lost (offset {})", hole.from);
    else if (hole.from < hole.to)
        text += fmt::format("{} lost (offsets {}..{})", plural(hole.events(), "event"), hole.from, hole.to.plus(-1));
    else
        text += fmt::format("bytes that were no events taken out at offset {}", hole.from);
    return text + (hole.set_aside.empty() ? "\n" : fmt::format(", see {}\n", hole.set_aside));
}

std::string partitions_text(const TopicStatus& topic) {
    std::vector<std::vector<std::string>> rows{{"partition", "first offset", "durable end", "bytes"}};
    std::string problems;
    for (const KeptStatus& kept : topic.kept)
        problems += fmt::format("  partition {}: offsets {}..{} ({}) are kept beyond the retention limits:\n"
                                "    table {} {}; {}\n",
                                kept.partition, kept.from, kept.to.plus(-1), bytes_text(kept.bytes), kept.table,
                                kept.state, kept.advice);
    for (const PartitionStatus& one : topic.partitions) {
        rows.push_back({fmt::format("{}", one.partition), fmt::format("{}", one.start),
                        fmt::format("{}", one.durable_end), one.bytes ? bytes_text(*one.bytes) : "-"});
        if (one.synced_end)
            problems += fmt::format("  partition {}: not synced at each commit; a power cut may take what lies above "
                                    "offset {}\n",
                                    one.partition, *one.synced_end);
        if (one.lost_events > 0)
            problems += fmt::format("  partition {}: {} acknowledged before power cuts {} lost\n", one.partition,
                                    plural(one.lost_events, "event"), one.lost_events == 1 ? "is" : "are");
        for (const log::Hole& hole : one.holes) problems += hole_text(one.partition, hole);
        if (!one.problem.empty()) problems += fmt::format("  partition {}: {}\n", one.partition, one.problem);
    }
    return aligned(rows) + (problems.empty() ? "" : '\n' + problems);
}

std::string tables_text(const TopicStatus& topic) {
    std::vector<std::vector<std::string>> rows{{"table", "state", "landed to", "rows", "files", "bytes"}};
    std::vector<std::vector<std::string>> books{{"books", "accepted", "= landed", "+ pending", "+ filtered", "+ dead"}};
    const auto any = [&](auto count) {
        return std::any_of(topic.tables.begin(), topic.tables.end(),
                           [&](const TableStatus& table) { return table.books && count(*table.books) != 0; });
    };
    // In 80 columns there is room for one: what is neither landed nor in the log any more, and below how it went.
    const bool any_expired = any([](const Books& of) { return of.expired; });
    const bool any_gone = any([](const Books& of) { return of.lost + of.expired; });
    const bool show_duplicates = !any_gone || any([](const Books& of) { return of.duplicates; });
    if (show_duplicates) books.front().emplace_back("+ dup");
    if (any_gone) books.front().emplace_back(any_expired ? "+ gone" : "+ lost");
    books.front().emplace_back();
    std::string problems;
    for (const TableStatus& table : topic.tables) {
        rows.push_back({table.name, std::string(name_of(table.state)), landed_text(table.landed),
                        fmt::format("{}", table.rows), fmt::format("{}", table.files.size()), bytes_text(table.bytes)});
        if (!table.problem.empty()) problems += fmt::format("  {}: {}\n", table.name, table.problem);
        if (!table.books) continue;
        const Books& b = *table.books;
        std::vector<std::string>& line = books.emplace_back();
        line.push_back(table.name);
        for (const std::int64_t number : {b.accepted, b.landed, b.pending, b.filtered, b.dead_lettered})
            line.push_back(fmt::format("{}", number));
        if (show_duplicates) line.push_back(fmt::format("{}", b.duplicates));
        if (any_gone) line.push_back(fmt::format("{}", b.lost + b.expired));
        line.emplace_back(b.balanced() ? "ok" : "WRONG");
        if (b.expired != 0)
            problems +=
                fmt::format("  {}: {} expired that no file of it has{}\n", table.name, plural(b.expired, "event"),
                            b.lost == 0 ? "" : fmt::format("; {} lost in damage", b.lost));
    }
    return '\n' + aligned(rows) + (books.size() > 1 ? '\n' + aligned(books) : "") +
           (problems.empty() ? "" : '\n' + problems);
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
    out += fmt::format("\"{}\": ", name);
    append_json(out, value);
}

/// "name": [each, each]
template <class Items, class Append>
void append_array(std::string& out, std::string_view name, const Items& items, Append&& append) {
    out += fmt::format("\"{}\": [", name);
    bool first = true;
    for (const auto& item : items) {
        if (!first) out += ", ";
        first = false;
        append(item);
    }
    out += ']';
}

void append_problem(std::string& out, const std::string& problem) {
    out += ", \"problem\": ";
    if (problem.empty())
        out += "null";
    else
        append_json(out, problem);
}

void append_hole(std::string& out, const log::Hole& hole) {
    out += fmt::format(R"({{"from": {}, "to": {}, "count_known": {}, "repaired": {}, "bytes": {}, "set_aside": )",
                       hole.from, hole.to, hole.count_known, hole.repaired, hole.bytes);
    if (hole.set_aside.empty())
        out += "null";
    else
        append_json(out, hole.set_aside);
    out += '}';
}

/// "retention": {...}, "kept": [...],
void append_retention(std::string& out, const TopicStatus& topic) {
    const auto number = [](const std::optional<std::int64_t>& limit) {
        return limit ? fmt::format("{}", *limit) : std::string("null");
    };
    out += fmt::format("\"retention\": {{\"bytes\": {}, \"ms\": {}, \"force\": {}}}, ", number(topic.retention.bytes),
                       number(topic.retention.ms), topic.retention.force);
    append_array(out, "kept", topic.kept, [&](const KeptStatus& kept) {
        out += fmt::format("{{\"partition\": {}, \"from\": {}, \"to\": {}, \"bytes\": {}, ", kept.partition, kept.from,
                           kept.to, kept.bytes);
        append_member(out, "table", kept.table);
        out += '}';
    });
    out += ", ";
}

std::string server_text(const ServerStatus& server) {
    switch (server.state) {
    case ServerState::none: return "server: none\n";
    case ServerState::silent: return fmt::format("server: silent, {}\n", server.problem);
    case ServerState::running:
    case ServerState::stopping: break;
    }
    return fmt::format("server: {}, pid {}, {}\n  topic {}, since {} UTC, questlog {}\n", name_of(server.state),
                       server.pid, server.url, server.topic, scan::spark_timestamp(server.since), server.version);
}

void append_server(std::string& out, const ServerStatus& server) {
    out += "\"server\": {";
    append_member(out, "state", name_of(server.state));
    if (server.state == ServerState::running || server.state == ServerState::stopping) {
        out += fmt::format(R"(, "pid": {}, )", server.pid);
        append_member(out, "url", server.url);
        out += ", ";
        append_member(out, "topic", server.topic);
        out += ", ";
        append_member(out, "version", server.version);
        out += fmt::format(R"(, "since": {})", server.since);
    } else {
        out += R"(, "pid": null, "url": null, "topic": null, "version": null, "since": null)";
    }
    append_problem(out, server.problem);
    out += "}, ";
}

void append_table(std::string& out, const TableStatus& table) {
    out += '{';
    append_member(out, "name", table.name);
    out += ", ";
    append_member(out, "path", table.path);
    out += ", ";
    append_member(out, "state", name_of(table.state));
    out += ", ";
    append_array(out, "landed_ranges", table.landed, [&](const lake::LandedRange& range) {
        out += fmt::format("{{\"partition\": {}, \"from\": {}, \"to\": {}}}", range.partition, range.from, range.to);
    });
    out += ", ";
    append_array(out, "files", table.files, [&](const std::string& file) { append_json(out, file); });
    out += fmt::format(", \"rows\": {}, \"bytes\": {}", table.rows, table.bytes);
    const Books books = table.books.value_or(Books{});
    for (const auto& [name, value] : {std::pair{"accepted", books.accepted},
                                      {"landed", books.landed},
                                      {"pending", books.pending},
                                      {"filtered", books.filtered},
                                      {"dead_lettered", books.dead_lettered},
                                      {"duplicates", books.duplicates},
                                      {"lost", books.lost},
                                      {"expired", books.expired}})
        out += fmt::format(", \"{}\": {}", name, table.books ? fmt::format("{}", value) : "null");
    out += fmt::format(", \"balanced\": {}", table.books ? fmt::format("{}", books.balanced()) : "null");
    append_problem(out, table.problem);
    out += '}';
}

std::string topic_line(const TopicStatus& topic) {
    std::int64_t events = 0;
    std::int64_t bytes = 0;
    std::int64_t unforwarded = 0;
    for (const PartitionStatus& partition : topic.partitions) {
        events += partition.durable_end.minus(partition.start);
        bytes += partition.bytes.value_or(0);
        unforwarded += partition.unforwarded;
    }
    const std::string partitions = plural(static_cast<std::int64_t>(topic.partitions.size()), "partition");
    if (topic.cluster.empty())
        return fmt::format("topic {}  log {}\n{}, {}, {}\n", topic.name, topic.log_id, plural(events, "event"),
                           bytes_text(bytes), partitions);
    return fmt::format("topic {}  log {}  {}\n{}, {}{}\n", topic.name, topic.log_id, topic.cluster,
                       plural(events, "event"), partitions,
                       unforwarded == 0 ? "" : fmt::format("; {} to be forwarded to Kafka", unforwarded));
}

} // namespace

std::string status_text(const StatusReport& report) {
    std::string out = server_text(report.server);
    for (const TopicStatus& topic : report.topics) {
        out += '\n';
        if (!topic.problem.empty()) {
            out += fmt::format("topic {}: {}\n", topic.name, topic.problem);
            if (!topic.tables.empty()) out += tables_text(topic);
            continue;
        }
        out += topic_line(topic) + "\n" + partitions_text(topic);
        if (!topic.tables.empty()) out += tables_text(topic);
        out += continuous_text(topic.continuous);
        if (!topic.continuous_problem.empty())
            out += fmt::format("\n  continuous tables: {}\n", topic.continuous_problem);
    }
    return out;
}

std::string status_json(const StatusReport& report) {
    std::string out = "{";
    append_server(out, report.server);
    append_array(out, "topics", report.topics, [&](const TopicStatus& topic) {
        out += '{';
        append_member(out, "topic", topic.name);
        out += ", ";
        append_member(out, "log_id", topic.log_id);
        out += ", ";
        append_member(out, "cluster", topic.cluster);
        out += ", ";
        append_array(out, "partitions", topic.partitions, [&](const PartitionStatus& one) {
            out += fmt::format("{{\"partition\": {}, \"start\": {}, \"durable_end\": {}, \"bytes\": {}", one.partition,
                               one.start, one.durable_end, one.bytes ? fmt::format("{}", *one.bytes) : "null");
            out += fmt::format(", \"synced_end\": {}, \"lost_events\": {}, \"unforwarded\": {}",
                               one.synced_end ? fmt::format("{}", *one.synced_end) : "null", one.lost_events,
                               one.unforwarded);
            std::int64_t lost = 0;
            for (const log::Hole& hole : one.holes) lost += hole.events();
            out += fmt::format(", \"lost\": {}, ", lost);
            append_array(out, "holes", one.holes, [&](const log::Hole& hole) { append_hole(out, hole); });
            append_problem(out, one.problem);
            out += '}';
        });
        out += ", ";
        append_retention(out, topic);
        append_array(out, "tables", topic.tables, [&](const TableStatus& table) { append_table(out, table); });
        out += ", \"continuous\": " + continuous_json(topic.continuous);
        append_problem(out, topic.problem.empty() ? topic.continuous_problem : topic.problem);
        out += '}';
    });
    out += report.sound() ? ", \"sound\": true}\n" : ", \"sound\": false}\n";
    return out;
}

} // namespace questlog::query
