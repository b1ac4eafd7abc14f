#include "hdfs/webhdfs_client.h"

#include "hdfs/webhdfs_fixture.h"

#include <cerrno>
#include <gtest/gtest.h>

namespace questlog::hdfs {
namespace {

using Kind = Fault::Kind;
using Renamed = WebHdfsClient::Renamed;
using Replace = WebHdfsClient::Replace;

class WebHdfsClientTest : public ::testing::Test {
protected:
    static ClientOptions options(const FakeHdfs& hdfs) {
        ClientOptions options;
        options.namenode = hdfs.address();
        options.user = "games";
        options.http.stall_timeout = std::chrono::milliseconds(1'000);
        options.patience = std::chrono::milliseconds(5'000);
        return options;
    }

    static Fault refusal(const std::string& exception, const std::string& message) {
        return {Kind::refuse, 403, exception, message};
    }

    FakeHdfs hdfs_;
    SteppingClock clock_;
    io::RealEnv real_;
    WebHdfsClient client_{clock_, real_.env().entropy, options(hdfs_)};
};

TEST_F(WebHdfsClientTest, WritesThroughTheRedirectAndReadsBack) {
    const std::string bytes(300'000, 'x');
    const auto made = client_.create("/lake/a b%c", Body::of(bytes));
    ASSERT_TRUE(made.ok()) << made.error().message;
    ASSERT_TRUE(made->file.has_value());
    EXPECT_EQ(made->file->length, 300'000);
    EXPECT_EQ(client_.read_text("/lake/a b%c").value(), bytes);
    EXPECT_EQ(hdfs_.calls("CREATE"), 1);
    EXPECT_EQ(hdfs_.calls("CREATE-data"), 1);
}

TEST_F(WebHdfsClientTest, CreatesOnlyWhatIsNotThere) {
    ASSERT_TRUE(client_.create("/a", Body::of("first")).value().file.has_value());
    const auto second = client_.create("/a", Body::of("second")).value();
    EXPECT_FALSE(second.file.has_value());
    EXPECT_FALSE(second.may_be_a_rest);
    EXPECT_EQ(hdfs_.node("/a")->bytes, "first");
    ASSERT_TRUE(client_.upload("/a", Body::of("third")).ok());
    EXPECT_EQ(hdfs_.node("/a")->bytes, "third");
}

TEST_F(WebHdfsClientTest, KeepsItsConnectionToTheNameNode) {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(client_.status("/").ok());
    EXPECT_EQ(hdfs_.connections(), 1);
}

TEST_F(WebHdfsClientTest, MissingPathsAreNoErrors) {
    EXPECT_FALSE(client_.status("/none").value().has_value());
    EXPECT_FALSE(client_.list("/none").value().has_value());
    EXPECT_FALSE(client_.read_text("/none").value().has_value());
    EXPECT_FALSE(client_.set_modified("/none", TimestampMs{1}).value());
    EXPECT_TRUE(client_.remove("/none").ok());
    EXPECT_EQ(client_.rename("/none", "/other", Replace::no).value(), Renamed::source_missing);
}

TEST_F(WebHdfsClientTest, RenamesWithAndWithoutReplacing) {
    hdfs_.put("/a", "a");
    hdfs_.put("/b", "b");
    EXPECT_EQ(client_.rename("/a", "/b", Replace::no).value(), Renamed::destination_exists);
    EXPECT_EQ(hdfs_.node("/b")->bytes, "b");
    EXPECT_EQ(client_.rename("/a", "/b", Replace::yes).value(), Renamed::done);
    EXPECT_EQ(hdfs_.node("/b")->bytes, "a");
    EXPECT_FALSE(hdfs_.node("/a").has_value());
}

TEST_F(WebHdfsClientTest, RenameWhoseAnswerGotLostIsDone) {
    for (const Replace replace : {Replace::no, Replace::yes}) {
        hdfs_.put("/a", "a");
        hdfs_.fail("RENAME", {Kind::drop_answer});
        EXPECT_EQ(client_.rename("/a", "/b", replace).value(), Renamed::done);
        ASSERT_TRUE(client_.remove("/b").ok());
    }
}

TEST_F(WebHdfsClientTest, RenameThatWasNotDoneIsTriedAgain) {
    hdfs_.put("/a", "a");
    hdfs_.fail("RENAME", {Kind::drop}, 2);
    EXPECT_EQ(client_.rename("/a", "/b", Replace::no).value(), Renamed::done);
    EXPECT_EQ(hdfs_.calls("RENAME"), 3);
}

TEST_F(WebHdfsClientTest, RenameOverWhatSomeoneElsePutThereWhileTheAnswerGotLost) {
    hdfs_.put("/a", "a");
    hdfs_.put("/b", "another's");
    hdfs_.fail("RENAME", {Kind::drop});
    EXPECT_EQ(client_.rename("/a", "/b", Replace::no).value(), Renamed::destination_exists);
    EXPECT_TRUE(hdfs_.node("/a").has_value());
}

TEST_F(WebHdfsClientTest, FalseIsNoSuccess) {
    hdfs_.put("/a", "a");
    hdfs_.put("/b", "b");
    hdfs_.fail("RENAME", {Kind::boolean_false});
    EXPECT_EQ(client_.rename("/a", "/b", Replace::no).value(), Renamed::destination_exists);
    hdfs_.fail("RENAME", {Kind::boolean_false});
    EXPECT_FALSE(client_.rename("/a", "/c", Replace::no).ok());
    hdfs_.fail("MKDIRS", {Kind::boolean_false});
    EXPECT_FALSE(client_.make_directories("/folder").ok());
    hdfs_.fail("DELETE", {Kind::boolean_false});
    EXPECT_FALSE(client_.remove("/a").ok());
}

TEST_F(WebHdfsClientTest, UploadWhoseAnswerGotLostIsTakenWhereItIsWhole) {
    hdfs_.fail("CREATE-data", {Kind::drop_answer});
    const auto made = client_.create("/lake/a", Body::of("all of it"));
    ASSERT_TRUE(made.ok() && made->file.has_value());
    EXPECT_EQ(hdfs_.calls("CREATE-data"), 1);
    EXPECT_EQ(hdfs_.node("/lake/a")->bytes, "all of it");
}

TEST_F(WebHdfsClientTest, UploadThatWasCutIsSentAgainUnderAnotherName) {
    for (const bool is_new : {true, false}) {
        const std::string path = is_new ? "/lake/new" : "/lake/any";
        hdfs_.fail("CREATE-data", {Kind::cut_upload});
        if (is_new) {
            // What the first attempt has left bears the name, and nobody knows whose it is.
            const auto made = client_.create(path, Body::of("all of it")).value();
            EXPECT_FALSE(made.file.has_value());
            EXPECT_TRUE(made.may_be_a_rest);
        } else {
            ASSERT_TRUE(client_.upload(path, Body::of("all of it")).ok());
            EXPECT_EQ(hdfs_.node(path)->bytes, "all of it");
        }
    }
    EXPECT_EQ(hdfs_.paths(), (std::vector<std::string>{"/", "/lake", "/lake/any", "/lake/new"}));
}

TEST_F(WebHdfsClientTest, UploadThatNobodyKeptIsSentAgain) {
    hdfs_.fail("CREATE-data", {Kind::drop});
    ASSERT_TRUE(client_.create("/lake/a", Body::of("all of it")).value().file.has_value());
    EXPECT_EQ(hdfs_.node("/lake/a")->bytes, "all of it");
    EXPECT_EQ(hdfs_.paths(), (std::vector<std::string>{"/", "/lake", "/lake/a"}));
}

TEST_F(WebHdfsClientTest, FileThatWasDamagedOnItsWayIsFoundByItsChecksum) {
    io::Env real = real_.env();
    const std::string local = ::testing::TempDir() + "upload_to_damage";
    ASSERT_TRUE(real.files.remove_file(local).ok());
    auto file = real.files.open(local, io::Open::create_new).value();
    const std::string bytes(10'000, 'q');
    ASSERT_TRUE(file->write_at(0, std::as_bytes(std::span(bytes))).ok());
    hdfs_.fail("CREATE-data", {Kind::damage});
    ASSERT_TRUE(client_.upload("/lake/a", Body{{}, file.get(), 10'000}).ok());
    EXPECT_EQ(hdfs_.node("/lake/a")->bytes, bytes);
    EXPECT_EQ(hdfs_.calls("CREATE-data"), 2);
}

TEST_F(WebHdfsClientTest, AnswerThatEndsTooEarlyIsFetchedAgain) {
    hdfs_.put("/a", std::string(100'000, 'a'));
    hdfs_.fail("OPEN-data", {Kind::cut_answer});
    EXPECT_EQ(client_.read_text("/a").value()->size(), 100'000);
    EXPECT_EQ(hdfs_.calls("OPEN-data"), 2);
}

TEST_F(WebHdfsClientTest, SilenceIsGivenUpAndTriedAgain) {
    hdfs_.put("/a", "a");
    hdfs_.fail("OPEN-data", {Kind::stall});
    EXPECT_EQ(client_.read_text("/a").value(), "a");
}

TEST_F(WebHdfsClientTest, SafeModeIsWaitedForAndThenTold) {
    hdfs_.fail("MKDIRS", refusal("SafeModeException", "Cannot create directory /a. Name node is in safe mode."), 2);
    EXPECT_TRUE(client_.make_directories("/a").ok());
    EXPECT_EQ(clock_.sleeps(), 2);
    hdfs_.fail("MKDIRS", refusal("RetriableException", "Cannot create directory /b. Name node is in safe mode."),
               1'000);
    const auto failed = client_.make_directories("/b");
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(has(failed.error().message, "safe mode"));
    EXPECT_TRUE(has(failed.error().message, hdfs_.address()));
    EXPECT_LT(hdfs_.calls("MKDIRS"), 20);
}

TEST_F(WebHdfsClientTest, QuotaIsAsAFullDiskAndNotWaitedFor) {
    hdfs_.fail("CREATE-data", refusal("DSQuotaExceededException", "The DiskSpace quota of /lake is exceeded"));
    const auto failed = client_.create("/lake/a", Body::of("x"));
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::retry_later);
    EXPECT_EQ(failed.error().system_errno, EDQUOT);
    EXPECT_TRUE(has(failed.error().message, "The DiskSpace quota of /lake is exceeded"));
    EXPECT_EQ(hdfs_.calls("CREATE"), 1);
}

TEST_F(WebHdfsClientTest, WhatTheUserMayNotDoIsRejectedByNameAndPath) {
    hdfs_.fail("MKDIRS", refusal("AccessControlException", "Permission denied: user=games, access=WRITE"));
    const auto failed = client_.make_directories("/secret");
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::reject);
    EXPECT_TRUE(has(failed.error().message, "user games"));
    EXPECT_TRUE(has(failed.error().message, "/secret"));
    EXPECT_EQ(hdfs_.calls("MKDIRS"), 1);
}

TEST_F(WebHdfsClientTest, NoDataNodeIsWaitedForAndThenTold) {
    hdfs_.fail("CREATE-data",
               refusal("IOException", "File /a could only be written to 0 of the 1 minReplication nodes."), 100);
    const auto failed = client_.create("/a", Body::of("x"));
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(has(failed.error().message, "DataNode"));
    EXPECT_GT(hdfs_.calls("CREATE-data"), 3);
}

TEST_F(WebHdfsClientTest, FileWhoseBlockNobodyTookIsSentAgainAndNothingIsLeft) {
    const Fault no_room{Kind::refuse_rest, 403, "IOException",
                        "File /a could only be written to 0 of the 1 minReplication nodes."};
    hdfs_.fail("CREATE-data", no_room, 3);
    ASSERT_TRUE(client_.upload("/lake/a", Body::of("all of it")).ok());
    EXPECT_EQ(hdfs_.node("/lake/a")->bytes, "all of it");
    EXPECT_EQ(hdfs_.paths(), (std::vector<std::string>{"/", "/lake", "/lake/a"}));
}

TEST_F(WebHdfsClientTest, NobodyThereIsToldWithTheAddress) {
    hdfs_.stop();
    const auto failed = client_.status("/");
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(has(failed.error().message, "http://" + hdfs_.address()));
    EXPECT_TRUE(has(failed.error().message, "[lake]"));
    EXPECT_GT(clock_.sleeps(), 2);
}

TEST_F(WebHdfsClientTest, AnotherServersAnswerIsNotTakenForHdfss) {
    hdfs_.fail("GETFILESTATUS", {Kind::refuse, 404, "", "<html>nginx</html>"});
    const auto failed = client_.status("/");
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::internal);
    EXPECT_TRUE(has(failed.error().message, "webhdfs"));
}

TEST_F(WebHdfsClientTest, ListsAllAndAfterAName) {
    for (const char* name : {"a", "b", "c"}) hdfs_.put(std::string("/") + name, name);
    ASSERT_EQ(client_.list("/").value()->size(), 3);
    const auto after = client_.list_after("/", "a").value();
    ASSERT_EQ(after->size(), 2);
    EXPECT_EQ(after->front().name, "b");
}

TEST_F(WebHdfsClientTest, KnowsTheNameNodesClock) {
    ASSERT_TRUE(client_.status("/").ok());
    EXPECT_EQ(client_.now().value / 1000, 1'795'384'733);
}

} // namespace
} // namespace questlog::hdfs
