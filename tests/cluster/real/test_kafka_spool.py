"""What of a collector's log Kafka does not have yet: how much that is after a restart, what it keeps, and what Kafka no longer has."""

import json
from pathlib import Path

import pytest
from breakable_kafka import BACK_S, START_S, Forwarding, await_forwarded, event, metric, ready
from conftest import START_S as ENGINES_START_S
from small_segments import numbered
from waiting import stays, wait_until

pytestmark = pytest.mark.timeout(max(START_S, ENGINES_START_S) + 60)
SEGMENT = 1048576
SPOOL = f"spool_bytes_max = {SEGMENT}"


def fill(server, first, count=8_000):
    """Some two and a half MiB."""
    for start in range(first, first + count, 1_000):
        server.send_events(numbered(1_000, 250, start))


def test_after_a_restart_the_spool_is_what_kafka_does_not_have(broker, tmp_path):
    """Kafka is down then, so nobody but the checkpoint knows."""
    questlog = Forwarding(tmp_path, broker, kafka=SPOOL)
    with questlog.serve() as server:
        for first in range(0, 8_000, 2_000):  # less than the spool holds at a time
            fill(server, first, 2_000)
            await_forwarded(server)
        assert server.stop() == 0
    broker.down()
    with questlog.serve() as server:
        server.send_events(numbered(5, 250, 8_000))
        wait_until(lambda: metric(server, "questlog_kafka_lag_events") == 5 and metric(server, "questlog_kafka_spool_bytes") > 0,
                   "five events are the lag", 20)
        assert metric(server, "questlog_kafka_spool_bytes") < SEGMENT / 100
        assert stays(lambda: server.post("/events", event(1)).status == 200), "the spool is not full"
        broker.up()
        await_forwarded(server, BACK_S)
        events = len(questlog.embedded())
        assert server.stop() == 0
    questlog.assert_arrived(events)


def test_trimming_by_hand_leaves_what_kafka_does_not_have(broker, tmp_path):
    questlog = Forwarding(tmp_path, broker)
    questlog.config.write_text(questlog.config.read_text().replace("[log]\n", f"[log]\nsegment_bytes = {SEGMENT}\nretention_bytes = 0\n"
                                                                             "retention_check_ms = 3600000\n"))
    with questlog.serve() as server:
        fill(server, 0)
        await_forwarded(server)
        assert server.stop() == 0
    broker.down()
    with questlog.serve() as server:
        fill(server, 8_000)
        assert server.stop() == 0
    said = questlog.ok("log", "trim", "--dry-run")
    assert "of Kafka does not have all its events, which keeps offsets " in said
    checkpoint = questlog.checkpoint().rename(tmp_path / "aside")
    assert "0 segments, 0 events, 0 bytes would expire" in questlog.ok("log", "trim", "--dry-run"), "nobody knows that Kafka has anything"
    Path(checkpoint).rename(questlog.checkpoint())
    assert "; it begins at offset " in questlog.ok("log", "trim")
    kept = questlog.embedded()
    first = json.loads(kept[0])["n"]
    assert 0 < first <= 8_000 and [json.loads(value)["n"] for value in kept] == list(range(first, 16_000))
    broker.up()
    with questlog.serve() as server:
        await_forwarded(server, BACK_S)
        assert server.stop() == 0
    assert [json.loads(record.value)["n"] for record in questlog.records()] == list(range(16_000)), "none is missing, none there twice"


def test_landing_is_waited_for_in_the_log_s_own_offsets(topic, tmp_path):
    """Kafka's are others where somebody else writes to the topic, too."""
    topic = topic()
    topic.put_events(range(50), event_type="other")
    reader = topic.reader(tmp_path, "[landing]\ncut_ms = 60000\n[kafka.client]\nlinger.ms = 400\n")
    with reader.serve() as server, server.wire() as wire:
        for n in range(3):
            assert wire.post("/events?wait=landed", json.dumps({"event_type": "n", "n": n})).status == 200
            assert reader.value_of("SELECT count(*) FROM n", "--landed") == n + 1
        assert reader.value_of("SELECT count(*) FROM other", "--landed") == 50
        assert server.stop() == 0


def test_a_partition_that_was_emptied_goes_on(topic, tmp_path):
    """All of it has expired in Kafka: what was landed stays, what comes is landed, and nothing is forwarded again."""
    topic = topic()
    reader, late = topic.reader(tmp_path / "node"), topic.reader(tmp_path / "late")
    with reader.serve() as server:
        server.send_events({"event_type": "n", "n": n} for n in range(300))
        wait_until(lambda: ready(server).text.strip().endswith("; 0 events to be forwarded to Kafka"), "all is forwarded", 30)
        assert server.stop() == 0
    reader.ok("land", "--once")
    topic.delete_before(300)
    assert topic.records() == late.tailed() == late.selected() == []
    assert late.ok("land", "--once") == "nothing new to land\n"
    assert [row["n"] for row in reader.sql("SELECT n FROM n ORDER BY n")] == list(range(300))
    assert reader.ok("land", "--once") == "nothing new to land\n"
    with reader.serve() as server:
        server.send_events({"event_type": "n", "n": n} for n in range(300, 310))
        wait_until(lambda: len(topic.records()) >= 10, "what comes is forwarded", 30)
        assert server.stop() == 0
    assert [json.loads(value)["n"] for _, _, value in topic.records()] == list(range(300, 310))
    for node, numbers in ((reader, range(310)), (late, range(300, 310))):
        node.ok("land", "--once")
        for landed in ([], ["--landed"]):
            assert [row["n"] for row in node.sql("SELECT n FROM n ORDER BY n", *landed)] == list(numbers)
        assert node.ledger("accepted", "landed", "pending") == (len(numbers), len(numbers), 0)
