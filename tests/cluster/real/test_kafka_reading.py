"""Commands that read a topic of the real broker give what kcat gives of it."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import deltalake
import pytest
from conftest import START_S
from hdfs_lake import running
from kafka import KafkaProducer
from kafka_topic import ALL_JOB, Topic
from reference_flow import GOLDEN, mask_timestamps, send_reference_traffic, without_column
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)
START = 1_795_384_733_000
PURCHASES = (GOLDEN / "filtered_writes.stdout.txt").read_text()
APP = Path(__file__).resolve().parent / "flask_app"


# --- any producer ----------------------------------------------------------------------------------------------------

@pytest.fixture
def flask_app():
    """Starts the reference's app with its producer on a broker; the address where it answers."""
    running = []

    def start(broker):
        app = subprocess.Popen([sys.executable, "-m", "flask", "--app", "game_api", "run", "--port", "0"], cwd=APP, stderr=subprocess.PIPE,
                               env={**os.environ, "BOOT": broker, "PYTHONDONTWRITEBYTECODE": "1"}, stdout=subprocess.DEVNULL, text=True)
        running.append(app)
        said = []
        for line in app.stderr:
            said.append(line)
            if found := re.search(r"Running on (http://\S+)", line):
                return SimpleNamespace(url=found.group(1))
        raise AssertionError("".join(said))
    yield start
    for app in running:
        app.kill()
        app.communicate()


def test_the_references_app_is_a_producer_as_it_is(own_engines, flask_app, tmp_path):
    own_engines.ok("up", "kafka", deadline_s=START_S)
    topic = Topic(own_engines.address("kafka"), "game-events")
    send_reference_traffic(flask_app(topic.address))
    wait_until(lambda: len(topic.records()) == 80, "all calls are in the topic", 30)
    reader = topic.reader(tmp_path / "reader")
    assert reader.tail("-o", "beginning", "-e") == (GOLDEN / "kcat_all.txt").read_bytes() == topic.kcat("-o", "beginning", "-e")
    assert reader.sql("SELECT event_type, count(*) AS n FROM events GROUP BY 1 ORDER BY 1") == [
        {"event_type": kind, "n": 20} for kind in ("default", "join_guild", "purchase_knife", "purchase_sword")]
    sword, default = (GOLDEN / "separate_events.stdout.txt").read_text().split("\n\n")[:2]
    separated = "".join(mask_timestamps(without_column(table, "description")) + "\n\n" for table in (sword, default))
    printed = reader.ok("batch", "separate_events")
    assert mask_timestamps(printed) == separated
    assert reader.ok("show", "sword_purchases") + reader.ok("show", "default_hits") == printed
    assert reader.ok("schema", "purchases") == PURCHASES[:PURCHASES.index("+--")]
    assert "80 events in 4 tables" in reader.ok("land", "--once")
    assert reader.value_of("SELECT count(*) FROM purchase_knife WHERE Host = 'user1.comcast.com'", "--landed") == 10
    assert reader.ledger("accepted", "landed", "pending") == (80, 80, 0)


VALUES = ['{"event_type": "a", "n": 1}', "not JSON", '{"x": 1}', '{"event_type": "é 剣", "name": "😀"}', '["an array"]', "", '"',
          '{"event_type": 7}', '{"event_type": "a", "n": 2, "n": 3}', "\x01\t\x7f"]
FORMAT = r"%t %p %o %T [%k] %K %S <%h> %s|\n"


@pytest.fixture
def mixed(topic):
    """What other producers may write: no JSON, no type, no value, no key, headers without values."""
    mixed = topic()
    mixed.put([f"k{n}#{value}" for n, value in enumerate(VALUES)], "-K#", "-H", "who=ada", "-H", "none", "-H", "empty=")
    mixed.put(["tombstone#", "#"], "-K#", "-Z")
    mixed.put(VALUES)
    return mixed


@pytest.mark.parametrize("options", [
    ["-o", "beginning"], ["-o", "end"], ["-o", "7"], ["-o", "-3"], ["-o", "-500"], ["-o", "beginning", "-c", "3"],
    ["-o", "-4", "-c", "2"], ["-p", "0", "-o", "20"], ["-o", "beginning", "-f", FORMAT], ["-o", "beginning", "-f", r"\x41%%%S\t"],
], ids=" ".join)
def test_tail_prints_what_kcat_prints(mixed, tmp_path, options):
    printed = mixed.kcat("-e", *options)
    assert mixed.reader(tmp_path).tail("-e", *options) == printed
    assert bool(printed) == (options != ["-o", "end"])


