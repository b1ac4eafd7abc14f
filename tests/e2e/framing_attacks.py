"""What smugglers, broken clients and wrong ports send: the parser's own table, over sockets, and more.

name -> (bytes, status). Behind each stands a canary, a whole and valid request that must never be handled: whoever handles it
has lost the border between two requests.
"""

CHUNKED = b"Transfer-Encoding: chunked\r\n"


def get(lines):
    return b"GET / HTTP/1.1\r\n" + lines + b"\r\n"


def post(lines, body):
    return b"POST /events HTTP/1.1\r\nHost: game\r\n" + lines + b"\r\n" + body


# As src/http/framing_attacks_test.cpp has them, by the same names.
PARSERS = {
    "length and coding": (post(b"Content-Length: 4\r\n" + CHUNKED, b"0\r\n\r\n"), 400),
    "coding and length": (post(CHUNKED + b"Content-Length: 4\r\n", b"0\r\n\r\n"), 400),
    "two lengths": (post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello"), 400),
    "the same length twice": (post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), 400),
    "a list of lengths": (post(b"Content-Length: 5, 5\r\n", b"hello"), 400),
    "a signed length": (post(b"Content-Length: +5\r\n", b"hello"), 400),
    "a negative length": (post(b"Content-Length: -5\r\n", b"hello"), 400),
    "a hexadecimal length": (post(b"Content-Length: 0x5\r\n", b"hello"), 400),
    "an empty length": (post(b"Content-Length:\r\n", b"hello"), 400),
    "a length beyond 64 bits": (post(b"Content-Length: 18446744073709551621\r\n", b"hello"), 400),
    "a huge length": (post(b"Content-Length: 18446744073709551615\r\n", b"hello"), 413),
    "gzip": (post(b"Transfer-Encoding: gzip\r\n", b"0\r\n\r\n"), 400),
    "gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 400),
    "chunked, identity": (post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"), 400),
    "chunked twice in one": (post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"), 400),
    "chunked twice": (post(CHUNKED + CHUNKED, b"0\r\n\r\n"), 400),
    "chunked and another": (post(CHUNKED + b"Transfer-Encoding: x\r\n", b"0\r\n\r\n"), 400),
    "quoted coding": (post(b"Transfer-Encoding: \"chunked\"\r\n", b"0\r\n\r\n"), 400),
    "xchunked": (post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"), 400),
    "empty coding": (post(b"Transfer-Encoding:\r\n", b"0\r\n\r\n"), 400),
    "vertical tab before the coding": (post(b"Transfer-Encoding: \vchunked\r\n", b"0\r\n\r\n"), 400),
    "coding on HTTP/1.0": (b"POST / HTTP/1.0\r\nConnection: keep-alive\r\n" + CHUNKED + b"\r\n0\r\n\r\n", 400),
    "bare LF after the request line": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    "bare LF after a field": (b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
    "bare LFs alone": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "bare CR after a field": (b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400),
    "bare CR within a value": (get(b"Host: a\r\nX: a\rb\r\n"), 400),
    "CR CR LF": (get(b"Host: a\r\r\n"), 400),
    "folded value": (get(b"Host: a\r\nX: a\r\n b\r\n"), 400),
    "folded with a tab": (get(b"Host: a\r\nX: a\r\n\tb\r\n"), 400),
    "folded after an empty line": (get(b"Host: a\r\nX:\r\n b\r\n"), 400),
    "folded to nothing": (get(b"Host: a\r\nX:\r\n \r\n"), 400),
    "folded length": (post(b"Content-Length:\r\n 5\r\n", b"hello"), 400),
    "space before the first field": (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    "space before the colon": (get(b"Host : a\r\n"), 400),
    "tab before the colon": (post(b"Content-Length\t: 5\r\n", b"hello"), 400),
    "space in a name": (get(b"Host: a\r\nX Y: z\r\n"), 400),
    "no colon": (get(b"Host: a\r\nnonsense\r\n"), 400),
    "empty name": (get(b"Host: a\r\n: x\r\n"), 400),
    "NUL in a name": (get(b"Host: a\r\nX\0: y\r\n"), 400),
    "NUL in a value": (get(b"Host: a\r\nX: y\0z\r\n"), 400),
    "NUL in the target": (b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "control byte in a value": (get(b"Host: a\r\nX: \x01\r\n"), 400),
    "DEL in a value": (get(b"Host: a\r\nX: \x7f\r\n"), 400),
    "control byte in the target": (b"GET /\x07 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bytes above ASCII in a name": (get(b"Host: a\r\nX\xc3\xa9: y\r\n"), 400),
    "no Host": (get(b"X: y\r\n"), 400),
    "two Hosts": (get(b"Host: a\r\nHost: a\r\n"), 400),
    "two Hosts on HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "a list of Hosts": (get(b"Host: a, b\r\n"), 400),
    "Host with a path": (get(b"Host: a/b\r\n"), 400),
    "Host with userinfo": (get(b"Host: a@b\r\n"), 400),
    "fragment": (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "fragment after the authority": (b"GET http://a#/b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "relative target": (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "star without OPTIONS": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "authority target": (b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "another scheme": (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "absolute without a host": (b"GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "space in the target": (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "space after the version": (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "lower-case version": (b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    "long version": (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
    "HTTP/0.9 by name": (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    "odd method": (b"G\"T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "no method": (b" / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00", 400),
    "two empty lines": (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "bare LF before the method": (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "chunk extension": (post(CHUNKED, b"5;a=b\r\nhello\r\n0\r\n\r\n"), 400),
    "quoted chunk extension": (post(CHUNKED, b"5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n"), 400),
    "extension on the last chunk": (post(CHUNKED, b"0;a\r\n\r\n"), 400),
    "0x chunk size": (post(CHUNKED, b"0x5\r\nhello\r\n0\r\n\r\n"), 400),
    "signed chunk size": (post(CHUNKED, b"+5\r\nhello\r\n0\r\n\r\n"), 400),
    "spaced chunk size": (post(CHUNKED, b" 5\r\nhello\r\n0\r\n\r\n"), 400),
    "chunk size and a space": (post(CHUNKED, b"5 \r\nhello\r\n0\r\n\r\n"), 400),
    "empty chunk size": (post(CHUNKED, b"\r\nhello\r\n0\r\n\r\n"), 400),
    "chunk size beyond 64 bits": (post(CHUNKED, b"10000000000000005\r\nhello\r\n0\r\n\r\n"), 400),
    "chunk size near 2^64": (post(CHUNKED, b"FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"), 413),
    "bare LF after a chunk size": (post(CHUNKED, b"5\nhello\r\n0\r\n\r\n"), 400),
    "bare CR after a chunk size": (post(CHUNKED, b"5\rhello\r\n0\r\n\r\n"), 400),
    "chunk longer than its size": (post(CHUNKED, b"5\r\nhelloX\r\n0\r\n\r\n"), 400),
    "bare LF after a chunk": (post(CHUNKED, b"5\r\nhello\n0\r\n\r\n"), 400),
    "CR without LF after a chunk": (post(CHUNKED, b"5\r\nhello\rX0\r\n\r\n"), 400),
    "trailer without a colon": (post(CHUNKED, b"0\r\nnonsense\r\n\r\n"), 400),
    "folded trailer": (post(CHUNKED, b"0\r\nA: b\r\n c\r\n\r\n"), 400),
    "bare LF after a trailer": (post(CHUNKED, b"0\r\nA: b\n\r\n"), 400),
    "space before a trailer's colon": (post(CHUNKED, b"0\r\nA : b\r\n\r\n"), 400),
    "unmet expectation": (post(b"Expect: teapot\r\nContent-Length: 1\r\n", b"x"), 417),
}

# Each so that a server which reads it otherwise takes the canary for a body, or a body for the canary.
SMUGGLED = {
    "Content-Length with Transfer-Encoding":
        b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding with Content-Length":
        b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two Content-Lengths": b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "two equal Content-Lengths": b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of Content-Lengths": b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 44\r\n\r\n",
    "a negative Content-Length": b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a signed Content-Length": b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n",
    "a hexadecimal Content-Length": b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\n",
    "an overflowing Content-Length":
        b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n",
    "an empty Content-Length": b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n",
    "an unknown Transfer-Encoding": b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "a doubled Transfer-Encoding":
        b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked after another encoding":
        b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "two Transfer-Encodings":
        b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a disguised Transfer-Encoding":
        b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding on HTTP/1.0":
        b"POST /events HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length : 44\r\n\r\n",
    "a folded header": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: 1\r\n Content-Length: 44\r\n\r\n",
    "a bare LF after a header": b"GET /healthz HTTP/1.1\r\nHost: a\nContent-Length: 44\r\n\r\n",
    "bare LFs throughout": b"GET /healthz HTTP/1.1\nHost: a\n\n",
    "a bare CR in a header": b"GET /healthz HTTP/1.1\r\nHost: a\rContent-Length: 44\r\n\r\n",
    "a NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: a\0b\r\n\r\n",
    "a bad chunk size":
        b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a signed chunk size":
        b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "an overflowing chunk size":
        b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
    "a chunk longer than said":
        b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    "a chunk extension with a bare LF":
        b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;\nxx\r\n{}\r\n0\r\n\r\n",
    "a chunk ended by LF": b"POST /events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
    "no version": b"GET /join_guild\r\n\r\n",
    "an unknown version": b"GET /join_guild HTTP/3.0\r\nHost: a\r\n\r\n",
    "a space in the target": b"GET /join_guild /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "no Host": b"GET /join_guild HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /join_guild HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "an empty header name": b"GET /join_guild HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
    "a header without a colon": b"GET /join_guild HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
    "TLS to a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "noise": bytes(range(256)),
}

ATTACKS = {**PARSERS, **{f"smuggled: {name}": (data, (400, 501, 505)) for name, data in SMUGGLED.items()}}
