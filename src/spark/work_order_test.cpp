#include "spark/work_order.h"

#include "duck/duck.h"
#include "spark/program.h"

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>

namespace questlog::spark {
namespace {

/// Whether a text has this part; else it is shown.
::testing::AssertionResult says(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << '"' << part << "\" is not in: " << text;
}

using Properties = Settings::Properties;

event::JsonNode json(std::string_view text) {
    auto node = event::parse_json(text);
    EXPECT_TRUE(node) << text;
    return node.value_or(event::JsonNode{});
}

Properties options(const Properties& client, const Properties& own = {}) {
    auto made = kafka_options({"k:9092", client}, own);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? *made : Properties{};
}

std::string option(const Properties& all, const std::string& name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == name; });
    return found == all.end() ? "none" : found->second;
}

TEST(WorkOrder, namesTheRangeTheTypesAndTheCluster) {
    batch::Engine::Order order{"my job", "game-events", {{Partition{0}, Offset{3}, Offset{9}}}, {{"a", "it's \"b\""}}};
    const auto said = json(order_line(order, {{"kafka.bootstrap.servers", "k:9092"}}));
    EXPECT_EQ(said.integer_of("version"), 1);
    EXPECT_EQ(said.string_of("job"), "my job");
    EXPECT_EQ(said.string_of("topic"), "game-events");
    const auto& range = said.find("ranges")->elements.at(0);
    EXPECT_EQ(range.integer_of("partition"), 0);
    EXPECT_EQ(range.integer_of("from"), 3);
    EXPECT_EQ(range.integer_of("to"), 9);
    EXPECT_EQ(said.find("types")->elements.at(1).string, "it's \"b\"");
    EXPECT_EQ(said.find("kafka")->string_of("kafka.bootstrap.servers"), "k:9092");
    order.types.reset();
    EXPECT_EQ(json(order_line(order, {})).find("types"), nullptr) << "null: any";
    EXPECT_EQ(order_line(order, {}).find('\n'), std::string::npos);
}

TEST(WorkOrder, namesATablesColumnsAndItsSelect) {
    scan::Relation relation;
    relation.select = "SELECT `a` FROM x\nWHERE '\t'";
    relation.input_columns = {{"a.b", event::ColumnType::double_}, {"n", event::ColumnType::null}};
    const batch::Engine::Table table{{{"t"}}, relation};
    const std::string line = write_line(table, "file:///lake/.staging/tmp%2Ft/1");
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto said = json(line);
    EXPECT_EQ(said.string_of("do"), "write");
    EXPECT_EQ(said.string_of("folder"), "file:///lake/.staging/tmp%2Ft/1");
    EXPECT_EQ(said.string_of("select"), relation.select);
    EXPECT_EQ(said.find("columns")->elements.at(0).elements.at(0).string, "a.b");
    EXPECT_EQ(said.find("columns")->elements.at(0).elements.at(1).string, "double");
    EXPECT_EQ(said.find("columns")->elements.at(1).elements.at(1).string, "string");
    const auto taken = json(take_line(table, 21));
    EXPECT_EQ(taken.string_of("do"), "take");
    EXPECT_EQ(taken.integer_of("rows"), 21);
}

TEST(WorkOrder, aUserIsLetInAsByTheCClient) {
    const Properties plain = options({{"security.protocol", "SASL_SSL"},
                                      {"sasl.mechanisms", "SCRAM-SHA-512"},
                                      {"sasl.username", "ada"},
                                      {"sasl.password", "a\"b\\c"},
                                      {"ssl.ca.location", "/etc/ca.pem"},
                                      {"queue.buffering.max.ms", "5"}});
    EXPECT_EQ(option(plain, "kafka.security.protocol"), "SASL_SSL");
    EXPECT_EQ(option(plain, "kafka.sasl.mechanism"), "SCRAM-SHA-512");
    EXPECT_EQ(option(plain, "kafka.sasl.jaas.config"),
              R"(org.apache.kafka.common.security.scram.ScramLoginModule required username="ada" password="a\"b\\c";)");
    EXPECT_EQ(option(plain, "kafka.ssl.truststore.type"), "PEM");
    EXPECT_EQ(option(plain, "kafka.ssl.truststore.location"), "/etc/ca.pem");
    EXPECT_EQ(option(plain, "kafka.isolation.level"), "read_committed");
    EXPECT_EQ(option(plain, "kafka.queue.buffering.max.ms"), "none") << "the C client's alone";
    EXPECT_EQ(option(options({}), "kafka.sasl.mechanism"), "none");
}

TEST(WorkOrder, whatHasNoCounterpartIsRefusedUnlessItIsSaidForSpark) {
    const auto refused = kafka_options({"k:9092", {{"ssl.key.location", "/k.pem"}}}, {});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::reject);
    EXPECT_TRUE(says(refused.error().message, "ssl.key.location"));
    const Properties own = options({{"ssl.key.location", "/k.pem"}},
                                   {{"ssl.keystore.location", "/k.p12"}, {"bootstrap.servers", "inside:9092"}});
    EXPECT_EQ(option(own, "kafka.ssl.keystore.location"), "/k.p12");
    EXPECT_EQ(option(own, "kafka.bootstrap.servers"), "inside:9092");
    EXPECT_EQ(
        std::count_if(own.begin(), own.end(), [](const auto& one) { return one.first == "kafka.bootstrap.servers"; }),
        1);
}

