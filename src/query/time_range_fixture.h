#pragma once

#include "query/counting_files.h"
#include "query/query_fixture.h"
#include "query/views.h"

#include <fmt/format.h>

namespace questlog::query {

/// For tests: a log of many small segments whose reads are counted, asked with and without narrowing.
class TimeRangeFixture : public QueryFixture {
protected:
    explicit TimeRangeFixture(std::int32_t partitions = 1) : QueryFixture(partitions) {
        writer_.reset();
        log::Topic topic = topics_->find("game-events").value();
        topic.segment_bytes = 16 * 1024; // Smaller than a topic can ask for.
        writer_ =
            log::open_writer(real_.env(), *topics_, topic, {.on_recovery = {}, .prepare_segments_in_background = false})
                .value();
        World& old = *world_;
        const io::Env counting{old.env.clock, files_, old.env.entropy};
        read_topics_ = std::make_unique<log::Topics>(counting, topics_->directory());
        world_ = std::make_unique<World>(
            World{counting, *read_topics_, *store_, *continuous_, database_, {}, old.topic, old.notice, {}, {}});
    }

    static std::string event(int n, int padding = 0) {
        return fmt::format(R"({{"event_type": "{}", "n": {}, "pad": "{}"}})", n % 3 == 0 ? "win" : "play", n,
                           std::string(static_cast<std::size_t>(padding), 'x'));
    }

    /// The rows of `sql` as ask() gives them, of a plan that reads the whole log.
    Rows ask_whole(const std::string& sql) {
        auto connection = database_->connect().value();
        auto names = connection->table_names(sql);
        Views views(*world_, false, std::move(connection));
        EXPECT_TRUE(names.ok() && views.create(*names).ok()) << sql;
        auto rows = views.connection().query_as_text(sql);
        if (!rows.ok()) return {{rows.error().message}};
        return all_of(**rows);
    }

    struct Reads {
        std::int64_t bytes = 0;
        std::size_t segments = 0;
    };
    /// What asking `sql` reads of the log.
    Reads reads_of(const std::string& sql) {
        files_.bytes_read = 0;
        files_.segments_read.clear();
        const Rows rows = ask(sql);
        EXPECT_FALSE(rows.size() == 1 && rows[0].size() == 1 && rows[0][0].find("Error") != std::string::npos)
            << sql << "\n"
            << rows[0][0];
        return {files_.bytes_read, files_.segments_read.size()};
    }

    CountingFiles files_{real_.env().files};
    std::unique_ptr<log::Topics> read_topics_; ///< Through files_.
};

} // namespace questlog::query
