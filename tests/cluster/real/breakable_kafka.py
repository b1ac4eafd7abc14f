"""A real Kafka that tests break, and collectors that forward to it."""

import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError
from load import Clients
from questlog_cluster import processes
from questlog_process import Questlog
from slow_network import SlowNetwork
from waiting import wait_until
from wire import Closed

START_S = 600  # with downloads
BACK_S = 60    # until all is as it was once a fault is over; a refusal is looked at again every 15 s
COMMAND_S = 60
PACE_S = 0.004  # between two events of a client: enough load, and the broker can start beside it
DONE = "; 0 events to be forwarded to Kafka"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Record:
    offset: int
    origin: tuple  # log id, partition, offset; of a record that a forwarder did not write: ()
    value: str


class Broker:
    """The Kafka of a cluster of its own, and that cluster's ZooKeeper."""

    def __init__(self, cluster):
        self._cluster = cluster
        self.address = cluster.address("kafka")
        self.zookeeper = cluster.address("zookeeper")

    def up(self, name="kafka"):
        """What is up already is left alone."""
        self._cluster.ok("up", name, deadline_s=START_S)

    def down(self):
        self._cluster.ok("down", "kafka")

    def pid(self, name="kafka"):
        return self._cluster.status()[name]["pid"]

    def kill(self, name="kafka"):
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: processes.start_time(pid) is None, f"{name} is gone")

    @contextlib.contextmanager
    def asleep(self):
        """The kernel takes what is sent to it, and it answers nothing until the block is left."""
        pid = self.pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def unread_bytes(self):
        """What clients have sent and it has not read."""
        port = f":{int(self.address.rpartition(':')[2]):04X}"
        rows = [line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        return sum(int(row[4].partition(":")[2], 16) for row in rows if row[1].endswith(port) and row[3] == "01")

    @contextlib.contextmanager
    def another(self, folder, listener, **properties):
        """A second broker, a cluster of its own on the same ZooKeeper, in the same version; its address."""
        address = self._cluster.address("questlog")  # a port that nobody has, as that service is not started
        command = self.command()
        own = dict(line.split("=", 1) for line in Path(command[-1]).read_text().splitlines() if "=" in line and line[0] != "#")
        own |= {"listeners": f"{listener}://{address}", "advertised.listeners": f"{listener}://{address}",
                "zookeeper.connect": f"{self.zookeeper}/{folder.name}", "log.dirs": str(folder / "another"), **properties}
        with running(command[:-1], folder, own):
            yield address

    def with_passwords(self, folder, **passwords):
        """One that takes these users alone."""
        users = " ".join(f'user_{user}="{password}"' for user, password in {**passwords, "broker": "itself"}.items())
        return self.another(folder, "SASL_PLAINTEXT", **{
            "security.inter.broker.protocol": "SASL_PLAINTEXT", "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.enabled.mechanisms": "PLAIN", "listener.name.sasl_plaintext.plain.sasl.jaas.config":
                f'org.apache.kafka.common.security.plain.PlainLoginModule required username="broker" password="itself" {users};'})

    @contextlib.contextmanager
    def behind_a_slow_network(self, folder):
        """One that clients reach through it alone; the network, and that broker."""
        listens, inside = self._cluster.address("questlog"), self.spare_addresses()[0]
        with SlowNetwork(listens) as network, self.another(folder, "PLAINTEXT", **{
                "listeners": f"PLAINTEXT://{listens},INSIDE://{inside}", "inter.broker.listener.name": "INSIDE",
                "advertised.listeners": f"PLAINTEXT://{network.address},INSIDE://{inside}",
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT"}):
            yield network, BrokerAt(network.address)

    def command(self):
        """How it was started; the last word is its properties' file, the one before its class."""
        return Path(f"/proc/{self.pid()}/cmdline").read_text().split("\0")[:-1]

    def spare_addresses(self):
        """Where nobody listens: of services that are not started."""
        return [self._cluster.address(name) for name in ("spark", "spark-ui", "jupyter")]

    # --- topics

    @contextlib.contextmanager
    def _admin(self):
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        try:
            yield admin
        finally:
            admin.close()

    def create(self, topic, **configs):
        def made():  # a topic of the name may still be on its way out
            try:
                admin.create_topics([NewTopic(topic, 1, 1, topic_configs=configs)])
            except TopicAlreadyExistsError:
                return False
            return True
        with self._admin() as admin:
            wait_until(made, f"topic {topic} is made", BACK_S, poll_s=0.1)

    def delete(self, topic):
        with self._admin() as admin:
            admin.delete_topics([topic])
            wait_until(lambda: topic not in admin.list_topics(), f"topic {topic} is gone", BACK_S, poll_s=0.1)

    def configure(self, topic, **configs):
        with self._admin() as admin:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])

    # --- records, by another client

    def records(self, topic):
        """All that lie in the topic's one partition, repeats too."""
        out = subprocess.run(["kcat", "-C", "-b", self.address, "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q",
                              "-f", "%o\t%h\t%s\n"], check=True, capture_output=True, text=True, timeout=COMMAND_S).stdout
        return [_record(line) for line in out.splitlines()]

    def write(self, topic, value, origin=None):
        """As some other program would, or as a forwarder whose acknowledgement nobody heard."""
        header = ["-H", "questlog.origin=" + ":".join(map(str, origin))] if origin else []
        subprocess.run(["kcat", "-P", "-b", self.address, "-t", topic, "-p", "0", *header], input=value, check=True, text=True,
                       capture_output=True, timeout=COMMAND_S)


class BrokerAt(Broker):
    """One that somebody else starts and stops."""

    def __init__(self, address):
        self.address = address


@contextlib.contextmanager
def running(command, folder, properties):
    """A broker with these properties, while the block is."""
    file = folder / "broker.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    with open(folder / "broker.log", "w") as log:
        process = subprocess.Popen([*command, str(file)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    def started():
        text = (folder / "broker.log").read_text()
        assert process.poll() is None, text[-3000:]
        return re.search(r"\[Kafka(Raft)?Server id=1\] started|Kafka Server started", text)
    try:
        wait_until(started, "the broker is up", 60, poll_s=0.1)
        yield
    finally:
        process.kill()
        process.wait()


def _record(line):
    offset, headers, value = line.split("\t", 2)
    found = re.search(r"questlog\.origin=([^:,]+):(\d+):(\d+)", headers)
    return Record(int(offset), (found[1], int(found[2]), int(found[3])) if found else (), value)


def without_repeats(records):
    """What docs/formats/kafka.md lets a reader take."""
    taken, last = [], -1
    for record in records:
        if record.origin[2] > last:
            taken.append(record)
            last = record.origin[2]
    return taken


class Forwarding(Questlog):
    """A data folder whose log is forwarded to a topic of its own."""

    def __init__(self, folder, broker, topic=None, kafka="", more=""):
        super().__init__(folder)
        self.broker = broker
        self.topic = topic or f"faults-{next(_numbers)}"
        self.write_config(f'[log]\ntopic = "{self.topic}"\n[limits]\nforwarded_wait_ms = 1000\n'
                          f'[kafka]\nbootstrap = "{broker.address}"\n{kafka}\n{more}\n')

    def elsewhere(self, more=""):
        """Another node: it has what is in Kafka, and nothing else."""
        return Forwarding(self.folder / "elsewhere", self.broker, self.topic, more=more)

    def embedded(self):
        """The collector's own log without the cluster: values in order."""
        return Questlog(self.folder / "embedded", data=self.data).values(self.topic)

    def checkpoint(self):
        return self.data / "kafka" / f"{self.topic}.forwarded"

    def records(self):
        return self.broker.records(self.topic)

    def assert_arrived(self, events):
        """The topic has the log's events, so many, in their order and without a gap; some of them perhaps again."""
        taken = without_repeats(self.records())
        assert [record.origin[2] for record in taken] == list(range(events))
        assert [record.value for record in taken] == self.embedded()


def event(number, **more):
    return {"event_type": "fault", "number": number, **more}


def ready(server):
    return server.get("/readyz")


def reachable(server):
    return metric(server, "questlog_kafka_reachable") == 1


def metric(server, name):
    found = re.search(rf"^{name} (\S+)$", server.get("/metrics").text, re.MULTILINE)
    return float(found[1])


def await_forwarded(server, deadline_s=BACK_S):
    wait_until(lambda: ready(server).text.strip().endswith(DONE), f"all is forwarded; {ready(server).text}; {server.output}", deadline_s)


def await_told(server, text, deadline_s=30):
    """A line of the operator's log that has this text."""
    def told():
        return next((line for line in server.stderr_lines if text in line), None)
    try:
        return wait_until(told, f"{text!r} is told", deadline_s)
    except AssertionError as late:
        raise AssertionError(f"{late}\n{server.output}") from None


class Posts(Clients):
    """Clients that post one event after the other, each with a message id of its own, and keep every answer. One that is told to
    retry after some seconds waits for so long, and goes on with another event."""

    def __init__(self, server, connections=6):
        super().__init__()
        self.answers = {}  # message id -> Answer
        self.times = []    # when each came, by the monotonic clock; sorted but for what came at once
        self.failures = []
        self._server = server
        self._start(self._post, *((connection,) for connection in range(connections)))

    def _post(self, connection):
        try:
            with self._server.wire() as wire:
                for number in itertools.count():
                    if self._stop.is_set():
                        return
                    name = f"{connection}-{number}"
                    answer = wire.post("/events?receipt=1", event(number, message_id=name))
                    self.answers[name] = answer
                    self.times.append(time.monotonic())
                    self._stop.wait(float(answer.headers.get("retry-after", PACE_S)))
        except (OSError, Closed) as failure:
            self.failures.append(f"{connection}: {failure!r}")

    def of(self, *statuses):
        """Answers with these, by message id."""
        return {name: answer for name, answer in self.answers.copy().items() if answer.status in statuses}

    def await_more(self, count, *statuses, deadline_s=30):
        """Until so many more are answered with one of these."""
        wanted = len(self.of(*statuses)) + count
        wait_until(lambda: len(self.of(*statuses)) >= wanted or self.failures, f"{count} more are answered {statuses}", deadline_s)
        assert not self.failures

    def await_answers_for(self, duration_s):
        """Until answers have been coming for so long from now on."""
        since = time.monotonic()
        wait_until(lambda: self.times[-1] - since >= duration_s or self.failures, f"{duration_s} s of answers", duration_s + 30)
        assert not self.failures
        return since

    def longest_silence(self, since, until):
        """In seconds: between two answers that came in that time, of any client."""
        times = sorted(moment for moment in self.times.copy() if since <= moment <= until)
        return max(later - sooner for sooner, later in zip([since, *times], [*times, until], strict=True))

    def assert_in_order(self, values):
        """Each client's events are among the values in the order in which it posted them."""
        names = [json.loads(value)["message_id"] for value in values]
        for connection in {name.partition("-")[0] for name in names}:
            numbers = [int(name.partition("-")[2]) for name in names if name.partition("-")[0] == connection]
            assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers), f"client {connection}'s events"

    def finish(self):
        super().finish()
        assert not self.failures


def receipt(answer):
    return {name: answer.json()[name] for name in ("log", "partition", "offset")}


def post_again(server, name):
    """The same request as a client of Posts made."""
    return server.post("/events?receipt=1", event(int(name.partition("-")[2]), message_id=name))


def names_of(questlog):
    """Message ids that SQL has, once for each row."""
    return sorted(row["message_id"] for row in questlog.sql("SELECT message_id FROM fault"))
