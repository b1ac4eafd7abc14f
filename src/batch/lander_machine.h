#pragma once

#include "batch/lander_fixture.h"
#include "batch/rebuild.h"

#include <array>
#include <memory>

/// For tests: a machine on which events are appended and landed, and what is to be found in its tables whatever
/// happens.
namespace questlog::batch {

/// Where each offset's event is to be.
using Model = std::map<std::int64_t, std::string>;

class Machine : public LanderFixture {
public:
    /// Tables of events, and that of dead letters.
    static constexpr std::array tables = {"sword", "guild", "dead_letters"};

    explicit Machine(std::uint64_t seed) : LanderFixture(seed) {}
    void TestBody() override {}

    /// Some have ids; from the second time on, the last repeats one of the time before.
    void append_some(int first) {
        std::vector<std::pair<std::string, std::string>> events;
        for (int i = first; i < first + 6; ++i) {
            const std::string table = i % 6 == 5 ? "dead_letters" : i % 2 == 0 ? "sword" : "guild";
            model_[next_++] = table;
            events.emplace_back(i % 3 == 0 ? fmt::format("id {}", i) : "",
                                i % 6 == 5 ? "no JSON" : event(table, i, i > 8 ? R"(, "late": true)" : ""));
        }
        if (last_ >= 0) {
            events.emplace_back(fmt::format("id {}", last_), event("sword", last_, R"(, "again": true)"));
            ++next_;
            ++repeats_;
        }
        last_ = first;
        append_with_ids(events);
    }

    /// The offsets in the table, by its Delta log.
    std::vector<std::int64_t> committed(const std::string& name) {
        std::vector<std::int64_t> offsets;
        for (const std::string& row : rows(name, fmt::format("SELECT {} FROM %s", offset_column(name))))
            offsets.push_back(std::stoll(row));
        return offsets;
    }
    /// The same for a reader who opens whatever Parquet lies there.
    std::multiset<std::int64_t> lying_there(const std::string& name) {
        std::multiset<std::int64_t> offsets;
        for (const std::string& file : files_there(name)) {
            const auto path = world_.env().files.library_path_of("/data/lake/events/" + name + "/" + file).value();
            const auto found = connection_->query(
                fmt::format("SELECT {} FROM read_parquet({})", offset_column(name), duck::quote_literal(path.path)));
            if (!found.ok()) {
                ADD_FAILURE() << file << ": " << found.error().message;
                continue;
            }
            while (const std::size_t count = (*found)->next().value())
                for (std::size_t row = 0; row < count; ++row) offsets.insert((*found)->bigint(0, row));
        }
        return offsets;
    }

    void expect_all_landed(const std::string& when) {
        for (const std::string name : tables) {
            std::vector<std::int64_t> expected;
            for (const auto& [offset, table] : model_)
                if (table == name) expected.push_back(offset);
            ASSERT_EQ(committed(name), expected) << when << ": " << name << " " << why_stopped(name);
            const std::multiset<std::int64_t> all(expected.begin(), expected.end());
            ASSERT_EQ(lying_there(name), all) << when << ": " << name;
            ASSERT_EQ(books().tables.at(name).events, static_cast<std::int64_t>(expected.size())) << when;
            ASSERT_EQ(books().tables.at(name).repeats, name == "sword" ? repeats_ : 0) << when << ": " << name;
        }
    }

    /// As a failed sync leaves a table until the next start.
    [[nodiscard]] bool is_stopped(const std::string& name) {
        const auto known = records().books();
        if (!known.ok() || !*known) return false;
        const auto found = (*known)->tables.find(name);
        return found != (*known)->tables.end() && found->second.stopped_at.has_value();
    }
    /// Why, or nothing.
    [[nodiscard]] std::string why_stopped(const std::string& name) {
        const auto known = records().books();
        if (!known.ok()) return known.error().message;
        const auto found = *known ? (*known)->tables.find(name) : decltype((*known)->tables.find(name)){};
        return *known && found != (*known)->tables.end() ? found->second.reason : "";
    }
    [[nodiscard]] bool is_any_stopped() {
        return is_stopped("sword") || is_stopped("guild") || is_stopped("dead_letters");
    }

    [[nodiscard]] io::SimEnv& world() { return world_; }
    [[nodiscard]] Lander& lander() { return *lander_; }
    void restart() { reopen(); }
    /// Another one, to which the world is as `env` and `store` show it.
    std::unique_ptr<Lander> another_lander(io::Env env, lake::ContinuousStore& store) {
        return std::make_unique<Lander>(LandingWorld{env, *reader_, store, database()}, options_, events_);
    }
    Status rebuild_table(const std::string& name) {
        const auto done = rebuild({world_.env(), *reader_, *store_, database()}, name, {});
        return done.ok() ? Status() : Status(done.error());
    }
    /// What comes then is of another cut.
    void let_time_pass() { now_ms_ += options_.limits.time.count(); }
    void append_sword(int number) {
        model_[next_++] = "sword";
        append({event("sword", number)});
    }

    /// Everything on the machine's disk, durable, and what is known of it.
    struct Image {
        std::map<std::string, std::string> files;
        Model model;
        std::int64_t next = 0;
        std::int64_t repeats = 0;
        int last = -1;
        std::int64_t now_ms = 0;
    };
    Image image() {
        Image image{{}, model_, next_, repeats_, last_, now_ms_};
        add_files("/data", image.files);
        return image;
    }
    void restore(const Image& image) {
        lander_.reset();
        store_.reset();
        reader_.reset();
        writer_.reset();
        io::Files& files = world_.env().files;
        EXPECT_TRUE(files.remove_tree("/data").ok());
        for (const auto& [path, bytes] : image.files) {
            EXPECT_TRUE(files.make_directories(path.substr(0, path.rfind('/'))).ok());
            world_.put(path, bytes);
        }
        model_ = image.model;
        next_ = image.next;
        repeats_ = image.repeats;
        last_ = image.last;
        now_ms_ = image.now_ms;
        reopen();
    }

private:
    std::function<Result<duck::Database*>()> database() {
        return [this]() -> Result<duck::Database*> { return database_.get(); };
    }
    void add_files(const std::string& folder, std::map<std::string, std::string>& files) {
        for (const std::string& name : world_.names(folder)) {
            const std::string path = folder + "/" + name;
            if (const auto bytes = world_.contents(path))
                files.emplace(path, *bytes);
            else
                add_files(path, files);
        }
    }
    static std::string offset_column(const std::string& name) {
        return name == "dead_letters" ? R"("offset")" : "_offset";
    }

    Model model_;
    std::int64_t next_ = 0;
    std::int64_t repeats_ = 0;
    int last_ = -1; ///< The first of the time before.
};

} // namespace questlog::batch
