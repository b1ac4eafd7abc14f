"""The log where the machine fails it: a full disk, no file descriptor left, a disk that fails."""

import contextlib
import os
import resource
import shutil
import subprocess
import time

import pytest
from load import Load
from questlog_process import Questlog
from segment import read_batches
from small_segments import SMALL_SEGMENTS
from waiting import wait_until


# --- full disk -------------------------------------------------------------------------------------------------------

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 12 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"\0" * 4096):
            pass


def post_until_refused(server, acked):
    """`acked`: offset -> number of the event that was acked there."""
    with server.wire() as wire:
        for number in range(1 + max(acked.values(), default=-1), 100_000):
            answer = wire.post("/events?receipt=1", {"event_type": "n", "number": number, "pad": "x" * 20_000})
            if answer.status != 200:
                return answer
            acked[answer.json()["offset"]] = number
    raise AssertionError("the disk is never full")


@pytest.mark.timeout(60)
def test_a_full_disk_is_503_and_the_log_takes_events_again_once_there_is_room(tmp_path, small_disk):
    questlog = Questlog(tmp_path / "q", data=small_disk / "data")
    questlog.write_config(SMALL_SEGMENTS)
    acked = {}
    with questlog.serve() as server:
        for _ in range(2):
            fill(small_disk / "ballast")
            refused = post_until_refused(server, acked)
            assert refused.status == 503 and "retry-after" in refused.headers and refused.text
            wait_until(lambda: server.get("/readyz").status == 503, "readiness says no")
            assert server.get("/healthz").status == 200
            (small_disk / "ballast").unlink()
            wait_until(lambda: server.get("/purchase_a_sword").status == 200, "the log takes events again", 10, poll_s=0.05)
            assert server.get("/readyz").status == 200
        assert server.stop() == 0
    kept = {offset: event["number"] for offset, event in enumerate(questlog.events()) if event["event_type"] == "n"}
    assert kept == acked and len(set(acked.values())) == len(acked)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("partitions", [1, 2])
def test_a_disk_is_used_to_its_last_bytes_and_a_full_one_refuses_at_once_closes_and_opens(tmp_path, small_disk, partitions):
    questlog = Questlog(tmp_path / "q", data=small_disk / "data")
    questlog.write_config(f"[log]\npartitions = {partitions}\n")  # segments of 64 MiB, on a disk of 12 MiB
    acked = set()

    def post(wire):
        number = len(acked)
        answer = wire.post("/events", {"event_type": "n", "number": number, "pad": "x" * 20_000})
        if answer.status == 200:
            acked.add(number)
        return answer

    def refused_in_a_row(wire, count):
        """Seconds of each, once that many were refused in a row: events of every partition."""
        times = []
        while len(times) < count:
            began = time.monotonic()
            answer = post(wire)
            times = [*times, time.monotonic() - began] if answer.status == 503 else []
        return times

    def assert_kept():
        assert sorted(event["number"] for event in questlog.events()) == sorted(acked)

    with questlog.serve() as server:
        with server.wire() as wire:
            times = refused_in_a_row(wire, 20)
        stored = sum(batch.size for partition in range(partitions)
                     for path in questlog.segments(partition=partition) for batch in read_batches(path))
        assert stored > 0.95 * 12 * 1024 * 1024, f"refused with {12 * 1024 * 1024 - stored} bytes unused"
        assert sorted(times)[10] < 0.05, times
        assert_kept()
        assert server.stop() == 0, "a log closes cleanly on a full disk"
    with questlog.serve() as server:  # and opens on it, without anything to recover
        assert "recovery" not in server.errors
        with server.wire() as wire:
            refused_in_a_row(wire, 5)
        server.kill()
    assert_kept()  # recovers, on a full disk too
    subprocess.run(["mount", "-o", "remount,size=24m", small_disk], check=True)
    with questlog.serve() as server:
        with server.wire() as wire:
            assert post(wire).status == 200
        assert server.stop() == 0
    assert_kept()
    assert questlog.ok("log", "inspect")


@pytest.mark.timeout(60)
def test_a_full_disk_at_a_batch_leaves_the_old_table_whole(tmp_path, small_disk):
    questlog = Questlog(tmp_path / "q")
    questlog.write_config(SMALL_SEGMENTS + f'[lake]\nroot = "{small_disk}/lake"\n')
    with questlog.serve() as server:
        server.get("/purchase_a_sword")
        assert server.stop() == 0
    questlog.ok("batch", "filtered_writes")
    table = small_disk / "lake" / "tmp" / "purchases"
    before = {path.name: path.read_bytes() for path in table.iterdir()}
    with questlog.serve() as server:
        server.get("/purchase_a_sword")
        assert server.stop() == 0
    fill(small_disk / "ballast")
    questlog.fails("batch", "filtered_writes", code=1, says=["purchases"])
    assert {path.name: path.read_bytes() for path in table.iterdir()} == before
    (small_disk / "ballast").unlink()
    questlog.ok("batch", "filtered_writes")
    assert questlog.value_of("SELECT count(*) FROM purchases", "--landed") == 2


# --- no file descriptor left -----------------------------------------------------------------------------------------

def test_connections_that_use_up_all_descriptors_never_end_the_log(questlog):
    questlog.write_config(SMALL_SEGMENTS)
    acked = 0
    with questlog.serve() as server:
        server.get("/")  # the first segment is there
        used = len(os.listdir(f"/proc/{server.pid}/fd"))
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
        with contextlib.ExitStack() as idle, server.wire() as wire:
            for _ in range(40):
                idle.enter_context(server.wire())
            wait_until(lambda: len(os.listdir(f"/proc/{server.pid}/fd")) == used + 20, "all descriptors are in use")
            for _ in range(200):  # over the first segment's end
                answer = wire.post("/events", {"event_type": "n", "pad": "x" * 20_000})
                if answer.status != 200:
                    break
                acked += 1
            assert answer.status == 503 and "ulimit -n" in answer.text and "retry-after" in answer.headers
        wait_until(lambda: server.get("/").status == 200, "the log takes events again")
        assert server.stop() == 0
    events = questlog.events()
    assert sum(event["event_type"] == "n" for event in events) == acked > 40


# --- failing disk ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("nth", [1, 2, 5])
def test_a_failed_fsync_ends_the_process_and_is_never_a_200(questlog, nth):
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    with questlog.serve() as server:
        before = server.get("/?receipt=1").json()["offset"]
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync",
             "-e", f"inject=fdatasync:error=EIO:when={nth}+", "-p", str(server.pid)], stderr=subprocess.PIPE)
        try:
            wait_until(lambda: "TracerPid:\t0" not in open(f"/proc/{server.pid}/status").read(), "strace is attached")
            with Load(server, connections=2) as load:
                assert server.wait(deadline_s=10) == 1
                load.finish()
        finally:
            tracer.kill()
            tracer.communicate()
    assert before == 0
    assert len(load.acked) < 2 * nth, "an event was acked although its fsync failed"
    assert "sync" in server.errors.lower()
    with questlog.serve() as server:
        assert server.get("/").status == 200
    events = questlog.events()
    for (connection, number), offset in load.acked.items():
        assert events[offset] == {"event_type": "load", "connection": connection, "number": number}
