"""Tables on the real HDFS: the same answers and bytes as on a local disk, one writer at a time, each event once."""

import json
import os
import re
import signal

import pytest
from counting_proxy import CountingProxy
from hdfs_lake import START_S, event, running, settled
from questlog_process import Questlog
from segment import write_partition
from waiting import repeating, wait_until

pytestmark = pytest.mark.timeout(START_S + 240)
QUIET = "[landing]\nenabled = false\n"
JOB = """
[[job]]
name = "all"
[[job.output]]
path = "tmp/all_events"
where = "n IS NOT NULL"
"""
MANY = 3_000
DAY_MS = 86_400_000


@pytest.fixture
def collected(tmp_path):
    """A data folder with a log: half of it reference calls, half events."""
    questlog = Questlog(tmp_path / "collector", data=tmp_path / "data")
    questlog.write_config(QUIET)
    with questlog.serve() as server:
        for host in ("user1.comcast.com", "user2.att.com"):
            for path in ("/purchase_a_sword", "/purchase_a_knife", "/join_guild", "/"):
                server.get(path, headers={"Host": host})
        server.send_events([event(n) for n in range(MANY)])
        assert server.stop() == 0
    return questlog


def pair(hdfs, collected, tmp_path, more=JOB):
    """The same log with a lake on the machine, and one on HDFS."""
    local = Questlog(tmp_path / "local", data=collected.data)
    local.write_config(f'{more}\n[lake]\nroot = "{tmp_path}/lake"\n')
    return local, hdfs.lake(tmp_path / "remote", data=collected.data, more=more)


def local_tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without_names(tree):
    """Snapshots' files have random names."""
    return sorted((re.sub(r"part-00000-[0-9a-f-]+-c000", "part", path), content) for path, content in tree.items())


def test_commands_print_and_write_what_they_do_on_a_local_lake(hdfs, collected, tmp_path):
    local, remote = pair(hdfs, collected, tmp_path)
    for args in (("batch", "all"), ("batch", "separate_events"), ("batch", "all"), ("land", "--once"),
                 ("sql", "SELECT * FROM all_events ORDER BY n"), ("sql", "SELECT n, name FROM sword ORDER BY n", "--landed"),
                 ("sql", "SELECT * FROM ledger"), ("show", "sword_purchases"), ("schema", "raid_x20_boss"),
                 ("schema", "sword_purchases"), ("schema", "sword", "--history"), ("verify",)):
        here, there = local.run(*args, deadline_s=120), remote.run(*args, deadline_s=120)
        assert (here.code, there.code) == (0, 0), f"{here}\n{there}"
        assert timeless(there.out.replace(remote.root, "LAKE")) == timeless(here.out.replace(f"{tmp_path}/lake", "LAKE")), args
    settled(remote, MANY + 8)
    for folder in ("tmp", "events"):
        here = {f"{folder}/{path}": content for path, content in local_tree(tmp_path / "lake" / folder).items()
                if "_delta_log" not in path}
        there = {f"{folder}/{path}": content for path, content in remote.tree(f"/{folder}").items() if "_delta_log" not in path}
        assert len(here) > 3 and without_names(there) == without_names(here)


def timeless(text):
    return re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?", "TIME", text)


