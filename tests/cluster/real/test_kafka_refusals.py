"""What Kafka refuses, or has lost: it is said once and clearly, and what is said to be done cures it. Each fault is the real broker's."""

import re
from pathlib import Path

import pytest
from breakable_kafka import (BACK_S, START_S, Forwarding, await_forwarded, await_told, event, metric, reachable, ready, receipt)
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)

ACK_KAFKA = 'ack = "kafka"'
SOME = 100
JOB = '[[job]]\nname = "faults"\n[[job.output]]\npath = "tmp/all_faults"\nwhere = "event_type = \'fault\'"\n'
ANOTHER_TOPIC = "is not the one that was forwarded to"


def credentials(password):
    return f"""[kafka.client]
security.protocol = "SASL_PLAINTEXT"
sasl.mechanism = "PLAIN"
sasl.username = "moe"
sasl.password = "{password}"
"""


def do_what_is_told(line, questlog):
    """Literally, and nothing else."""
    deleted = re.search(r"delete (this one|the topic), with all that it holds", line, re.IGNORECASE)
    removed = re.search(r"to from now on, .*remove (\S+): then it ", line)
    assert deleted or removed, line
    if deleted:
        questlog.broker.delete(questlog.topic)
    if removed:
        Path(removed[1]).unlink()


def test_a_topic_that_is_deleted_meanwhile_is_told(broker, tmp_path):
    questlog = Forwarding(tmp_path, broker)
    with questlog.serve() as server:
        server.send_events(event(number) for number in range(SOME))
        await_forwarded(server)
        broker.delete(questlog.topic)
        server.send_events(event(number) for number in range(SOME, 2 * SOME))
        line = await_told(server, ANOTHER_TOPIC)
        assert f"error topic {questlog.topic} gets no events at Kafka {broker.address}, they are kept here: " in line
        assert "there is no such topic" in line
        wait_until(lambda: not reachable(server), "the metric says so")
        assert ready(server).status == 200 and f"{SOME} events to be forwarded to Kafka (refused)" in ready(server).text
        server.send_events(event(number) for number in range(2 * SOME, 3 * SOME))
        do_what_is_told(line, questlog)
        await_forwarded(server)
        wait_until(lambda: reachable(server), "the metric says so")
    questlog.assert_arrived(3 * SOME)


def test_a_topic_that_is_made_anew_meanwhile_is_told(broker, tmp_path):
    """The new one may have got an event before it is noticed. Whoever does what is told has all events there."""
    questlog = Forwarding(tmp_path, broker, kafka=ACK_KAFKA)
    with questlog.serve() as server:
        wait_until(lambda: reachable(server), "the topic is made, which may take longer than an answer waits", BACK_S)
        server.send_events(event(number) for number in range(SOME))
        broker.delete(questlog.topic)
        broker.create(questlog.topic)
        pending = server.post("/events?receipt=1", event(SOME, message_id="pending"))
        assert pending.status in (503, 504)
        line = await_told(server, ANOTHER_TOPIC)
        wait_until(lambda: ready(server).status == 503 and not reachable(server), "readiness and the metric say so")
        assert ANOTHER_TOPIC in ready(server).json()["error"]
        refused = server.post("/events", event(SOME + 1))
        assert refused.status == 503 and refused.headers["retry-after"] == "1" and ANOTHER_TOPIC in refused.json()["error"]
        do_what_is_told(line, questlog)
        wait_until(lambda: ready(server).status == 200, "it goes on", BACK_S)
        again = server.post("/events?receipt=1", event(SOME, message_id="pending"))
        assert again.status == 200 and (pending.status == 503 or receipt(again) == receipt(pending))
        server.send_events([event(SOME + 1)])
        assert server.stop() == 0
    questlog.assert_arrived(SOME + 2)


