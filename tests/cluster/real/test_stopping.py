"""What is stopped, what is left, and what comes back."""

import os
import signal
import subprocess

import pytest
from conftest import START_S
from questlog_cluster import processes
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)


def produce(cluster, topic, text):
    subprocess.run(["kcat", "-P", "-b", cluster.address("kafka"), "-t", topic], input=text, text=True, timeout=60, check=True)


def consume(cluster, topic):
    return subprocess.run(["kcat", "-C", "-b", cluster.address("kafka"), "-t", topic, "-o", "beginning", "-e", "-q"], text=True,
                          capture_output=True, timeout=60, check=True).stdout


def topics(cluster):
    return cluster.ok("bin/kafka-topics", "--list").split()


def is_gone(pid):
    return processes.start_time(pid) is None


def java_processes():
    """pids of all Java processes of this machine."""
    pids = map(int, subprocess.run(["pgrep", "-x", "java"], text=True, capture_output=True, check=False).stdout.split())
    return {pid for pid in pids if not is_gone(pid)}


@pytest.mark.parametrize("mode", [[], ["--kraft"]], ids=["zookeeper", "kraft"])
def test_kafka_comes_back_with_what_it_had(own_engines, mode):
    own_engines.ok("up", *mode, "kafka", deadline_s=START_S)
    status = own_engines.status()
    assert status["kafka"]["state"] == "up" and status["zookeeper"]["state"] == ("down" if mode else "up")
    produce(own_engines, "kept", "one\n")
    assert "is up already" in own_engines.ok("up", "kafka")  # in the mode in which it runs
    if not mode:
        own_engines.fails("up", "--kraft", "kafka", says=["running with ZooKeeper", "cluster/down zookeeper kafka"])
    assert own_engines.status() == status
    own_engines.ok("down")
    assert all(is_gone(entry["pid"]) for entry in status.values() if entry["pid"])
    own_engines.ok("up", *mode, "kafka", deadline_s=START_S)
    assert consume(own_engines, "kept") == "one\n"
    own_engines.ok("down", "--wipe")
    own_engines.ok("up", *mode, "kafka", deadline_s=START_S)
    assert topics(own_engines) == []


def test_kafka_starts_after_a_kill(own_engines):
    """ZooKeeper still keeps the killed broker's place for some seconds."""
    own_engines.ok("up", "kafka", deadline_s=START_S)
    produce(own_engines, "kept", "one\n")
    os.kill(own_engines.status()["kafka"]["pid"], signal.SIGKILL)
    wait_until(lambda: own_engines.status()["kafka"]["state"] == "down", "the end is seen")
    own_engines.ok("up", "kafka", deadline_s=START_S)
    assert consume(own_engines, "kept") == "one\n"


def test_down_stops_its_own_and_nothing_else(own_engines):
    """Another cluster's Kafka, of the same user and the same command line but for its folder, goes on."""
    other = type(own_engines)(own_engines.folder / "other")
    other.notebooks.mkdir(parents=True)
    own_engines.ok("up", "hdfs", deadline_s=START_S)
    try:
        other.ports = {name: port + 100 for name, port in other.ports.items()}
        other.environment["QUESTLOG_CLUSTER_PORTS"] = " ".join(f"{name}={port}" for name, port in other.ports.items())
        other.ok("up", "--kraft", "kafka", deadline_s=START_S)
        before, own = java_processes(), own_engines.status()
        own_engines.ok("down")
        assert before - java_processes() == {own["namenode"]["pid"], own["datanode"]["pid"]}
        assert other.status()["kafka"]["state"] == "up"
    finally:
        other.ok("down", "--wipe")


def test_hdfs_keeps_its_files_until_they_are_wiped(own_engines):
    """First started where the machine's own name has no address, as it may be on a laptop (to show that takes root)."""
    nameless = ["unshare", "--uts", "sh", "-c", 'hostname nowhere && exec "$0" "$@"'] if os.geteuid() == 0 else []
    own_engines.ok("up", "hdfs", deadline_s=START_S, launcher=nameless)
    own_engines.ok("bin/hadoop", "fs", "-mkdir", "/tmp/kept")
    status = own_engines.status()
    os.kill(status["datanode"]["pid"], signal.SIGKILL)
    own_engines.ok("up", "datanode")
    assert own_engines.status()["namenode"]["pid"] == status["namenode"]["pid"]
    own_engines.ok("down", "namenode")  # and the DataNode, which cannot go on without it
    assert {own_engines.status()[name]["state"] for name in ("namenode", "datanode")} == {"down"}
    own_engines.ok("up", "hdfs")
    assert "/tmp/kept" in own_engines.ok("bin/hadoop", "fs", "-ls", "/tmp")
    own_engines.notebooks.mkdir(exist_ok=True)
    (own_engines.notebooks / "mine.ipynb").write_text("{}")
    own_engines.ok("down", "--wipe")
    assert (own_engines.notebooks / "mine.ipynb").read_text() == "{}"
    own_engines.ok("up", "hdfs")
    assert "/tmp/kept" not in own_engines.ok("bin/hadoop", "fs", "-ls", "/tmp")


def test_spark_without_its_worker_is_down_and_comes_back(own_engines):
    own_engines.ok("up", "spark", deadline_s=START_S)
    before = own_engines.status()["spark"]
    os.kill(before["worker_pid"], signal.SIGKILL)
    wait_until(lambda: own_engines.status()["spark"]["state"] == "down", "the worker's end is seen")
    own_engines.ok("up", "spark")
    after = own_engines.status()["spark"]
    assert after["state"] == "up" and is_gone(before["pid"])
