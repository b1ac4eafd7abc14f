#include "event/json_text.h"

#include "event/json_string.h"

#include <fstream>
#include <gtest/gtest.h>
#include <string>

namespace questlog::event {
namespace {

std::string json_string(std::string_view text) {
    std::string out = "before ";
    if (!append_json_string(out, text)) return "refused, out is \"" + out + "\"";
    return out.substr(7);
}

std::string respaced(std::string_view json) {
    std::string out;
    append_respaced(out, json);
    return out;
}

TEST(JsonString, IsWhatJsonDumpsWrites) {
    EXPECT_EQ(json_string(""), R"("")");
    EXPECT_EQ(json_string("\"quoted\" \\ back/slash"), R"("\"quoted\" \\ back/slash")");
    EXPECT_EQ(json_string(std::string_view("\b\f\n\r\t\0\x1f\x7f", 8)), R"("\b\f\n\r\t\u0000\u001f\u007f")");
    EXPECT_EQ(json_string("\303\251 \346\227\245 \355\237\277\356\200\200\357\277\277"),
              R"("\u00e9 \u65e5 \ud7ff\ue000\uffff")");
    EXPECT_EQ(json_string("\360\237\230\200\360\220\200\200\364\217\277\277"),
              R"("\ud83d\ude00\ud800\udc00\udbff\udfff")");
}

TEST(JsonString, FindsEveryByteThatIsNotPlainAtEveryPosition) {
    for (int value = 0; value < 128; ++value) {
        const char c = static_cast<char>(value);
        const bool plain = value >= 0x20 && value < 0x7f && c != '"' && c != '\\';
        for (std::size_t before = 0; before < 20; ++before) {
            const std::string text = std::string(before, 'x') + c + std::string(9, 'y');
            ASSERT_EQ(plain_prefix(text), plain ? text.size() : before) << value << " after " << before;
        }
    }
}

TEST(JsonString, RefusesWhatIsNotUtf8AndAppendsNothing) {
    for (const std::string_view wrong :
         {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf",
          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "text then \xe2\x28\xa1"})
        EXPECT_EQ(json_string(wrong), "refused, out is \"before \"");
}

TEST(JsonString, ReadsLatin1ByteByByte) {
    std::string out;
    append_json_latin1(out, "caf\xe9 \"\xff\" \x80\t");
    EXPECT_EQ(out, R"("caf\u00e9 \"\u00ff\" \u0080\t")");
}

TEST(Respacing, IsWhatPythonMakesOfIt) {
    std::ifstream golden(QUESTLOG_SOURCE_DIR "/tests/golden/events/json_dumps.txt", std::ios::binary);
    int pairs = 0;
    for (std::string sent, dumped; std::getline(golden, sent) && std::getline(golden, dumped); ++pairs)
        EXPECT_EQ(respaced(sent), dumped) << sent;
    EXPECT_EQ(pairs, 150);
}

TEST(Respacing, KeepsNumbersAsTheyAreWritten) {
    EXPECT_EQ(respaced("[1.0e3,-0,0.10,1E+2,12345678901234567]"), "[1.0e3, -0, 0.10, 1E+2, 12345678901234567]");
}

TEST(Respacing, RepeatedKeysKeepTheFirstPlaceAndTheLastValueWhateverTheirSpelling) {
    EXPECT_EQ(respaced(R"({"a":1,"b":2,"\u0061":{"c":1,"c":[2]}})"), R"({"a": {"c": [2]}, "b": 2})");
    std::string many = "{";
    for (int i = 0; i < 2000; ++i)
        many += (i == 0 ? "\"k" : ",\"k") + std::to_string(i % 1000) + "\":" + std::to_string(i);
    const std::string once = respaced(many + "}");
    EXPECT_EQ(once.substr(0, 28), R"({"k0": 1000, "k1": 1001, "k2)");
    EXPECT_EQ(once.substr(once.size() - 13), R"("k999": 1999})");
}

TEST(Trimming, TakesJsonsWhiteSpaceOnly) {
    EXPECT_EQ(trim_json_space(" \t\r\n{ } \n"), "{ }");
    EXPECT_EQ(trim_json_space(" \n "), "");
    EXPECT_EQ(trim_json_space("\v{}\f"), "\v{}\f");
}

} // namespace
} // namespace questlog::event