@pytest.mark.parametrize("remembers", [True, False], ids=["with_its_checkpoint", "without"])
def test_a_topic_that_begins_in_mid_log_is_told(broker, tmp_path, remembers):
    """It was made anew while an event was on its way. Sent after that one, those before it would be passed over."""
    questlog = Forwarding(tmp_path, broker)
    with questlog.serve() as server:
        server.send_events(event(number) for number in range(SOME))
        await_forwarded(server)
        assert server.stop() == 0
    last = questlog.records()[-1]
    broker.delete(questlog.topic)
    broker.create(questlog.topic)
    broker.write(questlog.topic, last.value, last.origin)
    if not remembers:
        questlog.checkpoint().unlink()
    with questlog.serve() as server:
        line = await_told(server, f"its partition 0 begins with event {SOME - 1}, and the log has earlier ones")
        assert (ANOTHER_TOPIC in line) == remembers
        server.send_events(event(number) for number in range(SOME, 2 * SOME))
        assert len(questlog.records()) == 1, "nothing is sent"
        do_what_is_told(line, questlog)
        await_forwarded(server)
        wait_until(lambda: reachable(server), "the metric says so")
    questlog.assert_arrived(2 * SOME)
    assert len(questlog.records()) == 2 * SOME


@pytest.mark.parametrize("others", [0, 2 * SOME], ids=["empty", "longer"])
def test_a_topic_that_is_made_anew_between_runs_is_told(broker, tmp_path, others):
    """Whether it has fewer records than the one that was, or more."""
    questlog = Forwarding(tmp_path, broker)
    with questlog.serve() as server:
        server.send_events(event(number) for number in range(SOME))
        await_forwarded(server)
        assert server.stop() == 0
    broker.delete(questlog.topic)
    broker.create(questlog.topic)
    if others:
        broker.write(questlog.topic, "another's\n" * others)
    with questlog.serve() as server:
        line = await_told(server, ANOTHER_TOPIC)
        assert ("it holds another record there" if others else "it ends at offset 0") in line
        server.send_events(event(number) for number in range(SOME, 2 * SOME))
        do_what_is_told(line, questlog)
        assert server.stop() == 0
    with questlog.serve() as server:
        await_forwarded(server)
    records = [record for record in questlog.records() if record.origin]
    assert [record.value for record in records] == questlog.embedded() and len(records) == 2 * SOME


def test_what_the_topic_has_twice_is_read_once(broker, tmp_path):
    """Records of a process that died late, and such as only look so. No reader has a message id to go by."""
    questlog = Forwarding(tmp_path, broker, more=JOB)
    with questlog.serve() as server:
        server.send_events(event(number) for number in range(SOME))
        await_forwarded(server)
        first = questlog.records()
        for record in (first[0], first[7], first[SOME - 1]):
            broker.write(questlog.topic, record.value, record.origin)
        server.send_events(event(number) for number in range(SOME, 2 * SOME))
        await_forwarded(server)
        for record in first[-3:]:
            broker.write(questlog.topic, record.value, record.origin)
        assert server.stop() == 0
    other = ("anotherlog", 0, SOME)  # of another log no event came before
    broker.write(questlog.topic, '{"event_type": "fault", "number": -1}', other)
    assert len(questlog.records()) == 2 * SOME + 7
    numbers = [*range(2 * SOME), -1]
    for reader in (questlog, questlog.elsewhere(JOB)):
        assert [row["number"] for row in reader.sql("SELECT number FROM fault")] == numbers
        assert len(reader.values()) == 2 * SOME + 7, "tail prints what lies there"
        reader.ok("land", "--once")
        reader.ok("batch", "faults")
        for table in ("fault", "all_faults"):
            assert [row["number"] for row in reader.sql(f"SELECT number FROM {table}")] == numbers
        ledger = reader.sql("SELECT * FROM ledger")
        assert ledger and all(row["balanced"] and row["pending"] == 0 for row in ledger), ledger
        assert sum(row["landed"] for row in ledger) == len(numbers)


