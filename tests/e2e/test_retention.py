"""Old segments expire, while serving and by hand; never what a table has not landed, unless that is wanted."""

import json
import re
import subprocess

from small_segments import numbered
from waiting import wait_until

SEGMENT = 1048576
JOB = """
[[job]]
name = "numbers"

[[job.output]]
path = "tmp/numbers"
where = "event_type = 'n'"
show = false
"""


def config(limits, jobs=JOB, landing="enabled = false"):
    return f"[log]\nsegment_bytes = {SEGMENT}\nretention_check_ms = 100\n{limits}\n[landing]\n{landing}\n{jobs}"


def fill(server, start=0, count=20_000):
    """Some six MiB."""
    for first in range(start, start + count, 1_000):
        server.send_events(numbered(1_000, 250, first))


def partition(questlog):
    return questlog.status()["topics"][0]["partitions"][0]


def numbers(questlog):
    table, = [table for table in questlog.tables() if table["name"] == "numbers"]
    assert table["balanced"], table
    return table


def log_bytes(questlog):
    return sum(path.stat().st_size for path in questlog.segments())


def test_a_table_that_was_never_landed_keeps_everything_and_is_named_once(questlog):
    questlog.write_config(config("retention_bytes = 0"))
    with questlog.serve() as server:
        fill(server)
        warned = "table numbers was never landed, which keeps offsets 0.."
        wait_until(lambda: warned in server.errors, "the table is named")
        metrics = server.get("/metrics").body.decode()
        assert float(re.search(r"^questlog_retention_kept_bytes (\S+)$", metrics, re.MULTILINE)[1]) >= SEGMENT
        topic = questlog.status()["topics"][0]
        kept, = topic["kept"]
        assert kept["table"] == "numbers" and kept["from"] == 0 and topic["partitions"][0]["start"] == 0
        assert "questlog batch numbers" in questlog.ok("status")
        assert len(questlog.values()) == 20_000
        before = log_bytes(questlog)
        server.send_events(numbered(1, 10, 20_000))
        # The job lands them; then they go by themselves, without traffic.
        questlog.ok("batch", "numbers")
        wait_until(lambda: log_bytes(questlog) < before / 2, "the landed segments expire")
        assert server.errors.count(warned) == 1
        assert server.stop() == 0
    assert numbers(questlog)["landed"] == 20_001 and numbers(questlog)["expired"] == 0
    assert numbers(questlog)["accepted"] == 20_001


def test_trimmed_while_serving_everything_goes_on(questlog):
    questlog.write_config(config("retention_bytes = 2097152"))
    with questlog.serve() as server:
        fill(server)
        questlog.ok("batch", "numbers")
        start = wait_until(lambda: partition(questlog)["start"], "the first segments expire")
        server.send_events(numbered(500, 250, 20_000))
        assert questlog.value_of("SELECT count(*) FROM numbers") == 20_500
        assert questlog.value_of("SELECT sum(n) FROM numbers") == 20_500 * 20_499 // 2
        assert log_bytes(questlog) >= 2097152
        offsets = questlog.ok("tail", "-o", "beginning", "-e", "-q", "-f", "%o\\n").split()
        assert offsets == [str(offset) for offset in range(int(offsets[0]), 20_500)] and int(offsets[0]) >= start
        assert questlog.ok("tail", "-o", "0", "-c", "1", "-q", "-f", "%o\\n").split() == [offsets[0]]
        assert questlog.ok("tail", "-o", "s@0", "-c", "1", "-q", "-f", "%o\\n").split() == [offsets[0]]
        assert json.loads(questlog.ok("log", "verify", "--json"))["sound"]
        assert f"begins at offset {offsets[0]}" in questlog.ok("log", "inspect")
        server.kill()
    with questlog.serve() as server:
        assert questlog.value_of("SELECT count(*) FROM numbers") == 20_500
        assert server.stop() == 0
    assert numbers(questlog)["landed"] == 20_000 and numbers(questlog)["pending"] == 500
    # A snapshot is made anew from the log: what it would lose is told, and lost only when that is wanted.
    refused = questlog.fails("batch", "numbers", code=2, says=["the log now begins at", "--force"])
    assert "would be lost" in refused.err
    assert numbers(questlog)["landed"] == 20_000
    forced = questlog.run("batch", "numbers", "--force")
    assert forced.code == 0 and "replaced by --force, although" in forced.err and "begins at offset" in forced.err
    table = numbers(questlog)
    assert table["expired"] == int(offsets[0]) and table["landed"] == 20_500 - int(offsets[0])


def test_a_second_process_that_tails_is_not_disturbed_by_what_it_has_read(questlog, tmp_path):
    questlog.write_config(config("retention_bytes = 0"))
    with questlog.serve() as server, open(tmp_path / "tailed", "wb+") as tailed:
        follower = questlog.start("tail", "-o", "beginning", "-q", "-f", "%o\\n", stdout=tailed,
                                  stderr=subprocess.DEVNULL)
        try:
            fill(server)
            wait_until(lambda: (tmp_path / "tailed").read_bytes().endswith(b"\n19999\n"), "it has followed")
            questlog.ok("batch", "numbers")
            wait_until(lambda: partition(questlog)["start"] > 0, "the first segments expire")
            fill(server, 20_000, 1_000)
            wait_until(lambda: (tmp_path / "tailed").read_bytes().endswith(b"\n20999\n"), "it follows still")
            assert follower.poll() is None
        finally:
            follower.terminate()
            follower.wait()
        offsets = (tmp_path / "tailed").read_text().split()
        assert offsets == [str(offset) for offset in range(21_000)]
        assert server.stop() == 0


