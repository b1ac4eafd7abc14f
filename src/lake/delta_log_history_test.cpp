// When a table got which columns, as its commits tell.
#include "lake/delta_log_fixture.h"

namespace questlog::lake {
namespace {

class DeltaHistoryTest : public DeltaLogTest {
protected:
    /// Of each change its version, its time since the first commit, and the names of all columns from then on.
    std::vector<std::string> history() {
        const auto changes = log().history();
        EXPECT_TRUE(changes.ok()) << changes.error().message;
        std::vector<std::string> lines;
        for (const DeltaSchemaChange& change : changes.value()) {
            std::string columns;
            for (const DeltaColumn& column : change.columns) columns += " " + column.name;
            const std::string time =
                change.committed_ms == 0 ? "?" : fmt::format("{}", change.committed_ms - first_ms_);
            lines.push_back(fmt::format("{} at {}:{}", change.version, time, columns));
        }
        return lines;
    }
    /// A commit that adds a column, as landing makes it.
    void add_column(DeltaState& state, const std::string& name) {
        DeltaCommit commit = append(static_cast<int>(state.version) + 1);
        commit.metadata = state.metadata;
        commit.metadata->columns.push_back({name, duck::ValueType::varchar});
        ASSERT_TRUE(log().commit(state, commit).value());
    }
    std::string metadata_of(std::int64_t version) {
        const std::string text = world_.contents(path(commit_name(version))).value();
        const std::size_t begin = text.find(R"({"metaData")");
        return text.substr(begin, text.find('\n', begin) - begin) + "\n";
    }

    std::int64_t first_ms_ = world_.env().clock.wall_ms().value;
};

constexpr const char* first_columns = " event_type n price gift at value";

TEST_F(DeltaHistoryTest, EachCommitThatChangedTheColumnsIsToldWithItsTime) {
    DeltaState state = commit_all(0, 2);
    world_.advance(std::chrono::seconds(5));
    add_column(state, "late");
    state = commit_all(3, 5, state);
    world_.advance(std::chrono::seconds(5));
    add_column(state, "later");
    EXPECT_EQ(history(), (std::vector<std::string>{fmt::format("0 at 0:{}", first_columns),
                                                   fmt::format("2 at 5000:{} late", first_columns),
                                                   fmt::format("5 at 10000:{} late later", first_columns)}));
}

TEST_F(DeltaHistoryTest, OfOtherProgramsItTellsWhatWentAndNotWhatStayed) {
    DeltaState state = commit_all(0, 1);
    add_column(state, "late");
    world_.put(path(commit_name(2)), metadata_of(1)); // as by a program that sets a property
    world_.put(path(commit_name(3)), metadata_of(0) + R"({"commitInfo":{"timestamp":)" + std::to_string(first_ms_ + 7) +
                                         R"(,"operation":"DROP COLUMNS"}})");
    world_.put(path(commit_name(4)), metadata_of(1));
    EXPECT_EQ(history(), (std::vector<std::string>{
                             fmt::format("0 at 0:{}", first_columns), fmt::format("1 at 0:{} late", first_columns),
                             fmt::format("3 at 7:{}", first_columns), fmt::format("4 at ?:{} late", first_columns)}));
}

TEST_F(DeltaHistoryTest, ItBeginsWithTheOldestCommitThatIsKept) {
    DeltaState state = commit_all(0, 1);
    add_column(state, "late");
    add_column(state, "later");
    world_.remove(path(commit_name(0)));
    EXPECT_EQ(history(), (std::vector<std::string>{fmt::format("1 at 0:{} late", first_columns),
                                                   fmt::format("2 at 0:{} late later", first_columns)}));
}

} // namespace
} // namespace questlog::lake
