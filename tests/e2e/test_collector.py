"""The instrumented API: declared calls, what they answer, and the events they become."""

import json

import pytest
from wire import Closed, chunked, request_bytes

CALLS = [
    ("/", b"\nThis is the default response!\n", {"event_type": "default"}),
    ("/purchase_a_sword", b"\nSword Purchased!\n", {"event_type": "purchase_sword"}),
    ("/purchase_a_knife", b"Knife Purchased!\n", {"event_type": "purchase_knife", "description": "very sharp knife"}),
    ("/purchase_knife", b"Knife Purchased!\n", {"event_type": "purchase_knife", "description": "very sharp knife"}),
    ("/join_guild", b"\nJoin Guild!\n", {"event_type": "join_guild", "description": "nice guild"}),
]

SHOP = """
[[event]]
path = "/buy"
methods = ["GET", "POST"]
type = "buy"
reply = "ok\\n"
content_type = "text/plain"
set = { shop = "main" }
fields = { price = { type = "double", required = true }, amount = { type = "bigint" }, gift = { type = "boolean" }, note = { type = "string" } }
store_headers = ["Authorization"]

[[event]]
path = "/sell"
methods = ["POST"]
type = "sell"
reply = "sold"
"""


@pytest.fixture
def shop(questlog):
    questlog.write_config(SHOP)
    with questlog.serve() as server:
        yield server


# --- the reference game ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path, body, event", CALLS)
def test_a_call_is_answered_as_the_reference_answers_and_becomes_its_event(questlog, server, path, body, event):
    answer = server.get(path, headers=[("Host", "user1.comcast.com"), ("User-Agent", "x/1")])
    assert (answer.status, answer.body) == (200, body)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    stored = {**event, "Host": "user1.comcast.com", "User-Agent": "x/1"}
    assert questlog.values() == [json.dumps(stored)]


def test_headers_are_stored_in_order_in_title_case_and_as_json_dumps_writes_them(questlog, server):
    server.get("/", headers=[("hOST", "a"), ("x-3d-glasses", 'say "hi"\\'), ("X_y", "1"), ("accept", "caf\xe9")])
    value, = questlog.values()
    assert value.isascii()
    event = json.loads(value)
    assert value == json.dumps(event)
    assert event["X-3D-Glasses"] == 'say "hi"\\' and event["Accept"] == "caf\xe9"
    assert list(event)[:2] == ["event_type", "Host"]


def test_credentials_are_not_stored(questlog, server):
    server.get("/", headers=[("Authorization", "Bearer s3cret"), ("Proxy-Authorization", "s3cret"), ("Cookie", "s3cret")])
    assert not any("s3cret" in value for value in questlog.values())
    assert b"s3cret" not in b"".join(path.read_bytes() for path in questlog.data.rglob("*") if path.is_file())


def test_a_client_never_sets_the_event_type_of_a_declared_path(questlog, server):
    server.get("/purchase_a_sword?event_type=refund")
    assert {event["event_type"] for event in questlog.events()} <= {"purchase_sword"}


def test_a_receipt_names_log_partition_and_offset(questlog, server):
    server.get("/")
    answer = server.get("/purchase_a_sword?receipt=1")
    described = questlog.ok("topic", "describe", "--topic", "game-events")
    receipt = answer.json()
    assert {key: receipt[key] for key in ("log", "partition", "offset")} == {
        "log": described.split("TopicId: ")[1].split("\t")[0], "partition": 0, "offset": 1}
    assert "receipt" not in questlog.events()[1]


def test_reserved_query_names_never_become_fields(questlog, server):
    assert server.get("/?receipt=0&wait=durable&x=1").status == 200
    assert {"receipt", "wait"}.isdisjoint(questlog.events()[0]) and questlog.events()[0]["x"] == "1"
    assert server.get("/?wait=kafka").status == 400  # a promise that this log cannot keep
    assert len(questlog.values()) == 1


# --- declared events -------------------------------------------------------------------------------------------------

