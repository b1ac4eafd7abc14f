"""What was started is known by pid and start time: nothing else is ever reported, or killed."""

import json
import os
import signal
import subprocess
import sys

import pytest
from questlog_cluster import processes
from waiting import wait_until

IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def test_a_process_is_recorded_and_stopped(tmp_path):
    record = tmp_path / "run" / "sleeper.json"
    process = processes.start(["sleep", "600"], tmp_path / "sleeper.log", record, os.environ, tmp_path)
    identity = processes.recorded(record)
    assert identity.pid == process.pid and os.getsid(process.pid) == process.pid
    assert processes.stop(identity, 10)
    assert process.wait(10) == -signal.SIGTERM
    assert processes.recorded(record) is None


def test_what_ignores_sigterm_is_killed():
    process = subprocess.Popen([sys.executable, "-c", IGNORES_SIGTERM], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"\n"
    assert processes.stop(processes.identify(process.pid), 0.1) is False
    assert process.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}])
def test_a_reused_pid_is_another_process(tmp_path, sleeper, change):
    identity = processes.identify(sleeper.pid)
    stale = processes.Identity(**{**vars(identity), **change})
    record = tmp_path / "record.json"
    record.write_text(json.dumps(vars(stale)))
    assert processes.recorded(record) is None
    assert processes.stop(stale, 10)
    assert sleeper.poll() is None


def test_what_has_ended_is_not_alive():
    process = subprocess.Popen(["true"])
    identity = processes.identify(process.pid)
    wait_until(lambda: processes.start_time(process.pid) is None, "only the exit code is left")
    assert not processes.is_alive(identity)
    assert not processes.is_alive(processes.identify(process.pid))
    process.wait()
    assert not processes.is_alive(identity)
    assert processes.stop(identity, 10)


def test_down_leaves_a_reused_pid_alone(cluster, sleeper):
    cluster.ok("up", "questlog")
    record = cluster.record("questlog")
    theirs = json.loads(record.read_text())
    record.write_text(json.dumps({**theirs, "pid": sleeper.pid}))
    try:
        assert cluster.status()["questlog"] == {"address": cluster.address("questlog"), "pid": None, "state": "down"}
        cluster.ok("down", "questlog")
        assert sleeper.poll() is None
    finally:
        assert processes.stop(processes.Identity(**theirs), 10)
