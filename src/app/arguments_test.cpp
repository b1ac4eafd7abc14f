#include "app/arguments.h"

#include <gtest/gtest.h>

namespace questlog::app {
namespace {

std::variant<Invocation, Answer> parse(std::vector<const char*> words) {
    words.insert(words.begin(), "questlog");
    return parse_arguments(static_cast<int>(words.size()), words.data());
}

template <class Arguments> Arguments parsed_arguments(std::vector<const char*> words, Invocation* whole = nullptr) {
    auto result = parse(std::move(words));
    const auto* answer = std::get_if<Answer>(&result);
    EXPECT_EQ(answer, nullptr) << answer->text;
    if (answer != nullptr) return {};
    auto& invocation = std::get<Invocation>(result);
    if (whole != nullptr) *whole = invocation;
    EXPECT_TRUE(std::holds_alternative<Arguments>(invocation.command));
    return std::get<Arguments>(invocation.command);
}

Answer answered(std::vector<const char*> words) {
    auto result = parse(std::move(words));
    EXPECT_TRUE(std::holds_alternative<Answer>(result));
    return std::holds_alternative<Answer>(result) ? std::get<Answer>(result) : Answer{-1, ""};
}

TEST(Arguments, DataConfigAndKafkaStandBeforeOrAfterTheCommand) {
    for (const auto& words :
         {std::vector<const char*>{"--data", "d", "--config", "c", "--kafka", "k1:9092,k2:9092", "topic", "list"},
          std::vector<const char*>{"topic", "list", "--data", "d", "--config", "c", "--kafka", "k1:9092,k2:9092"}}) {
        Invocation whole;
        parsed_arguments<TopicListArguments>(words, &whole);
        EXPECT_EQ(whole.data, "d");
        EXPECT_EQ(whole.config, "c");
        EXPECT_EQ(whole.kafka, "k1:9092,k2:9092");
    }
    Invocation whole;
    parsed_arguments<TopicListArguments>({"topic", "list"}, &whole);
    EXPECT_FALSE(whole.kafka);
}

TEST(Arguments, KafkaIsAnAddress) {
    for (const char* text : {"kafka", "kafka:0", "kafka:9092,", ""}) {
        const auto mistake = answered({"status", "--kafka", text});
        EXPECT_EQ(mistake.exit_code, 2) << text;
        EXPECT_NE(mistake.text.find("is no address of a Kafka broker; write HOST:PORT"), std::string::npos)
            << mistake.text;
    }
}

TEST(Arguments, TailTakesKcatsOptions) {
    const auto tail = parsed_arguments<TailArguments>({"tail", "-t", "x", "-o", "-5", "-c", "3", "-e", "-f", "%o\\n"});
    EXPECT_EQ(tail.topic, "x");
    EXPECT_EQ(tail.offsets, (std::vector<std::string>{"-5"}));
    EXPECT_EQ(tail.count, 3);
    EXPECT_TRUE(tail.exit_at_end);
    EXPECT_EQ(tail.format, "%o\\n");
}

TEST(Arguments, TopicCreateTakesKafkaTopicsOptions) {
    const auto create = parsed_arguments<TopicCreateArguments>(
        {"topic", "create", "--topic", "game-events", "--partitions", "2", "--replication-factor", "1",
         "--if-not-exists", "--zookeeper", "zookeeper:32181", "--bootstrap-server", "kafka:29092", "--config",
         "segment.bytes=1048576"});
    EXPECT_EQ(create.topic, "game-events");
    EXPECT_EQ(create.partitions, 2);
    EXPECT_TRUE(create.if_not_exists);
    EXPECT_EQ(create.replication_factor, 1);
    EXPECT_EQ(create.bootstrap_server, "kafka:29092");
    EXPECT_EQ(create.configs, std::vector<std::string>{"segment.bytes=1048576"});
    EXPECT_FALSE(parsed_arguments<TopicCreateArguments>({"topic", "create", "--topic", "x"}).partitions);
}

TEST(Arguments, SqlShowAndBatch) {
    const auto sql = parsed_arguments<SqlArguments>({"sql", "SELECT 1", "--format", "csv", "--landed"});
    EXPECT_EQ(sql.text, "SELECT 1");
    EXPECT_EQ(sql.format, "csv");
    EXPECT_TRUE(sql.landed);
    EXPECT_FALSE(parsed_arguments<SqlArguments>({"sql"}).text.has_value());
    EXPECT_FALSE(parsed_arguments<ShowArguments>({"show", "t", "--no-truncate"}).truncate);
    EXPECT_TRUE(parsed_arguments<BatchArguments>({"batch", "j", "--force"}).force);
}

TEST(Arguments, HelpHasExamplesAndMistakesSayWhereToLook) {
    const auto help = answered({"tail", "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_NE(help.text.find("Examples:"), std::string::npos);
    EXPECT_EQ(answered({"--version"}).text.find("questlog "), 0U);
    const auto mistake = answered({"topic", "create"});
    EXPECT_EQ(mistake.exit_code, 2);
    EXPECT_NE(mistake.text.find("questlog topic create --help"), std::string::npos);
    EXPECT_NE(answered({"topic", "nonsense"}).text.find("there is no command questlog topic nonsense"),
              std::string::npos);
    EXPECT_NE(answered({"--bogus"}).text.find("there is no option --bogus"), std::string::npos);
    EXPECT_EQ(answered({"sql", "--format", "xml"}).exit_code, 2);
    EXPECT_EQ(answered({}).exit_code, 2);
}

TEST(Arguments, LogTrimTakesTheConfiguredTopicUnlessOneIsNamed) {
    EXPECT_FALSE(parsed_arguments<LogTrimArguments>({"log", "trim"}).topic);
    const auto given = parsed_arguments<LogTrimArguments>({"log", "trim", "--topic", "clicks", "--dry-run"});
    EXPECT_EQ(given.topic, "clicks");
    EXPECT_TRUE(given.dry_run);
}

} // namespace
} // namespace questlog::app
