"""Landing from a topic of the real broker: by the landers of a group, and for those who wait for it."""

import contextlib
import json
import signal
import subprocess

import duckdb
import pytest
from conftest import START_S, connections
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)
PARTITIONS = 4
# Short cuts, so that what is there is landed soon, whoever lands it.
CONFIG = '[landing]\ngroup = "{}"\ncut_ms = 100\n'


_landers = []


@pytest.fixture(autouse=True)
def no_lander_is_left():
    """Also where a test fails."""
    yield
    while _landers:
        _landers.pop().kill()


class Lander:
    """`questlog land`, until it is stopped. It prints a line for each cut."""

    def __init__(self, reader, folder, name):
        self.output = folder / name
        with open(self.output, "w") as output:
            self.process = reader.start("land", "--json", stdout=output, stderr=subprocess.STDOUT)
        _landers.append(self)

    def cuts(self):
        return self.output.read_text().count('"partition"')

    @contextlib.contextmanager
    def asleep(self):
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def await_failure(self, *says):
        """It ends by itself, with words."""
        assert self.process.wait(timeout=60) == 1
        for text in says:
            assert text in self.output.read_text()

    def has_looked(self, topic):
        """It has a connection to find the topic, and one to ask for its ends."""
        return len(connections(self.process.pid, topic.address)) >= 2

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0, self.output.read_text()


def put(topic, first):
    """A hundred events in each partition."""
    for partition in range(PARTITIONS):
        topic.put_events(range(first + partition * 100, first + partition * 100 + 100), "-p", partition)


def landed(reader):
    return sum(reader.landed_places(duckdb).values())


def test_a_killed_landers_partitions_move_on(topic, tmp_path):
    topic = topic(PARTITIONS)
    reader = topic.reader(tmp_path / "node", CONFIG.format(topic.name))
    landers = [Lander(reader, tmp_path, f"lander-{number}") for number in range(2)]
    rounds = 0

    def both_have_landed():
        nonlocal rounds
        put(topic, rounds * 1000)
        rounds += 1
        wait_until(lambda: landed(reader) == rounds * 400, f"round {rounds} is landed", 60, poll_s=0.2)
        return all(lander.cuts() > 0 for lander in landers)

    wait_until(both_have_landed, "both have partitions", 120)
    landers[0].kill()
    put(topic, rounds * 1000)
    rounds += 1
    wait_until(lambda: landed(reader) == rounds * 400, "the other one has all partitions", 60, poll_s=0.2)
    landers[1].stop()
    assert max(reader.landed_places(duckdb).values()) == 1, "nothing is landed twice"
    assert reader.ledger("accepted", "landed", "pending") == (rounds * 400, rounds * 400, 0)


@pytest.mark.parametrize("config", ["[landing]\ncut_ms = 100\n", CONFIG.format("growing")], ids=["alone", "group"])
def test_partitions_that_are_added_fall_to_a_running_lander(topic, tmp_path, config):
    topic = topic()
    reader = topic.reader(tmp_path / "node", config)
    topic.put_events(range(10))
    lander = Lander(reader, tmp_path, "lander")
    wait_until(lambda: landed(reader) == 10, "what there is is landed", 60, poll_s=0.2)
    topic.grow(3)
    for partition in range(3):
        topic.put_events(range(10 * partition + 10, 10 * partition + 20), "-p", partition)
    wait_until(lambda: landed(reader) == 40, "what is in the new ones is landed, too", 60, poll_s=0.2)
    lander.stop()
    assert max(reader.landed_places(duckdb).values()) == 1
    assert reader.ledger("accepted", "landed", "pending") == (40, 40, 0)


