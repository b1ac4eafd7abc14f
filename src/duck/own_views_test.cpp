#include "duck/duck.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace questlog::duck {
namespace {

using Names = std::vector<std::string>;

class OwnViews : public ::testing::Test {
protected:
    Names internal_views() {
        const auto rows =
            connection_->query("SELECT DISTINCT view_name FROM duckdb_views() WHERE internal ORDER BY ALL").value();
        Names names;
        while (const std::size_t count = rows->next().value())
            for (std::size_t row = 0; row < count; ++row) names.emplace_back(rows->varchar(0, row));
        return names;
    }

    std::shared_ptr<Database> database_ = Database::open({}).value();
    std::unique_ptr<Connection> connection_ = database_->connect().value();
};

TEST_F(OwnViews, AreThoseThatDuckDbFindsByTheirMereNames) {
    std::size_t found = 0;
    for (const std::string& name : internal_views()) {
        const bool is_found = connection_->inspect("SELECT * FROM " + quote_identifier(name)).ok();
        EXPECT_EQ(is_own_view(name), is_found) << name;
        found += is_found ? 1 : 0;
    }
    EXPECT_GT(found, 30U);
    EXPECT_FALSE(is_own_view("events"));
}

TEST_F(OwnViews, AreAmongTheTableNames) {
    EXPECT_EQ(connection_->table_names("SELECT * FROM one, Pg_Class, (SELECT a FROM \"sqlite_master\")").value(),
              (Names{"Pg_Class", "one", "sqlite_master"}));
    EXPECT_EQ(connection_->table_names("DESCRIBE pragma_database_list").value(), Names{"pragma_database_list"});
    EXPECT_EQ(connection_->table_names("SELECT * FROM pg_classes, my_pg_class").value(),
              (Names{"my_pg_class", "pg_classes"}));
    EXPECT_EQ(connection_->table_names("SELECT 1 FROM pg_class JOIN one USING (a) JOIN pg_class b USING (a)").value(),
              (Names{"one", "pg_class"}));
}

} // namespace
} // namespace questlog::duck