def test_age_expires_segments_without_traffic_and_force_counts_the_loss(questlog):
    questlog.write_config(config(""))
    with questlog.serve() as server:
        fill(server)
        assert server.stop() == 0
    questlog.write_config(config("retention_ms = 1\nretention_force = true"))
    with questlog.serve() as server:
        wait_until(lambda: len(questlog.segments()) == 1, "all but the last expire")
        wait_until(lambda: "events of partition 0 have expired before table numbers landed them" in server.errors,
                   "the loss is told")
        metrics = server.get("/metrics").body.decode()
        assert server.stop() == 0
    start = partition(questlog)["start"]
    assert re.search(rf"^questlog_retention_removed_events_total {start}(\.0)?$", metrics, re.MULTILINE), metrics
    table = numbers(questlog)
    assert table["expired"] == start > 0 and table["pending"] == 20_000 - start and table["accepted"] == 20_000
    assert f"numbers: {start} events expired that no file of it has" in questlog.ok("status")
    counted = questlog.run("sql", "SELECT count(*) FROM numbers", "--format", "csv")
    assert str(20_000 - start) in counted.out and f"{start} events expired before they were landed" in counted.err
    assert questlog.run("status").code == 0, "a loss that was wanted is no fault"


def test_by_hand_without_a_server(questlog):
    questlog.write_config(config("retention_bytes = 1048576"))
    with questlog.serve() as server:
        fill(server)
        questlog.fails("log", "trim", code=1, says=["A server trims its log by itself"])
        assert "would begin at offset 0" in questlog.ok("log", "trim", "--dry-run"), "also beside a server"
        assert server.stop() == 0
    before = questlog.segments()
    done = questlog.ok("log", "trim")
    assert "0 segments, 0 events, 0 bytes expired; it begins at offset 0" in done
    assert "table numbers was never landed" in done and "`questlog batch numbers` lands it" in done
    questlog.ok("batch", "numbers")
    dry = questlog.ok("log", "trim", "--dry-run")
    assert "nothing was changed" in dry and questlog.segments() == before
    done = questlog.ok("log", "trim", "--topic", "game-events")
    gone = [path for path in before if path not in questlog.segments()]
    assert gone and all(f"segment {path.name} expired" in done for path in gone)
    start = partition(questlog)["start"]
    assert questlog.segments()[0].name == f"{start:020}.log" and f"it begins at offset {start}" in done
    assert questlog.value_of("SELECT count(*) FROM numbers") == 20_000
    # Below the start nothing is missing; at the start everything is.
    assert questlog.run("status").code == 0
    aside = questlog.folder / "aside"
    questlog.segments()[0].rename(aside)
    questlog.fails("log", "verify", code=1, says=["is damaged"])
    assert f"{start:020}.log is missing" in questlog.run("status").out
    aside.rename(questlog.data / "log" / "game-events-0" / f"{start:020}.log")
    assert questlog.ok("log", "verify").splitlines()[-2:] == [f"{start} offsets before them have expired", "sound"]


def test_the_topics_own_configs_go_first(questlog):
    questlog.write_config(config("retention_bytes = 0"))
    questlog.ok("topic", "create", "--topic", "game-events", "--config", f"segment.bytes={SEGMENT}", "--config",
                "retention.bytes=-1")
    assert "there is no limit, so nothing expires" in questlog.ok("log", "trim")
    done = questlog.fails("topic", "create", "--topic", "other", "--config", "retention.ms=soon", code=1)
    assert "retention.ms=soon" in done.err


def test_the_reference_games_tables_count_where_no_others_are_declared(questlog):
    questlog.write_config(config("retention_bytes = 0", jobs=""))
    with questlog.serve() as server:
        fill(server, count=5_000)
        wait_until(lambda: re.search("table (sword_purchases|default_hits|purchases) was never landed", server.errors),
                   "one of them is named")
        assert server.stop() == 0


def test_what_is_not_landed_in_the_continuous_tables_is_kept(questlog):
    quiet = "[[job]]\nname = 'none'\n[[job.output]]\nshow = true\n"
    questlog.write_config(config("retention_bytes = 0", jobs=quiet, landing="cut_ms = 3600000"))
    with questlog.serve() as server:
        fill(server)
        wait_until(lambda: "table events/* was never landed, which keeps offsets 0.." in server.errors, "they are named")
        assert partition(questlog)["start"] == 0
        questlog.ok("land", "--once")
        wait_until(lambda: partition(questlog)["start"] > 10_000, "the landed segments expire")
        assert questlog.value_of("SELECT count(*) FROM n") == 20_000, "and are in the table"
        assert questlog.sql("SELECT * FROM ledger")[0]["balanced"]
        assert server.stop() == 0


def test_an_unlimited_log_keeps_everything(questlog):
    questlog.write_config(config(""))
    with questlog.serve() as server:
        fill(server, count=5_000)
        assert server.stop() == 0
    assert len(questlog.values()) == 5_000
