"""What lies behind offsets that no record has: of compaction, of transactions, and of what was deleted, also while it is read."""

import json
import subprocess

import duckdb
import pytest
from conftest import START_S
from gaps import compacted, transactional, transactions, truncated
from hdfs_lake import running
from kafka_topic import ALL_JOB
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)


def end_of(topic):
    return int(subprocess.run(["kcat", "-b", topic.address, "-Q", "-t", f"{topic.name}:0:-1"], capture_output=True, check=True, text=True,
                              timeout=60).stdout.rpartition(" ")[2])


@pytest.mark.parametrize("made", [compacted, truncated, transactional])
def test_tail_begins_in_a_gap_where_kcat_does(topic, tmp_path, made):
    topic = made(topic)
    reader, offsets, end = topic.reader(tmp_path), [offset for _, offset, _ in topic.records()], end_of(topic)
    first = 20 if made is truncated else 0
    edges = {edge for offset in offsets for edge in (offset - 1, offset, offset + 1)} & set(range(first, end))
    missing = sorted(edges - set(offsets))
    assert made is truncated or missing, "no offset is without an event"
    for start in (*missing[:4], *missing[-4:], offsets[len(offsets) // 2], end - 1, end):
        for more in ([], ["-c", "2"]):
            args = ["-o", str(start), "-e", *more, "-f", r"%o %s\n"]
            assert reader.tail(*args) == topic.kcat(*args), args
    for args in (["-o", "-1"], ["-o", "-12"]):
        assert reader.tail("-e", *args) == topic.kcat("-e", *args), args
    ended = reader.run("tail", "-o", "beginning", "-e").err
    assert f"[0] at offset {end}" in ended, "markers are before the end"


def test_tail_follows_over_markers(topic, tmp_path):
    topic = topic()
    reader, out = topic.reader(tmp_path / "node"), tmp_path / "followed"

    def followed():
        return [int(line) for line in out.read_text().splitlines()]

    with open(out, "wb") as file, transactions(topic) as made, \
            running(reader.start("tail", "-q", "-o", "beginning", "-f", r"%o\n", stdout=file)) as tail:
        expected = []
        for number in range(6):
            made.put(range(10), commits=number % 3 != 1)
            expected += [number * 11 + n for n in range(10) if number % 3 != 1]
            wait_until(lambda: len(followed()) >= len(expected), "what is committed came", 60)
            assert followed() == expected
        tail.terminate()
        assert tail.wait(30) == 0


def test_cuts_begin_and_end_at_markers(topic, tmp_path):
    """Each transaction is larger than a cut, and some are given up; a cut may have nothing but what was."""
    topic = topic()
    reader = topic.reader(tmp_path, f"[landing]\ncut_bytes = 65536\n{ALL_JOB}")
    with transactions(topic) as made:
        for number in range(9):
            made.put(range(number * 200, number * 200 + 200), commits=number % 3 != 1, size=1000)
        records = topic.records()
        assert len(records) == 1200
        assert reader.value_of("SELECT count(*) FROM n") == 1200
        reader.ok("land", "--once")
        assert reader.landed_places(duckdb) == {(partition, offset): 1 for partition, offset, _ in records}
        assert len(reader.landed_files()) > 3, "there were several cuts"
        assert reader.ok("land", "--once") == "nothing new to land\n"
        made.put(range(5000, 5010), commits=False)
        for _ in range(2):
            reader.ok("land", "--once")
            assert reader.ledger("accepted", "landed", "pending") == (1200, 1200, 0)
            assert reader.value_of("SELECT count(*) FROM n") == 1200
        reader.ok("batch", "all_of_them")
        made.put([6000])
    assert reader.value_of("SELECT max(n) FROM n") == reader.value_of("SELECT max(n) FROM everything") == 6000
    reader.ok("land", "--once")
    assert reader.ledger("accepted", "landed", "pending") == (1201, 1201, 0)
    reader.ok("batch", "all_of_them")
    for table in ("n", "everything"):
        assert reader.value_of(f"SELECT count(*) FROM {table}", "--landed") == 1201
        assert "(1201 rows), 0 different, 0 unverifiable" in reader.ok("verify", table)


def test_a_server_forwards_among_transactions_of_others(topic, tmp_path):
    """It begins anew at a topic that ends in a marker, with what it has noted and without."""
    topic = topic()
    reader, events = topic.reader(tmp_path, "[landing]\ncut_ms = 100\n"), 0
    with transactions(topic) as made:
        for round_ in range(3):
            if round_ == 2:
                for noted in (reader.data / "kafka").iterdir():
                    if noted.is_file():
                        noted.unlink()
            with reader.serve() as server:
                server.send_events([{"event_type": "own", "n": n} for n in range(events, events + 50)])
                made.put(range(10), commits=False)
                server.send_events([{"event_type": "own", "n": n} for n in range(events + 50, events + 100)])
                events += 100
                wait_until(lambda: len(topic.records()) == events + 10 * round_, "all is forwarded", 60)
                made.put(range(10))
                assert sorted(row["n"] for row in reader.sql("SELECT n FROM own")) == list(range(events))
                assert server.stop() == 0
    reader.ok("land", "--once")
    assert reader.ledger("accepted", "landed", "pending") == (330, 330, 0)
    assert [row["n"] for row in reader.sql("SELECT n FROM own ORDER BY _offset", "--landed")] == list(range(300))


def test_what_is_deleted_while_it_is_read_is_an_error_and_no_end(topic, tmp_path):
    """tail waits for who reads its output, and little is read ahead."""
    topic, size = topic(), 1000
    for first in range(0, 40_000, 10_000):
        topic.put([json.dumps({"event_type": "n", "n": n, "text": "x" * size}) for n in range(first, first + 10_000)])
    reader = topic.reader(tmp_path, "[kafka.client]\nqueued.max.messages.kbytes = 1000\n")
    with running(reader.start("tail", "-q", "-o", "beginning", "-e", "-f", r"%o\n%s\n")) as tail:
        assert tail.stdout.readline() == b"0\n"
        topic.delete_before(39_990)
        out, err = tail.stdout.read(), tail.stderr.read()
        assert tail.wait(60) != 0 and b"has expired" in err, err
    printed = [int(line) for line in out.splitlines() if line.isdigit()]
    assert printed == list(range(1, len(printed) + 1)) and len(printed) < 39_000, "nothing is left out before it"
    assert reader.value_of("SELECT count(*) FROM n") == 10


def test_what_is_deleted_before_it_is_landed_is_told(topic, tmp_path):
    topic = topic()
    reader = topic.reader(tmp_path, "[landing]\ncut_ms = 100\n")
    topic.put_events(range(20))
    reader.ok("land", "--once")
    topic.put_events(range(20, 60))
    topic.delete_before(45)
    assert [row["n"] for row in reader.sql("SELECT n FROM n ORDER BY _offset")] == [*range(20), *range(45, 60)]
    landed = reader.ok("land", "--once").splitlines()
    assert landed[0] == f"{topic.name} [0] offsets 20..44: they had expired before they were landed"
    assert [row["n"] for row in reader.sql("SELECT n FROM n ORDER BY _offset", "--landed")] == [*range(20), *range(45, 60)]
    assert reader.ledger("accepted", "landed", "pending") == (35, 35, 0)
    topic.put_events(range(60, 80))
    topic.delete_before(70)
    with reader.serve() as server:
        wait_until(lambda: f"error offsets 60 to 69 of topic {topic.name} [0] had expired before they were landed" in server.errors,
                   "the operator's log tells", 60)
        wait_until(lambda: reader.ledger("landed") == (45,), "the others are landed", 60)
        assert server.stop() == 0
