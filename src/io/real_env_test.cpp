#include "io/real_env.h"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace questlog::io {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

class RealEnvTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "questlog-io-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
    [[nodiscard]] std::string text_of(const std::string& name) const {
        std::ifstream file(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    std::string directory_;
    RealEnv real_;
    Files& files_ = real_.env().files;
};

TEST_F(RealEnvTest, WritesReadsAndSyncsAFile) {
    auto file = std::move(files_.open(path("a"), Open::create_new)).value();
    ASSERT_TRUE(file->write_at(3, bytes_of("def")).ok());
    ASSERT_TRUE(file->sync_data().ok());
    EXPECT_EQ(*file->size(), 6);
    std::string read(10, '?');
    EXPECT_EQ(*file->read_at(0, std::as_writable_bytes(std::span(read))), 6U);
    EXPECT_EQ(read.substr(0, 6), std::string("\0\0\0def", 6));
    ASSERT_TRUE(file->truncate(4).ok());
    EXPECT_EQ(*file->size(), 4);
}

TEST_F(RealEnvTest, ErrorsNameThePathAndTheirKind) {
    const auto missing = files_.open(path("none"), Open::read);
    EXPECT_EQ(missing.error().kind, ErrorKind::reject);
    EXPECT_NE(missing.error().message.find(path("none")), std::string::npos);
    std::ofstream(path("there")) << "x";
    EXPECT_EQ(files_.open(path("there"), Open::create_new).error().kind, ErrorKind::reject);
    EXPECT_EQ(files_.list(path("none")).error().kind, ErrorKind::reject);
    EXPECT_EQ(files_.stat(path("none"))->kind, Kind::missing);
}

TEST_F(RealEnvTest, AFullDiskIsToBeRetried) {
    if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
    auto file = std::move(files_.open("/dev/full", Open::write)).value();
    const auto written = file->write_at(0, bytes_of("x"));
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().kind, ErrorKind::retry_later);
    EXPECT_NE(written.error().message.find("free some space"), std::string::npos);
}

TEST_F(RealEnvTest, AWordOfWhichOnlyAPartCouldBeWrittenTellsWhy) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit half_a_word{4, before.rlim_max};
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &half_a_word), 0);
    errno = ENOENT; // of a call before
    const auto mapped = files_.map_word(path("word"), Open::create);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, handler);
    ASSERT_FALSE(mapped.ok());
    EXPECT_EQ(mapped.error().kind, ErrorKind::retry_later);
    EXPECT_NE(mapped.error().message.find("ulimit -f"), std::string::npos) << mapped.error().message;
}

TEST_F(RealEnvTest, AsksWhatIsFree) {
    const auto free = files_.free_bytes(path(""));
    ASSERT_TRUE(free.ok()) << free.error().message;
    EXPECT_GT(*free, 0);
    EXPECT_LE(*free, static_cast<std::int64_t>(std::filesystem::space(path("")).capacity));
    EXPECT_GT(*files_.free_bytes("/proc"), std::int64_t{1} << 60) << "it does not tell";
    EXPECT_EQ(files_.free_bytes(path("none")).error().kind, ErrorKind::reject);
}

/// The sanitizer of virtual calls looks at memory through a pipe, which cannot be opened then.
__attribute__((no_sanitize("vptr"))) std::pair<Result<std::unique_ptr<File>>, Status>
open_and_sync(Files& files, const std::string& file, const std::string& directory) {
    auto opened = files.open(file, Open::create);
    return {std::move(opened), files.sync_directory(directory)};
}

TEST_F(RealEnvTest, WithoutADescriptorItIsToBeTriedAgain) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{0, before.rlim_max};
    const std::string file = path("new");
    const std::string directory = path("");
    Files& files = files_;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const auto [opened, synced] = open_and_sync(files, file, directory);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    for (const auto& error : {opened.error(), synced.error()}) {
        EXPECT_EQ(error.kind, ErrorKind::retry_later);
        EXPECT_NE(error.message.find("ulimit -n"), std::string::npos) << error.message;
    }
}

TEST_F(RealEnvTest, MakesDirectoriesRenamesExchangesAndRemoves) {
    ASSERT_TRUE(files_.make_directories(path("x/y/z")).ok());
    ASSERT_TRUE(files_.make_directories(path("x/y/z")).ok());
    std::ofstream(path("x/one")) << "1";
    std::ofstream(path("x/two")) << "2";
    ASSERT_TRUE(files_.exchange(path("x/one"), path("x/two")).ok());
    EXPECT_EQ(text_of("x/one"), "2");
    ASSERT_TRUE(files_.rename(path("x/one"), path("x/two")).ok());
    EXPECT_EQ(text_of("x/two"), "2");
    ASSERT_TRUE(files_.sync_directory(path("x")).ok());
    const auto entries = std::move(files_.list(path("x"))).value();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].name, "two");
    EXPECT_EQ(entries[1].kind, Kind::directory);
    ASSERT_TRUE(files_.remove_file(path("x/two")).ok());
    ASSERT_TRUE(files_.remove_file(path("x/two")).ok());
    ASSERT_TRUE(files_.remove_tree(path("x")).ok());
    EXPECT_EQ(files_.stat(path("x"))->kind, Kind::missing);
}

