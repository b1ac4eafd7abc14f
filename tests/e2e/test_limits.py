"""The limits of [limits]: each is what the file says, told by its number where it is passed, and harmless beside it."""

import gzip
import json

import pytest
from wire import chunked, request_bytes

SMALL = """[limits]
request_line_bytes = 300
header_bytes = 1100
header_fields = 12
body_bytes = 2000
unzipped_bytes = 3000
unzipped_ratio = 5
event_bytes = 1500
json_depth = 3
header_timeout_ms = 300
body_timeout_ms = 300
idle_timeout_ms = 600
connections = 30
"""


@pytest.fixture
def small(questlog):
    questlog.write_config(SMALL)
    with questlog.serve() as running:
        yield running


def event(size, **more):
    """One event of exactly `size` bytes."""
    bare = json.dumps({"event_type": "a", "s": "", **more}, separators=(",", ":"))
    return bare.replace('"s":""', '"s":"' + "x" * (size - len(bare)) + '"').encode()


def nested(levels):
    return b'{"event_type":"a","n":' + b"[" * (levels - 1) + b"1" + b"]" * (levels - 1) + b"}"


def head(fields=0, filler=0):
    return [(f"X-{number}", "y") for number in range(fields)] + ([("Filler", "f" * filler)] if filler else [])


CASES = {
    # name: (what is within, what is beyond, its status, what the answer says)
    "request_line_bytes": (("GET", "/?x=" + "a" * 280), ("GET", "/?x=" + "a" * 300), 414, "300 bytes"),
    "header_bytes": (("GET", "/", None, head(filler=1000)), ("GET", "/", None, head(filler=1100)), 431, "1100 bytes"),
    "header_fields": (("GET", "/", None, head(11)), ("GET", "/", None, head(12)), 431, "12 lines"),
    "body_bytes": (("POST", "/events", event(1400) + b" " * 600), ("POST", "/events", event(1400) + b" " * 601), 413,
                   "2000 bytes"),
    "chunked body_bytes": (
        ("POST", "/events", chunked(event(1400), b" " * 600), [("Transfer-Encoding", "chunked")]),
        ("POST", "/events", chunked(event(1400), b" " * 601), [("Transfer-Encoding", "chunked")]), 413, "2000 bytes"),
    "unzipped_bytes": (
        ("POST", "/events", gzip.compress(event(800), 0) + gzip.compress(b" " * 2200), [("Content-Encoding", "gzip")]),
        ("POST", "/events", gzip.compress(event(800), 0) + gzip.compress(b" " * 2201), [("Content-Encoding", "gzip")]),
        413, "3000 bytes"),
    "unzipped_ratio": (("POST", "/events", gzip.compress(b'{"event_type": "a"}'), [("Content-Encoding", "gzip")]),
                       ("POST", "/events", gzip.compress(event(1000)), [("Content-Encoding", "gzip")]), 413, "5 times"),
    "event_bytes": (("POST", "/events", event(1500)), ("POST", "/events", event(1501)), 400, "1500 bytes"),
    "event_bytes of a call": (("POST", "/", b'{"s": "' + b"x" * 1000 + b'"}'),
                              ("POST", "/", b'{"s": "' + b"x" * 1450 + b'"}'), 400, "1500"),
    "json_depth": (("POST", "/events", nested(3)), ("POST", "/events", nested(4)), 400, "3 levels"),
    "json_depth of a call": (("POST", "/", nested(3)), ("POST", "/", nested(4)), 400, "3 levels"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_limit_is_the_one_in_the_file(questlog, small, name):
    within, beyond, status, says = CASES[name]
    with small.wire() as wire:
        assert wire.request(*within).status == 200
    with small.wire() as wire:
        wire.send(request_bytes(beyond[0], beyond[1], wire.host, *beyond[2:]))
        answer = wire.answer()
        assert answer.status == status and says in answer.text
    assert len(questlog.values()) == 1


def test_a_slow_client_has_the_time_in_the_file(small):
    begun = {408: [b"GET / HT", b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"], None: [b""]}
    for status, requests in begun.items():
        for request in requests:
            with small.wire(timeout_s=8.0) as wire:
                wire.send(request)
                answers = wire.answers_until_closed()
                assert [answer.status for answer in answers] == ([status] if status else [])


def test_as_many_connections_as_the_file_says(small):
    wires = []
    try:
        for _ in range(30):
            wires.append(small.wire())
            assert wires[-1].get("/healthz").status == 200
        with small.wire() as late:
            answer = late.answer()
            assert answer.status == 503 and answer.headers["retry-after"] == "1"
        for wire in wires:
            assert wire.get("/healthz").status == 200
    finally:
        for wire in wires:
            wire.close()


def test_wide_limits_carry_large_events_into_tables(questlog):
    questlog.write_config("[limits]\nbody_bytes = 16777216\nevent_bytes = 65536\njson_depth = 256\nheader_bytes = 131072\n"
                          "header_fields = 1000\nrequest_line_bytes = 65536\n"
                          "[[job]]\nname = \"j\"\n  [[job.output]]\n  path = \"tmp/j\"\n  show = false\n")
    deep = {"event_type": "a", "s": "x" * 60_000, "deep": json.loads("[" * 250 + "]" * 250)}
    with questlog.serve() as server:
        with server.wire() as wire:
            body = b"\n".join([json.dumps(deep).encode()] * 200)
            assert wire.post("/events", body).json()["accepted"] == 200
            pieces = chunked(*(body[at:at + 100_000] for at in range(0, len(body), 100_000)))
            assert wire.post("/events", pieces, headers=[("Transfer-Encoding", "chunked")]).json()["accepted"] == 200
            long = wire.get("/healthz?q=" + "z" * 60_000, headers=[(f"X-{n}", "h" * 100) for n in range(900)])
            assert long.status == 200, long.text
    columns = "select count(*) n, sum(length(s)) bytes, min(length(deep)) deep from j where event_type = 'a'"
    rows = [{"n": 400, "bytes": 24_000_000, "deep": 500}]
    assert questlog.sql(columns) == rows, "from the log"
    questlog.ok("batch", "j")
    assert questlog.sql(columns) == rows, "from its table"
