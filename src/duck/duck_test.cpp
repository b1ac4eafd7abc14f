#include "duck/duck.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

namespace questlog::duck {
namespace {

using Cells = std::vector<std::vector<std::string>>;

/// Numbers 0, 1, 2 ... with a text and a boolean each; every third text is null.
class Numbers final : public RowSource {
public:
    explicit Numbers(std::int64_t count) : count_(count) {}

    [[nodiscard]] const std::vector<SourceColumn>& columns() const override { return columns_; }
    [[nodiscard]] std::int64_t cardinality() const override { return count_; }
    Result<std::unique_ptr<RowStream>> open(std::span<const std::size_t> projected) const override {
        projected_last.assign(projected.begin(), projected.end());
        return std::unique_ptr<RowStream>(std::make_unique<Stream>(*this, projected));
    }

    [[nodiscard]] static std::string text(std::int64_t number) {
        return std::string(static_cast<std::size_t>(number % 20), 'x') + std::to_string(number);
    }

    mutable std::vector<std::size_t> projected_last;
    std::int64_t fails_at = -1;
    Error failure = corrupt("segment 7 is damaged at byte 99");

private:
    class Stream final : public RowStream {
    public:
        Stream(const Numbers& source, std::span<const std::size_t> projected)
            : source_(source), projected_(projected.begin(), projected.end()) {}
        Result<std::size_t> fill(std::span<ColumnWriter> writers, std::size_t capacity) override {
            std::size_t rows = 0;
            for (; rows < capacity && at_ < source_.count_; ++rows, ++at_) {
                if (at_ == source_.fails_at) return source_.failure;
                for (std::size_t i = 0; i < projected_.size(); ++i) write(writers[i], projected_[i], rows);
            }
            return rows;
        }

    private:
        void write(ColumnWriter& writer, std::size_t column, std::size_t row) const {
            if (column == 0) writer.set_bigint(row, at_);
            if (column == 1 && at_ % 3 == 0) writer.set_null(row);
            if (column == 1 && at_ % 3 != 0) writer.set_string(row, text(at_));
            if (column == 2) writer.set_boolean(row, at_ % 2 == 0);
            if (column == 3) writer.set_double(row, static_cast<double>(at_) / 2);
            if (column == 4) writer.set_bigint(row, at_ * 1'000'000);
        }
        const Numbers& source_;
        std::vector<std::size_t> projected_;
        std::int64_t at_ = 0;
    };

    std::int64_t count_;
    std::vector<SourceColumn> columns_{{"n", ValueType::bigint},
                                       {"label", ValueType::varchar},
                                       {"even", ValueType::boolean},
                                       {"half", ValueType::double_},
                                       {"at", ValueType::timestamp_tz}};
};

class DuckTest : public ::testing::Test {
protected:
    DuckTest() : database_(Database::open({}).value()), connection_(database_->connect().value()) {}

    Cells text(const std::string& sql) { return text(*connection_, sql); }
    static Cells text(Connection& connection, const std::string& sql) {
        auto rows = connection.query_as_text(sql);
        if (!rows) {
            ADD_FAILURE() << sql << ": " << rows.error().message;
            return {};
        }
        Cells cells;
        for (;;) {
            const std::size_t count = (*rows)->next().value();
            if (count == 0) return cells;
            for (std::size_t row = 0; row < count; ++row) {
                cells.emplace_back();
                for (std::size_t column = 0; column < (*rows)->columns().size(); ++column)
                    cells.back().emplace_back((*rows)->is_null(column, row) ? "NULL" : (*rows)->varchar(column, row));
            }
        }
    }
    Error error_of(const std::string& sql) {
        auto rows = connection_->query(sql);
        if (!rows) return rows.error();
        ADD_FAILURE() << sql << " did not fail";
        return {};
    }

