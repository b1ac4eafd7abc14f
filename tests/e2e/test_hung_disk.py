"""A disk that hangs in the midst of a commit: nobody waits for it whose events do not."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pytest
from load import Load
from questlog_process import Questlog
from waiting import wait_until
from wire import Closed, request_bytes

pytestmark = [pytest.mark.timeout(120), pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")]


MEMORY = "/dev/shm"
SETTLED = 50


@pytest.fixture
def questlog(tmp_path):
    """In memory where that is possible: no sync takes long there but one that hangs."""
    has_room = os.path.isdir(MEMORY) and shutil.disk_usage(MEMORY).free > 256 * 1024 * 1024
    with tempfile.TemporaryDirectory(dir=MEMORY if has_room else tmp_path) as folder:
        yield Questlog(tmp_path, data=f"{folder}/data")


@contextlib.contextmanager
def settled(questlog):
    """A server whose disk has been fast: commits run on its io thread, and not beside it."""
    with questlog.serve() as server, server.wire() as wire:
        for _ in range(SETTLED):
            assert wire.get("/").status == 200
        yield server


@contextlib.contextmanager
def hung(server, call="fdatasync"):
    """No such call of the server gets to the disk until the block is left. Then those that hang do."""
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:delay_enter=600s",
         "-p", str(server.pid)], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: "0" not in of_each_thread(server, "TracerPid"), "strace is attached")
        yield
    finally:
        tracer.kill()
        tracer.communicate()


def of_each_thread(server, name):
    values = []
    for thread in os.listdir(f"/proc/{server.pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{server.pid}/task/{thread}/status") as status:
            values += [line.split()[1] for line in status if line.startswith(f"{name}:")]
    return values


def end_by(server, number):
    """Its exit code is wait()'s after the disk is no longer hung: a traced thread that hangs stays until then."""
    server.process.send_signal(number)
    wait_until(lambda: set(of_each_thread(server, "State")) <= set("tZX"), "no thread runs on")


class Asked:
    """Events that were sent on a connection of their own. `answer` once it is there; None where the server just closed."""

    def __init__(self, server, *events):
        self.events = events
        self.answer = None
        self._wire = server.wire(timeout_s=60)
        body = "\n".join(json.dumps(event) for event in events)
        self._wire.send(request_bytes("POST", "/events?receipt=1", self._wire.host, body))
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def _wait(self):
        with self._wire, contextlib.suppress(Closed):
            self.answer = self._wire.answer()

    @property
    def waits(self):
        return self._thread.is_alive()

    def result(self):
        self._thread.join(60)
        assert not self.waits, "neither answered nor closed"
        return self.answer


def number(value, pad=""):
    return {"event_type": "n", "number": value, "pad": pad}


def assert_lives(server, wire=None):
    """It answers within a second."""
    began = time.monotonic()
    answer = wire.get("/healthz") if wire else server.get("/healthz")
    assert answer.status == 200
    assert time.monotonic() - began < 1


def assert_refused(answer, reason):
    assert answer.status == 503 and answer.headers["retry-after"] == "1"
    assert reason in answer.json()["error"]


def assert_kept(questlog, numbers):
    assert [event["number"] for event in questlog.events() if event["event_type"] == "n"] == numbers


@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_all_others_are_served_while_a_commit_hangs(questlog, call):
    with settled(questlog) as server, server.wire() as kept:
        assert kept.post("/events", number(0)).status == 200
        for round in range(1, 4):
            half = request_bytes("GET", "/metrics", kept.host)
            with server.wire() as slow:
                slow.send(half[:20])
                with hung(server, call):
                    waiting = Asked(server, number(round))
                    for _ in range(10):
                        assert_lives(server)
                        assert_lives(server, kept)
                    slow.send(half[20:])
                    assert slow.answer().status == 200
                    assert waiting.waits, "answered before it was on the disk"
            assert waiting.result().json()["offset"] == SETTLED + round
        assert kept.post("/events", number(4)).status == 200
        assert server.stop() == 0
    assert_kept(questlog, [0, 1, 2, 3, 4])


