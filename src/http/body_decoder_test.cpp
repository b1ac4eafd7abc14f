#include "http/body_decoder.h"

#include "http/zip.h"

#include <cstdlib>
#include <vector>

namespace questlog::http {
namespace {

constexpr BodyDecoder::Limits narrow{10'000, 100};

/// Text that no method makes much smaller.
std::string noise(std::size_t bytes) {
    std::string text;
    std::uint32_t seed = 7;
    while (text.size() < bytes) {
        seed = seed * 1664525 + 1013904223;
        text += static_cast<char>('!' + (seed >> 24) % 90);
    }
    return text;
}

class BodyDecoding : public ::testing::TestWithParam<ContentCoding> {
protected:
    static std::string zip(std::string_view text) {
        return GetParam() == ContentCoding::gzip ? gzip(text) : zstd(text, false);
    }
    /// The plain text, or the refusal as "413 …".
    std::string decode(std::string_view body) {
        std::string_view plain;
        const auto refusal = decoder_.decode(GetParam(), body, plain);
        if (refusal) return std::to_string(refusal->status) + " " + refusal->text;
        if (body.empty()) return std::string(plain);                     // itself, with whatever stands behind it
        const std::string with_padding(plain.data(), plain.size() + 64); // readable: the sanitizer watches
        return with_padding.substr(0, plain.size());
    }

    BodyDecoder decoder_{narrow};
};

INSTANTIATE_TEST_SUITE_P(Codings, BodyDecoding, ::testing::Values(ContentCoding::gzip, ContentCoding::zstd),
                         [](const auto& one) { return one.param == ContentCoding::gzip ? "gzip" : "zstd"; });

TEST_P(BodyDecoding, GivesBackWhatWasZippedTimeAndAgain) {
    for (const std::string& text : {noise(5'000), std::string("{}"), std::string(), noise(10'000), noise(1)})
        EXPECT_EQ(decode(zip(text)), text);
    EXPECT_EQ(decode(""), "") << "nothing is nothing in every coding";
}

TEST_P(BodyDecoding, ReadsSeveralStreamsAsOneBody) {
    const std::string first = noise(300);
    const std::string second = noise(40) + "\n";
    EXPECT_EQ(decode(zip(first) + zip("") + zip(second)), first + second);
}

TEST_P(BodyDecoding, RefusesOneByteMoreThanTheLimit) {
    const std::string most = noise(narrow.bytes_max);
    EXPECT_EQ(decode(zip(most)), most);
    const std::string refusal = "413 the body unzips to more than 10000 bytes: send it in parts";
    EXPECT_EQ(decode(zip(most + "x")), refusal);
    EXPECT_EQ(decode(zip(most) + zip("x")), refusal) << "all streams together";
    EXPECT_EQ(decode(zip(noise(500'000))), refusal);
    EXPECT_EQ(decode(zip("{}")), "{}") << "and the next body is read";
}

TEST_P(BodyDecoding, RefusesMoreThanTheRatio) {
    const std::string refusal = "413 the body unzips to more than 100 times its size: send it less zipped, or as it is";
    EXPECT_EQ(decode(zip(std::string(9'000, 'a'))), refusal);
    const std::string zipped = zip(std::string(10'000'000, 'a'));
    EXPECT_EQ(decode(zipped), zipped.size() * 100 < narrow.bytes_max
                                  ? refusal
                                  : "413 the body unzips to more than 10000 bytes: send it in parts");
    const std::string text = std::string(40, 'a');
    EXPECT_EQ(decode(zip(text)), text);
}

TEST_P(BodyDecoding, RefusesEveryBodyThatIsCutOff) {
    const std::string text = noise(600);
    const std::string zipped = zip(text);
    for (std::size_t bytes = 1; bytes < zipped.size(); ++bytes)
        EXPECT_TRUE(decode(zipped.substr(0, bytes)).starts_with("400 the body is not what its Content-Encoding says: "))
            << bytes << decode(zipped.substr(0, bytes));
    EXPECT_EQ(decode(zipped), text);
}

TEST_P(BodyDecoding, NeverTakesAFlippedBitForTheBody) {
    const std::string text = noise(200);
    const std::string zipped = zip(text);
    for (std::size_t bit = 0; bit < zipped.size() * 8; ++bit) {
        std::string flipped = zipped;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        const std::string read = decode(flipped);
        // A bit of gzip's header, such as its time, may mean nothing.
        EXPECT_TRUE(read == text || read.starts_with("400 ") || read.starts_with("413 ")) << bit << ": " << read;
    }
}

TEST_P(BodyDecoding, RefusesWhatFollowsTheBody) {
    EXPECT_TRUE(decode(zip("{}") + "x").starts_with("400 "));
    EXPECT_TRUE(decode(zip("{}") + std::string(20, '\0')).starts_with("400 "));
    EXPECT_TRUE(decode("{\"event_type\": \"a\"}").starts_with("400 "));
}

TEST(BodyDecoder, LeavesABodyThatIsNotZippedWhereItIs) {
    BodyDecoder decoder(narrow);
    const std::string body = noise(50'000);
    std::string_view plain;
    EXPECT_FALSE(decoder.decode(ContentCoding::identity, body, plain));
    EXPECT_EQ(plain.data(), body.data());
    EXPECT_EQ(plain.size(), body.size());
}

TEST(BodyDecoder, RefusesAFrameThatClaimsTooMuchWithoutUnzippingIt) {
    BodyDecoder decoder(narrow);
    std::string zipped = zstd(noise(20'000), true);
    zipped.resize(32); // what follows the claim is never looked at
    std::string_view plain;
    const auto refusal = decoder.decode(ContentCoding::zstd, zipped, plain);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->status, 413U);
}

TEST(BodyDecoder, SkipsZstdsSkippableFramesAndReadsNoFormatOfItsPast) {
    BodyDecoder decoder(narrow);
    std::string_view plain;
    const std::string skipped("\x5f\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
    EXPECT_FALSE(decoder.decode(ContentCoding::zstd, skipped + zstd("{}") + skipped, plain));
    EXPECT_EQ(plain, "{}");
    const std::string version_5("\x25\xb5\x2f\xfd\x00\x00\x00\x00\x00\x00\x00\x00", 12);
    const auto refusal = decoder.decode(ContentCoding::zstd, version_5, plain);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->text, "the body is not what its Content-Encoding says: zstd: not a zstd frame");
}

} // namespace
} // namespace questlog::http
