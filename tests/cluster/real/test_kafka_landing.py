"""Landing from a topic of the real broker: by the landers of a group, and for those who wait for it."""

import json
import signal
import subprocess

import duckdb
import pytest
from conftest import START_S
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)
PARTITIONS = 4
# Short cuts, so that what is there is landed soon, whoever lands it.
CONFIG = '[landing]\ngroup = "{}"\ncut_ms = 100\n'


class Lander:
    """`questlog land`, until it is stopped. It prints a line for each cut."""

    def __init__(self, reader, folder, name):
        self.output = folder / name
        with open(self.output, "w") as output:
            self.process = reader.start("land", "--json", stdout=output, stderr=subprocess.STDOUT)

    def cuts(self):
        return self.output.read_text().count('"partition"')

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
