"""`questlog topic` against the real broker prints what its own kafka-topics prints."""

import re
import subprocess

import pytest
from conftest import START_S
from questlog_process import BINARY

pytestmark = pytest.mark.timeout(START_S + 60)

CONFIGS = ["retention.ms=3600000", "compression.type=zstd", "segment.bytes=1048576", "cleanup.policy=compact,delete",
           "max.message.bytes=2000000", "min.insync.replicas=1"]
UNANSWERED = "127.0.0.1:1"  # nobody listens there
DEADLINE_S = 60


class Topics:
    def __init__(self, engines, folder):
        self._engines, self._folder, self.address = engines, folder, engines.address("kafka")

    def ours(self, *args, kafka=None):
        return subprocess.run([BINARY, "topic", *args, "--kafka", kafka or self.address], cwd=self._folder, capture_output=True,
                              text=True, timeout=DEADLINE_S)

    def ok(self, *args):
        done = self.ours(*args)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def theirs(self, *args):
        return self._engines.run("bin/kafka-topics", *args).out

    def refused_by_both(self, *args):
        """What both say, ours with its name in front on the other channel."""
        done = self.ours(*args)
        theirs = self._engines.run("bin/kafka-topics", f"--{args[0]}", *args[1:])
        assert (done.returncode, theirs.code) == (1, 1), done
        assert "questlog: " + theirs.out.replace("Optional[", "").replace("]", "") == done.stdout + done.stderr
        return done.stderr


@pytest.fixture
def topics(engines, tmp_path):
    return Topics(engines, tmp_path)


def test_created_topics_are_described_as_kafka_topics_describes_them(topics):
    configs = [word for config in CONFIGS for word in ("--config", config)]
    assert topics.ok("create", "--topic", "described-1", "--partitions", "3", *configs) == "Created topic described-1.\n"
    assert topics.ok("create", "--topic", "described-2", "--replication-factor", "1") == "Created topic described-2.\n"
    assert topics.theirs("--create", "--topic", "described-3", "--partitions", "12", "--config", CONFIGS[0],
                         "--config", CONFIGS[2]) == "Created topic described-3.\n"
    for topic in ("described-1", "described-2", "described-3"):
        ours = topics.ok("describe", "--topic", topic)
        assert ours == topics.theirs("--describe", "--topic", topic)
        assert re.match(rf"Topic: {topic}\tTopicId: [\w-]{{22}}\tPartitionCount: ", ours)
    assert all(config in topics.ok("describe", "--topic", "described-1") for config in CONFIGS)


def test_all_topics_stand_in_kafka_topics_order(topics):
    for number in range(9):
        topics.ok("create", "--topic", f"many-{number}-{'x' * number}")
    subprocess.run(["kcat", "-b", topics.address, "-G", "a-group", "-e", "many-0-"], check=True, capture_output=True,
                   timeout=DEADLINE_S)  # makes __consumer_offsets
    described = topics.ok("describe")
    assert described == topics.theirs("--describe")
    listed = topics.ok("list")
    assert listed == topics.theirs("--list")
    assert "__consumer_offsets\n" in listed and "many-8-xxxxxxxx\n" in listed


def test_a_cluster_without_zookeeper_is_described_as_kafka_topics_describes_it(own_engines, tmp_path):
    own_engines.ok("up", "--kraft", "kafka", deadline_s=START_S)
    topics = Topics(own_engines, tmp_path)
    topics.ok("create", "--topic", "of-kraft", "--partitions", "2", "--config", "retention.ms=3600000")
    described = topics.ok("describe", "--topic", "of-kraft")
    assert described == topics.theirs("--describe", "--topic", "of-kraft")
    assert described.count("\tIsr: 1\tElr: \tLastKnownElr: \n") == 2
    topics.ok("create", "--topic", "of-one-replica-that-wants-two", "--config", "min.insync.replicas=2")
    assert topics.ok("describe", "--topic", "of-one-replica-that-wants-two").endswith("\tIsr: 1\tElr: N/A\tLastKnownElr: N/A\n")


def test_a_topic_that_is_there_is_made_once(topics):
    assert topics.ok("create", "--topic", "once.only") == topics.theirs("--create", "--topic", "once.too").replace("too", "only")
    again = ["--create", "--topic", "once.only", "--if-not-exists"]
    assert topics.ok("create", *again[1:]) == topics.theirs(*again)
    topics.ok("create", "--topic", "once")
    assert topics.refused_by_both("create", "--topic", "once") == (
        "questlog: Error while executing topic command : Topic 'once' already exists.\n")


@pytest.mark.parametrize("args", [
    ("describe", "--topic", "nobody-made-this"),
    ("create", "--topic", "refused-1", "--replication-factor", "3"),
    ("create", "--topic", "refused-2", "--config", "no.such=1"),
    ("create", "--topic", "refused-3", "--config", "cleanup.policy=sometimes"),
    ("create", "--topic", "a b"),
])
def test_what_the_cluster_refuses_is_told_in_its_words(topics, args):
    topics.refused_by_both(*args)


def test_a_description_makes_no_topic(topics):
    assert topics.ours("describe", "--topic", "only-asked-for").returncode == 1
    assert "only-asked-for" not in topics.ok("list")


def test_a_cluster_that_does_not_answer_is_told(topics):
    for args in (("list",), ("create", "--topic", "t")):
        done = topics.ours(*args, kafka=UNANSWERED)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.match(rf"questlog: Error while executing topic command : cannot .* at Kafka {UNANSWERED}: ", done.stderr)


def test_bootstrap_server_means_a_cluster_only_in_kafka_mode(topics, tmp_path):
    (tmp_path / "kafka.toml").write_text(f'[kafka]\nbootstrap = "{UNANSWERED}"\n')
    topics.ok("create", "--topic", "by-bootstrap-server")
    asked = [BINARY, "topic", "list", "--bootstrap-server", topics.address]
    embedded = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE_S, check=True)
    assert embedded.stdout == ""
    cluster = subprocess.run([*asked, "--config", "kafka.toml"], cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE_S,
                             check=True)
    assert "by-bootstrap-server\n" in cluster.stdout