TEST(WorkOrder, sparkSubmitGetsTheSettings) {
    Settings settings;
    settings.master = "yarn";
    settings.conf = {{"spark.executor.memory", "4g"}};
    settings.packages = {"a:b:1", "c:d:2"};
    settings.jars = {"x.jar"};
    const auto arguments = submit_arguments(settings, "j", "/d", "/d/s");
    const auto after = [&](const std::string& option) {
        const auto at = std::find(arguments.begin(), arguments.end(), option);
        return at == arguments.end() ? "" : *std::next(at);
    };
    EXPECT_EQ(after("--master"), "yarn");
    EXPECT_EQ(after("--deploy-mode"), "client");
    EXPECT_EQ(after("--packages"), "a:b:1,c:d:2");
    EXPECT_EQ(after("--jars"), "x.jar");
    EXPECT_EQ(after("--py-files"), "/d/questlog_events.py");
    EXPECT_NE(std::find(arguments.begin(), arguments.end(), "spark.executor.memory=4g"), arguments.end());
    EXPECT_EQ(arguments[arguments.size() - 2], "/d/questlog_job.py");
    EXPECT_EQ(arguments.back(), "/d/s");
}

TEST(WorkOrder, aCensusIsReadAndNothingElse) {
    const auto census = census_of(json(R"({"say": "census", "events": 9, "not_events": 2, "other_types": 3, "types":
        [{"name": "a", "events": 4, "keys": [["k", "bigint", 7], ["n", "null", 8]]}]})"));
    ASSERT_TRUE(census.ok()) << census.error().message;
    EXPECT_EQ(census->events, 9);
    EXPECT_EQ(census->types.at(0).keys.at(0).type, event::ColumnType::bigint);
    EXPECT_EQ(census->types.at(0).keys.at(0).appeared, 7U);
    EXPECT_EQ(census->types.at(0).keys.at(1).type, event::ColumnType::null);
    for (const char* wrong : {R"({})", R"({"events": 1, "not_events": 0, "other_types": 0})",
                              R"({"events": 1, "not_events": 0, "types": []})",
                              R"({"events": 1, "not_events": 0, "other_types": 0, "types": [{"name": "a"}]})",
                              R"({"events": 1, "not_events": 0, "other_types": 0, "types": [{"name": "a", "events": 1,
                                  "keys": [["k"]]}]})"})
        EXPECT_FALSE(census_of(json(wrong)).ok()) << wrong;
}

TEST(WorkOrder, tasksAreOrderedByWhereTheirEventsLie) {
    const auto written = written_of(json(R"({"read": 5, "parts": [[0, 1, 10], [2, 0, 700], [1, 0, 70]]})"));
    ASSERT_TRUE(written.ok());
    EXPECT_EQ(written->read, 5);
    EXPECT_EQ(written->tasks, (std::vector<std::int32_t>{1, 2, 0}));
    EXPECT_FALSE(written_of(json(R"({"parts": []})")).ok());
}

TEST(WorkOrder, rowsKeepTheirDigitsAndBytes) {
    scan::Relation relation;
    relation.columns = {{"a \"b\"", duck::ValueType::varchar},
                        {"b", duck::ValueType::boolean},
                        {"d", duck::ValueType::double_},
                        {"n", duck::ValueType::bigint}};
    const auto connection = duck::Database::open({}).value()->connect().value();
    const auto some = select_of(json(R"({"rows": [["6900c3a9", "True", "5e-324", "-9223372036854775808"],
        [null, null, "inf", null]]})"),
                                relation);
    ASSERT_TRUE(some.ok());
    auto rows = connection->query(*some).value();
    ASSERT_EQ(rows->next().value(), 2U);
    EXPECT_EQ(rows->columns()[0].name, "a \"b\"");
    EXPECT_EQ(rows->varchar(0, 0), std::string_view("i\0\u00e9", 4));
    EXPECT_TRUE(rows->boolean(1, 0));
    EXPECT_EQ(rows->number(2, 0), 5e-324);
    EXPECT_EQ(rows->bigint(3, 0), INT64_MIN);
    EXPECT_TRUE(rows->is_null(0, 1) && rows->is_null(1, 1) && rows->is_null(3, 1));
    auto none = connection->query(select_of(json(R"({"rows": []})"), relation).value()).value();
    EXPECT_EQ(none->next().value(), 0U);
    ASSERT_EQ(none->columns().size(), 4U);
    EXPECT_EQ(none->columns()[2].type, duck::ValueType::double_);
    EXPECT_FALSE(select_of(json(R"({"rows": [["00"]]})"), relation).ok());
}

TEST(WorkOrder, aFolderIsAUri) {
    EXPECT_EQ(uri_of("hdfs://n:8020/lake/x"), "hdfs://n:8020/lake/x");
    EXPECT_EQ(uri_of("/lake/./x"), "file:///lake/x");
    EXPECT_EQ(uri_of("lake"), "file://" + std::filesystem::current_path().string() + "/lake");
}

TEST(Program, liesInTheBinary) {
    EXPECT_TRUE(says(std::string(job_program()), "import questlog_events"));
    EXPECT_TRUE(says(std::string(events_module()), "def members_of(value):"));
}

} // namespace
} // namespace questlog::spark
