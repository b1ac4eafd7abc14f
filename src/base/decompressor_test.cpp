#include "base/decompressor.h"

#include "base/compressor.h"
#include "base/snappy.h"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

namespace questlog {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string events(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += R"({"event_type": "purchase_sword", "n": )" + std::to_string(i) + "}";
    return text;
}

Bytes compressed(Compression kind, std::string_view text) {
    Compressor compressor(kind);
    Bytes to;
    to.resize(compressor.compress(bytes_of(text), to, 0));
    return to;
}

Result<std::span<const std::byte>> decompress(Decompressor& decompressor, Compression kind,
                                              std::span<const std::byte> from) {
    return kind == Compression::lz4 ? decompressor.lz4(from) : decompressor.zstd(from);
}

constexpr std::array kinds{Compression::lz4, Compression::zstd};

TEST(Compressor, GivesBackWhatItTookAndIsReused) {
    for (const auto kind : kinds) {
        Compressor compressor(kind);
        Decompressor decompressor(1 << 20);
        Bytes to;
        for (const int count : {3, 5000, 40, 20'000, 3}) {
            const auto text = events(count);
            constexpr std::size_t at = 7; // what stands before is not touched
            to.assign(at, std::byte{'h'});
            const auto bytes = compressor.compress(bytes_of(text), to, at);
            ASSERT_GT(bytes, 0U);
            ASSERT_LT(bytes, text.size());
            EXPECT_EQ(text_of(std::span(to).first(at)), "hhhhhhh");
            const auto back = decompress(decompressor, kind, std::span(to).subspan(at, bytes));
            ASSERT_TRUE(back.ok()) << back.error().message;
            EXPECT_EQ(text_of(*back), text);
        }
    }
}

TEST(Compressor, KeepsWhatWouldNotBecomeShorter) {
    std::mt19937 random(1); // NOLINT: a fixed seed is the point
    for (const auto kind : kinds) {
        for (const std::size_t size : {0U, 1U, 20U, 3000U, 200'000U}) {
            std::string noise(size, ' ');
            for (char& c : noise) c = static_cast<char>(random());
            EXPECT_TRUE(compressed(kind, noise).empty()) << size;
        }
    }
    EXPECT_TRUE(compressed(Compression::none, events(1000)).empty());
}

TEST(Compressor, WritesLz4FramesThatKafkasJavaClientReads) {
    const auto frame = compressed(Compression::lz4, events(5000));
    ASSERT_GT(frame.size(), 7U);
    // Magic; version 1, independent blocks, no checksums, no length; blocks of 64 KiB.
    EXPECT_EQ(text_of(std::span(frame).first(6)), std::string("\x04\x22\x4d\x18\x60\x40", 6));
}

TEST(Decompressor, TakesExactlyWhatTheLimitAllows) {
    for (const auto kind : kinds) {
        for (const std::size_t size : {100U, 64U * 1024, 1'000'000U}) {
            const auto from = compressed(kind, std::string(size, 'x'));
            Decompressor enough(size);
            const auto taken = decompress(enough, kind, from);
            ASSERT_TRUE(taken.ok()) << size << ": " << taken.error().message;
            EXPECT_EQ(taken->size(), size);
            Decompressor less(size - 1);
            const auto refused = decompress(less, kind, from);
            ASSERT_FALSE(refused.ok()) << size;
            EXPECT_EQ(refused.error().kind, ErrorKind::corrupt);
            EXPECT_NE(refused.error().message.find(std::to_string(size - 1)), std::string::npos);
        }
    }
}

TEST(Decompressor, TakesSeveralFramesAsOne) {
    for (const auto kind : kinds) {
        auto from = compressed(kind, std::string(200'000, 'a'));
        const auto second = compressed(kind, std::string(300'000, 'b'));
        from.insert(from.end(), second.begin(), second.end());
        Decompressor decompressor(500'000);
        const auto back = decompress(decompressor, kind, from);
        ASSERT_TRUE(back.ok()) << back.error().message;
        EXPECT_EQ(text_of(*back), std::string(200'000, 'a') + std::string(300'000, 'b'));
        Decompressor less(499'999);
        EXPECT_FALSE(decompress(less, kind, from).ok());
    }
}

/// Whatever the bytes are: an answer, within the limit.
void expect_answer(Decompressor& decompressor, std::span<const std::byte> from, std::size_t limit) {
    for (const auto& answer :
         {decompressor.gzip(from), decompressor.snappy(from), decompressor.lz4(from), decompressor.zstd(from)})
        ASSERT_TRUE(!answer.ok() || answer->size() <= limit);
}

TEST(Decompressor, CutOrFlippedDataIsRefusedOrStaysWithinTheLimit) {
    const auto text = events(300);
    const std::size_t limit = 2 * text.size();
    Decompressor decompressor(limit);
    for (const auto kind : kinds) {
        const auto good = compressed(kind, text);
        for (std::size_t size = 0; size < good.size(); ++size) {
            const auto cut = decompress(decompressor, kind, std::span(good).first(size));
            ASSERT_TRUE(!cut.ok() || cut->empty()) << size;
        }
        for (std::size_t i = 0; i < good.size(); ++i) {
            auto bad = good;
            bad[i] ^= std::byte{1} << (i % 8);
            expect_answer(decompressor, bad, limit);
        }
    }
}

Result<std::string> unsnap(std::string_view block) {
    Decompressor decompressor(1000);
    TRY(back, decompressor.snappy(bytes_of(block)));
    return text_of(back);
}

TEST(Snappy, ReadsLiteralsAndCopiesOfEveryKind) {
    using std::string_literals::operator""s;
    EXPECT_EQ(unsnap("\x00"s).value(), "");
    EXPECT_EQ(unsnap("\x03\x08"s + "abc").value(), "abc");
    EXPECT_EQ(unsnap("\x03\xf0\x02"s + "abc").value(), "abc") << "the length in a byte of its own";
    EXPECT_EQ(unsnap("\x03\xf4\x02\x00"s + "abc").value(), "abc") << "in two";
    EXPECT_EQ(unsnap("\x0a\x08"s + "abc" + "\x0d\x03"s).value(), "abcabcabca") << "7 from 3 before, which overlap";
    EXPECT_EQ(unsnap("\x08\x0c"s + "abcd" + "\x0e\x04\x00"s).value(), "abcdabcd") << "distance of two bytes";
    EXPECT_EQ(unsnap("\x08\x0c"s + "abcd" + "\x0f\x04\x00\x00\x00"s).value(), "abcdabcd") << "of four";
}

TEST(Snappy, RefusesWhatIsNone) {
    using std::string_literals::operator""s;
    for (const auto& bad : {
             ""s,                                       // no length
             "\xff\xff\xff\xff\xff\x01"s,               // a length of more than 32 bits
             "\x80\x80\x80\x80\x80"s,                   // one without an end
             "\xff\xff\xff\xff\x0f\x00"s,               // 4 GiB
             "\x04\x08"s + "abc",                       // shorter than said
             "\x02\x08"s + "abc",                       // longer
             "\x03\x0c"s + "abc",                       // a literal beyond the block
             "\x03\xfc\xff\xff\xff\xff"s + "abc",       // one of 4 GiB
             "\x06\x08"s + "abc" + "\x0e\x04\x00"s,     // a copy from before the beginning
             "\x06\x08"s + "abc" + "\x0a\x00\x00"s,     // from nowhere
             "\x05\x08"s + "abc" + "\x0e\x03\x00"s,     // beyond the end
             "\x06\x08"s + "abc" + "\x0e\x03"s,         // cut
             "\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0\0\5\0"s, // a block of xerial's beyond the end
             "\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0"s,       // one whose length is cut
         })
        EXPECT_FALSE(unsnap(bad).ok()) << testing::PrintToString(bad);
}

} // namespace
} // namespace questlog
