// What other programs may legally write into the log, and what of it is not for us.
#include "event/json_string.h"
#include "lake/delta_log_fixture.h"

namespace questlog::lake {
namespace {

class DeltaLogForeignTest : public DeltaLogTest {
protected:
    /// Version `version` by another program.
    void put_commit(std::int64_t version, const std::string& lines) { world_.put(path(commit_name(version)), lines); }

    static std::string metadata(const std::string& fields, const std::string& more = {}) {
        const std::string schema = event::json_string(R"({"type":"struct","fields":[)" + fields + "]}");
        return fmt::format(
            R"({{"metaData":{{"id":"its-id","name":"sword","description":"All \"swords\"","format":{{)"
            R"("provider":"parquet","options":{{}}}},"schemaString":{},"partitionColumns":["date"],)"
            R"("configuration":{{"questlog.topic":"game-events","owner":"someone"}},"createdTime":17{}}}}})",
            schema, more);
    }
    static std::string field(const std::string& name, const std::string& type,
                             const std::string& metadata = R"({"comment":"by hand"})", bool nullable = true) {
        return fmt::format(R"({{"name":"{}","type":{},"nullable":{},"metadata":{}}})", name, type, nullable, metadata);
    }
    static std::string add(const std::string& uri, const std::string& more = {}) {
        return fmt::format(R"({{"add":{{"path":"{}","partitionValues":{{"date":"2026-11-25"}},"size":7,)"
                           R"("modificationTime":8,"dataChange":true{}}}}})",
                           uri, more);
    }
    std::string commit_text(std::int64_t version) { return world_.contents(path(commit_name(version))).value(); }
    Error refresh_error(DeltaState state) {
        const DeltaState before = state;
        const Status refreshed = log().refresh(*connection_, state);
        EXPECT_EQ(state, before);
        return refreshed.ok() ? Error{} : refreshed.error();
    }
};

TEST_F(DeltaLogForeignTest, AFileThatIsAddedAgainIsThereOnce) {
    DeltaState state = commit_all(0, 3);
    // As a program writes it that has computed statistics of the file.
    put_commit(3, add("date=2026-11-25/part-id-0-1-2.parquet", R"(,"stats":"{\"numRecords\":5}")") + "\n");
    for (const bool by_refreshing : {true, false}) {
        DeltaState read = state;
        if (by_refreshing)
            ASSERT_TRUE(log().refresh(*connection_, read).ok());
        else
            read = open().value().value();
        ASSERT_EQ(read.files.size(), 3U);
        EXPECT_EQ(read.files[1].path, file(1).path);
        EXPECT_EQ(read.files[1].rows, 5);
    }
}

TEST_F(DeltaLogForeignTest, TheOrderOfLinesInACommitSaysNothing) {
    DeltaState state = commit_all(0, 2);
    put_commit(2, add("date=2026-11-25/part-id-0-0-1.parquet") + "\r\n\n" +
                      R"({"remove":{"path":"date=2026-11-25/part-id-0-1-2.parquet","dataChange":true}})" + "\n" +
                      R"({"remove":{"path":"date=2026-11-25/part-id-0-0-1.parquet","dataChange":true}})");
    ASSERT_TRUE(log().refresh(*connection_, state).ok());
    ASSERT_EQ(state.files.size(), 1U);
    EXPECT_EQ(state.files[0].path, file(0).path);
    EXPECT_EQ(state.tombstones.size(), 1U);
}

TEST_F(DeltaLogForeignTest, PathsAreUris) {
    DeltaState state = commit_all(0, 1);
    DeltaCommit commit;
    for (const char* path :
         {"date=2026-11-25/a b.parquet", "date=2026-11-25/100%.parquet", "date=2026-11-25/ü#?&+.parquet",
          "date=2026-11-25/%41.parquet", "date=2026-11-25/\"\\.parquet"}) {
        DeltaFile one = file(1);
        one.path = path;
        commit.add.push_back(one);
    }
    ASSERT_TRUE(log().commit(state, commit).value());
    EXPECT_EQ(open().value(), state);
    EXPECT_NE(commit_text(1).find(R"("date=2026-11-25/a%20b.parquet")"), std::string::npos) << commit_text(1);
    EXPECT_NE(commit_text(1).find(R"("date=2026-11-25/100%25.parquet")"), std::string::npos);
    ASSERT_TRUE(checkpoint(state).ok());
    world_.remove(path(commit_name(0)));
    EXPECT_EQ(open().value(), state);
    // Another writer leaves more as it is.
    put_commit(2, add("date=2026-11-25/ü#%20&+%e.parquet"));
    ASSERT_TRUE(log().refresh(*connection_, state).ok());
    EXPECT_EQ(state.files.back().path, "date=2026-11-25/ü# &+%e.parquet");
}

TEST_F(DeltaLogForeignTest, WhatItSaysOfTheTableStaysAsItIs) {
    DeltaState state = commit_all(0, 2);
    const std::string fields = field("event_type", R"("string")") + "," + field("date", R"("date")") + "," +
                               field("n", R"("long")", R"({"comment":"a count","x":[1,2.5,null]})");
    put_commit(2, R"({"commitInfo":{"engineInfo":"other","big":123456789012345678901234567890}})"
                  "\n" +
                      metadata(fields));
    ASSERT_TRUE(log().refresh(*connection_, state).ok());
    EXPECT_EQ(state.metadata.columns,
              (std::vector<DeltaColumn>{{"event_type", duck::ValueType::varchar}, {"n", duck::ValueType::bigint}}));
    ASSERT_TRUE(checkpoint(state).ok());
    EXPECT_EQ(open().value(), state);

    // Our next columns leave its words on those that were there, and its description.
    DeltaCommit commit = append(2);
    commit.metadata = state.metadata;
    commit.metadata->columns = {
        {"event_type", duck::ValueType::varchar}, {"n", duck::ValueType::bigint}, {"price", duck::ValueType::double_}};
    ASSERT_TRUE(log().commit(state, commit).value());
    EXPECT_EQ(open().value(), state);
    EXPECT_EQ(state.metadata.description, "All \"swords\"");
    EXPECT_EQ(state.metadata.id, "its-id");
    EXPECT_EQ(state.metadata.created_ms, 17);
    EXPECT_EQ(state.metadata.configuration.at("owner"), "someone");
    const std::string schema =
        event::json_string(R"({"type":"struct","fields":[)" + fields +
                           R"(,{"name":"price","type":"double","nullable":true,"metadata":{}}]})");
    EXPECT_NE(commit_text(3).find(schema), std::string::npos) << commit_text(3);
}

TEST_F(DeltaLogForeignTest, ColumnsThatWeDoNotWriteAreReadAndKeepUsFromCommitting) {
    const DeltaState before = commit_all(0, 2);
    const std::string ours = field("n", R"("long")") + "," + field("date", R"("date")");
    for (const auto& [foreign, type] :
         {std::pair(field("x", R"("integer")"), duck::ValueType::bigint),
          std::pair(field("x", "\"decimal(10,2)\""), duck::ValueType::other),
          std::pair(field("x", R"({"type":"array","elementType":"long","containsNull":true})"), duck::ValueType::other),
          std::pair(field("x", R"("long")", "{}", false), duck::ValueType::bigint),
          std::pair(field("x", R"("long")", R"({"delta.invariants":"{}"})"), duck::ValueType::bigint)}) {
        put_commit(2, metadata(ours + "," + foreign));
        DeltaState state = before;
        ASSERT_TRUE(log().refresh(*connection_, state).ok());
        EXPECT_EQ(state.metadata.columns, (std::vector<DeltaColumn>{{"n", duck::ValueType::bigint}, {"x", type}}));
        const auto committed = log().commit(state, append(2));
        ASSERT_FALSE(committed.ok()) << foreign;
        EXPECT_EQ(committed.error().kind, ErrorKind::reject);
        EXPECT_NE(committed.error().message.find("column x"), std::string::npos) << committed.error().message;
        ASSERT_TRUE(checkpoint(state).ok());
        const auto read = open().value();
        EXPECT_EQ(read->metadata, state.metadata) << "in its words, not in ours";
        world_.remove(path("00000000000000000002.checkpoint.parquet"));
    }
}

TEST_F(DeltaLogForeignTest, NothingIsRemovedFromWhatIsToGrowOnly) {
    DeltaState state;
    DeltaCommit first = append(0);
    first.metadata->configuration["delta.appendOnly"] = "true";
    ASSERT_TRUE(log().commit(state, first).value());
    DeltaCommit removal;
    removal.remove.push_back(file(0).path);
    EXPECT_EQ(log().commit(state, removal).error().kind, ErrorKind::reject);
    EXPECT_TRUE(log().commit(state, append(1)).value());
}

TEST_F(DeltaLogForeignTest, WhatTakesAnotherProgramIsRefused) {
    const DeltaState state = commit_all(0, 2);
    const std::string dv =
        R"(,"deletionVector":{"storageType":"u","pathOrInlineDv":"x","sizeInBytes":1,"cardinality":1})";
    for (const auto& [lines, says] :
         {std::pair(std::string(R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["x"]}})"),
                    "version 3/7"),
          std::pair(std::string(R"({"protocol":{"minReaderVersion":1,"minWriterVersion":3}})"), "version 1/3"),
          std::pair(add("date=2026-11-25/x.parquet", dv), "deletion vectors"),
          std::pair(metadata(field("n", R"("long")"))
                        .replace(metadata(field("n", R"("long")")).find(R"(["date"])"), 8, R"(["n"])"),
                    "partitioned")}) {
        put_commit(2, lines);
        const Error refused = refresh_error(state);
        EXPECT_EQ(refused.kind, ErrorKind::reject) << lines;
        EXPECT_NE(refused.message.find(says), std::string::npos) << refused.message;
        EXPECT_NE(refused.message.find("/lake/sword"), std::string::npos) << refused.message;
        EXPECT_EQ(open().error().kind, ErrorKind::reject) << lines;
    }
}

TEST_F(DeltaLogForeignTest, AnyDamageOfACommitIsNamedAndChangesNothing) {
    const DeltaState state = commit_all(0, 3);
    const std::string good = commit_text(1);
    const std::string lines = add("date=2026-11-25/x.parquet") + "\n";
    for (const std::string& bad :
         {std::string(), std::string("\n\n"), good.substr(0, good.size() / 2), std::string("[]\n"), std::string("7\n"),
          good + std::string(100, '\0'), std::string(R"({"add":{"size":3}})"), "x" + lines}) {
        put_commit(3, bad);
        const Error damaged = refresh_error(state);
        EXPECT_EQ(damaged.kind, ErrorKind::corrupt) << bad;
        EXPECT_NE(damaged.message.find(commit_name(3)), std::string::npos) << damaged.message;
        EXPECT_NE(damaged.message.find("rebuild"), std::string::npos) << damaged.message;
        EXPECT_EQ(open().error().kind, ErrorKind::corrupt) << bad;
    }
}

} // namespace
} // namespace questlog::lake
