"""What a client calls its events, and what a declaration says of their fields."""

import json

import pytest
from test_serving import metrics

GAME = """
[[event]]
path = "/trade"
type = "trade"
fields = { gold = { type = "bigint", required = true } }
[[event]]
path = "/gift"
type = "gift"
on_mismatch = "keep"
fields = { gold = { type = "bigint", required = true }, price = "double" }
"""


def inspected(questlog):
    """Offset -> headers, as `log inspect --json --records` shows them."""
    lines = map(json.loads, questlog.ok("log", "inspect", "--json", "--records").splitlines())
    return {line["offset"]: line["headers"] for line in lines if line["kind"] == "record"}


def test_message_ids_lie_in_the_records_headers_and_tail_and_inspect_show_them(questlog, server):
    server.post("/events", b'{"event_type":"a","message_id":"m \\"1\\""}')
    server.post("/events", b'{"event_type":"a"}\n{"event_type":"b"}', headers=[("Idempotency-Key", "k")])
    server.get("/?message_id=q", headers=[("Idempotency-Key", "unused")])
    server.get("/")
    assert questlog.ok("tail", "-o", "beginning", "-e", "-q", "-f", "%o %h\\n").splitlines() == [
        '0 message_id=m "1"', "1 message_id=k/0", "2 message_id=k/1", "3 message_id=q", "4 "]
    assert inspected(questlog) == {0: [{"key": "message_id", "value": 'm "1"'}], 1: [{"key": "message_id", "value": "k/0"}],
                                   2: [{"key": "message_id", "value": "k/1"}], 3: [{"key": "message_id", "value": "q"}], 4: []}
    text = questlog.ok("log", "inspect", "--records")
    assert 'headers message_id="k/0" value {"event_type":"a"}' in text and "headers none" in text
    assert questlog.values()[:3] == ['{"event_type":"a","message_id":"m \\"1\\""}', '{"event_type":"a"}', '{"event_type":"b"}']
    assert questlog.value_of("select count(*) from events") == 5


def test_a_key_that_is_none_is_told(questlog, server):
    for path in ("/events", "/"):
        answer = server.post(path, b'{"event_type":"a"}', headers=[("Idempotency-Key", "x" * 129)])
        assert answer.status == 400 and "Idempotency-Key" in answer.json()["error"]
    assert questlog.values() == []


@pytest.fixture
def game(questlog):
    questlog.write_config(GAME)
    with questlog.serve() as running:
        yield running


def test_declared_fields_are_checked_wherever_the_event_is_sent(questlog, game):
    assert game.post("/trade", {"gold": 7}).status == 200
    assert game.post("/trade", {"gold": "x"}).json() == {"error": 'field "gold": expected a bigint, got "x"'}
    assert game.post("/events", {"event_type": "trade", "gold": 7}).status == 200
    answer = game.post("/events", b'[{"event_type":"trade"},{"event_type":"trade","gold":1e3},{"event_type":"new"}]')
    assert answer.status == 207
    assert [r["reason"] for r in answer.json()["rejections"]] == [
        'field "gold": required, and missing; send a bigint', 'field "gold": expected a bigint, got 1e3']
    assert [event["event_type"] for event in questlog.events()] == ["trade", "trade", "new"]


def test_events_that_do_not_fit_are_kept_and_counted_where_the_declaration_says_so(questlog, game):
    assert game.post("/gift?price=2.5", {"gold": "much"}).status == 200
    assert game.post("/events", {"event_type": "gift"}).status == 200
    assert game.post("/gift", {"gold": 1}).status == 200
    assert metrics(game)["questlog_events_mismatched_total"] == 2
    first, second, _ = questlog.events()
    assert first["gold"] == "much" and first["price"] == 2.5 and second == {"event_type": "gift"}


@pytest.mark.parametrize("text, line, says", [
    (GAME.replace('"keep"', '"drop"'), 9, ['"drop"', '"reject"', '"keep"']),
    ('[[event]]\npath = "/x"\ntype = "x"\non_mismatch = "keep"\n', 4, ["without fields"]),
    ('[[event]]\npath = "/x"\ntype = "x"\nset = { message_id = "m" }\n', 4, ["message_id"]),
    ('[[event]]\npath = "/x"\ntype = "x"\nfields = { message_id = "bigint" }\n', 4, ["message_id", "string"]),
])
def test_a_wrong_declaration_is_told_at_its_place(questlog, text, line, says):
    questlog.write_config(text)
    questlog.fails("serve", "--listen", "127.0.0.1:0", code=2, says=[f"questlog.toml:{line}:", *says])


# --- receipts --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("partitions", [1, 3])
def test_every_receipt_is_where_the_event_is(questlog, partitions):
    questlog.write_config(f"[log]\npartitions = {partitions}\n" + GAME)
    placed = {}
    with questlog.serve() as server, server.wire() as wire:
        for turn in range(7):
            one = wire.post("/trade?receipt=1", {"gold": turn}).json()
            placed[one["partition"], one["offset"]] = ("trade", turn)
            single = wire.post("/events?receipt=1", {"event_type": "single", "n": turn}).json()
            placed[single["partition"], single["offset"]] = ("single", turn)
            lines = wire.post("/events?receipt=1", b'7\n{"event_type":"lines","n":0}\n{}\n{"event_type":"lines","n":1}').json()
            array = wire.post("/events?receipt=1", b'[{"event_type":"array","n":0},{"event_type":"array","n":1}]').json()
            for kind, answer in (("lines", lines), ("array", array)):
                for n in (0, 1):
                    placed[answer["partition"], answer["first_offset"] + n] = (kind, n)
            for method in ("HEAD", "OPTIONS"):
                head = wire.request(method, "/trade?receipt=1")
                assert head.status == 200 and b"offset" not in head.body
            none = wire.post("/events?receipt=1", b"[7]")
            assert none.status == 400 and "offset" not in none.text
            assert len({one["log"], single["log"], lines["log"], array["log"]}) == 1
    seen = {}
    for line in questlog.ok("tail", "-o", "beginning", "-e", "-q", "-f", "%p %o %s\\n").splitlines():
        partition, offset, value = line.split(" ", 2)
        event = json.loads(value)
        seen[int(partition), int(offset)] = (event["event_type"], event.get("gold", event.get("n")))
    assert seen == placed
    assert len({partition for partition, _ in placed}) == partitions
