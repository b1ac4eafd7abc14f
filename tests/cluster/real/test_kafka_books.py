"""Events of a topic of the real broker are counted once: across gaps, second copies, nodes, and landings that are killed."""

import glob
import json
import re
import signal
import subprocess
from pathlib import Path

import duckdb
import pytest
from conftest import START_S
from gaps import compacted, transactional, truncated
from kafka_topic import ALL_JOB
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)
FATES = ("landed", "pending", "filtered", "dead_lettered", "duplicates", "lost", "expired")


def numbers(reader, *options):
    return [row["n"] for row in reader.sql("SELECT n FROM n ORDER BY _partition, _offset", *options)]


def everything(reader):
    """The declared table's books. All of them balance."""
    tables = {table["name"]: table for table in reader.tables()}
    for table in tables.values():
        assert table["balanced"] and table["problem"] is None and table["accepted"] == sum(table[fate] for fate in FATES), table
    return tables["everything"]


# --- offsets without an event ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("made", [compacted, truncated, transactional])
def test_offsets_without_an_event_are_passed_over(topic, tmp_path, made):
    topic = made(topic)
    records = topic.records()
    assert len(records) < records[-1][1] + 1, "no offset is without an event"
    reader = topic.reader(tmp_path, ALL_JOB)
    assert reader.tailed() == reader.selected() == records
    # What is told of the topic without a look at its records: how many there may be.
    assert everything(reader)["landed"] == 0 and everything(reader)["pending"] >= len(records)
    reader.ok("batch", "all_of_them")
    assert reader.value_of("SELECT count(*) FROM everything", "--landed") == len(records)
    assert (everything(reader)["landed"], everything(reader)["pending"]) == (len(records), 0)
    reader.ok("land", "--once")
    assert reader.ledger("accepted", "landed") == (len(records), len(records))
    assert reader.landed_places(duckdb) == {(partition, offset): 1 for partition, offset, _ in records}
    for table in ("n", "everything"):
        assert f"({len(records)} rows), 0 different, 0 unverifiable" in reader.ok("verify", table)
    topic.put_events(range(1000, 1005), "-K#", key="new-{}#")
    assert numbers(reader)[-5:] == [1000, 1001, 1002, 1003, 1004] and len(numbers(reader)) == len(records) + 5
    assert (everything(reader)["landed"], everything(reader)["pending"]) == (len(records), 5)
    reader.ok("land", "--once")
    assert reader.ledger("accepted", "landed", "pending") == (len(records) + 5, len(records) + 5, 0)
    reader.ok("batch", "all_of_them")
    assert everything(reader)["landed"] == len(records) + 5


# --- once ------------------------------------------------------------------------------------------------------------

LOG_ID = "K-B_dYuRSE29PzP5wRDWjA"


def forwarded(topic, *offsets, log_id=LOG_ID):
    for offset in offsets:
        topic.put([json.dumps({"event_type": "n", "n": offset})], "-H", f"questlog.origin={log_id}:0:{offset}")


def test_an_event_that_producers_sent_twice_counts_once(topic, tmp_path):
    """By its message id, whoever sent it, and whether its second copy comes before or after a landing."""
    topic = topic()
    topic.put_events([1], "-H", "message_id=one")
    topic.put_events([1, 2], "-H", "message_id=one")
    reader = topic.reader(tmp_path)
    assert numbers(reader) == [1]
    reader.ok("land", "--once")
    assert reader.ledger("accepted", "landed", "duplicates") == (3, 1, 2)
    topic.put_events([1], "-H", "message_id=one")
    topic.put_events([3])
    assert numbers(reader) == [1, 3]
    reader.ok("land", "--once")
    assert numbers(reader, "--landed") == [1, 3]
    assert reader.ledger("accepted", "landed", "duplicates") == (5, 2, 3)
    assert "0 different, 0 unverifiable" in reader.ok("verify", "n")