def test_what_is_more_than_may_wait_is_refused_while_a_commit_hangs(questlog):
    questlog.write_config("[limits]\ncommit_wait_ms = 60000\n")
    with settled(questlog) as server:
        with hung(server):
            asked = [Asked(server, number(0))]
            assert_lives(server)
            while all(one.waits for one in asked):
                assert len(asked) < 40, "queued without bound"
                first = 30 * len(asked)
                asked.append(Asked(server, *(number(value, "x" * 30_000) for value in range(first, first + 30))))
                assert_lives(server)
        accepted = [one for one in asked if one.result().status == 200]
        assert len(accepted) > 10
        for one in asked:
            if one not in accepted:
                assert_refused(one.answer, "too many events wait for the disk")
        assert server.stop() == 0
    assert sorted(event["number"] for event in questlog.events() if event["event_type"] == "n") == [
        event["number"] for one in accepted for event in one.events]


def test_no_answer_waits_longer_than_the_limit_for_a_commit_that_hangs(questlog):
    questlog.write_config("[limits]\ncommit_wait_ms = 500\n")
    with settled(questlog) as server:
        assert server.post("/events", number(0)).status == 200
        with hung(server):
            waiting = Asked(server, number(1))
            assert_refused(waiting.result(), "the disk has not answered for 500 ms")
            assert_refused(server.post("/events", number(2)), "the disk does not answer")
            assert server.get("/readyz").status == 503
            assert_lives(server)
            assert "\nquestlog_events_undecided_total 1\n" in server.get("/metrics").text
        wait_until(lambda: server.get("/readyz").status == 200, "the log takes events again")
        assert server.post("/events?receipt=1", number(3)).json()["offset"] == SETTLED + 2
        assert server.stop() == 0
    assert_kept(questlog, [0, 1, 3])  # what was said of 1 is that it is not known


def test_a_stop_waits_for_a_commit_that_hangs_and_gives_its_answers(questlog):
    with settled(questlog) as server:
        with hung(server):
            waiting = Asked(server, number(0))
            assert_lives(server)
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not takes_connections(server), "the server takes no more connections")
            assert waiting.waits and server.process.poll() is None
        assert waiting.result().status == 200
        assert server.wait() == 0
        assert "the disk has not answered" not in server.errors
    assert_kept(questlog, [0])


def takes_connections(server):
    try:
        server.wire().close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("then", ["the disk answers", "a second signal"])
def test_a_stop_that_finds_the_disk_hung_says_so_and_ends_with_it_or_by_a_second_signal(questlog, then):
    questlog.write_config("[limits]\ncommit_wait_ms = 500\n")
    with settled(questlog) as server:
        assert server.post("/events", number(0)).status == 200
        with hung(server):
            waiting = Asked(server, number(1))
            server.process.send_signal(signal.SIGTERM)
            assert_refused(waiting.result(), "the disk has not answered for 500 ms")
            wait_until(lambda: "it is waited for" in server.errors, "it says what it waits for")
            assert server.process.poll() is None
            if then == "a second signal":
                end_by(server, signal.SIGTERM)
        assert server.wait() == (0 if then == "the disk answers" else -signal.SIGTERM)
        assert ("stopped: every accepted event is on disk" in server.errors) == (then == "the disk answers")
    with questlog.serve() as server:
        assert server.post("/events", number(2)).status == 200
    assert_kept(questlog, [0, 1, 2])


def test_nothing_acknowledged_is_lost_through_hangs_and_a_kill_in_one(questlog):
    with questlog.serve() as server, Load(server) as load:
        for _ in range(3):
            load.wait_for_acks(len(load.acked) + 100)
            with hung(server):
                for _ in range(10):
                    assert_lives(server)
        load.wait_for_acks(len(load.acked) + 100)
        with hung(server):
            assert_lives(server)
            end_by(server, signal.SIGKILL)
        assert server.wait() == -signal.SIGKILL
    with questlog.serve() as server:
        assert_lives(server)
    load.assert_kept(questlog)