def test_a_declared_call_takes_constants_query_fields_and_body_fields(questlog, shop):
    assert shop.get("/buy?price=9.5&amount=3&gift=true&note=caf%C3%A9+au%20lait").body == b"ok\n"
    answer = shop.post("/buy", {"price": 12, "note": None, "extra": {"deep": [1, 2]}}, headers=[("Host", "h")])
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain")
    by_query, by_body = questlog.events()
    assert list(by_query.items())[:6] == [("event_type", "buy"), ("shop", "main"), ("price", 9.5), ("amount", 3),
                                          ("gift", True), ("note", "café au lait")]
    assert by_body["price"] == 12 and by_body["extra"] == {"deep": [1, 2]} and by_body["Host"] == "h"


def test_declaring_events_replaces_the_built_in_game(shop):
    assert shop.get("/purchase_a_sword").status == 404


def test_headers_win_over_body_keys_of_the_same_name_and_the_type_stays(questlog, shop):
    shop.post("/buy", {"price": 1, "Host": "forged", "event_type": "refund", "shop": "forged"}, headers=[("Host", "real")])
    value, = questlog.values()
    pairs = json.loads(value, object_pairs_hook=list)
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), value
    event = dict(pairs)
    assert event["Host"] == "real" and event["event_type"] == "buy"


def test_a_declared_credential_header_is_stored(questlog, shop):
    shop.get("/buy?price=1", headers=[("Authorization", "Bearer t"), ("Cookie", "c")])
    event, = questlog.events()
    assert event["Authorization"] == "Bearer t" and "Cookie" not in event


@pytest.mark.parametrize("query, names", [
    ("", "price"), ("price=cheap", "price"), ("price=1&amount=1.5", "amount"), ("price=1&gift=perhaps", "gift"),
    ("price=1&amount=9223372036854775808", "amount"), ("price=", "price"), ("price=nan", "price"),
    ("price=1&note=%FF", "note"),
])
def test_a_wrong_or_missing_field_is_named_and_nothing_is_stored(questlog, shop, query, names):
    answer = shop.get(f"/buy?{query}")
    assert answer.status == 400 and names in answer.text
    assert questlog.values() == []


@pytest.mark.parametrize("body", [b'{"price": "1"}', b'{"price": true}', b'{"price": null}', b'{"price": 1, "amount": "x"}',
                                  b'[1]', b'"text"', b'{"price": 1', b'{"price": 01}', b'{"price": 1} {}',
                                  b'\xff\xfe', b'{"price": 1, "note": "\xff"}'])
def test_a_wrong_body_is_refused_and_nothing_is_stored(questlog, shop, body):
    answer = shop.post("/buy", body, headers=[("Content-Type", "application/json")])
    assert answer.status == 400 and answer.body
    assert questlog.values() == []


# --- methods and paths -----------------------------------------------------------------------------------------------

def test_head_and_options_create_no_event(questlog, server):
    with server.wire() as wire:
        head = wire.request("HEAD", "/purchase_a_sword")
        assert head.status == 200 and head.body == b""
        options = wire.request("OPTIONS", "/purchase_a_sword")
        assert options.status in (200, 204) and "GET" in options.headers["allow"]
        assert wire.get("/").status == 200  # the connection is still in step
    assert [event["event_type"] for event in questlog.events()] == ["default"]


def test_an_unknown_path_is_404_and_says_which_there_are(questlog, server):
    answer = server.get("/purchase_a_dragon")
    assert answer.status == 404 and "/purchase_a_sword" in answer.text
    assert questlog.values() == []


def test_a_wrong_method_is_405_and_says_which_are_right(questlog, shop):
    answer = shop.get("/sell")
    assert answer.status == 405
    assert "POST" in answer.headers["allow"] and "GET" not in answer.headers["allow"] and "POST" in answer.text
    assert shop.get("/events").status == 405
    assert questlog.values() == []