def test_what_is_no_event_is_a_dead_letter_at_its_place(mixed, tmp_path):
    reader = mixed.reader(tmp_path)
    assert [(place, value) for _, place, value in reader.selected()] == list(enumerate(
        [*VALUES, "", "", *(value for value in VALUES if value)]))
    expected = {"not JSON": [1, 5, 6, 9, 10, 11, 13, 17, 20], "not a JSON object": [4, 16], "no string event_type": [2, 7, 14, 18]}
    for flags in ([], ["--landed"]):
        letters = reader.sql('SELECT * FROM dead_letters ORDER BY "offset"', *flags)
        assert {reason: [row["offset"] for row in letters if row["reason"] == reason] for reason in expected} == expected
        assert len(letters) == 15
        assert reader.sql("SELECT _offset, n FROM a ORDER BY 1", *flags) == [
            {"_offset": 0, "n": 1}, {"_offset": 8, "n": 3}, {"_offset": 12, "n": 1}, {"_offset": 19, "n": 3}]
        reader.ok("land", "--once")
    assert reader.ledger("accepted", "landed") == (21, 21)


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_every_codec_of_kafkas_is_read(topic, tmp_path, codec):
    topic = topic()
    topic.put_events(range(1000), "-z", codec)
    assert topic.reader(tmp_path).tailed() == topic.records() != []


def test_records_far_larger_than_the_collector_takes(topic, tmp_path):
    topic, sizes = topic(max_message_bytes=8_000_000), [100, 70_000, 900_000, 4_000_000, 10]
    producer = KafkaProducer(bootstrap_servers=topic.address, max_request_size=8_000_000)
    for size in sizes:
        producer.send(topic.name, json.dumps({"event_type": "n", "n": size, "text": "x" * size}).encode())
    producer.close()
    reader = topic.reader(tmp_path)
    assert reader.tail("-o", "beginning", "-e") == topic.kcat("-o", "beginning", "-e")
    for flags in ([], ["--landed"]):
        assert reader.sql("SELECT n, length(text) AS length FROM n ORDER BY _offset", *flags) == [
            {"n": size, "length": size} for size in sizes]
        reader.ok("land", "--once")


def test_an_open_transaction_is_waited_for(topic, tmp_path):
    """What others wrote after its records, too: all of it is landed once it is committed."""
    topic = topic()
    reader = topic.reader(tmp_path)
    topic.put_events(range(5))
    producer = KafkaProducer(bootstrap_servers=topic.address, transactional_id=topic.name)
    producer.init_transactions()
    producer.begin_transaction()
    for n in range(5, 10):
        producer.send(topic.name, json.dumps({"event_type": "n", "n": n}).encode())
    producer.flush()
    topic.put_events(range(10, 15))
    reader.ok("land", "--once")
    assert [len(found) for found in (topic.records(), reader.tailed(), reader.selected())] == [5, 5, 5]
    assert reader.ledger("accepted", "landed", "pending") == (5, 5, 0)
    producer.commit_transaction()
    producer.close()
    assert reader.tailed() == reader.selected() == topic.records()
    reader.ok("land", "--once")
    assert [row["n"] for row in reader.sql("SELECT n FROM n ORDER BY _offset", "--landed")] == list(range(15))
    assert reader.ledger("accepted", "landed", "pending") == (15, 15, 0)


# --- partitions and times --------------------------------------------------------------------------------------------

def test_all_partitions_are_read_each_in_its_order(topic, tmp_path):
    topic, reader = topic(partitions=3), None
    for number in range(3):
        topic.put_events(range(number * 100, number * 100 + 20 * (number + 1)), "-p", number)
    topic.put_events(range(1000, 1060), "-K#", key="player-{}#")
    reader = topic.reader(tmp_path, ALL_JOB)
    records = topic.records()
    assert len(records) == 180 and {partition for partition, _, _ in records} == {0, 1, 2}
    assert reader.tailed() == reader.selected() == records
    for number in range(3):
        assert reader.tail("-p", number, "-o", "5", "-e", "-f", FORMAT) == topic.kcat("-p", number, "-o", "5", "-e", "-f", FORMAT)
    ended = reader.run("tail", "-o", "beginning", "-e").err
    assert sorted(re.findall(r"Reached end of topic \S+ \[(\d)\] at offset (\d+)", ended)) == [
        (str(number), str(sum(1 for partition, _, _ in records if partition == number))) for number in range(3)]
    reader.ok("land", "--once")
    topic.put_events(range(2000, 2010), "-p", 1)
    places = {(row["_partition"], row["_offset"], row["n"]) for row in reader.sql("SELECT _partition, _offset, n FROM n")}
    assert places == {(partition, offset, json.loads(value)["n"]) for partition, offset, value in topic.records()}
    reader.ok("batch", "all_of_them")
    assert reader.value_of("SELECT count(*) FROM everything", "--landed") == 190


