"""Bodies that clients zip: gzip and zstd, within their limits, wherever a body is read."""

import gzip
import random

import pyarrow
import pytest
from test_serving import metrics
from wire import chunked, request_bytes

CODINGS = {"gzip": gzip.compress, "zstd": lambda data: pyarrow.compress(data, codec="zstd", asbytes=True)}


def lines(count):
    """NDJSON that zips as real events do: some ten to one."""
    dice = random.Random(count)
    return b"".join(b'{"event_type": "a", "n": %d, "id": "%032x"}\n' % (n, dice.getrandbits(128)) for n in range(count))


def in_coding(coding, *more):
    return [("Content-Encoding", coding), *more]


@pytest.mark.parametrize("coding", CODINGS)
def test_zipped_events_are_stored_as_they_were_before(questlog, server, coding):
    body = lines(1000)
    answer = server.post("/events?receipt=1", CODINGS[coding](body), headers=in_coding(coding))
    assert answer.status == 200 and answer.json()["accepted"] == 1000
    assert questlog.values() == body.decode().splitlines()


@pytest.mark.parametrize("coding", CODINGS)
def test_zipped_bodies_may_come_in_chunks_and_in_several_streams(questlog, server, coding):
    zipped = CODINGS[coding](lines(3)) + CODINGS[coding](lines(2))
    body = chunked(*(zipped[at:at + 7] for at in range(0, len(zipped), 7)))
    with server.wire() as wire:
        answer = wire.post("/events", body, headers=in_coding(coding, ("Transfer-Encoding", "chunked")))
        assert answer.json() == {"accepted": 5, "rejected": 0}
        assert wire.get("/healthz").status == 200
    assert questlog.values() == (lines(3) + lines(2)).decode().splitlines()


@pytest.mark.parametrize("coding", CODINGS)
def test_a_declared_call_takes_a_zipped_body(questlog, server, coding):
    assert server.post("/join_guild", CODINGS[coding](b'{"guild": "red"}'), headers=in_coding(coding)).status == 200
    event, = questlog.events()
    assert event["guild"] == "red" and event["Content-Encoding"] == coding


@pytest.mark.parametrize("path", ["/events", "/join_guild"])
@pytest.mark.parametrize("coding", CODINGS)
def test_a_damaged_body_is_400_and_the_connection_goes_on(questlog, server, path, coding):
    whole = CODINGS[coding](b'{"event_type": "a", "text": "some text"}')
    flipped = whole[:-6] + bytes([whole[-6] ^ 1]) + whole[-5:]
    with server.wire() as wire:
        for broken in (whole[:-1], whole[:3], flipped, whole + b"\n", b'{"event_type": "a"}'):
            if coding == "zstd" and broken is flipped:
                continue  # that client wrote no checksum
            answer = wire.post(path, broken, headers=in_coding(coding))
            assert answer.status == 400 and "Content-Encoding" in answer.json()["error"], broken
        assert wire.post(path, whole, headers=in_coding(coding)).status == 200
    assert len(questlog.values()) == 1


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_unzips_to_too_much_is_413(questlog, server, coding):
    bomb = CODINGS[coding](b'{"event_type": "a", "s": "' + b"a" * 60_000_000 + b'"}')
    with server.wire() as wire:
        for path in ("/events", "/join_guild"):
            answer = wire.post(path, bomb, headers=in_coding(coding))
            assert answer.status == 413 and "unzips to more than" in answer.json()["error"]
        assert wire.post("/events", b'{"event_type": "b"}').status == 200
    assert [event["event_type"] for event in questlog.events()] == ["b"]
    samples = metrics(server)
    assert samples['questlog_events_rejected_total{reason="unreadable_body"}'] == 1
    assert samples['questlog_events_rejected_total{reason="invalid_call"}'] == 1


def test_the_largest_body_of_the_smallest_events_has_room(questlog, server):
    line = b'{"event_type":"a"}\n'
    blank = 90_000  # zipped not at all, so that the whole keeps the ratio
    count = (8 * 1024 * 1024 - blank) // len(line)
    zipped = gzip.compress(line * count) + gzip.compress(b"\n" * blank, 0)
    answer = server.post("/events", zipped, headers=in_coding("gzip"))
    assert answer.status == 200, answer.text
    assert answer.json()["accepted"] == count == questlog.value_of("select count(*) from events")


@pytest.mark.parametrize("coding", ["deflate", "br", "compress", "gzip, gzip", "utf-8"])
def test_other_codings_are_415_before_the_body_is_sent_and_name_what_is_taken(questlog, server, coding):
    with server.wire() as wire:
        head = request_bytes("POST", "/events", wire.host, headers=in_coding(coding, ("Content-Length", "1000")))
        wire.send(head)
        answer = wire.answer()
        assert answer.status == 415 and "gzip and zstd" in answer.text
        assert answer.headers["accept-encoding"] == "gzip, zstd"
        assert answer.headers["connection"] == "close"
    assert questlog.values() == []


def test_identity_and_a_coding_without_a_body_mean_nothing(questlog, server):
    assert server.post("/events", b'{"event_type": "a"}', headers=in_coding("identity")).status == 200
    assert server.get("/", headers=in_coding("br")).status == 200
    assert len(questlog.values()) == 2
