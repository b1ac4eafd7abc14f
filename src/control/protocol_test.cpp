#include "control/control_limits.h"
#include "control/protocol.h"

#include <gtest/gtest.h>

namespace questlog::control {
namespace {

const ServerFacts facts{4242, "http://127.0.0.1:5000", "game-events", "0.1.0", TimestampMs{1'785'845'470'124}, true};

std::string refusal_of(std::string_view line) {
    const auto request = decode_request(line, "0.1.0");
    EXPECT_FALSE(request.ok()) << line;
    return request.ok() ? "" : request.error().message;
}

CreateTopic read_create(std::string_view line) {
    const auto request = decode_request(line, "0.1.0");
    EXPECT_TRUE(request.ok()) << request.error().message;
    return request.ok() ? std::get<CreateTopic>(*request) : CreateTopic{};
}

TEST(ControlProtocol, RequestsAreWrittenAsDocumentedAndReadBack) {
    EXPECT_EQ(*encode(Request(Ping{})), "{\"version\": 1, \"command\": \"ping\"}\n");
    EXPECT_TRUE(std::holds_alternative<Ping>(*decode_request(*encode(Request(Ping{})), "0.1.0")));
    const CreateTopic create{"raids", {3, {{"segment.ms", "1000"}, {"compression.type", "a=\"b\"\n"}}}, true};
    const auto line = encode(Request(create));
    ASSERT_TRUE(line.ok());
    EXPECT_EQ(*line, R"({"version": 1, "command": "topic create", "topic": "raids", "partitions": 3, )"
                     R"("if_not_exists": true, "configs": ["segment.ms=1000", "compression.type=a=\"b\"\n"]})"
                     "\n");
    const CreateTopic read = read_create(*line);
    EXPECT_EQ(read.topic, create.topic);
    EXPECT_EQ(read.options.partitions, 3);
    EXPECT_EQ(read.options.configs, create.options.configs);
    EXPECT_TRUE(read.if_not_exists);
}

TEST(ControlProtocol, WhatACreationLeavesOutIsAsOnTheCommandLine) {
    const CreateTopic read = read_create(R"({"topic":"raids","command":"topic create","version":1})");
    EXPECT_EQ(read.options.partitions, 1);
    EXPECT_TRUE(read.options.configs.empty());
    EXPECT_FALSE(read.if_not_exists);
}

TEST(ControlProtocol, APartitionCountBeyondItsTypeIsNotTakenForAnother) {
    const auto create = [](const std::string& partitions) {
        return read_create(R"({"version":1,"command":"topic create","topic":"t","partitions":)" + partitions + "}");
    };
    EXPECT_GT(create("4294967297").options.partitions, 1024) << "2^32 + 1";
    EXPECT_LT(create("-4294967295").options.partitions, 1);
}

TEST(ControlProtocol, UnknownVersionsAndCommandsAreToldWhatToDo) {
    const std::string newer = refusal_of(R"({"version": 2, "command": "ping"})");
    EXPECT_NE(newer.find("questlog 0.1.0"), std::string::npos) << newer;
    EXPECT_NE(newer.find("version 2"), std::string::npos) << newer;
    EXPECT_NE(newer.find("restart the server"), std::string::npos) << newer;
    const std::string unknown = refusal_of(R"({"version": 1, "command": "topic delete"})");
    EXPECT_NE(unknown.find("\"topic delete\""), std::string::npos) << unknown;
    EXPECT_NE(unknown.find("\"topic create\""), std::string::npos) << unknown;
}

