"""What HDFS fails at, on the real one: a clear error, nothing half-visible, the next run completes, each event once."""

import json
import os
import subprocess

import pytest
from cluster_commands import Cluster
from hdfs_lake import START_S, Hdfs, event, running, settled
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 240)
JOB = """
[[job]]
name = "all"
[[job.output]]
path = "all_events"
where = "n IS NOT NULL"
[landing]
enabled = false
"""
SOME = 300
BACK_S = 90


@pytest.fixture
def lake(hdfs, tmp_path):
    return made(hdfs, tmp_path)


def made(hdfs, tmp_path):
    """With a table of the first events, and as many that are not in it."""
    lake = hdfs.lake(tmp_path / "lake", more=JOB)
    collect(lake, 0)
    lake.ok("batch", "all")
    lake.ok("land", "--once")
    collect(lake, SOME)
    return lake


def collect(lake, first, **more):
    with lake.serve() as server:
        server.send_events([event(n, **more) for n in range(first, first + SOME)])
        assert server.stop() == 0


def landed(lake):
    return lake.value_of("SELECT count(*) AS n FROM all_events", "--landed"), lake.value_of("SELECT count(*) AS n FROM sword", "--landed")


def fail_and_complete(lake, says, mend, code=1):
    before = landed(lake) if lake.hdfs.list(lake.path) else None
    for command in (("batch", "all"), ("land", "--once")):
        refused = lake.fails(*command, code=code, says=says)
        assert "another job" not in refused.err and "another process" not in refused.err, refused  # nobody else has a lock
    mend()
    assert before in (None, landed(lake)), "something is half-visible"
    complete(lake)


def complete(lake, count=2 * SOME):
    lake.ok("batch", "all")
    lake.ok("land", "--once")
    settled(lake, count)
    assert landed(lake) == (count, count // 3)
    lake.ok("verify", deadline_s=120)


def test_safe_mode(hdfs, lake):
    hdfs.tool("dfsadmin", "-safemode", "enter")
    try:
        assert landed(lake) == (SOME, SOME // 3)
        fail_and_complete(lake, ["safe mode", hdfs.webhdfs], lambda: hdfs.tool("dfsadmin", "-safemode", "leave"))
    finally:
        hdfs.tool("dfsadmin", "-safemode", "leave")


def test_quotas(hdfs, lake):
    hdfs.tool("dfsadmin", "-setSpaceQuota", "1m", lake.path)
    fail_and_complete(lake, ["quota"], lambda: hdfs.tool("dfsadmin", "-clrSpaceQuota", lake.path))
    collect(lake, 2 * SOME)
    hdfs.tool("dfsadmin", "-setQuota", "1", lake.path)
    for command in (("batch", "all"), ("land", "--once")):
        lake.fails(*command, code=1, says=["quota"])
    hdfs.tool("dfsadmin", "-clrQuota", lake.path)
    complete(lake, 3 * SOME)


def test_what_the_user_may_not_do(hdfs, lake):
    ours = lake.config.read_text()
    hdfs.call("PUT", lake.path, "SETPERMISSION", permission="755")
    lake.write_config(ours.replace(f'user = "{hdfs.owner}"', 'user = "alice"'))
    assert landed(lake) == (SOME, SOME // 3)
    fail_and_complete(lake, ["user alice", lake.path], lambda: lake.write_config(ours), code=2)


def test_no_namenode(hdfs, lake):
    hdfs.cluster.ok("down", "namenode")
    for command in (("batch", "all"), ("sql", "SELECT count(*) FROM all_events")):
        lake.fails(*command, code=1, says=[f"http://{hdfs.webhdfs}", "[lake]"])
    hdfs.up()
    complete(lake)


def test_a_killed_datanode(hdfs, lake):
    hdfs.kill("datanode")
    for command in (("batch", "all"), ("land", "--once")):
        lake.fails(*command, code=1, says=["DataNode"])
    hdfs.up()
    wait_until(hdfs.takes_files, "the DataNode has reported", BACK_S)
    assert landed(lake) == (SOME, SOME // 3)
    complete(lake)


def test_a_datanode_killed_in_the_midst_of_a_file(hdfs, lake):
    big = [event(n, noise="".join(f"{n * k:x}" for k in range(1, 500, 7))) for n in range(2 * SOME, 2 * SOME + 30_000)]
    with lake.serve() as server:
        server.send_events(big)
        assert server.stop() == 0
    count = 2 * SOME + len(big)
    with running(lake.start("batch", "all")) as batch:
        def staged():
            return batch.poll() is not None or any(name for name in hdfs.list(f"{lake.path}/.staging/all_events"))
        wait_until(staged, "the file is on its way", 60, poll_s=0.001)
        hdfs.kill("datanode")
        batch.wait(90)
        said = batch.stderr.read().decode()
    assert batch.returncode in (0, 1), said
    assert batch.returncode == 0 or "DataNode" in said, said
    hdfs.up()
    wait_until(hdfs.takes_files, "the DataNode has reported", BACK_S)
    assert landed(lake)[0] in (SOME, count)
    complete(lake, count)
    assert not [name for name in hdfs.list(f"{lake.path}/.staging/all_events")]


def test_a_namenode_that_restarts_under_a_server(hdfs, tmp_path):
    lake = hdfs.lake(tmp_path / "served", more="[landing]\ncut_ms = 200\n")
    with lake.serve() as server:
        server.send_events([event(n) for n in range(SOME)])
        wait_until(lambda: sum(row["landed"] for row in lake.sql("SELECT * FROM ledger")) > 0, "something is landed", 60)
        hdfs.kill("namenode")
        server.send_events([event(n) for n in range(SOME, 2 * SOME)])  # collecting does not depend on it
        hdfs.up()
        server.send_events([event(n) for n in range(2 * SOME, 3 * SOME)])
        wait_until(lambda: sum(row["landed"] for row in lake.sql("SELECT * FROM ledger")) == 3 * SOME, "all are landed", BACK_S, poll_s=0.5)
        assert server.stop() == 0
    settled(lake, 3 * SOME)


@pytest.fixture
def small_datanode(tmp_path):
    """An HDFS whose DataNode's disk is a small file system; and the ballast that leaves no room for another block: a
    DataNode takes none where a gigabyte beside it would not stay free."""
    (tmp_path / "small").mkdir()
    cluster = Cluster(tmp_path / "small")
    cluster.ok("up", "namenode", deadline_s=START_S)
    folder = cluster.state / "data" / "datanode"
    folder.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1600m", "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        cluster.run("down", deadline_s=120)
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.decode().strip()}")
    try:
        hdfs = Hdfs(cluster)
        hdfs.up()
        yield hdfs, folder / "ballast"
    finally:
        cluster.run("down", deadline_s=120)
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk(small_datanode, tmp_path):
    hdfs, ballast = small_datanode
    lake = made(hdfs, tmp_path)

    def remaining():
        return json.loads(hdfs.call("GET", "/", "GETSTATUS"))["FsStatus"]["remaining"]

    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 600 << 20)
    wait_until(lambda: remaining() < 1100 << 20, "the DataNode has told", BACK_S, poll_s=0.2)

    def make_room():
        ballast.unlink()
        wait_until(lambda: remaining() > 1400 << 20, "the DataNode has told", BACK_S, poll_s=0.2)
    fail_and_complete(lake, ["DataNode", "full"], make_room)
