// Parquet files as a table of SQL.
#include "duck/duck.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace questlog::duck {
namespace {

class ReadParquet : public ::testing::Test {
protected:
    ReadParquet() { std::filesystem::create_directories(folder_); }
    ~ReadParquet() override { std::filesystem::remove_all(root_); }

    std::string write(const std::string& select, const std::string& name) {
        std::string file = folder_ + "/" + name;
        const Status written =
            connection_->execute("COPY (" + select + ") TO " + quote_literal(file) + " (FORMAT parquet)");
        EXPECT_TRUE(written.ok()) << written.error().message;
        return file;
    }
    std::vector<std::string> columns(const std::string& table) {
        const auto rows = connection_->query("SELECT * FROM " + table);
        EXPECT_TRUE(rows.ok()) << rows.error().message;
        std::vector<std::string> names;
        for (const ResultColumn& column : (*rows)->columns()) names.push_back(column.name);
        return names;
    }
    std::int64_t number(const std::string& select) {
        const auto rows = connection_->query(select);
        EXPECT_TRUE(rows.ok() && (*rows)->next().value() == 1) << select;
        return (*rows)->bigint(0, 0);
    }

    const std::string root_ = ::testing::TempDir() + "read_parquet_test";
    const std::string folder_ = root_ + "/n=7/env=prod";
    std::shared_ptr<Database> database_ = Database::open({}).value();
    std::unique_ptr<Connection> connection_ = database_->connect().value();
};

using Names = std::vector<std::string>;

TEST_F(ReadParquet, FoldersAddNoColumns) {
    const std::string table = read_parquet({write("SELECT 1::BIGINT AS n", "a.parquet")});
    EXPECT_EQ(columns(table), Names{"n"});
    EXPECT_EQ(number("SELECT n FROM " + table), 1);
}

TEST_F(ReadParquet, FilesMayBeCalledAnything) {
    const std::vector<std::string> files = {write("SELECT 1::BIGINT AS n", "it's.parquet"),
                                            write("SELECT 2::BIGINT AS n", "[1]*?.parquet"),
                                            write("SELECT 4::BIGINT AS n", "1.parquet")};
    EXPECT_EQ(number("SELECT sum(n)::BIGINT FROM " + read_parquet({files[0], files[1]})), 3);
}

TEST_F(ReadParquet, ColumnsAreOfTheFirstFileOrOfAll) {
    const std::vector<std::string> files = {write("SELECT 1::BIGINT AS n", "a.parquet"),
                                            write("SELECT 'two' AS name, 2::BIGINT AS n", "b.parquet")};
    EXPECT_EQ(columns(read_parquet(files)), Names{"n"});
    EXPECT_EQ(columns(read_parquet(files, ParquetColumns::of_all)), (Names{"n", "name"}));
    EXPECT_EQ(number("SELECT sum(n)::BIGINT FROM " + read_parquet(files, ParquetColumns::of_all)), 3);
}

} // namespace
} // namespace questlog::duck
