#include "app/config.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace questlog::app {
namespace {

Config parsed(std::string_view text) {
    auto config = parse_config(text, "questlog.toml");
    EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().message);
    return config.ok() ? std::move(config).value() : Config{};
}

std::string refused(std::string_view text) {
    auto config = parse_config(text, "questlog.toml");
    if (config.ok()) return "accepted";
    EXPECT_EQ(exit_code_of(config.error().kind), 2);
    return config.error().message;
}

TEST(Config, EmptyFileIsTheBuiltinGame) {
    const Config config = parsed("");
    EXPECT_EQ(config.listen, "127.0.0.1:5000");
    EXPECT_EQ(config.topic, "game-events");
    EXPECT_FALSE(config.intake_headers);
    EXPECT_EQ(config.events.size(), Config::builtin().events.size());
    ASSERT_EQ(config.jobs.size(), 3U);
    EXPECT_EQ(config.jobs[0].name, "separate_events");
}

TEST(Config, EverySettingIsRead) {
    const Config config = parsed(R"(
[server]
listen = "[::1]:0"
access_log = true
[intake]
headers = true
store_headers = ["Cookie"]
[log]
topic = "clicks"
partitions = 3
segment_bytes = 1048576
segment_ms = 3600000
retention_bytes = 1073741824
retention_ms = -1
retention_force = true
retention_check_ms = 5000
compression = "zstd"
sync = "interval"
sync_interval_ms = 200
[lake]
root = "/srv/lake"
)");
    EXPECT_EQ(config.listen, "[::1]:0");
    EXPECT_TRUE(config.access_log);
    EXPECT_TRUE(config.intake_headers);
    EXPECT_EQ(config.intake_store_headers, std::vector<std::string>{"Cookie"});
    EXPECT_EQ(config.topic, "clicks");
    EXPECT_EQ(config.partitions, 3);
    EXPECT_EQ(config.segment_bytes, 1'048'576);
    EXPECT_EQ(config.segment_ms, 3'600'000);
    EXPECT_EQ(config.retention, (log::RetentionLimits{.bytes = 1'073'741'824, .ms = {}, .force = true}));
    EXPECT_EQ(config.retention_check, std::chrono::seconds{5});
    EXPECT_EQ(config.compression, Compression::zstd);
    EXPECT_EQ(config.sync, log::Sync::interval);
    EXPECT_EQ(config.sync_interval, std::chrono::milliseconds{200});
    EXPECT_EQ(config.lake.root, "/srv/lake");
    EXPECT_EQ(config.jobs[0].topic, "clicks"); // the built-in jobs follow the topic
}

TEST(Config, AnEventKeepsItsConstantsInTheOrderWritten) {
    const Config config = parsed(R"(
[[event]]
path = "/buy"
methods = ["POST"]
type = "buy"
reply = "bought\n"
set = { zone = "north", amount = 2, ratio = 1.0, big = true }
fields = { price = { type = "double", required = true }, note = "string" }
store_headers = ["Cookie"]
)");
    ASSERT_EQ(config.events.size(), 1U);
    const auto& event = config.events[0];
    EXPECT_EQ(event.path, "/buy");
    EXPECT_EQ(event.methods, std::vector<std::string>{"POST"});
    const std::vector<std::pair<std::string, std::string>> constants{
        {"zone", "\"north\""}, {"amount", "2"}, {"ratio", "1.0"}, {"big", "true"}};
    EXPECT_EQ(event.constants, constants);
    ASSERT_EQ(event.fields.size(), 2U);
    EXPECT_EQ(event.fields[0].name, "price");
    EXPECT_EQ(event.fields[0].type, event::ColumnType::double_);
    EXPECT_TRUE(event.fields[0].required);
    EXPECT_FALSE(event.fields[1].required);
    EXPECT_EQ(event.store_headers, std::vector<std::string>{"Cookie"});
}

TEST(Config, ATableKnowsTheColumnsOfItsCalls) {
    const Config config = parsed(R"(
[[event]]
path = "/buy"
type = "buy"
set = { zone = "north", amount = 2, ratio = 1.0, big = true }
fields = { price = "double" }
[[event]]
path = "/sell"
type = "sell"
fields = { price = "string" }
[[job]]
name = "mine"
[[job.output]]
path = "tmp/buys"
where = "event_type = 'buy'"
[[job.output]]
path = "tmp/all"
)");
    using event::ColumnType;
    const event::Schema buys{{"amount", ColumnType::bigint},     {"big", ColumnType::boolean},
                             {"event_type", ColumnType::string}, {"price", ColumnType::double_},
                             {"ratio", ColumnType::double_},     {"zone", ColumnType::string}};
    event::Schema all = buys;
    all[3].type = ColumnType::string;
    EXPECT_EQ(config.jobs[3].outputs[0].table.declared, buys);
    EXPECT_EQ(config.jobs[3].outputs[1].table.declared, all);
}

TEST(Config, AJobReplacesTheBuiltinOneOfItsName) {
    const Config config = parsed(R"(
[[job]]
name = "filtered_writes"
set = { Host = "'moe'" }
[[job.output]]
path = "tmp/purchases"
where = "event_type = 'buy'"
[[job]]
name = "mine"
[[job.output]]
path = "a/b/mine"
print_schema = true
)");
    ASSERT_EQ(config.jobs.size(), 4U);
    EXPECT_EQ(config.jobs[2].name, "filtered_writes");
    ASSERT_EQ(config.jobs[2].outputs.size(), 1U);
    EXPECT_EQ(config.jobs[2].outputs[0].table.set.size(), 1U);
    EXPECT_EQ(config.jobs[3].outputs[0].table.name, "mine");
    EXPECT_EQ(config.jobs[3].outputs[0].table.path, "a/b/mine");
    EXPECT_TRUE(config.jobs[3].outputs[0].print_schema);
    EXPECT_FALSE(config.jobs[3].outputs[0].table.where.has_value());
}

struct Refusal {
    const char* text;
    const char* message_part;
};

TEST(Config, MistakesAreToldWhereTheyStand) {
    const Refusal refusals[] = {
        {"[server\n", "questlog.toml:1:"},
        {"[server]\nlisten = 5000\n", "questlog.toml:2:10: listen in [server] is an integer"},
        {"[server]\nlisten = \"5000\"\n", "questlog.toml:2:10: \"5000\" is no address"},
        {"[server]\nlistne = \"a:1\"\n", "did you mean listen?"},
        {"[intake]\nheaders = \"yes\"\n", "questlog.toml:2:11: headers in [intake] is a string"},
        {"[intake]\nheaders = true\nstore_headers = [\"Host\"]\n", "questlog.toml:3:17: header \"Host\""},
        {"[intake]\nstore_headers = [\"Cookie\"]\n", "questlog.toml:2:17: store_headers in [intake] has no effect"},
        {"[[job]]\nname = \"j\"\n[job.set]\n\"\" = \"1\"\n[[job.output]]\npath = \"a\"\n",
         "questlog.toml:4:6: a column's name is"},
        {"[[job]]\nname = \"j\"\n[job.set]\n\"a\\u0000\" = \"1\"\n[[job.output]]\npath = \"a\"\n",
         "a column's name is"},
        {"[[job]]\nname = \"j\"\n[[job.output]]\npath = \"x/t\"\n[[job.output]]\npath = \"x/t/u\"\n",
         "questlog.toml:6:9: path x/t/u lies inside the table x/t"},
        {"[log]\npartitions = 0\n", "questlog.toml:2:14: partitions in [log] is 0; write a whole number from 1"},
        {"[log]\nsegment_bytes = 12\n", "from 1048576"},
        {"[log]\nretention_bytes = -2\n", "from -1"},
        {"[log]\nretention_ms = \"1d\"\n", "retention_ms"},
        {"[log]\nretention_check_ms = 0\n", "from 100"},
        {"[log]\nsync = \"often\"\n", "questlog.toml:2:8: sync \"often\" is not known"},
        {"[log]\nsync_interval_ms = 200\n", "questlog.toml:2:20: sync_interval_ms in [log] has no effect"},
        {"[log]\nsync = \"interval\"\nsync_interval_ms = 0\n", "from 1 to 60000"},
        {"[log]\ncompression = \"snappy\"\n", "questlog.toml:2:15: compression \"snappy\" is not known"},
        {"[event]\npath = \"/x\"\n", "[[event]] with two brackets"},
        {"[[event]]\ntype = \"x\"\n", "[[event]] number 1 has no path"},
        {"[[event]]\npath = \"/x\"\n", "has no type"},
        {"[[event]]\npath = \"x\"\ntype = \"x\"\n", "questlog.toml:2:8:"},
        {"[[event]]\npath = \"/events\"\ntype = \"x\"\n", "questlog.toml:2:8:"},
        {"[[event]]\npath = \"/x\"\ntype = \"x\"\nfields = { a = \"int\" }\n", "write \"string\", \"bigint\""},
        {"[[event]]\npath = \"/x\"\ntype = \"x\"\nset = { a = nan }\n", "JSON cannot hold"},
        {"[[event]]\npath = \"/x\"\nmethods = [\"BREW\"]\ntype = \"x\"\n", "questlog.toml:3:11:"},
        {"[[event]]\npath = \"/x\"\ntype = \"\"\n", "questlog.toml:3:8:"},
        {"[[event]]\npath = \"/x\"\ntype = \"x\"\nfields = { receipt = \"string\" }\n", "questlog.toml:4:10:"},
        {"[[event]]\npath = \"/x\"\ntype = \"x\"\nstore_headers = [\"Host\"]\n", "questlog.toml:4:17:"},
        {"[[event]]\npath = \"/x\"\ntype = \"x\"\n[[event]]\npath = \"/x\"\ntype = \"y\"\n", "questlog.toml:5:8:"},
        {"[log]\ntopic = \"a b\"\n", "questlog.toml:2:9:"},
        {"[[job]]\nname = \"j\"\nset = { a = \"1\", A = \"2\" }\n[[job.output]]\n", "reads as one column"},
        {"[[job]]\nname = \"j\"\n", "has no output"},
        {"[[job]]\nname = \"j\"\n[[job.output]]\nshow = false\n", "does nothing"},
        {"[[job]]\nname = \"j\"\n[[job.output]]\npath = \"/abs\"\n", "questlog.toml:4:8: path \"/abs\" is absolute"},
        {"[[job]]\nname = \"j\"\n[[job.output]]\npath = \"../up\"\n", "begins with '.'"},
        {"[[job]]\nname = \"j\"\n[[job.output]]\npath = \"tmp/purchases\"\n", "and so does job filtered_writes"},
        {"[[job]]\nname = \"j\"\n[[job.output]]\npath = \"tmp/Events\"\n", "reserved"},
        {"[[job]]\nname = \"j\"\n[[job.output]]\nwhere = \"event_type =\"\n", "questlog.toml:4:"},
        {"[[job]]\nname = \"j\"\n[[job.output]]\nwhere = \"now() > 1\"\n", "questlog.toml:4:10"},
    };
    for (const auto& refusal : refusals)
        EXPECT_NE(refused(refusal.text).find(refusal.message_part), std::string::npos)
            << refusal.text << "\n-> " << refused(refusal.text);
}

TEST(Config, AFieldMayHaveARangeAndValues) {
    const Config config = parsed(R"([[event]]
path = "/raid"
type = "raid"
[event.fields]
level = { type = "bigint", min = 1, max = 60 }
speed = { type = "double", min = 0.5 }
role = { type = "string", one_of = ["healer", "tank"] }
)");
    const auto& fields = config.events.at(0).fields;
    ASSERT_EQ(fields.size(), 3U);
    const auto field = [&](std::string_view name) {
        return *std::find_if(fields.begin(), fields.end(), [&](const auto& one) { return one.name == name; });
    };
    EXPECT_EQ(field("level").least.value_or("") + " " + field("level").most.value_or(""), "1 60");
    EXPECT_EQ(field("speed").least.value_or(""), "0.5");
    EXPECT_EQ(field("role").one_of, (std::vector<std::string>{"\"healer\"", "\"tank\""}));
    const auto refused_field = [](const std::string& declared) {
        return refused("[[event]]\npath = \"/raid\"\ntype = \"raid\"\nfields = { level = " + declared + " }\n");
    };
    EXPECT_NE(refused_field(R"({ type = "bigint", one_of = 5 })").find("an array of values"), std::string::npos);
    EXPECT_NE(refused_field(R"({ type = "bigint", one_of = [] })").find("an array of values"), std::string::npos);
    EXPECT_NE(refused_field(R"({ type = "bigint", min = "5" })").find("a number"), std::string::npos);
    EXPECT_NE(refused_field(R"({ type = "bigint", min = 5, max = 4 })").find("nothing is 5 or more and 4 or less"),
              std::string::npos);
}

TEST(Config, NoJobWritesWhereTheContinuousTablesAre) {
    for (const std::string path : {"events", "events/raid"}) {
        const std::string told = refused("[[job]]\nname = \"j\"\n[[job.output]]\npath = \"" + path + "\"\n");
        EXPECT_NE(told.find("is where the continuous tables are"), std::string::npos) << told;
    }
    EXPECT_EQ(refused("[[job]]\nname = \"j\"\n[[job.output]]\npath = \"tmp/events_of_raids\"\n"), "accepted");
}

TEST(Config, TheWindowOfMessageIds) {
    const Config config = parsed("[deduplication]\nwindow_ms = 1000\nids = 5\n");
    EXPECT_EQ(config.repeats.time.count(), 1000);
    EXPECT_EQ(config.repeats.ids, 5);
    EXPECT_EQ(parsed("").repeats.time.count(), 86'400'000);
    EXPECT_EQ(parsed("").repeats.ids, 10'000'000);
    EXPECT_NE(refused("[deduplication]\nids = -1\n").find("ids"), std::string::npos);
}

} // namespace
} // namespace questlog::app
