// A log whose old segments expire, beside tables that have landed all of it, a part, or nothing.
#include "query/retention.h"

#include "lake/landing_records.h"
#include "query/query_fixture.h"
#include "query/status.h"

namespace questlog::query {
namespace {

scan::LogRange log_of(std::int64_t from, std::int64_t to) {
    return {{Partition{0}, Offset{from}, Offset{to}}};
}

class RetentionTest : public QueryFixture {
protected:
    /// About 5 KB each: a segment of a MiB holds some two hundred.
    void buy_many(int count) {
        const std::string pad(5'000, 'x');
        std::vector<std::string> values;
        for (int i = 0; i < count; ++i)
            values.push_back(fmt::format(R"({{"event_type": "purchase_sword", "price": {}, "pad": "{}"}})", i, pad));
        for (std::size_t from = 0; from < values.size(); from += 20)
            post({values.begin() + static_cast<std::ptrdiff_t>(from),
                  values.begin() + static_cast<std::ptrdiff_t>(std::min(from + 20, values.size()))});
    }
    /// As the server does it; the log's start then.
    std::int64_t trim(const log::RetentionLimits& limits) {
        auto reader = log::open_reader(real_.env(), *topics_, writer_->topic()).value();
        const auto claims = claims_on(*world_, *reader);
        EXPECT_TRUE(claims.ok()) << claims.error().message;
        const auto plans = plan_trims(real_.env(), *topics_, *reader, limits, *claims);
        EXPECT_TRUE(plans.ok()) << plans.error().message;
        EXPECT_TRUE(log::trim(real_.env().files, *topics_, writer_->topic(), plans->front()).ok());
        kept_ = kept_text(plans->front(), *claims);
        unlanded_ = claims->empty() ? 0 : unlanded_events(plans->front(), claims->front());
        return reader->partition(Partition{0}).start_offset()->value;
    }
    TableStatus table(const std::string& name) {
        const auto report = status(*world_);
        EXPECT_TRUE(report.ok() && report->sound()) << status_text(*report);
        for (const TableStatus& one : report->topics.front().tables)
            if (one.name == name) return one;
        ADD_FAILURE() << name;
        return {};
    }
    std::string count(const std::string& name) { return ask("SELECT count(*) FROM " + name).at(0).at(0); }
    bool told(const std::string& text) {
        return std::any_of(notices_.begin(), notices_.end(),
                           [&](const std::string& notice) { return notice.find(text) != std::string::npos; });
    }

    static constexpr log::RetentionLimits little{.bytes = 0, .ms = {}, .force = false};
    static constexpr log::RetentionLimits forced{.bytes = 0, .ms = {}, .force = true};
    std::string kept_;
    std::int64_t unlanded_ = 0;
};

TEST_F(RetentionTest, ATableThatWasNeverLandedKeepsAllAndIsNamed) {
    declare("swords", "event_type = 'purchase_sword'");
    buy_many(700);
    EXPECT_EQ(trim(little), 0);
    EXPECT_NE(kept_.find("table swords was never landed, which keeps offsets 0.."), std::string::npos) << kept_;
    EXPECT_NE(kept_.find("`questlog batch write_swords`"), std::string::npos) << kept_;
    world_->retention = little;
    const auto report = status(*world_).value();
    ASSERT_EQ(report.topics.front().kept.size(), 1U);
    EXPECT_EQ(report.topics.front().kept[0].table, "swords");
    EXPECT_TRUE(report.sound());
    EXPECT_NE(status_text(report).find(R"( are kept beyond the retention limits:
    table swords was never landed; `questlog batch write_swords` lands it
)"),
              std::string::npos)
        << status_text(report);
    EXPECT_NE(status_json(report).find(R"("retention": {"bytes": 0, "ms": null, "force": false}, "kept": [{"part)"),
              std::string::npos)
        << status_json(report);
    world_->spare_tables = {"swords"};
    EXPECT_GT(trim(little), 0) << "no one declared it";
}

TEST_F(RetentionTest, OfSeveralTablesTheOneThatHasLandedLeastKeepsTheRest) {
    declare("all", "");
    declare("some", "event_type = 'purchase_sword'");
    declare("most", "event_type = 'purchase_knife'");
    buy_many(900);
    land("all");
    land("some", {{300}});
    land("most", {{800}});
    const std::int64_t start = trim(little);
    EXPECT_GT(start, 0);
    EXPECT_LE(start, 300);
    EXPECT_NE(kept_.find("table some has not landed the rest"), std::string::npos) << kept_;
    EXPECT_EQ(table("some").books->expired, 0);
}

TEST_F(RetentionTest, WhatWasLandedBeforeItExpiredStaysLanded) {
    declare("swords", "event_type = 'purchase_sword'");
    buy_many(700);
    land("swords", {{500}});
    const std::int64_t start = trim(little);
    EXPECT_GT(start, 0);
    EXPECT_LE(start, 500);
    EXPECT_NE(kept_.find("table swords has not landed the rest"), std::string::npos) << kept_;
    EXPECT_EQ(unlanded_, 0);
    const auto books = table("swords").books.value();
    EXPECT_EQ(books.accepted, 700);
    EXPECT_EQ(books.landed, 500);
    EXPECT_EQ(books.pending, 200);
    EXPECT_EQ(books.expired, 0);
    EXPECT_EQ(count("swords"), "700");
    EXPECT_EQ(count("events"), fmt::format("{}", 700 - start));
    EXPECT_TRUE(notices_.empty());
}

TEST_F(RetentionTest, WhatExpiresByForceBeforeItIsLandedIsCountedAndTold) {
    declare("landed", "");
    declare("half", "");
    declare("never", "");
    buy_many(700);
    land("landed");
    land("half", {{100}});
    const std::int64_t start = trim(forced);
    ASSERT_GT(start, 100);
    EXPECT_EQ(table("landed").books->expired, 0);
    EXPECT_EQ(table("half").books->expired, start - 100);
    EXPECT_EQ(table("half").books->landed, 100);
    EXPECT_EQ(table("half").books->pending, 700 - start);
    EXPECT_EQ(table("never").books->expired, start);
    EXPECT_EQ(table("never").books->accepted, 700);
    const auto text = status_text(status(*world_).value());
    EXPECT_NE(text.find("+ gone"), std::string::npos) << text;
    EXPECT_NE(text.find(fmt::format("never: {} events expired that no file of it has\n", start)), std::string::npos);
    EXPECT_EQ(count("landed"), "700");
    EXPECT_TRUE(notices_.empty());
    EXPECT_EQ(count("half"), fmt::format("{}", 100 + 700 - start));
    EXPECT_TRUE(told(fmt::format("table half: {} events expired before they were landed", start - 100)));
    EXPECT_EQ(count("never"), fmt::format("{}", 700 - start));
    EXPECT_TRUE(told(fmt::format("table never: {} events expired", start)));
}

TEST_F(RetentionTest, AChangedDeclarationOverALogThatBeginsLaterSaysWhatIsMissing) {
    declare("swords", "event_type = 'purchase_sword'");
    buy_many(700);
    land("swords");
    const std::int64_t start = trim(little);
    ASSERT_GT(start, 0);
    declare("swords", "event_type = 'purchase_sword' AND price >= 0");
    EXPECT_EQ(count("swords"), fmt::format("{}", 700 - start));
    EXPECT_TRUE(told("under another declaration"));
    EXPECT_TRUE(told(fmt::format("table swords: {} events expired before they were landed in it", start)));
    auto reader = log::open_reader(real_.env(), *topics_, writer_->topic()).value();
    const auto claims = claims_on(*world_, *reader).value();
    EXPECT_EQ(claims.front().landed_to.front(), Offset{0});
    EXPECT_NE(claims.front().advice.find("--force"), std::string::npos) << claims.front().advice;
}

TEST_F(RetentionTest, FilesThatTheTailCannotJoinAreNotDroppedForALogThatBeginsLater) {
    declare("swords", "event_type = 'purchase_sword'");
    buy_many(700);
    post({R"({"event_type": "purchase_sword", "weight": 1.5})"});
    land("swords");
    post({R"({"event_type": "purchase_sword", "weight": "heavy"})"});
    EXPECT_EQ(count("swords"), "702");
    EXPECT_TRUE(told("so the whole log is read"));
    ASSERT_GT(trim(little), 0);
    const auto refused = count("swords");
    EXPECT_NE(refused.find("--landed"), std::string::npos) << refused;
    EXPECT_NE(refused.find("`questlog batch write_swords` with --force"), std::string::npos) << refused;
    EXPECT_EQ(ask("SELECT count(*) FROM swords", {.landed_only = true}).at(0).at(0), "701");
}

TEST_F(RetentionTest, OnlyFilesThatSqlUsesHaveLandedAnything) {
    auto& declaration = declare("swords", "event_type = 'purchase_sword'");
    lake::Snapshot snapshot;
    snapshot.facts.log_id = writer_->topic().id;
    snapshot.facts.declaration = declaration.digest();
    snapshot.facts.ranges = {{0, Offset{0}, Offset{40}}};
    const auto landed_to = [&](const scan::LogRange& log, const log::Topic& topic) {
        Result<std::optional<lake::Snapshot>> found = std::optional<lake::Snapshot>(snapshot);
        return claim_of(declaration, found, topic, log, "`questlog batch x`").landed_to.front().value;
    };
    const log::Topic topic = writer_->topic();
    EXPECT_EQ(landed_to(log_of(0, 50), topic), 40);
    EXPECT_EQ(landed_to(log_of(30, 50), topic), 40);
    EXPECT_EQ(landed_to(log_of(0, 39), topic), 0) << "ahead of the log";
    snapshot.facts.ranges = {{0, Offset{20}, Offset{40}}};
    EXPECT_EQ(landed_to(log_of(20, 50), topic), 40);
    EXPECT_EQ(landed_to(log_of(10, 50), topic), 0) << "offsets 10 to 19 are not landed";
    snapshot.facts.ranges = {{1, Offset{0}, Offset{40}}};
    EXPECT_EQ(landed_to(log_of(0, 50), topic), 0) << "of another partition";
    snapshot.facts.ranges = {{0, Offset{0}, Offset{40}}};
    snapshot.facts.declaration = "another";
    EXPECT_EQ(landed_to(log_of(0, 50), topic), 0);
    snapshot.facts.declaration = declaration.digest();
    snapshot.facts.log_id = "another";
    EXPECT_EQ(landed_to(log_of(0, 50), topic), 0);
    const Result<std::optional<lake::Snapshot>> damaged = corrupt("damaged");
    EXPECT_EQ(claim_of(declaration, damaged, topic, log_of(0, 50), "x").landed_to.front().value, 0);
}

TEST_F(RetentionTest, TheContinuousTablesKeepWhatIsNotLandedInEachOfThem) {
    buy_many(700);
    world_->lands = true;
    EXPECT_EQ(trim(little), 0);
    EXPECT_NE(kept_.find("table events/* was never landed, which keeps offsets 0.."), std::string::npos) << kept_;
    lake::LandingRecords records(real_.env(), folder_ + "/lake", writer_->topic().id, Partition{0});
    lake::Books books{Offset{0}, Offset{500}, 500, 0, {}};
    books.tables["purchase_sword"] = {500, Offset{100}, "its files are damaged"};
    ASSERT_TRUE(records.write_books(books).ok());
    EXPECT_EQ(trim(little), 0) << "a segment holds some two hundred";
    EXPECT_NE(kept_.find("table purchase_sword is stopped"), std::string::npos) << kept_;
    books.tables["purchase_sword"] = {500, std::nullopt, ""};
    ASSERT_TRUE(records.write_books(books).ok());
    books.last = Witness{Offset{0}, 7}; // of another record
    ASSERT_TRUE(records.write_books(books).ok());
    EXPECT_EQ(trim(little), 0) << "another log was landed";
    EXPECT_NE(kept_.find("table events/* was landed from another log"), std::string::npos) << kept_;
    books.last.reset();
    ASSERT_TRUE(records.write_books(books).ok());
    const std::int64_t start = trim(little);
    EXPECT_GT(start, 100);
    EXPECT_LE(start, 500);
    EXPECT_NE(kept_.find("table events/* has not landed the rest"), std::string::npos) << kept_;
}

} // namespace
} // namespace questlog::query