def test_what_a_forwarder_sent_twice_counts_once(topic, tmp_path):
    topic = topic()
    forwarded(topic, 0, 1, 2, 3, 2, 3, 4)
    reader = topic.reader(tmp_path, ALL_JOB)
    assert numbers(reader) == [0, 1, 2, 3, 4] == [json.loads(value)["n"] for _, _, value in reader.selected()]
    assert [offset for _, offset, _ in reader.tailed()] == list(range(7)), "tail prints what lies there"
    reader.ok("land", "--once")
    assert reader.ledger("accepted", "landed", "pending") == (5, 5, 0)
    # A new process begins after what is landed, and others write to the topic, too.
    forwarded(topic, 3, 4, 5)
    forwarded(topic, 4, 5, log_id="another-log-of-its-own")
    topic.put_events([100])
    assert numbers(reader) == [0, 1, 2, 3, 4, 5, 4, 5, 100]
    reader.ok("land", "--once")
    assert reader.ledger("accepted", "landed", "pending") == (9, 9, 0)
    assert numbers(reader, "--landed") == [0, 1, 2, 3, 4, 5, 4, 5, 100]
    reader.ok("batch", "all_of_them")
    assert reader.value_of("SELECT count(*) FROM everything", "--landed") == 9
    forwarded(topic, 5, 6)
    assert reader.value_of("SELECT count(*) FROM everything") == 10
    assert everything(reader)["landed"] == 9
    reader.ok("batch", "all_of_them")
    assert (everything(reader)["accepted"], everything(reader)["landed"]) == (10, 10)
    assert "0 different" in reader.ok("verify")


# --- several nodes ---------------------------------------------------------------------------------------------------

def test_a_second_node_reads_what_the_first_one_forwarded(topic, tmp_path):
    topic = topic(partitions=2)
    first, second = topic.reader(tmp_path / "first"), topic.reader(tmp_path / "second")
    with first.serve() as server:
        server.send_events([{"event_type": "n", "n": n} for n in range(500)])
        wait_until(lambda: second.ledger("accepted") == (500,), "all is forwarded", 30)  # There is no table `n` before its first event.
        assert sorted(numbers(second)) == sorted(numbers(first)) == list(range(500))
        assert second.tailed() == first.tailed() == topic.records()
        second.ok("land", "--once")
        first.ok("land", "--once")
        server.send_events([{"event_type": "n", "n": n} for n in range(500, 600)])
        assert sorted(numbers(first)) == list(range(600))
        assert server.stop() == 0
    for node in (first, second):
        wait_until(lambda node=node: node.ledger("accepted") == (600,), "the rest is there, too", 30)
        node.ok("land", "--once")
        assert node.ledger("accepted", "landed") == (600, 600)
        assert node.landed_places(duckdb) == {(partition, offset): 1 for partition, offset, _ in topic.records()}
        assert sorted(numbers(node, "--landed")) == list(range(600))


def test_an_answer_of_200_is_in_the_next_query(topic, tmp_path):
    """Whether it is in Kafka, on its way, or on this disk alone."""
    reader = topic().reader(tmp_path, "[kafka.client]\nlinger.ms = 300\n")
    with reader.serve() as server, server.wire() as wire:
        for posted in range(1, 201):
            assert wire.post("/events", json.dumps({"event_type": "n", "n": posted})).status == 200
            if posted % 4 == 0:
                assert reader.value_of("SELECT count(*) FROM n") == posted
            else:
                assert reader.tail("-o", "beginning", "-e", "-f", r"%s\n").count(b"\n") == posted
        assert numbers(reader) == list(range(1, 201))
        assert server.stop() == 0


# --- made anew -------------------------------------------------------------------------------------------------------

def test_a_topic_that_was_made_anew_is_refused_until_the_advice_is_followed(topic, tmp_path):
    topic = topic(partitions=2)
    for partition in range(2):
        topic.put_events(range(5 * partition, 5 * partition + 5), "-p", partition)
    reader = topic.reader(tmp_path)
    reader.ok("land", "--once")
    topic.make_anew(partitions=2)
    for partition in range(2):
        topic.put_events(range(100 + 15 * partition, 115 + 15 * partition), "-p", partition)
    for command in (["land", "--once"], ["sql", "FROM events"]):
        said = reader.fails(*command, code=1, says=["deleted and made anew", topic.name]).err
    pattern = re.search(r"remove (\S+\.origins), and move the lake's folder away", said).group(1)
    for file in glob.glob(pattern):
        Path(file).unlink()
    (reader.data / "lake").rename(reader.folder / "old-lake")
    assert numbers(reader) == list(range(100, 130))
    reader.ok("land", "--once")
    assert numbers(reader, "--landed") == list(range(100, 130))
    assert reader.ledger("accepted", "landed", "pending") == (30, 30, 0)


# --- landing ---------------------------------------------------------------------------------------------------------

