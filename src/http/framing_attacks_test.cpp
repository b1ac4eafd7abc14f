#include "http/request_reader.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

/// What smugglers, broken clients and wrong ports send. Each has a canary request behind it that must not be handled.
namespace questlog::http {
namespace {

struct Attack {
    const char* name;
    std::string bytes;
    unsigned status = 400;
};

std::vector<Attack> framing_attacks() {
    using namespace std::string_literals;
    const std::string chunk = "Transfer-Encoding: chunked\r\n";
    return {
        {"length and coding", post("Content-Length: 4\r\n" + chunk, "0\r\n\r\n")},
        {"coding and length", post(chunk + "Content-Length: 4\r\n", "0\r\n\r\n")},
        {"two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")},
        {"the same length twice", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")},
        {"a list of lengths", post("Content-Length: 5, 5\r\n", "hello")},
        {"a signed length", post("Content-Length: +5\r\n", "hello")},
        {"a negative length", post("Content-Length: -5\r\n", "hello")},
        {"a hexadecimal length", post("Content-Length: 0x5\r\n", "hello")},
        {"an empty length", post("Content-Length:\r\n", "hello")},
        {"a length beyond 64 bits", post("Content-Length: 18446744073709551621\r\n", "hello")},
        {"a huge length", post("Content-Length: 18446744073709551615\r\n", "hello"), 413},
        {"gzip", post("Transfer-Encoding: gzip\r\n", "0\r\n\r\n")},
        {"gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
        {"chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n")},
        {"chunked twice in one", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
        {"chunked twice", post(chunk + chunk, "0\r\n\r\n")},
        {"chunked and another", post(chunk + "Transfer-Encoding: x\r\n", "0\r\n\r\n")},
        {"quoted coding", post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")},
        {"xchunked", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
        {"empty coding", post("Transfer-Encoding:\r\n", "0\r\n\r\n")},
        {"vertical tab before the coding", post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n")},
        {"coding on HTTP/1.0", "POST / HTTP/1.0\r\nConnection: keep-alive\r\n" + chunk + "\r\n0\r\n\r\n"},
        {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"},
        {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"},
        {"bare LFs alone", "GET / HTTP/1.1\nHost: a\n\n"},
        {"bare CR after a field", "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"},
        {"bare CR within a value", get("Host: a\r\nX: a\rb\r\n")},
        {"CR CR LF", get("Host: a\r\r\n")},
        {"folded value", get("Host: a\r\nX: a\r\n b\r\n")},
        {"folded with a tab", get("Host: a\r\nX: a\r\n\tb\r\n")},
        {"folded after an empty line", get("Host: a\r\nX:\r\n b\r\n")},
        {"folded to nothing", get("Host: a\r\nX:\r\n \r\n")},
        {"folded length", post("Content-Length:\r\n 5\r\n", "hello")},
        {"space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
        {"space before the colon", get("Host : a\r\n")},
        {"tab before the colon", post("Content-Length\t: 5\r\n", "hello")},
        {"space in a name", get("Host: a\r\nX Y: z\r\n")},
        {"no colon", get("Host: a\r\nnonsense\r\n")},
        {"empty name", get("Host: a\r\n: x\r\n")},
        {"NUL in a name", get("Host: a\r\nX\0: y\r\n"s)},
        {"NUL in a value", get("Host: a\r\nX: y\0z\r\n"s)},
        {"NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"s},
        {"control byte in a value", get("Host: a\r\nX: \x01\r\n")},
        {"DEL in a value", get("Host: a\r\nX: \x7f\r\n")},
        {"control byte in the target", "GET /\x07 HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"bytes above ASCII in a name", get("Host: a\r\nX\xc3\xa9: y\r\n")},
        {"no Host", get("X: y\r\n")},
        {"two Hosts", get("Host: a\r\nHost: a\r\n")},
        {"two Hosts on HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"},
        {"a list of Hosts", get("Host: a, b\r\n")},
        {"Host with a path", get("Host: a/b\r\n")},
        {"Host with userinfo", get("Host: a@b\r\n")},
        {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"fragment after the authority", "GET http://a#/b HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"star without OPTIONS", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"authority target", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"absolute without a host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
        {"HTTP/0.9", "GET /\r\n\r\n"},
        {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n"},
        {"long version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
        {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
        {"HTTP/0.9 by name", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
        {"odd method", "G\"T / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"no method", " / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"TLS", "\x16\x03\x01\x02\x00"s},
        {"two empty lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"bare LF before the method", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"chunk extension", post(chunk, "5;a=b\r\nhello\r\n0\r\n\r\n")},
        {"quoted chunk extension", post(chunk, "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n")},
        {"extension on the last chunk", post(chunk, "0;a\r\n\r\n")},
        {"0x chunk size", post(chunk, "0x5\r\nhello\r\n0\r\n\r\n")},
        {"signed chunk size", post(chunk, "+5\r\nhello\r\n0\r\n\r\n")},
        {"spaced chunk size", post(chunk, " 5\r\nhello\r\n0\r\n\r\n")},
        {"chunk size and a space", post(chunk, "5 \r\nhello\r\n0\r\n\r\n")},
        {"empty chunk size", post(chunk, "\r\nhello\r\n0\r\n\r\n")},
        {"chunk size beyond 64 bits", post(chunk, "10000000000000005\r\nhello\r\n0\r\n\r\n")},
        {"chunk size near 2^64", post(chunk, "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"), 413},
        {"bare LF after a chunk size", post(chunk, "5\nhello\r\n0\r\n\r\n")},
        {"bare CR after a chunk size", post(chunk, "5\rhello\r\n0\r\n\r\n")},
        {"chunk longer than its size", post(chunk, "5\r\nhelloX\r\n0\r\n\r\n")},
        {"bare LF after a chunk", post(chunk, "5\r\nhello\n0\r\n\r\n")},
        {"CR without LF after a chunk", post(chunk, "5\r\nhello\rX0\r\n\r\n")},
        {"trailer without a colon", post(chunk, "0\r\nnonsense\r\n\r\n")},
        {"folded trailer", post(chunk, "0\r\nA: b\r\n c\r\n\r\n")},
        {"bare LF after a trailer", post(chunk, "0\r\nA: b\n\r\n")},
        {"space before a trailer's colon", post(chunk, "0\r\nA : b\r\n\r\n")},
        {"unmet expectation", post("Expect: teapot\r\nContent-Length: 1\r\n", "x"), 417},
    };
}

TEST(FramingAttacks, AreRefusedAndNothingBehindThemIsHandled) {
    for (const Attack& attack : framing_attacks()) {
        const Reading whole = read_whole(attack.bytes + canary);
        EXPECT_EQ(whole.refused, attack.status) << attack.name << ": " << whole.why;
        EXPECT_TRUE(whole.requests.empty()) << attack.name << " was handed on";
        EXPECT_GT(whole.why.size(), 20u) << attack.name << " is refused without a helpful word";
        const Reading bytewise = Reader().feed(attack.bytes + canary, 1);
        EXPECT_EQ(bytewise.refused, attack.status) << attack.name << ", byte by byte";
        EXPECT_TRUE(bytewise.requests.empty()) << attack.name << " was handed on, byte by byte";
    }
}

} // namespace
} // namespace questlog::http
