#include "app/command_declarations.h"

#include <string>

namespace questlog::app {
namespace {

/// Declares the commands on `app`. Each one's callback leaves what it was given in `command`.
class Declarations {
public:
    Declarations(CLI::App& app, Command& command) : app_(app), command_(command) {}

    void declare() {
        serve();
        topic();
        tail();
        batch();
        land();
        rebuild();
        verify_tables();
        sql();
        show();
        schema();
        connect();
        dead_letters();
        ls();
        status();
        log();
    }

private:
    template <class Arguments> CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help,
                                             const std::string& examples, std::shared_ptr<Arguments> arguments) {
        CLI::App* command = parent.add_subcommand(name, help);
        command->footer("Examples:\n" + examples);
        command->fallthrough(); // so that --data, --config and --kafka are taken after the command, too
        command->callback([this, arguments] { command_ = *arguments; });
        return command;
    }

    void serve() {
        auto given = std::make_shared<ServeArguments>();
        auto* command = add(app_, "serve", "Collect events over HTTP into the durable log",
                            "  questlog serve\n"
                            "  questlog serve --listen 0.0.0.0:8080 --data /var/lib/questlog\n"
                            "  questlog serve --listen 127.0.0.1:0 --access-log   # any free port\n",
                            given);
        command->add_option("--listen", given->listen, "Where to listen (default 127.0.0.1:5000)")
            ->type_name("HOST:PORT");
        command->add_flag("--access-log", given->access_log, "One line a request on stderr, once it is answered");
    }

    void topic() {
        auto* group = app_.add_subcommand("topic", "Create, describe, list topics, as kafka-topics");
        group->require_subcommand(1);
        group->fallthrough();
        auto created = std::make_shared<TopicCreateArguments>();
        auto* create = add(*group, "create", "Create a topic; a server that runs on DIR does it, and owns the files",
                           "  questlog topic create --topic game-events --if-not-exists\n"
                           "  questlog topic create --topic clicks --partitions 3\n"
                           "  sudo questlog topic create --topic raids --data /var/lib/questlog\n"
                           "  questlog topic create --topic raids --kafka kafka1:9092 --replication-factor 3\n",
                           created);
        create->add_option("--topic", created->topic, "Its name")->required();
        create->add_option("--partitions", created->partitions,
                           "How many partitions (default 1, or the cluster's own)");
        create->add_option("--replication-factor", created->replication_factor,
                           "Copies of each (the embedded log: 1; default of a cluster: its own)");
        create->add_flag("--if-not-exists", created->if_not_exists, "Do nothing where the topic exists");
        create
            ->add_option(
                "--config", created->configs,
                "A setting, name=value (segment.bytes, segment.ms,\ncompression.type, retention.bytes, retention.ms,\n"
                "retention.force; with Kafka any that its brokers know)")
            ->allow_extra_args(false);
        accept_kafka_addresses(*create, created->bootstrap_server);

        auto described = std::make_shared<TopicDescribeArguments>();
        auto* describe = add(*group, "describe", "Describe one topic, or all",
                             "  questlog topic describe --topic game-events\n", described);
        describe->add_option("--topic", described->topic, "Its name (default: every topic)");
        accept_kafka_addresses(*describe, described->bootstrap_server);

        auto listed = std::make_shared<TopicListArguments>();
        auto* list = add(*group, "list", "List the topics",
                         "  questlog topic list\n"
                         "  questlog topic list --kafka kafka1:9092\n",
                         listed);
        accept_kafka_addresses(*list, listed->bootstrap_server);
    }

    /// Scripts written for kafka-topics name a cluster. The embedded log has none, and takes the options for nothing.
    void accept_kafka_addresses(CLI::App& command, std::optional<std::string>& bootstrap_server) {
        command.add_option("--bootstrap-server", bootstrap_server,
                           "With Kafka as --kafka is; the embedded log takes it\nfor nothing, as kafka-topics' scripts "
                           "give it");
        command.add_option("--zookeeper", ignored_, "Taken for nothing");
    }

