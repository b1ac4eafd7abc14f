#include "hdfs/hdfs_files.h"

#include "hdfs/webhdfs_fixture.h"
#include "io/whole_file.h"

#include <cerrno>
#include <filesystem>
#include <gtest/gtest.h>

namespace questlog::hdfs {
namespace {

using Kind = Fault::Kind;

const std::string root = "hdfs://nn:8020/lake";

class HdfsFilesTest : public ::testing::Test {
protected:
    HdfsFilesTest() {
        folder_ = ::testing::TempDir() + "hdfs_files_XXXXXX";
        if (::mkdtemp(folder_.data()) == nullptr) std::abort();
        reopen();
    }
    ~HdfsFilesTest() override {
        files_.reset();
        std::filesystem::remove_all(folder_);
    }

    HdfsOptions options(std::int64_t cache_bytes_max) {
        HdfsOptions options;
        options.root = parse_hdfs_uri(root).value();
        options.client.namenode = hdfs_.address();
        options.client.user = "games";
        options.client.patience = std::chrono::milliseconds(1'000);
        options.cache_directory = folder_ + "/cache";
        options.cache_bytes_max = cache_bytes_max;
        return options;
    }
    void reopen(std::int64_t cache_bytes_max = 1'000'000) {
        files_.reset();
        files_ = std::make_unique<HdfsFiles>(io::Env{clock_, real_.env().files, real_.env().entropy},
                                             options(cache_bytes_max));
    }
    std::string local(const std::string& name, const std::string& bytes) {
        const std::string path = files_->scratch_directory(root).value() + "/" + name;
        auto file = real_.env().files.open(path, io::Open::create_new).value();
        EXPECT_TRUE(file->write_at(0, std::as_bytes(std::span(bytes))).ok());
        return path;
    }
    std::string text_at(const std::string& path) { return io::read_text_file(real_.env().files, path).value(); }
    /// What a library reads under the name that it is given.
    std::string library_text(const std::string& path) {
        const auto readable = files_->library_path_of(path);
        return readable.ok() ? text_at(readable->path) : readable.error().message;
    }
    std::vector<std::string> cached() {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/cache"))
            if (entry.is_regular_file() && entry.path().filename() != "lock") names.push_back(entry.path().filename());
        std::sort(names.begin(), names.end());
        return names;
    }

    std::string folder_;
    FakeHdfs hdfs_;
    SteppingClock clock_;
    io::RealEnv real_;
    std::unique_ptr<HdfsFiles> files_;
};

TEST_F(HdfsFilesTest, LocalPathsAreTheMachines) {
    const std::string path = folder_ + "/local";
    ASSERT_TRUE(io::write_file_durably(*files_, folder_, path, "here").ok());
    EXPECT_EQ(text_at(path), "here");
    EXPECT_FALSE(files_->remote("hdfs://nn:80201/lake").has_value()); // another port
    EXPECT_EQ(files_->remote(root + "/a"), "/lake/a");
}

TEST_F(HdfsFilesTest, SmallFilesAreWrittenWhole) {
    ASSERT_TRUE(io::write_file_durably(*files_, root, root + "/books", "first").ok());
    ASSERT_TRUE(io::write_file_durably(*files_, root, root + "/books", "second").ok());
    EXPECT_EQ(io::read_text_file(*files_, root + "/books").value(), "second");
    EXPECT_EQ(hdfs_.paths(), (std::vector<std::string>{"/", "/lake", "/lake/books"}));
}

TEST_F(HdfsFilesTest, NewFilesAreNeverReplaced) {
    EXPECT_TRUE(io::write_new_file_durably(*files_, root, root + "/1", "mine", root + "/a").value());
    EXPECT_FALSE(io::write_new_file_durably(*files_, root, root + "/1", "yours", root + "/b").value());
    EXPECT_EQ(hdfs_.node("/lake/1")->bytes, "mine");
    EXPECT_EQ(hdfs_.paths(), (std::vector<std::string>{"/", "/lake", "/lake/1"}));
}

TEST_F(HdfsFilesTest, NewFileIsMadeOnceWhateverAnswerGetsLost) {
    for (const char* operation : {"RENAME", "CREATE-data", "DELETE", "CREATE", "GETFILESTATUS"})
        for (const Kind kind : {Kind::drop, Kind::drop_answer, Kind::cut_upload}) {
            hdfs_.fail(operation, {kind});
            const std::string path = fmt::format("{}/{}-{}", root, operation, static_cast<int>(kind));
            const auto made = io::write_new_file_durably(*files_, root, path, "mine", root + "/unnamed");
            ASSERT_TRUE(made.ok()) << operation << made.error().message;
            EXPECT_TRUE(*made);
            EXPECT_EQ(io::read_text_file(*files_, path).value(), "mine");
        }
}

TEST_F(HdfsFilesTest, MissingFilesSaySo) {
    EXPECT_EQ(files_->open(root + "/none", io::Open::read).error().system_errno, ENOENT);
    EXPECT_EQ(files_->open(root + "/none.parquet", io::Open::read).error().system_errno, ENOENT);
    EXPECT_EQ(files_->list(root + "/none").error().system_errno, ENOENT);
    EXPECT_EQ(files_->stat(root + "/none").value().kind, io::Kind::missing);
    EXPECT_TRUE(files_->remove_file(root + "/none").ok());
}

TEST_F(HdfsFilesTest, AdoptedFileIsReadWithoutBeingFetched) {
    ASSERT_TRUE(files_->adopt(local("made", "rows"), root + "/a.parquet").ok());
    EXPECT_EQ(hdfs_.node("/lake/a.parquet")->bytes, "rows");
    EXPECT_EQ(library_text(root + "/a.parquet"), "rows");
    EXPECT_EQ(hdfs_.calls("OPEN"), 0);
}

TEST_F(HdfsFilesTest, FetchedOnceForAllProcesses) {
    hdfs_.put("/lake/a.parquet", "rows");
    for (int i = 0; i < 3; ++i) {
        reopen();
        EXPECT_EQ(library_text(root + "/a.parquet"), "rows");
    }
    EXPECT_EQ(hdfs_.calls("OPEN"), 1);
}

TEST_F(HdfsFilesTest, RenamedFileIsStillKnown) {
    hdfs_.put("/lake/a.parquet", "rows");
    EXPECT_EQ(library_text(root + "/a.parquet"), "rows");
    ASSERT_TRUE(files_->rename(root + "/a.parquet", root + "/b.parquet").ok());
    EXPECT_EQ(library_text(root + "/b.parquet"), "rows");
    EXPECT_EQ(hdfs_.calls("OPEN"), 1);
}

TEST_F(HdfsFilesTest, ReplacedFileIsAnotherFile) {
    hdfs_.put("/lake/a.parquet", "rows");
    EXPECT_EQ(library_text(root + "/a.parquet"), "rows");
    hdfs_.put("/lake/a.parquet", "more"); // of the same length, by another program, in the same millisecond
    clock_.sleep(std::chrono::seconds(3));
    EXPECT_EQ(library_text(root + "/a.parquet"), "more");
}

TEST_F(HdfsFilesTest, WhatIsInUseStaysReadable) {
    hdfs_.put("/lake/a.parquet", "rows");
    const auto readable = files_->library_path_of(root + "/a.parquet").value();
    std::filesystem::remove(folder_ + "/cache/" + cached().front());
    hdfs_.put("/lake/a.parquet", "gone");
    EXPECT_EQ(text_at(readable.path), "rows");
}

TEST_F(HdfsFilesTest, OldestAreEvictedAtTheLimit) {
    reopen(250);
    for (const char* name : {"a", "b", "c"}) {
        hdfs_.put(fmt::format("/lake/{}.parquet", name), std::string(100, name[0]));
        EXPECT_EQ(library_text(fmt::format("{}/{}.parquet", root, name)), std::string(100, name[0]));
    }
    EXPECT_EQ(cached().size(), 2);
    EXPECT_EQ(library_text(root + "/c.parquet"), std::string(100, 'c'));
    EXPECT_EQ(hdfs_.calls("OPEN"), 3);
    EXPECT_EQ(library_text(root + "/a.parquet"), std::string(100, 'a'));
    EXPECT_EQ(hdfs_.calls("OPEN"), 4);
    hdfs_.put("/lake/large.parquet", std::string(1'000, 'l')); // never kept, and nothing makes room for it
    EXPECT_EQ(library_text(root + "/large.parquet"), std::string(1'000, 'l'));
    EXPECT_EQ(cached().size(), 2);
}

TEST_F(HdfsFilesTest, DamagedCopyIsFetchedAnew) {
    hdfs_.put("/lake/a.parquet", "rows");
    EXPECT_EQ(library_text(root + "/a.parquet"), "rows");
    std::filesystem::resize_file(folder_ + "/cache/" + cached().front(), 2);
    EXPECT_EQ(library_text(root + "/a.parquet"), "rows");
}

TEST_F(HdfsFilesTest, WhatIsDamagedOnItsWayIsNotKept) {
    const std::string rows(10'000, 'r');
    hdfs_.put("/lake/a.parquet", rows);
    hdfs_.fail("OPEN-data", {Kind::damage});
    const auto failed = files_->library_path_of(root + "/a.parquet");
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(cached().empty());
    EXPECT_EQ(library_text(root + "/a.parquet"), rows);
}

TEST_F(HdfsFilesTest, FilesOfAFolderAreLookedAtTogether) {
    for (int i = 0; i < 50; ++i) {
        hdfs_.put(fmt::format("/lake/{}.parquet", i), "rows");
        ASSERT_EQ(library_text(fmt::format("{}/{}.parquet", root, i)).size() > 0, true);
    }
    reopen();
    const int before = hdfs_.calls("LISTSTATUS");
    for (int i = 0; i < 50; ++i) EXPECT_EQ(library_text(fmt::format("{}/{}.parquet", root, i)), "rows");
    EXPECT_EQ(hdfs_.calls("LISTSTATUS"), before + 1);
}

TEST_F(HdfsFilesTest, CommitsAreLookedForAndReadByOneQuestion) {
    const auto commit = [](int version) { return fmt::format("/t/_delta_log/{:020}.json", version); };
    for (int version = 0; version < 30; ++version)
        hdfs_.put("/lake" + commit(version), fmt::format("commit {}", version));
    const auto read_from = [&](int version) {
        int found = 0;
        while (files_->stat(root + commit(version)).value().kind == io::Kind::file) {
            EXPECT_EQ(io::read_text_file(*files_, root + commit(version)).value(), fmt::format("commit {}", version));
            ++version;
            ++found;
        }
        return found;
    };
    EXPECT_EQ(read_from(0), 30);
    EXPECT_EQ(hdfs_.calls("OPEN"), 30);
    reopen();
    const int before = hdfs_.calls("LISTSTATUS_BATCH");
    EXPECT_EQ(read_from(20), 10);
    EXPECT_EQ(hdfs_.calls("OPEN"), 30);
    EXPECT_EQ(hdfs_.calls("LISTSTATUS_BATCH"), before + 2);
    hdfs_.put("/lake" + commit(30), "commit 30"); // what is new is seen at once
    EXPECT_EQ(read_from(30), 1);
}

class Swap : public HdfsFilesTest {
protected:
    void SetUp() override {
        hdfs_.put("/lake/t/old", "old");
        hdfs_.put("/lake/s/new", "new");
        // folders by themselves
        ASSERT_TRUE(files_->make_directories(root + "/t").ok());
        ASSERT_TRUE(files_->make_directories(root + "/s").ok());
    }
};

TEST_F(Swap, ExchangesByRenames) {
    ASSERT_TRUE(files_->exchange(root + "/t", root + "/s").ok());
    EXPECT_EQ(hdfs_.node("/lake/t/new")->bytes, "new");
    EXPECT_EQ(hdfs_.node("/lake/s/old")->bytes, "old");
}

TEST_F(Swap, WhereItIsCutOffBothAreStillThere) {
    const Fault gone{Kind::refuse, 403, "AccessControlException", "no"};
    for (int step = 0; step < 3; ++step) {
        for (int i = 0; i < step; ++i) hdfs_.fail("RENAME", {Kind::drop_answer}); // done, all the same
        hdfs_.fail("RENAME", gone, 4);
        const auto swapped = files_->exchange(root + "/t", root + "/s");
        int old_ones = 0;
        int new_ones = 0;
        for (const std::string& path : hdfs_.paths()) {
            old_ones += path.ends_with("/old") ? 1 : 0;
            new_ones += path.ends_with("/new") ? 1 : 0;
        }
        EXPECT_EQ(old_ones, 1);
        EXPECT_EQ(new_ones, 1);
        if (swapped.ok()) break;
    }
}

TEST_F(HdfsFilesTest, NothingIsChangedUnderALostLease) {
    const auto lock = files_->lock(root + "/.locks/a", 0, io::Files::Share::exclusive, {});
    ASSERT_TRUE(lock.ok()) << lock.error().message;
    clock_.sleep(std::chrono::seconds(50)); // as if this process had stood still
    EXPECT_FALSE(files_->rename(root + "/a", root + "/b").ok());
    EXPECT_FALSE(io::write_file_durably(*files_, root, root + "/books", "x").ok());
    EXPECT_FALSE(files_->make_directories(root + "/c").ok());
    EXPECT_FALSE(files_->remove_tree(root + "/c").ok());
    EXPECT_FALSE(files_->adopt(local("made", "rows"), root + "/a.parquet").ok());
    EXPECT_TRUE(files_->list("hdfs://nn:8020/lake/.locks").ok());
    EXPECT_FALSE(hdfs_.node("/lake/books").has_value());
}

TEST(HdfsUri, WhatItMayBe) {
    EXPECT_EQ(parse_hdfs_uri("hdfs://nn:8020/lake/").value().text(), "hdfs://nn:8020/lake");
    EXPECT_EQ(parse_hdfs_uri("hdfs://nn:8020/").value().text(), "hdfs://nn:8020");
    for (const char* wrong : {"hdfs://nn/lake", "hdfs://nn:8020", "hdfs://:8020/a", "hdfs://nn:0/a", "hdfs://nn:x/a",
                              "hdfs://nn:8020/a/../b", "hdfs://nn:8020/a//b", "hdfs://nn:8020/a:b",
                              "hdfs://u@nn:8020/a", "hdfs:///lake", "hdfs://nn:99999/a", "lake"})
        EXPECT_FALSE(parse_hdfs_uri(wrong).ok()) << wrong;
}

} // namespace
} // namespace questlog::hdfs