def test_a_table_is_made_anew_and_its_readers_see_one_of_the_two(hdfs, collected, tmp_path):
    _, remote = pair(hdfs, collected, tmp_path)
    remote.ok("land", "--once")
    counts = []
    with repeating(lambda: counts.append(remote.value_of("SELECT count(*) AS n FROM sword"))):
        remote.ok("rebuild", "sword", deadline_s=120)
        wait_until(lambda: len(counts) > 3, "queries ran beside it", 60)
    assert set(counts) == {MANY // 3}
    assert all("-g1.parquet" in path for path in remote.tree("/events/sword") if path.endswith(".parquet"))
    settled(remote, MANY + 8)


def test_a_snapshot_is_replaced_under_readers(hdfs, collected, tmp_path):
    _, remote = pair(hdfs, collected, tmp_path)
    remote.ok("batch", "all")
    counts = []
    with repeating(lambda: counts.append(remote.value_of("SELECT count(*) AS n FROM all_events", "--landed"))):
        for _ in range(6):
            remote.ok("batch", "all")
        wait_until(lambda: len(counts) > 5, "queries ran beside it", 60)
    assert set(counts) == {MANY}


def test_a_second_writer_is_refused_by_name(hdfs, collected, tmp_path):
    _, remote = pair(hdfs, collected, tmp_path)
    remote.ok("land", "--once")
    locks = [name for name in remote.list("/.locks") if name.startswith("landing-")]
    held = f"{locks[-1].rpartition('.')[0]}.{int(locks[-1].rpartition('.')[2]) + 1:012}"
    hdfs.put(f"{remote.path}/.locks/{held}", b"host=far\npid=77\ncommand=questlog\nmachine=another/1\nstarted=5\n")
    with collected.serve() as server:
        server.send_events([event(MANY)])
        assert server.stop() == 0
    remote.fails("land", "--once", code=1, says=["is locked by process 77 (questlog) on far"])
    hdfs.call("PUT", f"{remote.path}/.locks/{held}", "SETTIMES", modificationtime=0, accesstime=-1)  # as its holder frees it
    remote.ok("land", "--once")
    settled(remote, MANY + 9)


def test_a_killed_lander_is_followed_at_once_and_nothing_is_doubled(hdfs, collected, tmp_path):
    _, remote = pair(hdfs, collected, tmp_path, more="[landing]\nenabled = false\ncut_bytes = 65536\n")
    kills = 0
    for _ in range(6):
        known = set(remote.tree("/events"))
        with running(remote.start("land", "--once")) as lander:
            wait_until(lambda: lander.poll() is not None or set(remote.tree("/events")) - known, "something has landed", 60)
            if lander.poll() is None:
                os.kill(lander.pid, signal.SIGKILL)
                kills += 1
    assert kills > 1
    remote.ok("land", "--once", deadline_s=50)  # a lease that had to become stale would take a minute
    settled(remote, MANY + 8)
    assert sorted(row["n"] for row in remote.sql("SELECT n FROM sword", "--landed")) == list(range(0, MANY, 3))
    remote.ok("verify", deadline_s=120)


def test_two_landers_at_once_land_each_event_once(hdfs, collected, tmp_path):
    _, remote = pair(hdfs, collected, tmp_path, more="[landing]\nenabled = false\ncut_bytes = 65536\n")
    with running(remote.start("land", "--once")) as one, running(remote.start("land", "--once")) as other:
        codes = [process.wait(120) for process in (one, other)]
    assert 0 in codes
    remote.ok("land", "--once")
    settled(remote, MANY + 8)
    assert sorted(row["n"] for row in remote.sql("SELECT n FROM default_event", "--landed") if row["n"] is not None) == list(range(2, MANY, 3))


def test_a_server_lands_there_and_answers_when_it_has(hdfs, tmp_path):
    remote = hdfs.lake(tmp_path / "served", more="[landing]\ncut_ms = 200\n")
    with remote.serve() as server:
        assert server.post("/events?wait=landed", event(0)).status == 200
        assert remote.value_of("SELECT count(*) AS n FROM sword", "--landed") == 1
        server.send_events([event(n) for n in range(1, 100)])
        wait_until(lambda: sum(row["landed"] for row in remote.sql("SELECT * FROM ledger")) == 100, "all are landed", 60)
        assert server.stop() == 0
    settled(remote, 100)


def test_how_often_hdfs_is_asked(hdfs, collected, tmp_path):
    """Bounds, so that a query does not come to ask for each file. What each is for: docs/benchmarks.md."""
    _, remote = pair(hdfs, collected, tmp_path)
    with CountingProxy(hdfs.webhdfs) as proxy:
        remote.write_config(remote.config.read_text().replace(hdfs.webhdfs, proxy.address))
        counts = {
            "batch": proxy.count(lambda: remote.ok("batch", "all")),
            "first cut": proxy.count(lambda: remote.ok("land", "--once")),
            "snapshot": proxy.count(lambda: remote.ok("sql", "SELECT count(*) FROM all_events")),
            "continuous": proxy.count(lambda: remote.ok("sql", "SELECT count(*) FROM sword")),
        }
        for n in range(5):
            with collected.serve() as server:
                server.send_events([event(3 * n)])
                assert server.stop() == 0
            counts["cut of one table"] = proxy.count(lambda: remote.ok("land", "--once"))
        proxy.count(lambda: remote.ok("sql", "SELECT count(*) FROM sword"))
        counts["continuous, six commits"] = proxy.count(lambda: remote.ok("sql", "SELECT count(*) FROM sword"))
    print(counts)
    bounds = {"batch": 50, "first cut": 150, "snapshot": 15, "continuous": 15, "cut of one table": 60, "continuous, six commits": 15}
    assert all(counts[name][0] <= bound for name, bound in bounds.items()), counts


def test_a_query_asks_once_for_each_day(hdfs, tmp_path):
    """It does not grow with the files of a day. Why it is not less: docs/decisions/0019-hdfs.md."""
    days, files_a_day = 10, 2
    remote = hdfs.lake(tmp_path, more=QUIET)
    with remote.serve() as server:
        assert server.stop() == 0
    times = [DAY_MS * (20_000 + day) + DAY_MS // 2 * half for day in range(days) for half in range(files_a_day)]
    write_partition(remote, [[(time, json.dumps(event(0)), None)] for time in times])
    remote.ok("land", "--once", deadline_s=180)
    assert sum(path.endswith(".parquet") for path in remote.tree("/events/sword")) == days * files_a_day
    with CountingProxy(hdfs.webhdfs) as proxy:
        remote.write_config(remote.config.read_text().replace(hdfs.webhdfs, proxy.address))
        counts = [proxy.count(lambda: remote.ok("sql", "SELECT count(*) FROM sword")) for _ in range(2)]
    print(counts)
    assert days <= counts[1][1]["LISTSTATUS"] <= days + 5, counts
    assert counts[1][0] <= days + 15, counts


def test_ls_prints_what_hdfs_prints(hdfs, collected, tmp_path):
    _, remote = pair(hdfs, collected, tmp_path)
    remote.ok("batch", "all")
    remote.ok("land", "--once")
    for path in (remote.root, f"{remote.path}/tmp/", f"{remote.path}/tmp/all_events", f"{remote.path}/tmp/all_events/_SUCCESS"):
        assert utc(remote.ok("ls", path)) == utc(hdfs.tool("dfs", "-ls", path))
    assert utc(remote.ok("ls", "-R", "-h", f"{remote.path}/events")) == utc(hdfs.tool("dfs", "-ls", "-R", "-h", f"{remote.path}/events"))
    assert [line.split()[-1] for line in remote.ok("ls", "tmp").splitlines()[1:]] == ["tmp/all_events"]
    remote.fails("ls", f"{remote.path}/none", code=1, says=["No such file or directory"])


def utc(listing):
    """Hadoop's are in the time zone of the machine."""
    return re.sub(r" \d{4}-\d\d-\d\d \d\d:\d\d ", " TIME ", listing)
