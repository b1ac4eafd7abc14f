#include "batch/run_fixture.h"
#include "batch/verification.h"

namespace questlog::batch {
namespace {

using Lines = std::vector<std::string>;

class DeclaredVerification : public JobFixture {
protected:
    DeclaredVerification() {
        append_reference_flow();
        make();
    }

    void make() {
        const auto made = run(job_);
        ASSERT_TRUE(made.ok()) << made.error().message;
    }
    /// What is not the same, each table on a line.
    Lines verified() { return verified(*reader_); }
    Lines verified(log::LogReader& log) {
        Lines lines;
        VerifyOptions options;
        options.on_file = [&](const VerifiedFile& file) -> Status {
            constexpr const char* states[] = {"same", "different", "missing", "unverifiable"};
            if (file.state != VerifiedFile::State::same)
                lines.push_back(
                    fmt::format("{} {}: {}", file.table, states[static_cast<std::size_t>(file.state)], file.what));
            return {};
        };
        report_ = {};
        const Status done = verify_declared({world_.env(), log, *store_, *database_}, job_.outputs, options, report_);
        EXPECT_TRUE(done.ok()) << done.error().message;
        for (const std::string& name : world_.names("/data/lake/.staging"))
            EXPECT_FALSE(name.starts_with("verify-")) << "what was made is gone";
        return lines;
    }
    void expect_one(const std::string& text) {
        const Lines lines = verified();
        ASSERT_EQ(lines.size(), 1U);
        EXPECT_NE(lines.front().find(text), std::string::npos) << lines.front();
    }
    std::string file() { return "/data/lake/tmp/purchases/" + opened("tmp/purchases").names.front(); }
    /// Puts the rows of `select` in the place of the table's; %s stands for these. The facts stay in the footer.
    void tamper(std::string select) {
        const lake::Snapshot snapshot = opened("tmp/purchases");
        const std::string source = "read_parquet(" + duck::quote_literal(snapshot.files.front()) + ")";
        select.replace(select.find("%s"), 2, source);
        const std::string made = world_.env().files.scratch_directory("/data").value() + "/made";
        const auto facts = connection_->query_as_text(
            "SELECT decode(value) FROM parquet_kv_metadata(" + duck::quote_literal(snapshot.files.front()) +
            ") WHERE decode(key) LIKE 'questlog.%' ORDER BY length(decode(key))");
        ASSERT_TRUE(facts.ok()) << facts.error().message;
        ASSERT_EQ((*facts)->next().value(), 2U);
        const Status copied = connection_->execute(
            fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{'questlog.snapshot': {}, "
                        "'questlog.snapshot.crc32c': {}}})",
                        select, duck::quote_literal(made), duck::quote_literal(std::string((*facts)->varchar(0, 0))),
                        duck::quote_literal(std::string((*facts)->varchar(0, 1)))));
        ASSERT_TRUE(copied.ok()) << copied.error().message;
        ASSERT_TRUE(world_.env().files.adopt(made, file()).ok());
    }

    Job job_ = builtin("filtered_writes");
    VerifyReport report_;
};

TEST_F(DeclaredVerification, WhatAJobWroteIsWrittenAgainByteForByte) {
    EXPECT_EQ(verified(), Lines{});
    EXPECT_EQ(report_.same, 1);
    EXPECT_EQ(report_.rows, 20);
    append_reference_flow(); // the range is that of the table, not that of the log
    EXPECT_EQ(verified(), Lines{});
    EXPECT_EQ(report_.rows, 20);
}

TEST_F(DeclaredVerification, NoFlippedBitOfATableGoesUnnoticed) {
    const std::string path = file();
    const std::string whole = *world_.contents(path);
    // The version of the writer is what tells whether bytes may differ where rows do not.
    const std::size_t writer = whole.find("DuckDB version");
    const std::size_t writer_end = whole.find(')', writer);
    ASSERT_LT(writer_end, whole.size());
    for (std::size_t at = 0; at < whole.size(); at += 7) {
        if (at >= writer && at <= writer_end) continue;
        world_.flip_bit(path, static_cast<std::int64_t>(at), at % 8);
        EXPECT_EQ(verified().size(), 1U) << "byte " << at;
        world_.put(path, whole);
    }
    EXPECT_EQ(verified(), Lines{});
}

TEST_F(DeclaredVerification, TheFirstDifferenceIsTold) {
    tamper(
        R"(SELECT * REPLACE (CASE WHEN timestamp = (SELECT max(timestamp) FROM %s) THEN 'x' ELSE "Host" END AS "Host")
           FROM read_parquet()" +
        duck::quote_literal(opened("tmp/purchases").files.front()) + ")");
    expect_one("row 20: Host is x, and by the log user2.att.com");
    EXPECT_EQ(report_.different, 1);
}

TEST_F(DeclaredVerification, OtherBytesOfTheSameVersionAreADifference) {
    tamper("SELECT * FROM %s");
    expect_one("its rows are the same, and its bytes are not");
}

TEST_F(DeclaredVerification, WhatTheLogNoLongerHasIsUnverifiable) {
    LaterLog later(*reader_, Offset{15});
    EXPECT_EQ(verified(later), (Lines{"purchases unverifiable: the log begins at offset 15"}));
    EXPECT_EQ(report_.unverifiable, 1);
    job_.outputs.front().table.where =
        scan::Expression::parse("event_type = 'join_guild'", {"questlog.toml", 3, 9}, scan::Role::filter).value();
    expect_one("purchases unverifiable: its declaration is another");
}

TEST_F(DeclaredVerification, WhatTheLogDoesNotHaveYetIsUnverifiable) {
    LaterLog shorter(*reader_, Offset{0}, Offset{59}); // an old copy, say
    EXPECT_EQ(verified(shorter), (Lines{"purchases unverifiable: the log of partition 0 ends before it"}));
    EXPECT_EQ(report_.unverifiable, 1);
    LaterLog as_long(*reader_, Offset{0}, Offset{60});
    EXPECT_EQ(verified(as_long), Lines{});
    EXPECT_EQ(report_.same, 1);
}

TEST_F(DeclaredVerification, OfALogThatHadExpiredInPartTheRestIsVerified) {
    LaterLog later(*reader_, Offset{15});
    const auto made = run_job({later, *store_, *database_}, job_, {.force = true}, events_);
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_EQ(verified(later), Lines{});
    EXPECT_EQ(report_.same, 1);
    LaterLog latest(*reader_, Offset{16});
    EXPECT_EQ(verified(latest), (Lines{"purchases unverifiable: the log begins at offset 16"}));
}

TEST_F(DeclaredVerification, ADamagedTableIsDifferentAndOneThatWasNeverWrittenIsPassedOver) {
    world_.shorten(file(), 100);
    expect_one("purchases different: ");
    ASSERT_TRUE(world_.env().files.remove_tree("/data/lake/tmp/purchases").ok());
    EXPECT_EQ(verified(), Lines{});
    EXPECT_EQ(report_.same + report_.different + report_.unverifiable, 0);
}

} // namespace
} // namespace questlog::batch
