// The format's bytes must never change: tests/golden/log holds a small log as every version must write and read it.
#include "io/real_env.h"
#include "log/simulated_log.h"

#include <filesystem>
#include <fstream>
#include <map>

namespace questlog::log {
namespace {

namespace fs = std::filesystem;

const fs::path golden_log = fs::path(QUESTLOG_SOURCE_DIR) / "tests/golden/log";

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

const std::vector<std::string>& events() {
    static const std::vector<std::string> values{
        R"({"event_type": "default", "Host": "user1.comcast.com", "User-Agent": "ApacheBench/2.3", "Accept": "*/*"})",
        R"({"event_type": "purchase_sword", "Host": "user1.comcast.com", "User-Agent": "ApacheBench/2.3", )"
        R"("Accept": "*/*"})",
        R"({"event_type": "join_guild", "description": "nice guild", "Host": "user2.att.com", "name": "Éowyn ⚔"})",
    };
    return values;
}

/// Writes the golden log anew: the same calls, clock and random bits each time.
void write_golden(io::SimEnv& sim) {
    Topics topics(sim.env(), "/log");
    auto topic = topics.create("game-events", {2, {{"segment.bytes", "1048576"}}});
    ASSERT_TRUE(topic.ok());
    topic->segment_bytes = 512; // so that a small log has several segments
    auto writer = open_writer(sim.env(), topics, *topic, {{}, false});
    ASSERT_TRUE(writer.ok());
    BatchBuilder builder;
    for (int commit = 0; commit < 5; ++commit) {
        auto& partition = (*writer)->partition(Partition{commit == 4 ? 1 : 0});
        builder.begin(partition.next_offset());
        for (int i = 0; i <= commit % 3; ++i) {
            sim.advance(std::chrono::milliseconds{7});
            const std::vector<RecordHeader> headers{{"origin", "F2hbjghYTdC0uevB7P0PWw"}};
            const bool forwarded = commit == 4;
            builder.add(sim.env().clock.wall_ms(), events()[static_cast<std::size_t>(i)],
                        forwarded ? std::optional<std::string_view>("player-7") : std::nullopt,
                        forwarded ? std::span<const RecordHeader>(headers) : std::span<const RecordHeader>());
        }
        ASSERT_TRUE(partition.append(builder.seal()).ok() && partition.sync().ok());
    }
    ASSERT_TRUE((*writer)->close().ok());
}

std::map<std::string, std::string> files_of(io::SimEnv& sim) {
    std::map<std::string, std::string> files;
    for (const auto& name : sim.names("/log")) {
        if (const auto contents = sim.contents("/log/" + name); contents && name.ends_with(topic_file_suffix))
            files[name] = *contents;
        for (const auto& inner : sim.names("/log/" + name))
            files[name + "/" + inner] = *sim.contents("/log/" + name + "/" + inner);
    }
    return files;
}

std::map<std::string, std::string> golden_files() {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(golden_log))
        if (entry.is_regular_file() && entry.path().filename() != "README.md")
            files[fs::relative(entry.path(), golden_log).string()] = read_file(entry.path());
    return files;
}

TEST(GoldenLog, TheWriterWritesItsBytesAgain) {
    io::SimEnv sim(2013);
    write_golden(sim);
    const auto written = files_of(sim);
    const auto kept = golden_files();
    EXPECT_GE(kept.size(), 6U);
    EXPECT_EQ(written.size(), kept.size());
    for (const auto& [name, bytes] : kept) EXPECT_TRUE(written.contains(name) && written.at(name) == bytes) << name;
    if (HasFailure()) { // for a format version beside the old one, which stays
        const auto aside = fs::path(testing::TempDir()) / "questlog-golden-log";
        for (const auto& [name, bytes] : written) {
            fs::create_directories((aside / name).parent_path());
            std::ofstream(aside / name, std::ios::binary) << bytes;
        }
        ADD_FAILURE() << "what the writer writes now lies in " << aside;
    }
}

TEST(GoldenLog, TheReaderReadsIt) {
    std::string copy = (fs::temp_directory_path() / "questlog-golden-XXXXXX").string();
    ASSERT_NE(::mkdtemp(copy.data()), nullptr);
    fs::copy(golden_log, copy, fs::copy_options::recursive);
    io::RealEnv real;
    Topics topics(real.env(), copy);
    const auto topic = topics.find("game-events");
    ASSERT_TRUE(topic.ok()) << topic.error().message;
    EXPECT_EQ(topic->partitions, 2);
    EXPECT_EQ(topic->segment_bytes, 1'048'576);
    EXPECT_EQ(topic->id.size(), 22U);
    const auto reader = open_reader(real.env(), topics, *topic);
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    const std::vector<std::vector<std::size_t>> expected{{0, 0, 1, 0, 1, 2, 0}, {0, 1}};
    for (std::int32_t i = 0; i < 2; ++i) {
        auto& partition = (*reader)->partition(Partition{i});
        const auto end = *partition.end_offset();
        ASSERT_EQ(end.value, static_cast<std::int64_t>(expected[static_cast<std::size_t>(i)].size()));
        auto cursor = std::move(partition.read(Offset{0}, end)).value();
        Batch batch;
        std::size_t n = 0;
        while (*cursor->next(batch)) {
            RecordCursor records(batch.header, batch.records);
            Record record;
            while (*records.next(record)) {
                EXPECT_EQ(record.value, events()[expected[static_cast<std::size_t>(i)][n++]]);
                EXPECT_EQ(record.key.has_value(), i == 1);
                EXPECT_EQ(record.header_count, i == 1 ? 1 : 0);
            }
        }
        EXPECT_EQ(n, expected[static_cast<std::size_t>(i)].size());
    }
    fs::remove_all(copy);
}

} // namespace
} // namespace questlog::log
