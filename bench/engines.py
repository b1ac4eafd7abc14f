"""Real engines of the measurements' own: cluster/up's, with a state folder and ports that nothing else has."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import machine
from servers import BINARY, ROOT, free_port

sys.path.insert(0, str(ROOT / "cluster"))

import questlog_cluster.artifacts as artifacts  # noqa: E402: cluster/ is on the path now
from questlog_cluster.engines import World, environment  # noqa: E402
from questlog_cluster.fetch import Cache  # noqa: E402
from questlog_cluster.settings import PORTS, from_environment  # noqa: E402

DEADLINE_S = 60
POLL_S = 0.02


def wait_until(what, holds, deadline_s=DEADLINE_S):
    deadline = time.monotonic() + deadline_s
    while not (value := holds()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not after {deadline_s} s")
        time.sleep(POLL_S)
    return value


def fetch():
    """Downloads what cluster/artifacts.toml pins of the engines, where it is missing."""
    subprocess.run([ROOT / "cluster" / "up", "--fetch-only", "kafka", "hdfs", "spark"], check=True, stdout=sys.stderr)


class Cluster:
    """One broker without ZooKeeper, and HDFS where it is asked for. The broker's CPU is told apart from its clients'."""

    def __init__(self, folder, with_hdfs=False):
        from kafka import KafkaConsumer
        from kafka.admin import KafkaAdminClient
        ports = {name: free_port() for name in PORTS}
        self.environment = {**os.environ, "QUESTLOG_CLUSTER_STATE": str(folder / "cluster"), "QUESTLOG_BINARY": str(BINARY),
                            "QUESTLOG_CLUSTER_NOTEBOOKS": str(folder / "notebooks"),
                            "QUESTLOG_CLUSTER_PORTS": " ".join(f"{name}={port}" for name, port in ports.items())}
        self.bootstrap = f"127.0.0.1:{ports['kafka']}"
        self.hdfs = f"hdfs://127.0.0.1:{ports['namenode']}"
        self.webhdfs = f"127.0.0.1:{ports['webhdfs']}"
        self._run("up", "--kraft", "kafka", *(["hdfs"] if with_hdfs else []))
        try:
            self.pid = json.loads(self._run("status", "--json"))["kafka"]["pid"]
            settings = from_environment(self.environment).remembered()
            self.world = World(settings, Cache(settings.cache, artifacts.load()))
            self._admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
            self._consumer = KafkaConsumer(bootstrap_servers=self.bootstrap)
        except BaseException:
            self._run("down")
            raise

    def _run(self, command, *args):
        done = subprocess.run([ROOT / "cluster" / command, *args], env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"cluster/{command} {' '.join(args)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def stop(self):
        try:
            self._consumer.close()
            self._admin.close()
        finally:
            self._run("down")

    def create(self, topic):
        """An empty topic of one partition, in the place of one that had the name."""
        from kafka.admin import NewTopic
        if topic in self._admin.list_topics():
            self.delete(topic)
        self._admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
        wait_until(f"{topic} is empty", lambda: self.end(topic) == 0)

    def delete(self, topic):
        self._admin.delete_topics([topic])
        wait_until(f"{topic} is gone", lambda: topic not in self._admin.list_topics())

    def end(self, topic):
        """How many records the topic has that all in-sync replicas have; None: it has no leader yet."""
        from kafka import TopicPartition
        from kafka.errors import KafkaError
        place = TopicPartition(topic, 0)
        try:
            return self._consumer.end_offsets([place])[place]
        except KafkaError:
            return None

    def cpu_seconds(self):
        return machine.cpu_seconds([self.pid])

    def java(self, main, *args):
        """A command of Kafka's with the JVM's usual settings, and the environment for it."""
        return self.world.kafka_java(main, *map(str, args), jvm=("-Xmx512m",), log4j="tools-log4j.properties"), environment()

    def hadoop_fs(self, *args):
        """A command of `hadoop fs`, and the environment for it."""
        return [ROOT / "cluster" / "bin" / "hadoop", "fs", *map(str, args)], self.environment

    def spark_submit(self, *args):
        """Spark within one process, which needs no master."""
        return [ROOT / "cluster" / "bin" / "spark-submit", "--master", "local[2]", *map(str, args)], self.environment