    void tail() {
        auto given = std::make_shared<TailArguments>();
        auto* command = add(app_, "tail", "Print events and wait for more, as kcat -C",
                            "  questlog tail                       # all, then wait; Ctrl-C ends it\n"
                            "  questlog tail -o -5 -e              # the last five\n"
                            "  questlog tail -o s@1785794333873 -o e@1785794400000 -e\n"
                            "  questlog tail -o end -f '%T %p %o %s\\n'\n",
                            given);
        command->add_option("-t,--topic", given->topic, "The topic (default: the configured one)");
        command->add_option("-p,--partition", given->partition, "Only this partition");
        command
            ->add_option("-o,--offset", given->offsets,
                         "beginning, end, an offset, or -N: the last N;\n"
                         "s@MS: from that time on, e@MS: up to before it\n"
                         "(milliseconds since 1970 UTC; both may be given)")
            ->allow_extra_args(false);
        command->add_option("-c,--count", given->count, "End after this many events")
            ->check([](const std::string& text) {
                return text.starts_with('-') ? "-c " + text + " is less than 0; write how many events" : std::string();
            });
        command->add_flag("-e,--exit-eof", given->exit_at_end, "End at the end of the log");
        command->add_flag("-q,--quiet", given->quiet, "No notices on stderr");
        command->add_option("-f,--format", given->format,
                            "%s value, %S length, %k key, %K its length,\n"
                            "%o offset, %p partition, %t topic,\n"
                            "%T timestamp in ms, %h headers, %%;\n"
                            "\\n \\t \\r \\xNN (default '%s\\n')");
    }

    void batch() {
        auto given = std::make_shared<BatchArguments>();
        auto* command = add(app_, "batch", "Run a batch job: the whole log into its tables",
                            "  questlog batch separate_events\n"
                            "  questlog batch just_filtering\n"
                            "  questlog batch filtered_writes\n"
                            "  questlog batch filtered_writes --engine spark   # of a topic in Kafka\n",
                            given);
        command->add_option("job", given->job, "A declared job")->required();
        command->add_flag("--force", given->force, "Replace also what the log no longer holds");
        command->add_option("--engine", given->engine, "Who reads the log: questlog itself (default), or spark")
            ->check(CLI::IsMember({"questlog", "spark"}))
            ->type_name("ENGINE");
    }

    void land() {
        auto given = std::make_shared<LandArguments>();
        auto* command = add(app_, "land", "Land events in the continuous tables, one for each type",
                            "  questlog land --once                # all that is there; a server may run beside it\n"
                            "  questlog land                       # go on as events come; Ctrl-C ends it\n",
                            given);
        command->add_option("-t,--topic", given->topic, "The topic (default: the configured one)");
        command->add_flag("--once", given->once, "End when all is landed that was there at the start");
        command->add_flag("--json", given->json, "One JSON object for each cut");
    }

    void rebuild() {
        auto given = std::make_shared<RebuildArguments>();
        auto* command = add(app_, "rebuild", "Make a continuous table anew from the log",
                            "  questlog rebuild purchase_sword     # while queries run; landing waits\n", given);
        command->add_option("table", given->table, "A continuous table")->required();
        command->add_option("-t,--topic", given->topic, "The topic (default: the configured one)");
        command->add_flag("--force", given->force, "Also without what has expired from the log");
    }

    void verify_tables() {
        auto given = std::make_shared<VerifyArguments>();
        auto* command = add(app_, "verify", "Make tables again from the log, beside them, and compare",
                            "  questlog verify                     # exit code 0: the same, 1: not\n"
                            "  questlog verify purchase_sword --json | jq .\n",
                            given);
        command->add_option("table", given->table, "A table (default: all that was landed)");
        command->add_option("-t,--topic", given->topic, "The topic (default: the configured one)");
        command->add_flag("--json", given->json, "One JSON object a line");
    }