    std::shared_ptr<Database> database_;
    std::unique_ptr<Connection> connection_;
};

TEST_F(DuckTest, TypedCellsComeOutAsTheyAre) {
    auto rows = connection_
                    ->query("SELECT true, (-7)::TINYINT, 9223372036854775807, 0.5::FLOAT, 'twelve bytes', "
                            "'thirteen bytes', 'a'::BLOB, TIMESTAMPTZ '1970-01-01 00:00:01.5+00', NULL::BIGINT")
                    .value();
    ASSERT_EQ(rows->next().value(), 1U);
    EXPECT_TRUE(rows->boolean(0, 0));
    EXPECT_EQ(rows->bigint(1, 0), -7);
    EXPECT_EQ(rows->bigint(2, 0), INT64_MAX);
    EXPECT_DOUBLE_EQ(rows->number(3, 0), 0.5);
    EXPECT_EQ(rows->varchar(4, 0), "twelve bytes");
    EXPECT_EQ(rows->varchar(5, 0), "thirteen bytes");
    EXPECT_EQ(rows->varchar(6, 0), "a");
    EXPECT_EQ(rows->bigint(7, 0), 1'500'000);
    EXPECT_FALSE(rows->is_null(7, 0));
    EXPECT_TRUE(rows->is_null(8, 0));
    EXPECT_EQ(rows->columns()[7].type, ValueType::timestamp_tz);
    EXPECT_EQ(rows->columns()[7].type_name, "TIMESTAMP WITH TIME ZONE");
    EXPECT_EQ(rows->next().value(), 0U);
}

TEST_F(DuckTest, ResultsOfManyChunksAreReadToTheEnd) {
    auto rows = connection_->query("SELECT range FROM range(10000)").value();
    std::int64_t expected = 0;
    while (const std::size_t count = rows->next().value())
        for (std::size_t row = 0; row < count; ++row) EXPECT_EQ(rows->bigint(0, row), expected++);
    EXPECT_EQ(expected, 10'000);
}

TEST_F(DuckTest, RowsOutliveTheirConnection) {
    auto rows = connection_->query("SELECT repeat('long', 100)").value();
    connection_.reset();
    database_.reset();
    ASSERT_EQ(rows->next().value(), 1U);
    EXPECT_EQ(rows->varchar(0, 0).size(), 400U);
}

TEST_F(DuckTest, AnyTypeReadsAsText) {
    EXPECT_EQ(text("SELECT 1.50::DECIMAL(9,2) AS d, [1, NULL] AS l, {'a': 1} AS s, DATE '2026-11-22' AS day, "
                   "TIMESTAMPTZ '2026-11-22 21:58:53.873+02' AS t, 12345678901234567890123::HUGEINT AS h, NULL AS n"),
              (Cells{{"1.50", "[1, NULL]", "{'a': 1}", "2026-11-22", "2026-11-22 19:58:53.873+00",
                      "12345678901234567890123", "NULL"}}));
}

TEST_F(DuckTest, TextKeepsTheStatementsOwnNamesTypesAndOrder) {
    auto rows = connection_
                    ->query_as_text("SELECT range AS a, 2 AS a, (range * 1.5)::DECIMAL(18,3) AS \"b c\" FROM "
                                    "range(5000) ORDER BY range DESC ; -- the end;")
                    .value();
    ASSERT_EQ(rows->columns().size(), 3U);
    EXPECT_EQ(rows->columns()[0].name, "a");
    EXPECT_EQ(rows->columns()[1].name, "a");
    EXPECT_EQ(rows->columns()[2].name, "b c");
    EXPECT_EQ(rows->columns()[0].type_name, "BIGINT");
    EXPECT_EQ(rows->columns()[2].type_name, "DECIMAL(18,3)");
    std::int64_t expected = 4999;
    while (const std::size_t count = rows->next().value())
        for (std::size_t row = 0; row < count; ++row) EXPECT_EQ(rows->varchar(0, row), std::to_string(expected--));
    EXPECT_EQ(expected, -1);
}

TEST_F(DuckTest, StatementsThatAreNoSelectReadAsTextToo) {
    EXPECT_EQ(text("VALUES (1), (2)"), (Cells{{"1"}, {"2"}}));
    EXPECT_EQ(text("FROM range(2)"), (Cells{{"0"}, {"1"}}));
    EXPECT_EQ(text("DESCRIBE SELECT 1 AS one").at(0).at(1), "INTEGER");
    EXPECT_EQ(text("CREATE TABLE t AS SELECT 1.5 AS x"), (Cells{{"1"}}));
    EXPECT_EQ(text("SHOW TABLES"), (Cells{{"t"}}));
    EXPECT_FALSE(text("EXPLAIN SELECT 1").empty());
    EXPECT_EQ(text("SUMMARIZE t").at(0).at(0), "x");
    EXPECT_EQ(connection_->query_as_text("SELECT 1; SELECT 2").error().kind, ErrorKind::reject);
    EXPECT_EQ(connection_->query_as_text("").error().kind, ErrorKind::reject);
}

TEST_F(DuckTest, TypesAreNamedAsDuckDbNamesThem) {
    const std::string types[] = {"BOOLEAN",      "UBIGINT",   "DECIMAL(18,3)", "BIGINT[]",
                                 "INTEGER[3]",   "UUID",      "INTERVAL",      "MAP(VARCHAR, INTEGER)",
                                 "TIMESTAMP_NS", "TIMESTAMP", "DATE",          "TIME",
                                 "BIT",          "JSON"};
    for (const std::string& type : types) {
        auto rows = connection_->query("SELECT NULL::" + type).value();
        EXPECT_EQ(rows->columns()[0].type_name, type);
    }
}

TEST_F(DuckTest, ErrorsSayWhoCanMendThem) {
    EXPECT_EQ(error_of("SELEC 1").kind, ErrorKind::reject);
    EXPECT_EQ(error_of("SELECT nothing").kind, ErrorKind::reject);
    EXPECT_EQ(error_of("SELECT * FROM missing").kind, ErrorKind::reject);
    EXPECT_EQ(error_of("SELECT 'x'::BIGINT").kind, ErrorKind::reject);
    EXPECT_EQ(error_of("SELECT 9223372036854775807 + 1").kind, ErrorKind::reject);
    EXPECT_EQ(error_of("FROM '/nowhere/x.parquet'").kind, ErrorKind::internal);
    EXPECT_EQ(error_of("COPY (SELECT 1) TO '/nowhere/x.parquet'").kind, ErrorKind::internal);
    EXPECT_NE(error_of("SELECT nothing").message.find("nothing"), std::string::npos);
}

TEST_F(DuckTest, AFullDiskIsRetriedLaterAndMemoryIsOurs) {
    EXPECT_EQ(error_of("COPY (SELECT range FROM range(1000000)) TO '/dev/full' (FORMAT csv)").kind,
              ErrorKind::retry_later);
    auto small =
        Database::open({.threads = 1, .memory_limit = "20MB", .temp_directory = ""}).value()->connect().value();
    const auto sorted =
        small->query("SELECT max(x) FROM (SELECT md5(range::VARCHAR) AS x FROM range(3000000) ORDER BY 1 "
                     "OFFSET 5)");
    ASSERT_FALSE(sorted.ok());
    EXPECT_EQ(sorted.error().kind, ErrorKind::internal) << sorted.error().message;
}

TEST_F(DuckTest, OptionsThatCannotBeAreRefused) {
    const auto opened = Database::open({.threads = 1, .memory_limit = "plenty", .temp_directory = ""});
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().kind, ErrorKind::reject) << opened.error().message;
}

TEST_F(DuckTest, WithoutALimitOfItsOwnAQueryHasMoreMemoryThanAJob) {
    const auto limit = [](const DatabaseOptions& options) {
        const auto database = Database::open(options).value();
        const auto rows = database->connect().value()->query("SELECT current_setting('memory_limit')").value();
        EXPECT_EQ(rows->next().value(), 1U);
        return std::string(rows->varchar(0, 0));
    };
    EXPECT_EQ(limit({}), "953.6 MiB");
    EXPECT_NE(limit({.threads = 1, .memory_limit = "", .temp_directory = ""}), "953.6 MiB");
}

TEST_F(DuckTest, SettingsKeepQueriesOffTheNetworkAndInUtc) {
    EXPECT_EQ(
        text("SELECT current_setting('autoinstall_known_extensions'), current_setting('autoload_known_extensions'), "
             "current_setting('enable_external_file_cache'), current_setting('preserve_insertion_order'), "
             "current_setting('TimeZone'), current_setting('threads'), current_setting('temp_directory')"),
        (Cells{{"false", "false", "false", "true", "UTC", "1", ""}}));
}

TEST_F(DuckTest, AnOfferedSourceReadsAsATable) {
    auto numbers = std::make_shared<Numbers>(5000);
    ASSERT_TRUE(connection_->offer("my numbers", numbers).ok());
    EXPECT_EQ(text("SELECT count(*), sum(n), count(label), sum(length(label)), count(*) FILTER (WHERE even), "
                   "sum(half), max(\"at\") "
                   "FROM \"my numbers\"")
                  .at(0),
              (std::vector<std::string>{"5000", "12497500", "3333", std::to_string([] {
                                            std::size_t length = 0;
                                            for (std::int64_t n = 0; n < 5000; ++n)
                                                if (n % 3 != 0) length += Numbers::text(n).size();
                                            return length;
                                        }()),
                                        "2500", "6248750.0", "1970-01-01 01:23:19+00"}));
    EXPECT_EQ(text("SELECT label FROM \"my numbers\" WHERE n IN (0, 1, 11, 14)"),
              (Cells{{"NULL"}, {"x1"}, {"xxxxxxxxxxx11"}, {"xxxxxxxxxxxxxx14"}}));
}

TEST_F(DuckTest, OnlyProjectedColumnsAreAskedFor) {
    auto numbers = std::make_shared<Numbers>(10);
    ASSERT_TRUE(connection_->offer("numbers", numbers).ok());
    EXPECT_EQ(text("SELECT count(*) FROM numbers"), (Cells{{"10"}}));
    EXPECT_EQ(numbers->projected_last, std::vector<std::size_t>{0});
    EXPECT_EQ(text("SELECT max(half) FROM numbers WHERE even"), (Cells{{"4.0"}}));
    EXPECT_EQ(numbers->projected_last, (std::vector<std::size_t>{2, 3}));
}

TEST_F(DuckTest, ShortStringsAreEqualToDuckDbsOwn) {
    ASSERT_TRUE(connection_->offer("numbers", std::make_shared<Numbers>(100)).ok());
    EXPECT_EQ(
        text("SELECT count(*) FROM numbers JOIN (VALUES ('x1'), ('xx2'), ('xxxxxxxxxxx11')) AS v(label) USING (label)"),
        (Cells{{"3"}}));
    EXPECT_EQ(text("SELECT count(DISTINCT label) FROM numbers"), (Cells{{"66"}}));
}

/// Twelve letters in every row of the first chunk, one letter in those of the second.
class ShrinkingTexts final : public RowSource {
public:
    [[nodiscard]] const std::vector<SourceColumn>& columns() const override { return columns_; }
    [[nodiscard]] std::int64_t cardinality() const override { return 4096; }
    Result<std::unique_ptr<RowStream>> open(std::span<const std::size_t>) const override {
        return std::unique_ptr<RowStream>(std::make_unique<Stream>());
    }

private:
    class Stream final : public RowStream {
    public:
        Result<std::size_t> fill(std::span<ColumnWriter> writers, std::size_t capacity) override {
            if (chunks_++ == 2) return std::size_t{0};
            for (std::size_t row = 0; row < capacity; ++row)
                writers[0].set_string(row, chunks_ == 1 ? "abcdefghijkl" : "a");
            return capacity;
        }

