"""The real engines, started once for the tests that only use them."""

import os
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from breakable_kafka import START_S, Broker  # noqa: E402: needs the path
from cluster_commands import Cluster  # noqa: E402: tests/cluster/conftest.py made the path
from hdfs_lake import Hdfs  # noqa: E402
from kafka_topic import Topic  # noqa: E402


@pytest.fixture(scope="session")
def fetched(tmp_path_factory):
    """All is in the cache, for tests on hosts without a network to the world."""
    Cluster(tmp_path_factory.mktemp("fetched")).ok("up", "--fetch-only", deadline_s=START_S)


@pytest.fixture(scope="session")
def engines(tmp_path_factory):
    """Everything, up. Tests leave it up; what they store has names of its own."""
    cluster = Cluster(tmp_path_factory.mktemp("engines"))
    cluster.first_start = cluster.ok("up", deadline_s=START_S)
    yield cluster
    cluster.ok("down", deadline_s=120)


@pytest.fixture
def own_engines(tmp_path):
    """Not started. For tests that start, stop and break it."""
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.run("down", "--wipe", deadline_s=120)


@pytest.fixture
def topic(engines, request):
    """Makes a topic of the test's own on the shared broker."""
    name = re.sub(r"[^\w.-]+", "-", request.node.name, flags=re.ASCII)
    return lambda partitions=1, **configs: Topic(engines.address("kafka"), name[:200], partitions, **configs)


@pytest.fixture(scope="session")
def kafka_to_break(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("kafka-to-break"))
    broker = Broker(cluster)
    broker.up()
    yield broker
    cluster.run("down", "--wipe", deadline_s=120)


@pytest.fixture(scope="session")
def hdfs_to_break(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("hdfs-to-break"))
    hdfs = Hdfs(cluster)
    hdfs.up()
    yield hdfs
    cluster.run("down", "--wipe", deadline_s=120)


@pytest.fixture
def hdfs(hdfs_to_break):
    """An HDFS that is up, whatever an earlier test has done to it. The test may do more."""
    hdfs_to_break.up()
    return hdfs_to_break


@pytest.fixture
def broker(kafka_to_break):
    """A Kafka that is up, whatever an earlier test has done to it. The test may do more."""
    kafka_to_break.up()
    return kafka_to_break


def notebook_environment(engines):
    """What JupyterLab's server gives each of its kernels."""
    server = engines.status()["jupyter"]["pid"]
    return dict(entry.split("=", 1) for entry in Path(f"/proc/{server}/environ").read_text().split("\0") if "=" in entry)


def _sockets(pids, state):
    """Rows of the kernel's tables of connections in this state, of these processes."""
    inodes = set()
    for pid in pids:
        for file in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(os.readlink(file))
            except FileNotFoundError:
                continue
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return [row for row in rows if row[3] == state and f"socket:[{row[9]}]" in inodes]


def listening(pids):
    """Addresses, in the kernel's hexadecimal, that these processes listen on."""
    return {row[1].partition(":")[0] for row in _sockets(pids, "0A")}


def connections(pid, address):
    """The process's own ends of its connections to the address."""
    port = f":{int(address.rpartition(':')[2]):04X}"
    return {row[1] for row in _sockets([pid], "01") if row[2].endswith(port)}