    void sql() {
        auto given = std::make_shared<SqlArguments>();
        auto* command = add(app_, "sql", "SQL over landed tables and what came since",
                            "  questlog sql \"SELECT event_type, count(*) FROM events GROUP BY 1\"\n"
                            "  questlog sql --format csv \"FROM sword_purchases\" > swords.csv\n"
                            "  echo 'FROM events LIMIT 5' | questlog sql\n",
                            given);
        command->add_option("query", given->text, "The SQL (default: from stdin)");
        command->add_option("--format", given->format, "table, csv, json or parquet")
            ->check(CLI::IsMember({"table", "csv", "json", "parquet"}));
        command->add_option("-o,--output", given->output, "Write to this file");
        command->add_flag("--landed", given->landed, "Read the tables' files alone");
    }

    void show() {
        auto given = std::make_shared<ShowArguments>();
        auto* command = add(app_, "show", "Print a table's rows as Spark's show()",
                            "  questlog show sword_purchases\n"
                            "  questlog show default_hits --rows 5 --no-truncate\n",
                            given);
        command->add_option("table", given->table, "A table")->required();
        command->add_flag("--landed", given->landed, "Read the table's files alone");
        command->add_option("--rows", given->rows, "How many rows");
        command->add_flag("!--no-truncate", given->truncate, "Cells in full");
    }

    void schema() {
        auto given = std::make_shared<SchemaArguments>();
        auto* command = add(app_, "schema", "Print its columns as Spark's printSchema()",
                            "  questlog schema sword_purchases\n"
                            "  questlog schema purchase_sword --history\n",
                            given);
        command->add_option("table", given->table, "A table")->required();
        command->add_flag("--landed", given->landed, "Read the table's files alone");
        command->add_flag("--history", given->history, "When a continuous table got which columns");
    }

    void connect() {
        auto given = std::make_shared<ConnectArguments>();
        auto* command = add(app_, "connect", "Print the lines that read a table in another program",
                            "  questlog connect purchase_sword --for pandas\n"
                            "  questlog connect purchase_sword --for duckdb | duckdb\n",
                            given);
        command->add_option("table", given->table, "A table that was landed")->required();
        command->add_option("--for", given->tool, "duckdb, pandas, polars or spark")
            ->required()
            ->check(CLI::IsMember({"duckdb", "pandas", "polars", "spark"}));
    }

    void dead_letters() {
        auto given = std::make_shared<DeadLettersArguments>();
        auto* command = add(app_, "dead-letters", "What no table takes, and why",
                            "  questlog dead-letters\n"
                            "  questlog dead-letters --reason \"not JSON\" --format json\n",
                            given);
        command->add_option("--reason", given->reason, "Only those with this reason");
        command->add_option("--format", given->format, "table, csv or json");
        replay(*command);
        command->callback([this, command, given] {
            if (command->get_subcommands().empty()) command_ = *given;
        });
    }

    void replay(CLI::App& parent) {
        auto given = std::make_shared<ReplayArguments>();
        auto* command = add(parent, "replay",
                            "Send dead letters through again, each once: those that are events by the\n"
                            "declarations of now, or those of FILE, as they were repaired there",
                            "  questlog dead-letters replay --dry-run\n"
                            "  questlog dead-letters replay --reason 'field \"level\": out of its range'\n"
                            "  questlog dead-letters --format json >letters.json   # repair their values, and then\n"
                            "  questlog dead-letters replay letters.json\n",
                            given);
        command->add_option("file", given->file, "Dead letters as `questlog dead-letters --format json` prints them");
        command->add_option("--reason", given->reason, "Only those with this reason");
        command->add_flag("--dry-run", given->dry_run, "Say what would be sent, and send nothing");
    }

