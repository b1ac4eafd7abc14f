"""Declared tables against what clients really send: types that do not fit, keys that contend for a column's name."""

import pytest

JOB = """
[[job]]
name = "shop"
  [job.set]
  total = "price * amount"
  [[job.output]]
  path = "tmp/dear"
  where = "event_type = 'buy' AND price > 1"
  [[job.output]]
  path = "tmp/vip"
  where = "event_type = 'buy' AND vip"
  [[job.output]]
  path = "tmp/all"
"""

EVENTS = [
    {"price": 5, "amount": 2, "vip": True},
    {"price": "abc", "amount": 2, "vip": "yes"},
    {"price": "7", "amount": 1, "vip": "true"},
    {"price": [9], "amount": {"a": 1}, "vip": 1},
    {"price": 9223372036854775807, "amount": 9223372036854775807, "vip": None},
    {"price": True, "amount": "", "vip": False},
    {"amount": 3},
]


@pytest.fixture
def shop(questlog):
    questlog.write_config(JOB)
    return questlog


def collect(questlog, *events):
    with questlog.serve() as server:
        server.send_events([{"event_type": "buy", **event} for event in events])
        assert server.stop() == 0


def test_no_value_that_a_client_sends_breaks_a_table(shop):
    collect(shop, *EVENTS)
    for when in ["before landing", "landed"]:
        rows = shop.sql("SELECT price, total FROM dear")
        assert sorted(row["price"] for row in rows) == ["5", "7", "9223372036854775807"], when
        assert {row["price"]: row["total"] for row in rows}["5"] == 10.0
        assert shop.value_of("SELECT count(*) FROM vip") == 2, when
        assert shop.value_of('SELECT count(*) FROM "all"') == len(EVENTS), when
        shop.ok("batch", "shop")


def test_what_the_declaration_cannot_read_is_told(shop):
    collect(shop, *EVENTS)
    told = shop.run("batch", "shop").err
    assert "dear: its declaration reads price as a number; where a value is none, it is NULL there" in told
    assert "vip: its declaration reads vip as a boolean" in told


@pytest.mark.parametrize("cut", range(1, 5))
def test_landed_and_tail_name_columns_as_the_whole_log_does(shop, cut):
    keys = [{"a": 1}, {"A": 2, "a_2": 3}, {"a.b": 4, "a": 5}, {"a_x2E_b": 6, "A_2": 7, "Price": 9, "price": 8}]
    collect(shop, *keys[:cut])
    shop.ok("batch", "shop")
    collect(shop, *keys[cut:])
    united = shop.sql('SELECT * FROM "all" ORDER BY timestamp')
    shop.ok("batch", "shop")
    assert shop.sql('SELECT * FROM "all" ORDER BY timestamp', "--landed") == united
    row = shop.sql('SELECT * FROM "all" WHERE price = 8')[0]
    assert row["Price_2"] == 9