def test_an_encoded_or_odd_path_is_not_a_declared_one(questlog, server):
    for path in ("/purchase_a_sword/", "//purchase_a_sword", "/PURCHASE_A_SWORD", "/./purchase_a_sword"):
        assert server.get(path).status == 404, path
    assert questlog.values() == []


# --- connections -----------------------------------------------------------------------------------------------------

def test_keep_alive_serves_many_requests_on_one_connection(questlog, server):
    with server.wire() as wire:
        offsets = [wire.get("/?receipt=1").json()["offset"] for _ in range(20)]
    assert offsets == list(range(20))


def test_connection_close_is_honoured(server):
    with server.wire() as wire:
        assert wire.get("/", headers=[("Connection", "close")]).headers.get("connection") == "close"
        assert wire.is_closed()


def test_http_1_0_closes_unless_it_asks_to_keep_alive(questlog, server):
    with server.wire() as wire:
        assert wire.get("/", version="1.0").status == 200
        assert wire.is_closed()
    with server.wire() as wire:
        for _ in range(2):
            answer = wire.get("/", version="1.0", headers=[("Connection", "Keep-Alive")])
            assert answer.headers["connection"].lower() == "keep-alive"
    with server.wire() as wire:
        wire.send(b"GET /join_guild HTTP/1.0\r\n\r\n")  # no Host: allowed in 1.0
        assert wire.answer().status == 200
    assert len(questlog.values()) == 4


def test_pipelined_requests_are_answered_in_order(questlog, server):
    targets = ["/?receipt=1", "/healthz", "/purchase_a_sword", "/nowhere"] * 40
    with server.wire() as wire:
        wire.send(b"".join(request_bytes("GET", target, wire.host) for target in targets))
        answers = [wire.answer() for _ in targets]
    assert [answer.status for answer in answers] == [200, 200, 200, 404] * 40
    assert [answer.json()["offset"] for answer in answers[::4]] == list(range(0, 80, 2))
    assert all(answer.body == b"\nSword Purchased!\n" for answer in answers[2::4])
    assert [event["event_type"] for event in questlog.events()] == ["default", "purchase_sword"] * 40


def test_requests_may_come_in_single_bytes(questlog, server):
    with server.wire() as wire:
        for byte in request_bytes("POST", "/events", wire.host, {"event_type": "slow"}):
            wire.send(bytes([byte]))
        assert wire.answer().status == 200
    assert questlog.events() == [{"event_type": "slow"}]


def test_a_client_that_stops_sending_still_gets_its_answer(server):
    with server.wire() as wire:
        wire.send(request_bytes("GET", "/", wire.host))
        wire.finish_sending()
        assert wire.answer().status == 200


def test_chunked_bodies_are_joined(questlog, server):
    body = chunked(b'{"event_type"', b': "chun', b'ked"}')
    with server.wire() as wire:
        for _ in range(2):
            answer = wire.post("/events", body, headers=[("Transfer-Encoding", "chunked")])
            assert answer.status == 200, answer.text
    assert questlog.events() == [{"event_type": "chunked"}] * 2


def test_expect_100_continue_does_not_hang(questlog, server):
    body = b'{"event_type": "polite"}'
    with server.wire() as wire:
        wire.send(request_bytes("POST", "/events", wire.host, b"", [("Content-Length", str(len(body))),
                                                                  ("Expect", "100-continue")]))
        while b"\r\n\r\n" not in wire.buffer:
            wire._more()
        assert wire.buffer.startswith(b"HTTP/1.1 100")
        wire.send(body)
        assert wire.answer().status == 200
    assert questlog.events() == [{"event_type": "polite"}]


def test_a_half_sent_request_makes_no_event(questlog, server):
    whole = request_bytes("GET", "/purchase_a_sword", server.url[7:])
    for length in range(0, len(whole), 7):
        with server.wire() as wire:
            wire.send(whole[:length])
            wire.finish_sending()
            try:
                assert wire.answer().status == 400
            except Closed:
                pass
    assert questlog.values() == []
