#include "lake/snapshot_fixture.h"

/// Generations whose files another engine wrote: several, with the facts beside them.
namespace questlog::lake {
namespace {

class AdoptedSnapshots : public SnapshotFixture {
protected:
    /// What Spark leaves: files of tasks, in any order, and what hides.
    std::string engine_writes(TableWriter& writer, int generation, const std::vector<std::int64_t>& rows) {
        const std::string folder = writer.foreign_folder();
        std::filesystem::create_directories(folder);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const std::string file = fmt::format("{}/part-{:05}-x-c000.snappy.parquet", folder, i);
            EXPECT_TRUE(connection_
                            ->execute(fmt::format("COPY ({}) TO {} (FORMAT parquet)",
                                                  generation_select(generation, rows[i]), duck::quote_literal(file)))
                            .ok());
            write_bytes(fmt::format("{}/.part-{:05}-x-c000.snappy.parquet.crc", folder, i), "crc");
        }
        write_bytes(folder + "/_SUCCESS", "");
        return folder;
    }

    static std::vector<std::pair<std::string, duck::ValueType>> columns() {
        return {{"generation", duck::ValueType::varchar},
                {"n", duck::ValueType::bigint},
                {"half", duck::ValueType::double_},
                {"even", duck::ValueType::boolean}};
    }

    Result<Landed> adopt(int generation, const std::vector<std::int64_t>& rows, bool reversed = false,
                         const OverwriteOptions& options = {}) {
        TRY(writer, store_->writer(table_));
        const std::string folder = engine_writes(writer, generation, rows);
        TRY(names, writer.files_in(folder));
        if (reversed) std::reverse(names.begin(), names.end());
        std::int64_t all = 10;
        for (const std::int64_t some : rows) all += some;
        return writer.adopt(*connection_, folder, names, columns(), facts_of(all), options);
    }