    private:
        int chunks_ = 0;
    };
    std::vector<SourceColumn> columns_{{"label", ValueType::varchar}};
};

TEST_F(DuckTest, AShortStringKeepsNothingOfTheOneBeforeInItsPlace) {
    ASSERT_TRUE(connection_->offer("texts", std::make_shared<ShrinkingTexts>()).ok());
    EXPECT_EQ(text("SELECT count(*) FROM texts WHERE label = 'a'"), (Cells{{"2048"}}));
    EXPECT_EQ(text("SELECT label, count(*) FROM texts GROUP BY label ORDER BY label"),
              (Cells{{"a", "2048"}, {"abcdefghijkl", "2048"}}));
}

TEST_F(DuckTest, AnEmptySourceIsAnEmptyTable) {
    ASSERT_TRUE(connection_->offer("numbers", std::make_shared<Numbers>(0)).ok());
    EXPECT_EQ(text("SELECT * FROM numbers"), Cells{});
    EXPECT_EQ(text("SELECT count(*) FROM numbers"), (Cells{{"0"}}));
}

TEST_F(DuckTest, ASourcesErrorEndsTheQueryAsItIs) {
    auto numbers = std::make_shared<Numbers>(5000);
    numbers->fails_at = 4000;
    ASSERT_TRUE(connection_->offer("numbers", numbers).ok());
    const Error error = error_of("SELECT sum(n) FROM numbers");
    EXPECT_EQ(error.kind, ErrorKind::corrupt);
    EXPECT_EQ(error.message, "segment 7 is damaged at byte 99");
    EXPECT_EQ(text("SELECT count(*) FROM (SELECT n FROM numbers LIMIT 10)"), (Cells{{"10"}}));
    EXPECT_EQ(error_of("SELECT nothing FROM numbers").kind, ErrorKind::reject); // not the error of before
}

TEST_F(DuckTest, AnOfferIsReplacedByALaterOneAndEndsWithItsConnection) {
    auto first = std::make_shared<Numbers>(1);
    auto second = std::make_shared<Numbers>(2);
    ASSERT_TRUE(connection_->offer("numbers", first).ok());
    ASSERT_TRUE(connection_->offer("numbers", second).ok());
    EXPECT_EQ(first.use_count(), 1);
    EXPECT_EQ(text("SELECT count(*) FROM numbers"), (Cells{{"2"}}));

    auto other = database_->connect().value();
    EXPECT_FALSE(other->query("FROM numbers").ok());
    ASSERT_TRUE(other->offer("numbers", std::make_shared<Numbers>(3)).ok());
    EXPECT_EQ(text(*other, "SELECT count(*) FROM numbers"), (Cells{{"3"}}));
    EXPECT_EQ(text("SELECT count(*) FROM numbers"), (Cells{{"2"}}));
    connection_.reset();
    EXPECT_EQ(second.use_count(), 1);
    EXPECT_EQ(text(*other, "SELECT count(*) FROM numbers"), (Cells{{"3"}}));
}

TEST_F(DuckTest, FreshNamesAreNotGivenTwice) {
    EXPECT_EQ(connection_->fresh_name("events"), "events_1");
    EXPECT_EQ(connection_->fresh_name("events"), "events_2");
}

TEST_F(DuckTest, TableNamesAreThoseThatAStatementReads) {
    EXPECT_EQ(
        connection_->table_names("WITH x AS (SELECT * FROM one) SELECT * FROM x WHERE b IN (SELECT c FROM \"T w o\")")
            .value(),
        (std::vector<std::string>{"T w o", "one"}));
    EXPECT_EQ(connection_->table_names("SELECT * FROM one JOIN \"it's\" USING (a)").value(),
              (std::vector<std::string>{"it's", "one"}));
    EXPECT_EQ(connection_->table_names("DESCRIBE one").value(), std::vector<std::string>{"one"});
    EXPECT_TRUE(connection_->table_names("SELECT 1").value().empty());
    EXPECT_EQ(connection_->table_names("SELEC 1").error().kind, ErrorKind::reject);
}

TEST_F(DuckTest, InspectTellsReadersFromWriters) {
    ASSERT_TRUE(connection_->execute("CREATE TABLE t (x BIGINT)").ok());
    for (const char* sql : {"SELECT 1", "FROM t", "VALUES (1)", "DESCRIBE t", "SHOW TABLES", "EXPLAIN SELECT 1",
                            "WITH a AS (SELECT 1) SELECT * FROM a"}) {
        const auto statements = connection_->inspect(sql);
        ASSERT_TRUE(statements.ok()) << sql << ": " << statements.error().message;
        EXPECT_EQ(statements->count, 1U) << sql;
        EXPECT_TRUE(statements->all_read) << sql;
    }
    for (const char* sql : {"INSERT INTO t VALUES (1)", "DROP TABLE t", "COPY t TO '/tmp/never'", "SET threads = 2",
                            "EXPLAIN ANALYZE INSERT INTO t VALUES (1)", "EXPLAIN (Analyze) SELECT 1",
                            "ATTACH ':memory:' AS a", "PRAGMA enable_profiling"}) {
        const auto statements = connection_->inspect(sql);
        ASSERT_TRUE(statements.ok()) << sql << ": " << statements.error().message;
        EXPECT_FALSE(statements->all_read) << sql;
    }
    EXPECT_EQ(connection_->inspect("SELECT 1; SELECT 2;").value().count, 2U);
    EXPECT_EQ(connection_->inspect("").value().count, 0U);
    EXPECT_EQ(connection_->inspect("SELEC").error().kind, ErrorKind::reject);
    EXPECT_EQ(connection_->inspect("SELECT * FROM missing").error().kind, ErrorKind::reject);
    EXPECT_EQ(text("SELECT count(*) FROM t"), (Cells{{"0"}})); // nothing ran
}

TEST_F(DuckTest, ARunningQueryIsInterrupted) {
    std::atomic<bool> done = false;
    std::thread interrupter([&] {
        while (!done.load()) {
            connection_->interrupt();
            std::this_thread::yield();
        }
    });
    const auto rows =
        connection_->query("SELECT count(*) FROM range(100000) a, range(100000) b WHERE a.range + b.range = -1");
    done = true;
    interrupter.join();
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.error().kind, ErrorKind::retry_later) << rows.error().message;
}

TEST_F(DuckTest, NamesAndTextsAreQuoted) {
    EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(quote_literal("it's"), "'it''s'");
    EXPECT_EQ(library_version(), "v1.5.6");
    EXPECT_EQ(text("SELECT " + quote_literal("it's") + " AS " + quote_identifier("a\"b")), (Cells{{"it's"}}));
}

} // namespace
} // namespace questlog::duck
