"""Events with keys: which partition they go to, in which order, and what Kafka's own client says of it."""

import json
import random

import pytest
from kafka.partitioner.default import murmur2

PARTITIONS = 4
GAME = f"""
[log]
partitions = {PARTITIONS}
[[event]]
path = "/move"
type = "move"
key = "player"
[[event]]
path = "/spin"
type = "spin"
"""


@pytest.fixture
def game(questlog):
    questlog.write_config(GAME)
    with questlog.serve() as running:
        yield running


def records(questlog):
    """(partition, offset, key or None, value) in the log's order."""
    text = questlog.ok("tail", "-o", "beginning", "-e", "-q", "-f", "%p\\t%o\\t%K\\t%k\\t%s\\n")
    for line in text.splitlines():
        partition, offset, key_bytes, key, value = line.split("\t", 4)
        yield int(partition), int(offset), None if key_bytes == "-1" else key, json.loads(value)


def test_a_key_chooses_the_partition_that_kafkas_client_chooses(questlog, game):
    names = ["ada", "é", "☃ snow", "", "x" * 300, "player-7", "12", "\U0001f5e1"]
    for name in names:
        assert game.post("/move", {"player": name}).status == 200
    assert game.post("/events", [{"event_type": "move", "player": name} for name in names]).json()["accepted"] == len(names)
    found = {}
    for partition, _, key, _ in records(questlog):
        found.setdefault(key, set()).add(partition)
    assert found == {name: {(murmur2(name.encode()) & 0x7fffffff) % PARTITIONS} for name in names}
    assert len({partition for places in found.values() for partition in places}) > 1


def test_events_of_a_key_keep_their_order_and_receipts_name_their_places(questlog, game):
    dice = random.Random(5)
    told = []
    for number in range(60):
        events = [{"event_type": "move", "player": f"p{dice.randrange(9)}", "step": f"{number}.{index}"}
                  for index in range(dice.randrange(1, 6))]
        answer = game.post("/events?receipt=1", events).json()
        receipts = answer.get("receipts") or [{"partition": answer["partition"], "offset": answer["first_offset"] + index}
                                              for index in range(len(events))]
        told += [(receipt["partition"], receipt["offset"], event) for receipt, event in zip(receipts, events, strict=True)]
    stored = {(partition, offset): value for partition, offset, _, value in records(questlog)}
    assert {(partition, offset): event for partition, offset, event in told} == stored
    for player in {event["player"] for _, _, event in told}:
        places = [(partition, offset) for partition, offset, event in told if event["player"] == player]
        assert places == sorted(places) and len({partition for partition, _ in places}) == 1


def test_events_without_a_key_are_spread(questlog, game):
    for _ in range(3 * PARTITIONS):
        assert game.post("/spin", {"player": "ada"}).status == 200
        assert game.post("/move", {"player": None}).status == 200
    keyless = [partition for partition, _, key, _ in records(questlog) if key is None]
    assert set(keyless) == set(range(PARTITIONS)) and len(keyless) == 6 * PARTITIONS
    assert questlog.value_of("select count(*) from events") == 6 * PARTITIONS


def test_two_keys_for_a_type_are_an_error_where_the_second_one_stands(questlog):
    questlog.write_config(GAME + '[[event]]\npath = "/go"\ntype = "move"\nkey = "guild"\n')
    questlog.fails("status", code=2, says=("questlog.toml:14:7", 'type "move"', 'the key "player"', '"/move"'))