    Error expect_error(ErrorKind kind) {
        const auto opened = store_->open(table_);
        EXPECT_FALSE(opened.ok());
        if (opened.ok()) return {};
        EXPECT_EQ(opened.error().kind, kind) << opened.error().message;
        return opened.error();
    }
    std::string facts_file() const { return table_folder() + "/_questlog.json"; }
};

TEST_F(AdoptedSnapshots, filesStandInTheOrderOfTheirRowsWithTheFactsBesideThem) {
    const auto landed = adopt(1, {3, 0, 5}, true);
    ASSERT_TRUE(landed.ok()) << landed.error().message;
    const auto names = names_in(table_);
    ASSERT_EQ(names.size(), 5U);
    EXPECT_EQ(names[0], "_SUCCESS");
    EXPECT_EQ(names[1], "_questlog.json");
    const auto opened = store_->open(table_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    const Snapshot& snapshot = **opened;
    EXPECT_EQ(snapshot.names, (std::vector<std::string>{names[2], names[3], names[4]}));
    ASSERT_EQ(snapshot.facts.files.size(), 3U);
    EXPECT_EQ(snapshot.facts.files[0].rows, 5);
    EXPECT_EQ(snapshot.facts.files[1].rows, 0);
    EXPECT_EQ(snapshot.facts.files[2].rows, 3);
    EXPECT_EQ(snapshot.facts.rows, 8);
    EXPECT_EQ(snapshot.facts.filtered, 8);
    EXPECT_EQ(snapshot.facts.dead_lettered, 2);
    EXPECT_EQ(snapshot.bytes, landed->bytes);
    EXPECT_EQ(landed->name, names[2]);
    EXPECT_EQ(present(), "8|generation 1");
    EXPECT_EQ(litter(), std::vector<std::string>{}) << "nothing of the engine's folder stays";
}

TEST_F(AdoptedSnapshots, theyAreReplacedAsAWholeBothWays) {
    ASSERT_TRUE(land(1, 100).ok());
    ASSERT_TRUE(adopt(2, {10, 20}).ok());
    EXPECT_EQ(present(), "30|generation 2");
    ASSERT_TRUE(land(3, 7).ok());
    EXPECT_EQ(present(), "7|generation 3");
    EXPECT_EQ(names_in(table_).size(), 2U);
}

TEST_F(AdoptedSnapshots, whatIsNotAcceptedLeavesTheTableAsItWas) {
    ASSERT_TRUE(land(1, 100).ok());
    OverwriteOptions options;
    options.accept = [](const SnapshotFacts& facts) -> Status {
        return facts.rows == 30 ? Status(reject("no")) : Status();
    };
    const auto refused = adopt(2, {10, 20}, false, options);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(present(), "100|generation 1");
    EXPECT_EQ(litter(), std::vector<std::string>{});
}

TEST_F(AdoptedSnapshots, anUnfinishedFolderIsNotTaken) {
    auto writer = store_->writer(table_).value();
    EXPECT_EQ(writer.files_in(writer.foreign_folder()).error().kind, ErrorKind::reject) << "the engine wrote elsewhere";
    const std::string folder = engine_writes(writer, 1, {1});
    std::filesystem::remove(folder + "/_SUCCESS");
    EXPECT_FALSE(writer.files_in(folder).ok());
    EXPECT_FALSE(writer.adopt(*connection_, folder, {}, columns(), facts_of(11), {}).ok());
    writer.abandon(folder);
    EXPECT_EQ(litter(), std::vector<std::string>{});
}

TEST_F(AdoptedSnapshots, otherColumnsThanTheTablesAreRefused) {
    auto writer = store_->writer(table_).value();
    for (std::size_t left_out = 0; left_out < 2; ++left_out) {
        const std::string folder = engine_writes(writer, 1, {1});
        auto wanted = columns();
        if (left_out == 0)
            wanted.pop_back();
        else
            wanted[1].second = duck::ValueType::varchar;
        const auto names = writer.files_in(folder).value();
        EXPECT_EQ(writer.adopt(*connection_, folder, names, wanted, facts_of(11), {}).error().kind,
                  ErrorKind::internal);
    }
    EXPECT_EQ(present(), "none");
}

TEST_F(AdoptedSnapshots, aMissingAFurtherAndAChangedFileAreTold) {
    ASSERT_TRUE(adopt(1, {10, 20}).ok());
    const std::string second = table_folder() + "/" + names_in(table_)[3];
    const std::string whole = bytes_of(second);
    write_bytes(second, whole + " ");
    EXPECT_NE(expect_error(ErrorKind::corrupt).message.find(second), std::string::npos);
    ASSERT_TRUE(connection_
                    ->execute(fmt::format("COPY ({}) TO {} (FORMAT parquet)", generation_select(1, 21),
                                          duck::quote_literal(second)))
                    .ok());
    expect_error(ErrorKind::corrupt);
    std::filesystem::remove(second);
    EXPECT_NE(expect_error(ErrorKind::corrupt).message.find("is gone"), std::string::npos);
    write_bytes(second, whole);
    EXPECT_EQ(present(), "30|generation 1");
    write_bytes(table_folder() + "/more.parquet", whole);
    EXPECT_NE(expect_error(ErrorKind::reject).message.find("more.parquet"), std::string::npos);
    ASSERT_FALSE(land(2, 1).ok()) << "what is not ours is not replaced";
    OverwriteOptions force;
    force.force = true;
    ASSERT_TRUE(land(2, 1, force).ok());
}

TEST_F(AdoptedSnapshots, noFlippedBitChangesTheFacts) {
    ASSERT_TRUE(adopt(1, {1, 2}).ok());
    const std::string whole = bytes_of(facts_file());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
        write_bytes(facts_file(), flipped);
        expect_error(ErrorKind::corrupt);
        write_bytes(facts_file(), whole.substr(0, at));
        expect_error(ErrorKind::corrupt);
    }
    ASSERT_TRUE(adopt(2, {4}).ok()) << "the cure";
    EXPECT_EQ(present(), "4|generation 2");
}

TEST_F(AdoptedSnapshots, withoutItsFactsSeveralFilesAreNotOurs) {
    ASSERT_TRUE(adopt(1, {1, 2}).ok());
    std::filesystem::remove(facts_file());
    expect_error(ErrorKind::reject);
}

TEST_F(AdoptedSnapshots, aNewerFormatIsLeftToANewerQuestlog) {
    ASSERT_TRUE(adopt(1, {1}).ok());
    EXPECT_NE(bytes_of(facts_file()).find(R"("version": 2,)"), std::string::npos)
        << "an earlier questlog must not read it as its own";
}

} // namespace
} // namespace questlog::lake
