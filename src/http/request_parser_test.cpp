#include "http/request_reader.h"

#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace questlog::http {
namespace {

TEST(RequestParser, ReadsARequestAsItWasSent) {
    const auto reading = read_whole("POST /purchase_a_sword?receipt=1&x=%20 HTTP/1.1\r\nHost: user1.comcast.com\r\n"
                                    "X-Odd:\t two  words \t\r\nEmpty:\r\nContent-Length: 5\r\n\r\nhello");
    ASSERT_EQ(reading.requests.size(), 1u);
    EXPECT_EQ(reading.requests[0], "POST /purchase_a_sword ?receipt=1&x=%20 HTTP/11 stays\nHost=user1.comcast.com\n"
                                   "X-Odd=two  words\nEmpty=\nContent-Length=5\n[hello]");
}

TEST(RequestParser, HowBytesAreSplitMakesNoDifference) {
    const std::vector<std::string> streams = {
        get("Host: a\r\nUser-Agent: ab/2.3\r\nAccept: */*\r\n") + canary,
        post("Content-Length: 11\r\n", "hello world") + canary,
        post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n1\r\n \r\n00b\r\nworld\r\nagain\r\n0\r\n\r\n") + canary,
        post("Transfer-Encoding: chunked\r\n", "3\r\na\r\n\r\n0\r\nChecksum: 7\r\nAnd: more\r\n\r\n") + canary,
        post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n") + "\r\n" + canary + canary,
        post("Content-Length: 0\r\n", "") + post("Content-Length: 1\r\n", "x") + canary,
        "GET http://game.example/a?b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + canary,
        post("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc") + canary,
        get("Host: a\r\nTransfer-Encoding: gzip\r\n") + canary,
        post("Transfer-Encoding: chunked\r\n", "5;ext=1\r\nhello\r\n0\r\n\r\n") + canary,
    };
    for (const std::string& stream : streams) {
        const Reading whole = read_whole(stream);
        EXPECT_FALSE(whole.requests.empty() && whole.refused == 0) << stream;
        for (std::size_t cut = 1; cut < stream.size(); ++cut) {
            Reader reader;
            reader.feed(std::string_view(stream).substr(0, cut));
            reader.feed(std::string_view(stream).substr(cut));
            ASSERT_EQ(reader.reading(), whole) << "cut at " << cut << " of " << stream;
        }
        ASSERT_EQ(Reader().feed(stream, 1), whole) << "byte by byte: " << stream;
    }
}

TEST(RequestParser, UnchunksAndDropsTrailers) {
    const auto reading = read_whole(
        post("Transfer-Encoding: Chunked\r\n", "5\r\nhello\r\nB\r\n wide world\r\n0\r\nHost: evil\r\nX: y\r\n\r\n"));
    ASSERT_EQ(reading.requests.size(), 1u) << reading.why;
    EXPECT_TRUE(reading.requests[0].ends_with("[hello wide world]")) << reading.requests[0];
    EXPECT_EQ(reading.requests[0].find("evil"), std::string::npos);
}

TEST(RequestParser, AfterARefusalNothingIsRead) {
    Reader reader;
    reader.feed(canary + get("X: no host\r\n") + canary);
    EXPECT_EQ(reader.reading().requests.size(), 1u);
    EXPECT_EQ(reader.parser().next(), RequestParser::Progress::refused);
    EXPECT_EQ(reader.parser().next(), RequestParser::Progress::refused);
    EXPECT_EQ(reader.parser().request_so_far().target, "/");
}

TEST(RequestParser, TargetsInEveryForm) {
    const auto path_of = [](const std::string& line) {
        const Reading reading = read_whole(line + " HTTP/1.1\r\nHost: a\r\n\r\n");
        return reading.refused != 0 ? reading.why
                                    : reading.requests.at(0).substr(0, reading.requests[0].find(" HTTP/"));
    };
    EXPECT_EQ(path_of("GET /"), "GET / ?");
    EXPECT_EQ(path_of("GET /?"), "GET / ?");
    EXPECT_EQ(path_of("GET /a?b?c"), "GET /a ?b?c");
    EXPECT_EQ(path_of("GET //a"), "GET //a ?");
    EXPECT_EQ(path_of("GET http://h"), "GET / ?");
    EXPECT_EQ(path_of("GET HTTP://h:80?q"), "GET / ?q");
    EXPECT_EQ(path_of("GET https://h/a/b?q=http://x/"), "GET /a/b ?q=http://x/");
    EXPECT_EQ(path_of("OPTIONS *"), "OPTIONS * ?");
    EXPECT_EQ(path_of("get /"), "get / ?");
}

TEST(RequestParser, WhoStaysAndWhoCloses) {
    const auto stays = [](const std::string& version, const std::string& connection) {
        const Reading reading = read_whole("GET / HTTP/" + version + "\r\nHost: a\r\n" + connection + "\r\n");
        return reading.requests.at(0).find(" stays\n") != std::string::npos;
    };
    EXPECT_TRUE(stays("1.1", ""));
    EXPECT_TRUE(stays("1.1", "Connection: keep-alive\r\n"));
    EXPECT_FALSE(stays("1.1", "Connection: close\r\n"));
    EXPECT_FALSE(stays("1.1", "Connection: x, Close\r\n"));
    EXPECT_FALSE(stays("1.0", ""));
    EXPECT_TRUE(stays("1.0", "Connection: Keep-Alive\r\n"));
    EXPECT_FALSE(stays("1.0", "Connection: keep-alive, close\r\n"));
}

TEST(RequestParser, SaysContinueOnceAndOnlyToWhoWaits) {
    const std::string head = post("Expect: 100-Continue\r\nContent-Length: 5\r\n", "");
    Reader waiting;
    EXPECT_EQ(waiting.feed(head).continues, 1);
    EXPECT_EQ(waiting.feed("hello" + canary).continues, 1);
    EXPECT_EQ(waiting.reading().requests.size(), 2u);
    EXPECT_EQ(read_whole(head + "hello").continues, 0);
    EXPECT_EQ(read_whole(post("Expect: 100-continue\r\nContent-Length: 0\r\n", "")).continues, 0);
    EXPECT_EQ(read_whole("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n").continues, 0);
    const Reading too_large = read_whole(post("Expect: 100-continue\r\nContent-Length: 99999999\r\n", ""));
    EXPECT_EQ(too_large.refused, 413u);
    EXPECT_EQ(too_large.continues, 0);
}

ServerOptions small_limits() {
    ServerOptions options;
    options.request_line_bytes_max = 40;
    options.header_bytes_max = 100;
    options.header_fields_max = 4;
    options.body_bytes_max = 20;
    return options;
}

unsigned refused_with_small_limits(const std::string& bytes) {
    const Reading whole = Reader(small_limits()).feed(bytes);
    const Reading bytewise = Reader(small_limits()).feed(bytes, 1);
    EXPECT_EQ(whole.refused, bytewise.refused) << bytes;
    EXPECT_EQ(whole.requests, bytewise.requests) << bytes;
    EXPECT_NE(whole.requests.empty(), whole.refused == 0) << bytes;
    return whole.refused;
}

TEST(RequestParser, EveryLimitHoldsToTheByte) {
    const auto line_of = [](std::size_t bytes) {
        return "GET /" + std::string(bytes - 14, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    EXPECT_EQ(refused_with_small_limits(line_of(40)), 0u);
    EXPECT_EQ(refused_with_small_limits(line_of(41)), 414u);
    const auto header_of = [](std::size_t bytes) { // "Host: a\r\n" is 9, the last line's CR LF does not count
        return get("Host: a\r\nX: " + std::string(bytes - 9 - 3, 'x') + "\r\n");
    };
    EXPECT_EQ(refused_with_small_limits(header_of(100)), 0u);
    EXPECT_EQ(refused_with_small_limits(header_of(101)), 431u);
    EXPECT_EQ(refused_with_small_limits(get("Host: a\r\nA:\r\nB:\r\nC:\r\n")), 0u);
    EXPECT_EQ(refused_with_small_limits(get("Host: a\r\nA:\r\nB:\r\nC:\r\nD:\r\n")), 431u);
    EXPECT_EQ(refused_with_small_limits(post("Content-Length: 20\r\n", std::string(20, 'b'))), 0u);
    EXPECT_EQ(refused_with_small_limits(post("Content-Length: 21\r\n", std::string(21, 'b'))), 413u);
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    EXPECT_EQ(refused_with_small_limits(post(chunked, "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n")), 0u);
    EXPECT_EQ(refused_with_small_limits(post(chunked, "a\r\n0123456789\r\nb\r\n0123456789x\r\n0\r\n\r\n")), 413u);
    EXPECT_EQ(refused_with_small_limits(post(chunked, "0\r\nX: " + std::string(97, 'x') + "\r\n\r\n")), 0u);
    EXPECT_EQ(refused_with_small_limits(post(chunked, "0\r\nX: " + std::string(98, 'x') + "\r\n\r\n")), 431u);
    EXPECT_EQ(refused_with_small_limits(
                  post(chunked, "0\r\nX: " + std::string(60, 'x') + "\r\nY: " + std::string(60, 'x') + "\r\n\r\n")),
              431u);
}

TEST(RequestParser, ABareLfOrCrIsRefusedAtOnceNotWaitedFor) {
    for (const char* bytes :
         {"GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\nX", "GET / HTTP/1.1\rH", "GET / HTTP/1.1\r\nX: a\rb"}) {
        EXPECT_EQ(read_whole(bytes).refused, 400u) << bytes;
        EXPECT_EQ(Reader().feed(bytes, 1).refused, 400u) << bytes;
    }
}

TEST(RequestParser, AnEndlessLineIsRefusedWithoutItsEnd) {
    EXPECT_EQ(Reader(small_limits()).feed("GET /" + std::string(100, 'a'), 1).refused, 414u);
    EXPECT_EQ(Reader(small_limits()).feed("GET / HTTP/1.1\r\nX: " + std::string(200, 'a'), 7).refused, 431u);
    const std::string chunked = post("Transfer-Encoding: chunked\r\n", "");
    EXPECT_EQ(Reader().feed(chunked + std::string(40, '0'), 3).refused, 400u);
}

TEST(RequestParser, SixtyFourBytesBehindABodyAreReadable) {
    for (const std::size_t size : {1u, 4000u, 4096u, 65536u, 1024u * 1024u}) {
        for (const bool chunked : {false, true}) {
            Reader reader;
            const std::string body(size, 'b');
            char chunk_size[20];
            snprintf(chunk_size, sizeof(chunk_size), "%zx\r\n", size);
            const std::string bytes = chunked
                                          ? post("Transfer-Encoding: chunked\r\n", chunk_size + body + "\r\n0\r\n\r\n")
                                          : post("Content-Length: " + std::to_string(size) + "\r\n", body);
            reader.feed(bytes, 8191);
            ASSERT_EQ(reader.reading().requests.size(), 1u) << reader.reading().why;
            // The last request of the stream; its views live until the parser is used again.
            const Request& request = reader.parser().request();
            ASSERT_EQ(request.body.size(), size);
            std::string behind(64, '\0');
            std::memcpy(behind.data(), request.body.data() + request.body.size(), behind.size()); // ASan watches
            EXPECT_EQ(request.headers[0].value, "game") << "views were not renewed when the buffer moved";
        }
    }
}

TEST(RequestParser, ReusesItsBufferAndGivesALargeOneBack) {
    Reader reader;
    for (int i = 0; i < 1000; ++i) reader.feed(post("Content-Length: 300\r\n", std::string(300, 'x')));
    const std::size_t small = reader.parser().capacity();
    EXPECT_LE(small, 8192u);
    reader.feed(post("Content-Length: 900000\r\n", std::string(900'000, 'x')));
    EXPECT_GE(reader.parser().capacity(), 900'000u);
    ASSERT_EQ(reader.parser().phase(), RequestParser::Phase::between);
    reader.parser().shrink();
    EXPECT_EQ(reader.parser().capacity(), 0u);
    reader.feed(canary);
    EXPECT_EQ(reader.reading().requests.size(), 1002u);
    EXPECT_LE(reader.parser().capacity(), 4096u);
}

ContentCoding coding_of(std::string_view lines) {
    Reader reader;
    EXPECT_EQ(reader.feed(post(std::string(lines) + "Content-Length: 1\r\n", "x")).requests.size(), 1u) << lines;
    return reader.parser().request().coding;
}

TEST(RequestParser, TellsHowABodyIsZipped) {
    EXPECT_EQ(coding_of(""), ContentCoding::identity);
    EXPECT_EQ(coding_of("Content-Encoding: identity\r\nContent-Encoding:\r\n"), ContentCoding::identity);
    EXPECT_EQ(coding_of("content-encoding: GZip\r\n"), ContentCoding::gzip);
    EXPECT_EQ(coding_of("Content-Encoding: x-gzip\r\nContent-Encoding: identity\r\n"), ContentCoding::gzip);
    EXPECT_EQ(coding_of("Content-Encoding: zstd\r\n"), ContentCoding::zstd);
    Reader reader; // and a request does not inherit it
    reader.feed(post("Content-Encoding: gzip\r\nContent-Length: 1\r\n", "x") + canary);
    EXPECT_EQ(reader.parser().request().coding, ContentCoding::identity);
}

TEST(RequestParser, RefusesOtherWaysOfZippingBeforeTheBodyComes) {
    for (const char* lines :
         {"Content-Encoding: deflate\r\n", "Content-Encoding: br\r\n", "Content-Encoding: utf-8\r\n",
          "Content-Encoding: gzip, zstd\r\n", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"}) {
        for (const char* framing : {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
            const Reading reading = read_whole(post(std::string(lines) + framing + "Expect: 100-continue\r\n", ""));
            EXPECT_EQ(reading.refused, 415u) << lines << framing;
            EXPECT_EQ(reading.continues, 0);
        }
        EXPECT_EQ(read_whole(get(std::string("Host: a\r\n") + lines)).refused, 0u) << "there is nothing to unzip";
    }
}

TEST(RequestParser, PhasesTellWhatItWaitsFor) {
    using Phase = RequestParser::Phase;
    Reader reader;
    EXPECT_EQ(reader.parser().phase(), Phase::between);
    reader.feed("P");
    EXPECT_EQ(reader.parser().phase(), Phase::head);
    reader.feed(post("Content-Length: 4\r\n", "ab").substr(1));
    EXPECT_EQ(reader.parser().phase(), Phase::body);
    EXPECT_EQ(reader.parser().body_bytes_received(), 2u);
    reader.feed("cd");
    EXPECT_EQ(reader.parser().phase(), Phase::between);
    reader.feed(post("Transfer-Encoding: chunked\r\n", "4\r\nab"));
    EXPECT_EQ(reader.parser().phase(), Phase::body);
    EXPECT_EQ(reader.parser().body_bytes_received(), 2u);
}

} // namespace
} // namespace questlog::http
