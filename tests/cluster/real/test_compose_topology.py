"""What the containers of compose.yaml run, without a container engine: each one's command, with its environment, on a host of its own
with the container's name, so that names, ports, addresses and the order of starting are tested. What an image holds is not."""

import json
import os
import subprocess

import pytest
from cluster_commands import ROOT
from conftest import START_S
from containers import containers
from hosts import Hosts
from questlog_process import BINARY
from waiting import wait_until

pytestmark = [pytest.mark.timeout(START_S + 300),
              pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")]
CONTAINERS = containers()


class Containers:
    """The containers' processes. state: a folder each, in the place of the volume."""

    def __init__(self, folder, hosts):
        self._folder = folder
        self._hosts = hosts
        self.running = {}

    def _environment(self, name):
        own = {"QUESTLOG_CLUSTER_STATE": str(self._folder / name), "QUESTLOG_CLUSTER_NOTEBOOKS": str(self._folder / "notebooks"),
               "PATH": f"{ROOT / 'cluster' / 'bin'}:{os.environ['PATH']}"}
        return {**os.environ, **CONTAINERS[name].environment, **own, "QUESTLOG_BINARY": str(BINARY)}

    def start(self, name):
        with open(self._folder / f"{name}.out", "w") as output:
            self.running[name] = subprocess.Popen(self._hosts.inside(name, CONTAINERS[name].command), cwd=ROOT, stdout=output,
                                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=self._environment(name))

    def exec(self, name, *command, stdin=""):
        """As `docker-compose exec`."""
        return subprocess.run(self._hosts.inside(name, command), input=stdin, cwd=ROOT, env=self._environment(name),
                              capture_output=True, text=True, timeout=240, check=False)

    def healthy(self, name):
        if self.running[name].poll() is not None:
            raise AssertionError(f"{name} ended:\n{(self._folder / f'{name}.out').read_text()[-3000:]}")
        return self.exec(name, *CONTAINERS[name].health).returncode == 0

    def stop(self):
        """As `docker-compose down`: exit codes by name."""
        for process in self.running.values():
            process.terminate()
        return {name: process.wait(90) for name, process in self.running.items()}


def succeed(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("fetched")
def test_the_reference_s_flow(tmp_path):
    with Hosts(CONTAINERS) as hosts:
        containers = Containers(tmp_path, hosts)
        try:
            for name in CONTAINERS:
                if name != "mids":
                    containers.start(name)
            for name in containers.running:
                wait_until(lambda name=name: containers.healthy(name), f"{name} is healthy", deadline_s=180, poll_s=0.5)

            succeed(containers.exec("kafka", "kafka-topics", "--create", "--topic", "game-events", "--partitions", "1",
                                    "--replication-factor", "1", "--if-not-exists", "--bootstrap-server", "kafka:29092"))
            assert "Leader: 1" in succeed(containers.exec("kafka", "kafka-topics", "--describe", "--topic", "game-events"))

            for requests, path in ((10, ""), (1, "purchase_a_sword")):
                played = succeed(containers.exec("mids", "ab", "-n", str(requests), "-H", "Host: user1.comcast.com",
                                                 f"http://questlog:5000/{path}"))
                assert f"Complete requests:      {requests}\n" in played and "Failed requests:        0" in played

            def forwarded():
                read = succeed(containers.exec("mids", "kcat", "-C", "-b", "kafka:29092", "-t", "game-events", "-o", "beginning", "-e", "-q"))
                return [json.loads(line)["event_type"] for line in read.splitlines()]
            wait_until(lambda: len(forwarded()) == 11, "all of it is in Kafka", 30, poll_s=0.2)
            assert forwarded() == ["default"] * 10 + ["purchase_sword"]

            job = ROOT / "tests" / "cluster" / "real" / "kafka_to_hdfs.py"
            assert succeed(containers.exec("spark", "spark-submit", str(job), "kafka:29092", "game-events", "/tmp/purchases")) \
                == "purchase_sword user1.comcast.com\n"
            assert "/tmp/purchases/_SUCCESS" in succeed(containers.exec("namenode", "hadoop", "fs", "-ls", "/tmp/purchases"))

            status = json.loads(succeed(containers.exec("spark", "cluster/status", "--json")))
            assert {key: (entry["state"], entry["address"]) for key, entry in status.items()} == {
                "zookeeper": ("up", "zookeeper:32181"), "kafka": ("up", "kafka:29092"), "namenode": ("up", "namenode:8020"),
                "webhdfs": ("up", "namenode:9870"), "datanode": ("up", "datanode:9866"), "spark": ("up", "spark:7077"),
                "jupyter": ("up", "spark:8888"), "questlog": ("up", "questlog:5000")}
            assert status["jupyter"]["url"].startswith("http://127.0.0.1:8888/lab?token=")
        finally:
            codes = containers.stop()
        assert set(codes.values()) == {0}, codes