def test_partitions_that_are_added_fall_to_a_running_server(topic, tmp_path):
    topic = topic()
    reader = topic.reader(tmp_path, "[landing]\ncut_ms = 100\n")
    with reader.serve() as server:
        server.send_events({"event_type": "n", "n": n} for n in range(10))
        wait_until(lambda: landed(reader) == 10, "what there is is landed", 60, poll_s=0.2)
        topic.grow(2)
        topic.put_events(range(10, 20), "-p", 1)
        wait_until(lambda: landed(reader) == 20, "what is in the new one is landed, too", 60, poll_s=0.2)
        with server.wire() as wire:
            assert wire.post("/events?wait=landed", json.dumps({"event_type": "n", "n": 20})).status == 200
        assert landed(reader) == 21
        assert server.stop() == 0
    assert max(reader.landed_places(duckdb).values()) == 1


MADE_ANEW = "deleted and made anew"


@pytest.mark.parametrize("events", [5, 50], ids=["shorter", "longer"])
@pytest.mark.parametrize("has_read", [True, False], ids=["busy", "idle"])
def test_a_topic_that_is_made_anew_under_a_running_lander_is_refused(topic, tmp_path, events, has_read):
    """Also where it has more offsets than were landed: it would seem to go on."""
    topic = topic()
    reader = topic.reader(tmp_path / "node", "[landing]\ncut_ms = 100\n")
    topic.put_events(range(10))
    if not has_read:
        reader.ok("land", "--once")
    lander = Lander(reader, tmp_path, "lander")
    wait_until(lambda: landed(reader) == 10 and lander.has_looked(topic), "what there is is landed", 60, poll_s=0.2)
    before = reader.landed_places(duckdb)
    with lander.asleep():
        topic.make_anew()
        topic.put_events(range(100, 100 + events))
    lander.await_failure(MADE_ANEW)
    assert reader.landed_places(duckdb) == before, "nothing of the new topic is in the old one's tables"
    reader.fails("land", "--once", code=1, says=[MADE_ANEW])


def test_a_topic_that_is_made_anew_under_a_server_is_told(topic, tmp_path):
    topic = topic()
    reader = topic.reader(tmp_path, "[landing]\ncut_ms = 100\n")
    with reader.serve() as server:
        server.send_events({"event_type": "n", "n": n} for n in range(10))
        wait_until(lambda: landed(reader) == 10, "all is landed", 60, poll_s=0.2)
        before = reader.landed_places(duckdb)
        server.process.send_signal(signal.SIGSTOP)
        topic.make_anew()
        topic.put_events(range(100, 150))
        server.process.send_signal(signal.SIGCONT)
        wait_until(lambda: "landing waits: " in server.errors and MADE_ANEW in server.errors, f"it is told; {server.output}", 60)
        assert reader.landed_places(duckdb) == before
        assert server.stop() == 0


def test_once_lands_what_falls_to_others_too(topic, tmp_path):
    topic = topic(PARTITIONS)
    reader = topic.reader(tmp_path / "node", '[landing]\ngroup = "elsewhere"\n')
    put(topic, 0)
    reader.ok("land", "--once")
    assert reader.ledger("landed", "pending") == (400, 0)


def test_who_waits_for_landing_waits_for_the_way_to_kafka_too(topic, tmp_path):
    """Landing is asked for while the event is on its way."""
    reader = topic().reader(tmp_path, "[kafka.client]\nlinger.ms = 400\n")
    with reader.serve() as server, server.wire() as wire:
        for n in range(3):
            assert wire.post("/events?wait=landed", json.dumps({"event_type": "n", "n": n})).status == 200
            assert reader.value_of("SELECT count(*) FROM n", "--landed") == n + 1
        assert server.stop() == 0


def test_what_has_expired_in_kafka_is_not_taken_for_unforwarded(topic, tmp_path):
    topic = topic()
    reader = topic.reader(tmp_path)
    with reader.serve() as server:
        server.send_events({"event_type": "n", "n": n} for n in range(5))
        assert server.stop() == 0
    reader.ok("land", "--once")
    topic.delete_before(5)
    (reader.data / "kafka" / f"{topic.name}-0.origins").unlink()
    assert reader.value_of("SELECT count(*) FROM n") == 5
    assert [partition["unforwarded"] for partition in reader.status()["topics"][0]["partitions"]] == [0]
    assert reader.ok("land", "--once") == "nothing new to land\n"
