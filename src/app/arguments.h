#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// The command line, parsed: what each command was given. Values only.
namespace questlog::app {

struct ServeArguments {
    std::optional<std::string> listen;
    bool access_log = false;
};

struct TopicCreateArguments {
    std::string topic;
    std::optional<std::int32_t> partitions; ///< None: 1, or the cluster's default.
    std::optional<std::int16_t> replication_factor;
    bool if_not_exists = false;
    std::vector<std::string> configs;            ///< "name=value"
    std::optional<std::string> bootstrap_server; ///< With Kafka, the cluster's; else without a meaning.
};
struct TopicDescribeArguments {
    std::optional<std::string> topic;
    std::optional<std::string> bootstrap_server;
};
struct TopicListArguments {
    std::optional<std::string> bootstrap_server;
};

struct TailArguments {
    std::optional<std::string> topic;
    std::optional<std::int32_t> partition;
    std::vector<std::string> offsets; ///< "beginning", "end", "N", "-N", "s@MS", "e@MS"; none: "beginning"
    std::optional<std::int64_t> count;
    bool exit_at_end = false;
    bool quiet = false;
    std::string format = "%s\\n"; ///< kcat's, escapes not yet replaced
};

struct BatchArguments {
    std::string job;
    bool force = false;
    std::string engine = "questlog"; ///< Who reads the log and writes the files: or "spark".
};

struct LandArguments {
    std::optional<std::string> topic;
    bool once = false;
    bool json = false;
};

struct RebuildArguments {
    std::optional<std::string> topic;
    std::string table;
    bool force = false;
};
struct VerifyArguments {
    std::optional<std::string> topic;
    std::optional<std::string> table; ///< None: all.
    bool json = false;
};

struct SqlArguments {
    std::optional<std::string> text; ///< None: from stdin.
    std::string format = "table";
    std::optional<std::string> output;
    bool landed = false;
};
struct ShowArguments {
    std::string table;
    bool landed = false;
    std::size_t rows = 20;
    bool truncate = true;
};
struct SchemaArguments {
    std::string table;
    bool landed = false;
    bool history = false;
};

struct ConnectArguments {
    std::string table;
    std::string tool;
};
struct DeadLettersArguments {
    std::optional<std::string> reason;
    std::string format = "table";
};

struct ReplayArguments {
    std::optional<std::string> file; ///< Repaired dead letters; "-": standard input.
    std::optional<std::string> reason;
    bool dry_run = false;
};

struct LsArguments {
    std::optional<std::string> path; ///< None: the lake.
    bool recursive = false;
    bool human_sizes = false;
};

struct StatusArguments {
    bool json = false;
};

struct LogInspectArguments {
    std::optional<std::string> topic;
    bool json = false;
    bool records = false;
};

struct LogVerifyArguments {
    std::optional<std::string> topic;
    std::optional<std::int32_t> partition;
    bool json = false;
};
struct LogRepairArguments {
    std::string topic;
    std::optional<std::int32_t> partition;
    bool dry_run = false;
};
struct LogTrimArguments {
    std::optional<std::string> topic;
    bool dry_run = false;
};

using Command =
    std::variant<ServeArguments, TopicCreateArguments, TopicDescribeArguments, TopicListArguments, TailArguments,
                 BatchArguments, LandArguments, RebuildArguments, VerifyArguments, SqlArguments, ShowArguments,
                 SchemaArguments, ConnectArguments, DeadLettersArguments, ReplayArguments, StatusArguments, LsArguments,
                 LogInspectArguments, LogVerifyArguments, LogRepairArguments, LogTrimArguments>;

struct Invocation {
    std::string data = "data";         ///< The data folder.
    std::optional<std::string> config; ///< None: ./questlog.toml where there is one.
    std::optional<std::string> kafka;  ///< HOST:PORT, or several with commas; before the configuration's.
    std::optional<std::string> lake;   ///< A folder or hdfs://HOST:PORT/PATH; before the configuration's.
    Command command;
};

/// What to do: run an invocation, or print `text` and end with `exit_code` (help, version, a usage error).
struct Answer {
    int exit_code = 0;
    std::string text;
};
[[nodiscard]] std::variant<Invocation, Answer> parse_arguments(int argc, const char* const* argv);

} // namespace questlog::app