    void ls() {
        auto given = std::make_shared<LsArguments>();
        auto* command = add(app_, "ls", "List what lies in the lake, as hdfs dfs -ls prints it",
                            "  questlog ls                       # the lake\n"
                            "  questlog ls tmp/sword_purchases   # a table in it\n"
                            "  questlog ls -R -h events/purchase_sword\n"
                            "  questlog ls hdfs://namenode:8020/tmp/\n",
                            given);
        command->add_option("path", given->path, "In the lake; /... or hdfs://... : anywhere (default: the lake)")
            ->type_name("PATH");
        command->add_flag("-R", given->recursive, "Also what is in its folders");
        command->set_help_flag("--help", "Print this help message and exit"); // -h is hdfs dfs -ls's
        command->add_flag("-h,--human-readable", given->human_sizes, "Sizes as 2.4 K");
    }

    void status() {
        auto given = std::make_shared<StatusArguments>();
        auto* command = add(app_, "status", "The server, the log, the tables, and the books",
                            "  questlog status\n"
                            "  questlog status --json | jq '.topics[].tables[] | {name, landed, pending}'\n"
                            "  questlog status --json | jq -r .server.url\n",
                            given);
        command->add_flag("--json", given->json, "As JSON");
    }

    void log() {
        auto* group = app_.add_subcommand("log", "Look into the log's files, check and mend them");
        group->require_subcommand(1);
        group->fallthrough();
        auto given = std::make_shared<LogInspectArguments>();
        auto* inspect = add(*group, "inspect", "Print segments and batches, and what is damaged",
                            "  questlog log inspect\n"
                            "  questlog log inspect --records --json | jq .\n",
                            given);
        inspect->add_option("-t,--topic", given->topic, "The topic (default: the configured one)");
        inspect->add_flag("--records", given->records, "Every event, too");
        inspect->add_flag("--json", given->json, "One JSON object a line");
        verify(*group);
        repair(*group);
        trim(*group);
    }

    void verify(CLI::App& group) {
        auto given = std::make_shared<LogVerifyArguments>();
        auto* command = add(group, "verify", "Check every byte of the log; changes nothing",
                            "  questlog log verify                 # exit code 0: sound, 1: damaged\n"
                            "  questlog log verify --json | jq -r 'select(.kind == \"fault\") | .path'\n",
                            given);
        command->add_option("-t,--topic", given->topic, "The topic (default: the configured one)");
        command->add_option("-p,--partition", given->partition, "Only this partition");
        command->add_flag("--json", given->json, "One JSON object a line");
    }

    void repair(CLI::App& group) {
        auto given = std::make_shared<LogRepairArguments>();
        auto* command = add(group, "repair", "Give up what is damaged, keep all else, while no server runs",
                            "  questlog log repair --topic game-events --dry-run\n"
                            "  questlog log repair --topic game-events\n",
                            given);
        command->add_option("-t,--topic", given->topic, "The topic")->required();
        command->add_option("-p,--partition", given->partition, "Only this partition");
        command->add_flag("--dry-run", given->dry_run, "Tell what would be done, and do nothing");
    }

    void trim(CLI::App& group) {
        auto given = std::make_shared<LogTrimArguments>();
        auto* command = add(group, "trim", "Let old segments expire by hand, while no server does it",
                            "  questlog log trim --dry-run          # what would go, and what keeps the rest\n"
                            "  questlog log trim --topic game-events\n",
                            given);
        command->add_option("-t,--topic", given->topic, "The topic (default: the configured one)");
        command->add_flag("--dry-run", given->dry_run, "Tell what would be done, and do nothing");
    }

    CLI::App& app_;
    Command& command_;
    std::string ignored_;
};

} // namespace

std::shared_ptr<const void> declare_commands(CLI::App& app, Command& command) {
    auto declarations = std::make_shared<Declarations>(app, command);
    declarations->declare();
    return declarations;
}

} // namespace questlog::app