SMALL_CUTS = "[landing]\ncut_bytes = 65536\n"


@pytest.fixture
def long_topic(topic):
    """As much as some 40 cuts hold."""
    long_topic = topic(partitions=2)
    for number in range(2):
        long_topic.put_events(range(number * 100_000, number * 100_000 + 20_000), "-p", number)
    return long_topic


def landed_once(topic, reader):
    places = reader.landed_places(duckdb)
    assert places == {(partition, offset): 1 for partition, offset, _ in topic.records()}
    return len(places)


def test_several_landings_at_once_land_each_event_once(long_topic, tmp_path):
    reader = long_topic.reader(tmp_path, SMALL_CUTS)
    landings = [reader.start("land", "--once", stdout=subprocess.DEVNULL) for _ in range(3)]
    for landing in landings:
        assert landing.communicate(timeout=60)[1] == b"" and landing.returncode == 0
    assert landed_once(long_topic, reader) == 40_000
    assert reader.ledger("accepted", "landed", "pending") == (40_000, 40_000, 0)
    assert "0 different, 0 unverifiable" in reader.ok("verify")


def killed_in_the_midst(landing):
    landing.send_signal(signal.SIGKILL)
    landing.communicate(timeout=10)
    assert landing.returncode == -signal.SIGKILL, "it had ended before it was killed"


def test_a_killed_landing_loses_and_doubles_nothing(long_topic, tmp_path):
    reader = long_topic.reader(tmp_path, SMALL_CUTS)
    for _ in range(4):
        landing = reader.start("land", "--once")
        assert b"events in" in landing.stdout.readline()
        killed_in_the_midst(landing)
        assert reader.value_of("SELECT count(*) FROM n") == 40_000
    places = reader.landed_places(duckdb)
    assert set(places.values()) == {1} and len(places) < 40_000
    landing = reader.start("land", "--once")
    assert b"events in" in landing.stdout.readline()
    others = [reader.start("land", "--once", stdout=subprocess.DEVNULL) for _ in range(2)]
    killed_in_the_midst(landing)
    for other in others:
        assert other.communicate(timeout=60)[1] == b"" and other.returncode == 0
    assert landed_once(long_topic, reader) == 40_000
    assert reader.ledger("accepted", "landed", "pending") == (40_000, 40_000, 0)


def test_a_table_is_verified_and_rebuilt_from_the_topic(topic, tmp_path):
    topic = topic(partitions=2)
    reader = topic.reader(tmp_path)
    for first in range(0, 300, 100):
        topic.put_events(range(first, first + 100))
        topic.put_events([first], event_type="other")
        reader.ok("land", "--once")
    before = numbers(reader, "--landed")
    files = len(reader.landed_files())
    assert f"{files} files the same (303 rows), 0 different, 0 unverifiable" in reader.ok("verify")
    reader.ok("rebuild", "n")
    assert numbers(reader, "--landed") == before and sorted(before) == list(range(300))
    assert "(303 rows), 0 different, 0 unverifiable" in reader.ok("verify")
    assert reader.ledger("accepted", "landed", "pending") == (303, 303, 0)
    topic.delete_before(10)
    assert "unverifiable" in reader.ok("verify")
    reader.fails("rebuild", "n", code=2, says=["--force"])
    assert numbers(reader, "--landed") == before


def test_status_tells_of_a_topic_what_the_cluster_tells(topic, tmp_path):
    topic = topic(partitions=2)
    reader = topic.reader(tmp_path)
    topic.put_events(range(30), "-p", 1)
    topic.delete_before(10, partition=1)
    status = reader.status()
    assert status["sound"] and status["server"]["state"] == "none"
    (told,) = status["topics"]
    assert told["topic"] == topic.name and re.fullmatch(r"[\w-]{22}", told["log_id"])
    assert [(one["partition"], one["start"], one["durable_end"], one["bytes"]) for one in told["partitions"]] == [
        (0, 0, 0, None), (1, 10, 30, None)]
    assert [(one["name"], one["accepted"], one["pending"]) for one in told["continuous"]] == [("n", 20, 20)]
    text = reader.ok("status")
    assert re.search(rf"topic {topic.name}  log {told['log_id']}  Kafka {topic.address}\n20 events, 2 partitions\n", text)
    assert re.search(r"\n  0 +0 +0 +-\n  1 +10 +30 +-\n", text)