def test_a_full_spool_refuses_events_until_there_is_room(broker, tmp_path):
    questlog = Forwarding(tmp_path, broker, kafka="spool_bytes_max = 1048576")
    with questlog.serve() as server:
        server.send_events([event(0)])
        await_forwarded(server)
        broker.down()
        batch = "\n".join(f'{{"event_type": "fault", "pad": "{"x" * 30_000}"}}' for _ in range(20))
        answers = []

        def is_refused():
            answers.append(server.post("/events", batch))
            return answers[-1].status != 200
        wait_until(is_refused, "it is full", 20)
        assert answers[-1].status == 503 and answers[-1].headers["retry-after"] == "1"
        assert "too many events wait to be forwarded to Kafka" in answers[-1].json()["error"]
        assert await_told(server, "more than spool_bytes_max (1048576): new events are answered 503")
        assert ready(server).status == 503
        assert metric(server, "questlog_kafka_spool_bytes") > 1024 * 1024
        end = 1 + 20 * (len(answers) - 1)
        assert f'questlog_log_end_offset{{partition="0"}} {end}\n' in server.get("/metrics").text
        broker.up()
        wait_until(lambda: server.post("/events", event(1)).status == 200, "it takes events again", BACK_S)
        await_forwarded(server)
    questlog.assert_arrived(end + 1)


def test_an_event_that_the_topic_does_not_take_is_told(broker, tmp_path):
    questlog = Forwarding(tmp_path, broker)
    broker.create(questlog.topic, **{"max.message.bytes": "2000"})
    with questlog.serve() as server:
        server.send_events([event(0), event(1, pad="".join(map(chr, range(0x4E00, 0x4E00 + 3000)))), event(2)])
        line = await_told(server, "Kafka refuses event 1 of partition 0: ")
        assert f"raise max.message.bytes of topic {questlog.topic}, or message.max.bytes of the broker" in line
        assert "events to be forwarded to Kafka (refused)" in ready(server).text
        server.send_events([event(3)])
        broker.configure(questlog.topic, **{"max.message.bytes": "1000000"})
        await_forwarded(server)
    questlog.assert_arrived(4)


@pytest.mark.parametrize("command", [
    ("tail", "-e"), ("sql", "SELECT count(*) FROM events"), ("batch", "faults"), ("land", "--once"), ("status",)])
def test_a_topic_that_nobody_made_is_told_to_readers(broker, tmp_path, command):
    reader = Forwarding(tmp_path, broker, more=JOB)
    said = reader.fails(*command, code=2, says=[f"topic '{reader.topic}' does not exist in Kafka {broker.address}; make it with: "]).err
    reader.ok(*re.search(r"make it with: questlog (--kafka \S+ topic create --topic \S+)$", said)[1].split())
    reader.ok(*command)


def test_credentials_that_the_broker_does_not_ask_for_are_told(broker, tmp_path):
    questlog = Forwarding(tmp_path, broker, more=credentials("whatever"))
    with questlog.serve() as server:
        server.send_events([event(0)])
        line = await_told(server, "they are kept here: ")
        assert "SASL PLAIN mechanism handshake failed" in line and "see [kafka.client]" in line
        assert "(refused)" in ready(server).text


@pytest.fixture
def broker_with_passwords(broker, tmp_path):
    """Another broker, on the same ZooKeeper; its address."""
    with broker.with_passwords(tmp_path, moe="right") as address:
        yield address


def test_a_wrong_password_is_told_and_the_right_one_taken(broker, broker_with_passwords, tmp_path):
    class ThatBroker:
        address = broker_with_passwords
    questlog = Forwarding(tmp_path / "node", ThatBroker, "guarded", ACK_KAFKA, more=credentials("wrong"))
    with questlog.serve() as server:
        line = await_told(server, "they are kept here: ")
        assert "Authentication failed" in line and "see [kafka.client] and sasl_password_file" in line and "wrong" not in line
        wait_until(lambda: not reachable(server), "the metric says so")
        for refused in (ready(server), server.post("/events", event(0))):
            assert refused.status == 503 and "Authentication failed" in refused.json()["error"]
        assert server.stop() == 0
    questlog.fails("sql", "SELECT * FROM events", code=2, says=["Authentication failed", "see [kafka.client]"])
    questlog = Forwarding(tmp_path / "node", ThatBroker, "guarded", ACK_KAFKA, more=credentials("right"))
    with questlog.serve() as server:
        # Making the topic may take longer than an answer waits (504): the same event is asked for again, and is there once.
        wait_until(lambda: ready(server).status == 200 and server.post("/events", event(0, message_id="one")).status == 200, "it is taken")
        assert server.stop() == 0
    assert questlog.values() == questlog.embedded() and len(questlog.embedded()) == 1
