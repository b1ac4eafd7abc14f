"""POST /events: one object, an array or NDJSON, told apart by content; every event accepted or rejected by name."""

import json

import pytest

BUY = {"event_type": "buy", "price": 3}


def reasons(answer):
    """Index -> reason of the rejected events of an answer."""
    return {rejection["index"]: rejection["reason"] for rejection in answer.json()["rejections"]}


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("body, count", [
    (b'{"event_type": "buy"}', 1),
    (b' \n{"event_type": "buy"}\n ', 1),
    (b'[{"event_type": "buy"}, {"event_type": "buy"}]', 2),
    (b'{"event_type": "buy"}\n{"event_type": "buy"}\n{"event_type": "buy"}', 3),
    (b'{"event_type": "buy"}\r\n{"event_type": "buy"}\r\n', 2),
    (b'{"event_type": "buy"}\n\n{"event_type": "buy"}\n\n', 2),
])
def test_the_shape_of_a_body_is_told_by_its_content(questlog, server, body, count, content_type):
    headers = [("Content-Type", content_type)] if content_type else []
    answer = server.post("/events", body, headers=headers)
    assert answer.status == 200, answer.text
    assert questlog.values() == ['{"event_type": "buy"}'] * count


@pytest.mark.parametrize("sent, stored", [
    (b'{"event_type":"a","x":1.50,"y":1e3}', '{"event_type":"a","x":1.50,"y":1e3}'),
    (b'  {"event_type" :  "a"}\t', '{"event_type" :  "a"}'),
    (b'{\n  "event_type": "a",\r\n  "t": "one\\ntwo"\n}', '{"event_type":"a","t":"one\\ntwo"}'),
    ('{"event_type": "a", "name": "Zoë ⚔"}'.encode(), '{"event_type": "a", "name": "Zoë ⚔"}'),
])
def test_values_are_stored_as_sent_trimmed_and_minified_only_for_line_breaks(questlog, server, sent, stored):
    assert server.post("/events", sent, headers=[("X-Secret", "h")]).status == 200
    assert questlog.values() == [stored]


def test_headers_are_not_added_to_posted_events(questlog, server):
    server.post("/events", BUY, headers=[("X-Trace", "1")])
    assert questlog.events() == [BUY]


@pytest.fixture
def with_headers(questlog):
    questlog.write_config('[intake]\nheaders = true\nstore_headers = ["Cookie"]\n')
    with questlog.serve() as running:
        yield running


@pytest.mark.parametrize("body", [b'{"event_type":"buy","Host":"forged","price":1.50}',
                                  b'[{"Host":"forged","event_type":"buy","price":1.50}]',
                                  b'{"event_type":"buy","Host":"forged","price":1.50}\n7\n'])
def test_headers_are_stored_with_posted_events_where_the_configuration_says_so(questlog, with_headers, body):
    sent = [("hOST", "real"), ("x-3d", "é"), ("Authorization", "s3cret"), ("Proxy-Authorization", "s3cret"), ("cookie", "c")]
    answer = with_headers.post("/events", body, headers=sent)
    assert answer.status in (200, 207) and answer.json()["accepted"] == 1
    length = len(body)
    assert questlog.values() == ['{"event_type": "buy", "Host": "real", "price": 1.50, "X-3D": "\\u00e9", "Cookie": "c", '
                                 f'"Content-Length": "{length}"}}']


def test_events_posted_with_headers_are_those_that_the_declared_call_makes(questlog, with_headers):
    sent = [("Host", "user1.comcast.com"), ("User-Agent", "x/1"), ("Accept", "*/*")]
    with_headers.post("/", b'{"n": 1, "s": [1, {"k": "\xc3\xa9"}]}', headers=sent)
    with_headers.post("/events", b'{"event_type":"default","n":1,"s":[1,{"k":"\xc3\xa9"}]}', headers=sent)
    declared, posted = (value.rsplit(', "Content-Length"', 1)[0] for value in questlog.values())
    assert declared == posted


def test_an_event_that_headers_make_too_large_is_rejected_by_name(questlog, with_headers):
    almost = json.dumps({"event_type": "a", "s": "x" * (32 * 1024 - 100)}).encode()
    answer = with_headers.post("/events", almost + b'\n{"event_type": "b"}', headers=[("X-Long", "y" * 200)])
    assert answer.status == 207 and "headers" in reasons(answer)[0]
    assert [event["event_type"] for event in questlog.events()] == ["b"]


