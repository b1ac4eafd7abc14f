"""Declared fields where events are landed: types of columns, and dead letters for what is not as declared."""

import json
import re

import pytest
from questlog_process import json_rows

DECLARED = """[landing]
enabled = false
[[event]]
path = "/raid"
type = "raid"
methods = ["POST"]
on_mismatch = "keep"
[event.fields]
level = { type = "bigint", required = true, min = 1, max = 60 }
role = { type = "string", one_of = ["healer", "tank"] }
gold = "double"
"""


def dead_letters(questlog):
    return [(row["offset"], row["reason"]) for row in
            questlog.sql('SELECT "offset", reason FROM dead_letters ORDER BY "offset"')]


def ledger(questlog):
    rows = {row["table"]: row for row in questlog.sql("SELECT * FROM ledger")}
    assert all(row["balanced"] for row in rows.values()), rows
    return rows


EVENTS = [
    {"event_type": "raid", "level": 7, "role": "tank", "gold": 2},
    {"event_type": "raid", "level": "7"},
    {"event_type": "raid", "level": 61},
    {"event_type": "raid", "role": "healer"},
    {"event_type": "raid", "level": 1, "role": "mage"},
    {"event_type": "guild", "level": "any"},
    {"event_type": "raid", "level": 60, "gold": 0.5, "more": True},
]
REASONS = [(1, 'field "level": not a bigint'), (2, 'field "level": out of its range'),
           (3, 'field "level": required, and missing'), (4, 'field "role": not one of its values')]


def test_what_is_not_as_declared_is_a_dead_letter_in_the_log_and_landed(questlog):
    questlog.write_config(DECLARED)
    with questlog.serve() as server:
        server.send_events(EVENTS)
        assert server.post("/raid?level=100", "").status == 200, "kept, as the number that it is"
        assert server.stop() == 0
    for when in ("in the log", "landed"):
        assert dead_letters(questlog) == [*REASONS, (7, 'field "level": out of its range')], when
        assert questlog.sql("SELECT level, gold, more FROM raid ORDER BY _offset") == [
            {"level": 7, "gold": 2.0, "more": None}, {"level": 60, "gold": 0.5, "more": True}], when
        assert questlog.value_of("SELECT typeof(gold) FROM raid LIMIT 1") == "DOUBLE", when
        books = ledger(questlog)
        assert (books["raid"]["accepted"], books["raid"]["dead_lettered"]) == (7, 5), when
        assert books["dead_letters"]["accepted"] == 5, when
        questlog.ok("land", "--once")
    assert ledger(questlog)["dead_letters"]["landed"] == 5
    questlog.ok("verify")
    shown = questlog.ok("dead-letters", "--reason", 'field "role": not one of its values', "--format", "json")
    assert [row["offset"] for row in json_rows(shown)] == [4]


def test_the_door_refuses_what_would_be_a_dead_letter(questlog):
    questlog.write_config(DECLARED.replace('on_mismatch = "keep"\n', ""))
    with questlog.serve() as server:
        for body, reason in (({"level": 61}, 'field "level": expected a bigint from 1 to 60, got 61'),
                             ({"level": 1, "role": "mage"},
                              'field "role": expected one of "healer", "tank", got "mage"')):
            answer = server.post("/raid", json.dumps(body))
            assert (answer.status, json.loads(answer.body)["error"]) == (400, reason)
        assert server.post("/raid", '{"level": 1, "role": "tank"}').status == 200


def test_integers_that_meet_fractions_are_told_with_their_cure(questlog):
    questlog.write_config("[landing]\nenabled = false\n")

    def send(*prices):
        with questlog.serve() as server:
            server.send_events([{"event_type": "buy", "price": price} for price in prices])
            assert server.stop() == 0

    send(1, 2)
    questlog.ok("land", "--once")
    assert "of integers" not in questlog.ok("status")
    send(2.5)
    advice = ('  buy: column price is of integers, and events have fractions there, which are in\n    _rescued_data. '
              'Declare it in the [[event]] of type buy, as\n    fields = { price = "double" }, and then run '
              '`questlog rebuild buy`.\n')
    assert advice in questlog.ok("status"), "it is in the log only"
    questlog.ok("land", "--once")
    assert advice in questlog.ok("status")
    assert questlog.sql("SELECT price, _rescued_data FROM buy WHERE _rescued_data IS NOT NULL") == \
        [{"price": None, "_rescued_data": '{"price": 2.5}'}]
    table = next(t for t in questlog.status()["topics"][0]["continuous"] if t["name"] == "buy")
    assert table["integers_with_fractions"] == ["price"]
    questlog.write_config('[landing]\nenabled = false\n[[event]]\npath = "/buy"\ntype = "buy"\n'
                          'fields = { price = "double" }\n')
    assert "It is declared a double: `questlog rebuild buy` makes it one." in questlog.ok("status")
    questlog.ok("rebuild", "buy")
    assert "of integers" not in questlog.ok("status")
    assert [row["price"] for row in questlog.sql("SELECT price FROM buy ORDER BY _offset")] == [1.0, 2.0, 2.5]


def test_the_advice_about_fractions_cures_columns_that_are_not_called_as_their_keys(questlog):
    questlog.write_config("[landing]\nenabled = false\n")
    keys = ["Dmg", "dmg", "a.b", 'say "\\"', "ü", "receipt"]
    for value in (1, 1.5):
        with questlog.serve() as server:
            server.send_events([{"event_type": "big raid", **{key: value for key in keys}}])
            assert server.stop() == 0
        questlog.ok("land", "--once")
    told = questlog.ok("status")
    event_type, fields, command = re.search(
        r"Declare them in the \[\[event\]\] of type (.*), as\n +(fields = .*), and then run `questlog (.*)`\.", told).groups()
    assert "column receipt is of integers" in told and "Fields cannot be declared by its key" in told
    questlog.write_config(f'[landing]\nenabled = false\n[[event]]\npath = "/raid"\ntype = {event_type}\n{fields}\n')
    assert "They are declared doubles: `questlog rebuild big_x20_raid` makes them so." in questlog.ok("status")
    questlog.ok(*command.split())
    told = questlog.ok("status")
    assert "column receipt is of integers" in told and "Declare" not in told and "declared d" not in told
    rescued = [row["_rescued_data"] for row in questlog.sql("SELECT _rescued_data FROM big_x20_raid ORDER BY _offset")]
    assert rescued == [None, '{"receipt": 1.5}']


@pytest.mark.parametrize("declared, told", [
    ('{ type = "bigint", min = 5, max = 4 }', "nothing is 5 or more and 4 or less"),
    ('{ type = "string", min = 5 }', "only a bigint or a double has a least and a greatest value"),
    ('{ type = "bigint", one_of = ["a"] }', '"a" in one_of is not a bigint'),
])
def test_declarations_that_nothing_fits_are_refused(questlog, declared, told):
    questlog.write_config(f'[[event]]\npath = "/raid"\ntype = "raid"\nfields = {{ level = {declared} }}\n')
    questlog.fails("serve", code=2, says=[told])
