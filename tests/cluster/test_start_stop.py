"""The life of a service, shown by the one that starts in no time: questlog itself."""

import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess

import pytest
from questlog_cluster import processes
from waiting import wait_until


def events_of(cluster):
    connection = http.client.HTTPConnection("127.0.0.1", cluster.ports["questlog"], timeout=10)
    connection.request("GET", "/purchase_a_sword?receipt=1")
    return json.loads(connection.getresponse().read())["offset"]


def test_up_twice_and_down_twice(cluster):
    assert "is up" in cluster.ok("up", "questlog")
    first = cluster.status()["questlog"]
    assert first["state"] == "up" and first["address"] == cluster.address("questlog")
    assert events_of(cluster) == 0
    assert "is up already" in cluster.ok("up", "questlog")
    assert cluster.status()["questlog"] == first
    assert cluster.run("status", "questlog").code == 0 and cluster.run("status", "questlog", "kafka").code == 1
    assert "/purchase_a_sword" in cluster.ok("logs", "questlog")
    assert "is down" in cluster.ok("down")
    assert processes.start_time(first["pid"]) is None
    assert "Nothing was running" in cluster.ok("down")
    cluster.ok("up", "questlog")
    assert events_of(cluster) == 1  # what was stored outlives `down`


def test_wipe_removes_the_cluster_s_data_and_nothing_of_the_user_s(cluster):
    cluster.ok("up", "questlog")
    assert events_of(cluster) == 0
    cluster.notebooks.mkdir()
    (cluster.notebooks / "mine.ipynb").write_text("{}")
    (cluster.folder / "data").mkdir()
    cluster.ok("down", "--wipe")
    assert (cluster.notebooks / "mine.ipynb").read_text() == "{}" and (cluster.folder / "data").is_dir()
    assert [path.name for path in cluster.state.iterdir()] == ["cluster.lock"]
    cluster.ok("up", "questlog")
    assert events_of(cluster) == 0


def test_wipe_removes_nothing_that_is_no_cluster_s(cluster):
    cluster.state.mkdir()
    (cluster.state / "thesis.txt").write_text("mine")
    cluster.fails("up", "questlog", says=["holds something else than a cluster"])
    cluster.fails("down", "--wipe", says=["holds something else than a cluster"])
    assert (cluster.state / "thesis.txt").read_text() == "mine"


def test_a_taken_port_is_named_with_who_has_it(cluster):
    with socket.socket() as other:
        other.bind(("127.0.0.1", cluster.ports["questlog"]))
        other.listen()
        cluster.fails("up", "questlog", says=[f"port {cluster.ports['questlog']} (questlog) is taken by pid {os.getpid()}",
                                              "cluster/up --port questlog=PORT"])
    assert cluster.status()["questlog"]["state"] == "down"


def test_all_taken_ports_are_named_before_anything_starts(cluster):
    with socket.socket() as one, socket.socket() as two:
        for other, name in ((one, "zookeeper"), (two, "kafka")):
            other.bind(("0.0.0.0", cluster.ports[name]))
            other.listen()
        cluster.fails("up", "kafka", "questlog", says=["(zookeeper) is taken", "(kafka) is taken"])
    assert cluster.status()["questlog"]["state"] == "down"


def test_one_port_for_two_is_told(cluster):
    cluster.fails("up", "kafka", "--port", f"zookeeper={cluster.ports['kafka']}", says=["is meant for"])


def test_another_port_is_known_while_it_runs(cluster):
    cluster.ok("up", "questlog", "--port", f"questlog={cluster.ports['spark']}")
    assert cluster.status()["questlog"]["address"] == cluster.address("spark")
    assert cluster.status()["questlog"]["state"] == "up"
    assert "is up already" in cluster.ok("up", "questlog")
    cluster.fails("up", "questlog", "--port", f"questlog={cluster.ports['questlog']}", says=["cluster/down questlog"])
    cluster.ok("down")
    assert cluster.status()["questlog"]["address"] == cluster.address("questlog")


def test_what_does_not_start_is_told_with_its_log(cluster):
    script = cluster.folder / "broken"
    script.write_text("#!/bin/sh\necho the disk is made of cheese\nexit 3\n")
    script.chmod(0o755)
    cluster.environment["QUESTLOG_BINARY"] = str(script)
    cluster.fails("up", "questlog", says=["questlog ended with exit code 3", "the disk is made of cheese"])
    assert cluster.status()["questlog"] == {"address": cluster.address("questlog"), "pid": None, "state": "down"}


def test_a_missing_binary_is_told_before_anything_starts(cluster):
    cluster.environment["QUESTLOG_BINARY"] = str(cluster.folder / "nowhere")
    cluster.fails("up", "questlog", says=["nowhere is missing", "make"])


def test_one_command_at_a_time_starts_and_stops(cluster):
    cluster.state.mkdir()
    with open(cluster.state / "cluster.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cluster.fails("up", "questlog", says=["another cluster/up or cluster/down is at work here"])
        cluster.fails("down", says=["is at work here"])
        assert cluster.status()["questlog"]["state"] == "down"
    cluster.ok("up", "questlog")


def attended(cluster):
    process = cluster.start("up", "--foreground", "questlog", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_until(lambda: cluster.status()["questlog"]["state"] == "up", "questlog is up")
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_in_the_foreground_a_signal_stops_it(cluster, number):
    process = attended(cluster)
    events_of(cluster)
    said = ""
    while "/purchase_a_sword" not in said:
        said = process.stdout.readline()
        assert said, "the log is shown"
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert cluster.status()["questlog"]["state"] == "down"


def test_in_the_foreground_an_end_is_noticed(cluster):
    process = attended(cluster)
    os.kill(cluster.status()["questlog"]["pid"], signal.SIGKILL)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and "questlog ended by itself" in said


def test_in_the_foreground_a_signal_while_it_starts_stops_it(cluster):
    script = cluster.folder / "never-ready"
    script.write_text("#!/bin/sh\nexec sleep 600\n")
    script.chmod(0o755)
    cluster.environment["QUESTLOG_BINARY"] = str(script)
    process = cluster.start("up", "--foreground", "questlog", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: cluster.record("questlog").exists(), "it is started")
    assert cluster.status()["questlog"]["state"] == "starting"
    pid = cluster.status()["questlog"]["pid"]
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in said
    assert processes.start_time(pid) is None


def test_followed_logs_go_on_after_a_restart(cluster):
    cluster.ok("up", "questlog")
    follower = cluster.start("logs", "-f", "-n", "0", "questlog", stdout=subprocess.PIPE, text=True)
    try:
        cluster.ok("down")
        cluster.ok("up", "questlog")
        events_of(cluster)
        for wanted in ("questlog is running", "/purchase_a_sword"):
            while wanted not in follower.stdout.readline():
                assert follower.poll() is None
    finally:
        follower.kill()
        follower.communicate()
