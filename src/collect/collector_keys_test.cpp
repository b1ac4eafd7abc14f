#include "collect/collector_fixture.h"
#include "log/key_partition.h"

/// Events with keys: which partition each goes to, and commits of several partitions.
namespace questlog::collect {
namespace {

class KeyedEvents : public CollectorTest {
protected:
    explicit KeyedEvents(CollectorOptions options = on_io_thread())
        : CollectorTest(std::move(options), 3, keyed_declarations()) {}

    static std::vector<event::EventDeclaration> keyed_declarations() {
        auto game = declarations();
        event::EventDeclaration move;
        move.path = "/move";
        move.methods = {"POST"};
        move.type = "move";
        move.key = "player";
        move.reply = "moved\n";
        game.push_back(move);
        return game;
    }

    /// Of three players each in a partition of its own.
    static std::string player_of(std::int32_t partition) {
        for (int number = 0;; ++number) {
            std::string name = "player-" + std::to_string(number);
            if (log::partition_of_key(name, 3).value == partition) return name;
        }
    }
    static std::string move_of(const std::string& player) { return R"({"player": ")" + player + "\"}"; }
    [[nodiscard]] std::string keys(std::size_t index) {
        std::string all;
        for (const LoggedEvent& event : partition(index).events) all += event.key.value_or("(none)") + " ";
        return all;
    }
};

TEST_F(KeyedEvents, GoToTheirKeysPartitionWhateverCommitTheyAreIn) {
    for (int round = 0; round < 3; ++round)
        for (std::int32_t p = 0; p < 3; ++p) {
            const AnswerPtr answer = ask("POST", "/move?receipt=1", move_of(player_of(p)));
            EXPECT_NE(answer->body.find("\"partition\": " + std::to_string(p)), std::string::npos) << answer->body;
            EXPECT_NE(answer->body.find("\"offset\": " + std::to_string(round)), std::string::npos) << answer->body;
        }
    for (std::int32_t p = 0; p < 3; ++p) {
        const std::string player = player_of(p) + " ";
        EXPECT_EQ(keys(static_cast<std::size_t>(p)), player + player + player);
    }
}

TEST_F(KeyedEvents, OfOneTurnAreOneCommitOfSeveralPartitions) {
    for (std::int32_t p = 0; p < 3; ++p) post("/move", move_of(player_of(p)));
    post("/events", R"([{"event_type": "move", "player": ")" + player_of(1) + R"("}, {"event_type": "move"}])");
    turn();
    EXPECT_EQ(partition(0).batches + partition(1).batches + partition(2).batches, 3U);
    EXPECT_EQ(log_.durable_events(), 5U);
    EXPECT_EQ(keys(1), player_of(1) + " " + player_of(1) + " ");
    EXPECT_EQ(keys(0), player_of(0) + " (none) ") << "an event without its key field is spread";
}

TEST_F(KeyedEvents, OfOneRequestHaveAReceiptEachWhereTheyGoToSeveralPartitions) {
    const auto ask_for = [&](std::int32_t one, std::int32_t other) {
        return ask("POST", "/events?receipt=1",
                   R"([{"event_type": "move", "player": ")" + player_of(one) +
                       R"("}, {"event_type": "move", "player": ")" + player_of(other) + "\"}]")
            ->body;
    };
    EXPECT_EQ(ask_for(2, 2), R"({"accepted": 2, "rejected": 0, "log": "AAAAAAAAAAAAAAAAAAAAAQ", "partition": 2, )"
                             "\"first_offset\": 0}\n");
    EXPECT_EQ(ask_for(2, 1), R"({"accepted": 2, "rejected": 0, "log": "AAAAAAAAAAAAAAAAAAAAAQ", "receipts": [)"
                             R"({"partition": 2, "offset": 2}, {"partition": 1, "offset": 0}]})"
                             "\n");
}

TEST_F(KeyedEvents, AreRefusedInAllPartitionsWhereOneTakesThemNot) {
    partition(2).append_error = disk_full;
    const AnswerPtr first = post("/move", move_of(player_of(0)));
    const AnswerPtr second = ask("POST", "/move", move_of(player_of(2)));
    EXPECT_EQ(first->status, 503U);
    EXPECT_EQ(second->status, 503U);
    EXPECT_EQ(log_.durable_events(), 0U);
    EXPECT_TRUE(partition(0).events.empty()) << "what was answered 503 is not in the log";
    partition(2).append_error.reset();
    EXPECT_EQ(ask("POST", "/move", move_of(player_of(0)))->status, 200U);
    EXPECT_EQ(ask("POST", "/move", move_of(player_of(2)))->status, 200U);
}

TEST_F(KeyedEvents, EndTheProcessWhereAnAppendCannotBeTakenBack) {
    partition(2).append_error = disk_full;
    partition(0).take_back_error = internal("Input/output error");
    post("/move", move_of(player_of(0)));
    ask("POST", "/move", move_of(player_of(2)));
    EXPECT_TRUE(server_.failure);
}

TEST_F(KeyedEvents, KeyIsTheFieldsTextAndNullIsNone) {
    ask("POST", "/move", R"({"player": 12})");
    ask("POST", "/move", R"({"player": "12"})");
    ask("POST", "/move", R"({"player": "\u00e9\n"})");
    ask("POST", "/move", R"({"player": null})");
    ask("POST", "/move", R"({"player": ["a",1]})");
    ask("POST", "/move", R"({"player": ""})");
    ask("POST", "/events", R"({"event_type": "move", "player": 12})");
    ask("POST", "/events", R"({"event_type": "other", "player": 12})");
    std::map<std::string, int> counted;
    for (std::size_t p = 0; p < 3; ++p)
        for (const LoggedEvent& event : partition(p).events) ++counted[event.key.value_or("(none)")];
    EXPECT_EQ(counted,
              (std::map<std::string, int>{{"12", 3}, {"\xc3\xa9\n", 1}, {"(none)", 2}, {"[\"a\", 1]", 1}, {"", 1}}));
}

TEST_F(KeyedEvents, FillACommitByTheBytesOfAllItsPartitions) {
    const std::string player = player_of(0);
    std::string body = "[";
    for (int i = 0; i < 40'000; ++i) {
        body += i == 0 ? "" : ",";
        body += R"({"event_type": "move", "player": ")" + player_of(i % 3) + R"(", "pad": ")" + std::string(300, 'x') +
                "\"}";
    }
    EXPECT_EQ(post("/events", body + "]")->status, 200U) << "13 MB";
    EXPECT_EQ(post("/events", body + "]")->status, 503U) << "and no 13 more";
    turn();
    EXPECT_EQ(log_.durable_events(), 40'000U);
}

} // namespace
} // namespace questlog::collect
