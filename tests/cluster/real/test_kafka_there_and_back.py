"""From the embedded log to Kafka, and back, on one data folder: no event is in a table twice."""

import json
import re

import pytest
from conftest import START_S
from kafka_topic import TopicReader
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)
ADVICE = ["would be in the tables twice", "Move the lake's folder away", "lake = "]
LANDING = "[landing]\ncut_ms = 100\n[limits]\nlanded_wait_ms = 200\n"


def numbers(questlog, *options):
    return sorted(row["n"] for row in questlog.sql("SELECT n FROM a", *options))


def collect(questlog, *numbers, until=None):
    with questlog.serve() as server:
        server.send_events([{"event_type": "a", "n": n} for n in numbers])
        if until:
            until(server)
        assert server.stop() == 0


def expect_told(questlog, *says, commands=(["land", "--once"], ["sql", "SELECT n FROM a"])):
    for command in commands:
        questlog.fails(*command, code=1, says=[*ADVICE, *says])
    ledger = questlog.sql("SELECT * FROM ledger")
    assert ledger and not any(row["balanced"] for row in ledger) and all(ADVICE[0] in row["problem"] for row in ledger), ledger
    status = questlog.run("status")
    assert status.code == 1 and all(words in re.sub(r"\s+", " ", status.out) for words in (*ADVICE, *says)), str(status)


@pytest.fixture
def both(topic, tmp_path):
    """The folder without Kafka, and with it."""
    topic = topic()
    own = TopicReader(tmp_path / "own", data=tmp_path / "data")
    own.write_config(f'[log]\ntopic = "{topic.name}"\n{LANDING}')
    forwarded = TopicReader(tmp_path / "forwarded", data=tmp_path / "data")
    forwarded.write_config(f'[log]\ntopic = "{topic.name}"\n[kafka]\nbootstrap = "{topic.address}"\n{LANDING}')
    return topic, own, forwarded


def test_what_the_embedded_log_has_landed_is_not_landed_from_kafka(both, tmp_path):
    topic, own, forwarded = both
    collect(own, 1, 2, until=lambda _: wait_until(lambda: own.ledger("landed") == (2,), "both are landed"))
    told = "the embedded log ", "which is forwarded to this topic in Kafka"
    expect_told(forwarded, *told, commands=[["sql", "SELECT n FROM a"]])  # nothing is in Kafka yet that could be landed

    def refused(server):
        assert server.post("/events?wait=landed", '{"event_type": "a", "n": 4}').status == 202, "collecting goes on"
        wait_until(lambda: len(topic.records()) == 4, "and so does forwarding")
        wait_until(lambda: any(ADVICE[0] in line for line in server.stderr_lines), "the server tells it")

    collect(forwarded, 3, until=refused)
    expect_told(forwarded, *told)
    assert numbers(forwarded, "--landed") == [1, 2]
    elsewhere = TopicReader(tmp_path / "elsewhere")
    elsewhere.write_config(f'lake = "{forwarded.data / "lake"}"\n{forwarded.config.read_text()}')
    elsewhere.fails("land", "--once", code=1, says=[*ADVICE, *told])

    (forwarded.data / "lake").rename(tmp_path / "lake")
    collect(forwarded, 5, until=lambda _: wait_until(lambda: forwarded.ledger("landed") == (5,), "all is landed anew"))
    assert numbers(forwarded) == [1, 2, 3, 4, 5]
    forwarded.ok("status")
    forwarded.ok("verify")


def test_what_kafka_has_landed_is_not_landed_from_the_embedded_log(both, tmp_path):
    topic, own, forwarded = both
    collect(forwarded, 1, 2, until=lambda _: wait_until(lambda: topic.records() and forwarded.ledger("landed") == (2,), "both are landed"))
    expect_told(own, "the topic in Kafka that it was forwarded to")
    collect(own, 3, until=lambda server: wait_until(lambda: any(ADVICE[0] in line for line in server.stderr_lines), "the server tells it"))
    expect_told(own, "the topic in Kafka that it was forwarded to")
    assert numbers(own, "--landed") == [1, 2]

    collect(forwarded, 4, until=lambda _: wait_until(lambda: forwarded.ledger("landed") == (4,), "Kafka goes on as ever"))
    assert numbers(forwarded) == [1, 2, 3, 4]
    (own.data / "lake").rename(tmp_path / "lake")
    own.ok("land", "--once")
    assert numbers(own) == [1, 2, 3, 4]
    own.ok("status")
    assert json.loads(own.ok("status", "--json"))["topics"]