def test_more_than_a_batch_takes_is_refused_whole(questlog, with_headers):
    answer = with_headers.post("/events", b'{"event_type":"a"}\n' * 50_000, headers=[("X-Long", "y" * 7000)])
    assert answer.status == 400 and "fewer" in answer.text
    assert questlog.values() == []


def test_some_good_and_some_bad_events_are_207_with_index_and_reason(questlog, server):
    body = b'{"event_type": "a"}\n{"no": "type"}\n{"event_type": 7}\nnot json\n{"event_type": "b"}\n["x"]\n{"event_type": ""}'
    answer = server.post("/events", body)
    assert answer.status == 207
    assert answer.headers["content-type"].startswith("application/json")
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (2, 5)
    named = reasons(answer)
    assert sorted(named) == [1, 2, 3, 5, 6]
    assert all(named.values()) and "event_type" in named[1] and "event_type" in named[2]
    assert [event["event_type"] for event in questlog.events()] == ["a", "b"]


def test_an_array_with_bad_events_is_207_too(questlog, server):
    answer = server.post("/events", [BUY, 7, BUY, {"event_type": None}])
    assert answer.status == 207 and sorted(reasons(answer)) == [1, 3]
    assert questlog.events() == [BUY, BUY]


@pytest.mark.parametrize("body", [
    b"", b"   \n ", b"nonsense", b"{", b"[", b"[]", b"7", b'"event_type"', b"null", b'{"event_type": "a"', b'{"event_type": "a"} x',
    b'{"event_type": nul}', b'{"event_type": "a", "n": 01}', b'{"event_type": "a", "n": [1 2]}', b'[{"event_type": "a"},]',
    b'{"event_type": "a" "b": 1}', b'{"event_type": "a", "n": NaN}', b"{'event_type': 'a'}", b'{"event_type": "a\x01"}',
    b'{"event_type": "\xff"}', b'{"event_type": "a", "s": "\xed\xa0\x80"}', b'\xef\xbb\xbf', b'{"Event_Type": "a"}',
    b'{"event_type": "a"}{"event_type": "b"}', b'{"event_type": "a", "s": "\\ud800"}', b"\x00",
])
def test_a_body_without_one_good_event_is_400_and_says_why(questlog, server, body):
    answer = server.post("/events", body)
    assert answer.status == 400 and len(answer.text) > 10, answer.text
    assert questlog.values() == []


def test_limits_of_one_event_are_kept_to_the_byte(questlog, server):
    def event(size):
        empty = b'{"event_type": "big", "s": ""}'
        return empty[:-2] + b"x" * (size - len(empty)) + empty[-2:]
    assert len(event(32 * 1024)) == 32 * 1024
    assert server.post("/events", event(32 * 1024)).status == 200
    refused = server.post("/events", event(32 * 1024 + 1))
    assert refused.status in (400, 413) and "32" in refused.text
    mixed = server.post("/events", event(32 * 1024 + 1) + b"\n" + event(100))
    assert mixed.status == 207 and sorted(reasons(mixed)) == [0]
    assert [len(value) for value in questlog.values()] == [32 * 1024, 100]


def test_depth_is_limited(questlog, server):
    def nested(depth):
        return '{"event_type": "deep", "v": ' + "[" * (depth - 1) + "1" + "]" * (depth - 1) + "}"
    assert server.post("/events", nested(64)).status == 200
    for depth in (65, 1_000, 10_000):
        assert server.post("/events", nested(depth)).status == 400, depth
    assert server.post("/events", b"[" * 500_000).status == 400
    assert len(questlog.values()) == 1


def test_receipts_name_where_every_accepted_event_lies(questlog, server):
    one = server.post("/events?receipt=1", BUY).json()
    assert (one["partition"], one["offset"]) == (0, 0) and len(one["log"]) == 22
    some = server.post("/events?receipt=1", b"\n".join([b'{"event_type": "a"}', b"bad", b'{"event_type": "b"}']))
    assert some.status == 207
    receipt = some.json()
    assert (receipt["log"], receipt["partition"], receipt["first_offset"], receipt["accepted"]) == (one["log"], 0, 1, 2)
    assert server.post("/events?receipt=1", BUY).json()["offset"] == 3


def test_a_thousand_events_in_one_request_keep_their_order(questlog, server):
    events = [{"event_type": "step", "n": n} for n in range(1000)]
    server.send_events(events)
    assert questlog.events() == events