void expect_that_a_new_name_takes_no_others_place(Files& files, const std::string& folder) {
    std::ofstream(folder + "/one") << "1";
    std::ofstream(folder + "/two") << "2";
    const auto text_of = [&](const std::string& name) {
        std::ifstream file(folder + name, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    EXPECT_EQ(files.rename_new(folder + "/one", folder + "/two").value(), false);
    EXPECT_EQ(text_of("/two"), "2");
    EXPECT_EQ(text_of("/one"), "1");
    EXPECT_EQ(files.rename_new(folder + "/one", folder + "/three").value(), true);
    EXPECT_EQ(text_of("/three"), "1");
    EXPECT_EQ(files.stat(folder + "/one")->kind, Kind::missing);
    EXPECT_FALSE(files.rename_new(folder + "/one", folder + "/four").ok());
}

TEST_F(RealEnvTest, ANewNameTakesNoOthersPlace) {
    expect_that_a_new_name_takes_no_others_place(files_, directory_);
}

/// From now on the kernel answers renameat2 as a file system does that knows none of its flags.
bool refuse_renameat2() {
    std::array filter{sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_renameat2, 0, 1),
                      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
                      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program{filter.size(), filter.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(RealEnvTest, ANewNameTakesNoOthersPlaceWhereTheFileSystemHasNoSuchRename) {
    constexpr int no_filters = 77;
    const pid_t child = ::fork();
    if (child == 0) {
        if (!refuse_renameat2()) ::_exit(no_filters);
        expect_that_a_new_name_takes_no_others_place(files_, directory_);
        ::_exit(HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == no_filters) GTEST_SKIP() << "no filters for system calls here";
    EXPECT_EQ(status, 0);
}

TEST_F(RealEnvTest, AWordIsSharedAtOnce) {
    auto writer = std::move(files_.map_word(path("word"), Open::create)).value();
    auto reader = std::move(files_.map_word(path("word"), Open::read)).value();
    writer->store(0x8000'0000'0000'0001U);
    EXPECT_EQ(reader->load(), 0x8000'0000'0000'0001U);
    ASSERT_TRUE(writer->sync().ok());
    EXPECT_EQ(std::filesystem::file_size(path("word")), 8U);
    std::ofstream(path("short")) << "abc";
    EXPECT_EQ(files_.map_word(path("short"), Open::write).error().kind, ErrorKind::corrupt);
}

TEST_F(RealEnvTest, ALockExcludesNamesItsHolderAndEndsWithIt) {
    auto held = files_.lock(path("lock"), 0, Files::Share::exclusive, {});
    ASSERT_TRUE(held.ok());
    EXPECT_TRUE(*files_.locked(path("lock"), 0));
    EXPECT_FALSE(*files_.locked(path("lock"), 1));
    const auto refused = files_.lock(path("lock"), 0, Files::Share::exclusive, {});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::retry_later);
    EXPECT_NE(refused.error().message.find(std::to_string(::getpid())), std::string::npos) << refused.error().message;
    held->reset();
    EXPECT_FALSE(*files_.locked(path("lock"), 0));
    auto one = files_.lock(path("lock"), 0, Files::Share::shared, {});
    auto other = files_.lock(path("lock"), 0, Files::Share::shared, {});
    EXPECT_TRUE(one.ok() && other.ok());
    EXPECT_FALSE(*files_.locked(path("lock"), 0)) << "shared holders are not in a reader's way";
    EXPECT_NE(files_.lock(path("lock"), 0, Files::Share::exclusive, {}).error().message.find("readers"),
              std::string::npos);
}

TEST_F(RealEnvTest, ALockIsWaitedFor) {
    auto held = files_.lock(path("lock"), 0, Files::Share::exclusive, {});
    std::thread holder([&] { held->reset(); });
    EXPECT_TRUE(files_.lock(path("lock"), 0, Files::Share::exclusive, std::chrono::seconds{30}).ok());
    holder.join();
}

TEST_F(RealEnvTest, AKilledHoldersLockIsFree) {
    const pid_t child = ::fork();
    if (child == 0) {
        const auto held = files_.lock(path("lock"), 0, Files::Share::exclusive, {});
        ::_exit(held.ok() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    EXPECT_TRUE(files_.lock(path("lock"), 0, Files::Share::exclusive, {}).ok());
}

TEST_F(RealEnvTest, ALibraryOpensAFileThatWasRemoved) {
    std::ofstream(path("a")) << "contents";
    auto file = std::move(files_.open(path("a"), Open::read)).value();
    const auto library_path = std::move(files_.library_path(*file)).value();
    ASSERT_TRUE(files_.remove_file(path("a")).ok());
    std::string read;
    std::ifstream(library_path) >> read;
    EXPECT_EQ(read, "contents");
}

TEST_F(RealEnvTest, ScratchGoesWithItsOwnerAndLeftoversWithTheNext) {
    std::filesystem::create_directory(path(".questlog-scratch-aBcDeF")); // of a process that was killed
    std::string scratch;
    {
        RealEnv owner;
        scratch = std::move(owner.env().files.scratch_directory(directory_)).value();
        EXPECT_FALSE(std::filesystem::exists(path(".questlog-scratch-aBcDeF")));
        const auto beside = std::move(files_.scratch_directory(directory_)).value();
        EXPECT_TRUE(std::filesystem::exists(scratch)) << "another owner's is left alone while it lives";
        std::ofstream(scratch + "/part") << "rows";
        ASSERT_TRUE(owner.env().files.adopt(scratch + "/part", path("part")).ok());
    }
    EXPECT_FALSE(std::filesystem::exists(scratch));
    EXPECT_EQ(text_of("part"), "rows");
}

TEST_F(RealEnvTest, EntropyDiffers) {
    std::array<std::byte, 16> one{};
    std::array<std::byte, 16> other{};
    real_.env().entropy.fill(one);
    real_.env().entropy.fill(other);
    EXPECT_NE(one, other);
}

} // namespace
} // namespace questlog::io