def test_partitions_that_are_added_are_read_and_landed(topic, tmp_path):
    topic = topic()
    reader = topic.reader(tmp_path, ALL_JOB)
    topic.put_events(range(10))
    reader.ok("land", "--once")
    reader.ok("batch", "all_of_them")
    topic.grow(3)
    topic.put_events(range(10, 20), "-p", 2)
    assert reader.tailed() == reader.selected() == topic.records()
    for table in ("n", "everything"):
        assert reader.value_of(f"SELECT count(DISTINCT n) FROM {table}") == 20
    reader.ok("land", "--once")
    assert reader.ledger("accepted", "landed") == (20, 20)
    reader.ok("batch", "all_of_them")
    assert reader.value_of("SELECT count(DISTINCT n) FROM everything", "--landed") == 20


def test_partitions_that_are_added_are_followed(topic, tmp_path):
    topic = topic()
    reader = topic.reader(tmp_path / "node")
    topic.put_events([0])
    out = tmp_path / "followed"
    with open(out, "wb") as file, running(reader.start("tail", "-q", "-o", "beginning", "-f", r"%p %o %s\n", stdout=file)) as tail:
        wait_until(lambda: out.read_text().count("\n") >= 1, "the topic is followed", 60)
        topic.grow(3)
        for partition in range(3):
            topic.put_events([partition + 1], "-p", partition)
        wait_until(lambda: out.read_text().count("\n") >= 4, "what is in the new ones came, too", 60)
        tail.terminate()
        assert tail.wait(30) == 0
    followed = sorted(line.split(" ", 2) for line in out.read_text().splitlines())
    assert [(int(partition), int(offset), value) for partition, offset, value in followed] == topic.records()


@pytest.fixture
def timed(topic):
    """Events a second apart in two partitions, and late ones among them, as other producers' clocks make them."""
    timed = topic(partitions=2)
    producer = KafkaProducer(bootstrap_servers=timed.address)
    times = [START + 1000 * n for n in range(40)]
    times[9], times[25], times[39] = START + 30_500, START + 2_500, START + 1_500
    for n, time in enumerate(times):
        for partition in range(2):
            producer.send(timed.name, json.dumps({"event_type": "n", "n": n}).encode(), timestamp_ms=time + partition, partition=partition)
    producer.close()
    return timed


@pytest.mark.parametrize("since, until", [(0, None), (5_000, None), (30_000, None), (39_000, None), (60_000, None), (-1_000, 4_000),
                                          (3_000, 8_000), (10_000, 20_000), (None, 12_000)])
def test_times_of_tail_are_kcats(timed, tmp_path, since, until):
    options = [*(["-o", f"s@{START + since}"] if since is not None else []), *(["-o", f"e@{START + until}"] if until is not None else [])]
    reader = timed.reader(tmp_path)
    for partition in ("0", "1"):
        args = [*options, "-e", "-p", partition, "-f", r"%p %o %T %s\n"]
        assert reader.tail(*args) == timed.kcat(*args)


CONDITIONS = ("{place} >= {moment}", "{place} < {moment}", "{place} = {moment}", "{place} BETWEEN {moment} AND {later}")


def test_a_condition_on_time_leaves_nothing_out(timed, tmp_path):
    """Of two counts the second is by an expression whose times SQL cannot look for in the log."""
    reader = timed.reader(tmp_path)
    for landed in (False, True):
        for table, column in (("events", "timestamp"), ("n", "_timestamp")):
            for second in (0, 2.5, 10, 30.5, 50):
                moment, later = (f"TIMESTAMPTZ '{datetime.fromtimestamp((START + more) / 1000 + second, UTC).isoformat()}'"
                                 for more in (0, 4000))
                counts = ", ".join(f"(SELECT count(*) FROM {table} WHERE {condition.format(place=place, moment=moment, later=later)})"
                                   for condition in CONDITIONS for place in (column, f"{column} + INTERVAL 0 SECOND"))
                found = json.loads(reader.value_of(f"SELECT [{counts}]"))
                assert found[::2] == found[1::2], (landed, table, second)
        reader.ok("land", "--once")


def test_times_far_from_now_leave_tables_readable(topic, tmp_path):
    """Microseconds taken for milliseconds are such times."""
    topic = topic()
    producer = KafkaProducer(bootstrap_servers=topic.address)
    for n, time in enumerate([START, START * 1000, START + 1, 253_402_300_800_000, 10**17]):
        producer.send(topic.name, json.dumps({"event_type": "n", "n": n}).encode(), timestamp_ms=time)
    producer.close()
    reader = topic.reader(tmp_path)
    reader.ok("land", "--once")
    assert [row["n"] for row in reader.sql("SELECT n FROM n ORDER BY n", "--landed")] == [0, 1, 2, 3, 4]
    rows = deltalake.DeltaTable(reader.data / "lake" / "events" / "n").to_pyarrow_table(columns=["n", "date"]).to_pylist()
    assert sorted((row["n"], row["date"].year) for row in rows) == [(0, 2026), (1, 9999), (2, 9999), (3, 9999), (4, 9999)]