TEST(ControlProtocol, WhatIsNoRequestIsRefusedByName) {
    const std::pair<std::string_view, std::string_view> wrong[]{
        {"", "not one JSON object"},
        {"GET / HTTP/1.1", "not one JSON object"},
        {"[1]", "not one JSON object"},
        {R"({"version": 1, "command": "ping"} {})", "not one JSON object"},
        {"\xff\xfe", "not one JSON object"},
        {R"({"command": "ping"})", "\"version\" is missing"},
        {R"({"version": "1", "command": "ping"})", "\"version\" is missing or is not a whole number"},
        {R"({"version": 1.0, "command": "ping"})", "\"version\" is missing or is not a whole number"},
        {R"({"version": 1})", "\"command\" is missing"},
        {R"({"version": 1, "command": "ping", "command": "topic create"})", "\"command\" is given twice"},
        {R"({"version": 1, "command": "ping", "loud": true})", "takes no \"loud\""},
        {R"({"version": 1, "command": "topic create"})", "\"topic\" is missing"},
        {R"({"version": 1, "command": "topic create", "topic": ["a"]})", "\"topic\" is missing or is not a string"},
        {R"({"version": 1, "command": "topic create", "topic": "\ud800"})", "not one JSON object"},
        {R"({"version": 1, "command": "topic create", "topic": "a", "partitions": "3"})", "\"partitions\""},
        {R"({"version": 1, "command": "topic create", "topic": "a", "if_not_exists": 1})", "true or false"},
        {R"({"version": 1, "command": "topic create", "topic": "a", "configs": "x=1"})", "an array of strings"},
        {R"({"version": 1, "command": "topic create", "topic": "a", "configs": [1]})", "an array of strings"},
        {R"({"version": 1, "command": "topic create", "topic": "a", "configs": ["x"]})", "not name=value"},
        {R"({"version": 1, "command": "topic create", "topic": "a", "retention": 1})", "takes no \"retention\""},
    };
    for (const auto& [line, says] : wrong)
        EXPECT_NE(refusal_of(line).find(says), std::string::npos) << line << " -> " << refusal_of(line);
}

TEST(ControlProtocol, WhatCannotBeSentIsRefusedBeforeItIs) {
    EXPECT_FALSE(encode(Request(CreateTopic{"raids\xff", {}, false})).ok());
    const auto long_one =
        encode(Request(CreateTopic{"t", {1, {{"a", std::string(limits::control_line_bytes_max, 'x')}}}, false}));
    ASSERT_FALSE(long_one.ok());
    EXPECT_NE(long_one.error().message.find("65536 bytes"), std::string::npos);
}

TEST(ControlProtocol, AnswersAreWrittenAsDocumentedAndReadBack) {
    EXPECT_EQ(encode(facts), R"({"version": 1, "pid": 4242, "url": "http://127.0.0.1:5000", "topic": "game-events", )"
                             R"("questlog": "0.1.0", "since": 1785845470124, "stopping": true})"
                             "\n");
    const auto read = decode_facts(encode(facts));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(encode(*read), encode(facts));
    EXPECT_EQ(encode(TopicCreated{false}), "{\"version\": 1, \"created\": false}\n");
    EXPECT_FALSE(decode_topic_created(encode(TopicCreated{false}))->created);
    EXPECT_TRUE(decode_topic_created(encode(TopicCreated{true}))->created);
}

TEST(ControlProtocol, AServersErrorArrivesWithItsKindAndItsWords) {
    for (const auto kind : {ErrorKind::retry_later, ErrorKind::reject, ErrorKind::corrupt, ErrorKind::internal}) {
        const auto answer = decode_topic_created(encode(Error{kind, "the disk \"d\"\nis full: ü", 0}));
        ASSERT_FALSE(answer.ok());
        EXPECT_EQ(answer.error().kind, kind);
        EXPECT_EQ(answer.error().message, "the disk \"d\"\nis full: ü");
    }
}

TEST(ControlProtocol, AnErrorFitsInALineWhateverItsMessage) {
    const std::string line = encode(reject("{}", std::string(200'000, '\x01')));
    EXPECT_LE(line.size(), limits::control_line_bytes_max);
    EXPECT_FALSE(decode_facts(line).ok());
    const auto other_bytes = decode_facts(encode(reject("/data/\xff")));
    EXPECT_EQ(other_bytes.error().message, "/data/ÿ");
}

TEST(ControlProtocol, AnswersOfOtherVersionsAndStrangersAreNoFacts) {
    EXPECT_NE(decode_facts("HTTP/1.1 400 Bad Request").error().message.find("no questlog server"), std::string::npos);
    EXPECT_NE(decode_facts(R"({"version": 2, "pid": 1})").error().message.find("version 2"), std::string::npos);
    EXPECT_EQ(decode_facts(R"({"version": 9, "error": "reject", "message": "too old"})").error().message, "too old")
        << "errors are the same in every version";
    EXPECT_FALSE(decode_facts(R"({"version": 1, "pid": 1})").ok());
    EXPECT_TRUE(decode_topic_created(R"({"version": 1, "created": true, "of a later questlog": 1})").ok());
}

} // namespace
} // namespace questlog::control
