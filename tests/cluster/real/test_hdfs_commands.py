"""Dead letters, retention and books of a lake on the real HDFS."""

import json

import pytest
from hdfs_lake import START_S, settled
from questlog_process import json_rows
from small_segments import numbered
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 240)
QUIET = "[landing]\nenabled = false\n"
SEGMENT = 1048576
LANDED_BY_HAND = "cut_ms = 3600000"  # a server lands, and would in an hour
MANY = 6_000


def raids(most):
    return QUIET + ('[[event]]\npath = "/raid"\ntype = "raid"\non_mismatch = "keep"\n'
                    f'fields = {{ level = {{ type = "bigint", required = true, max = {most} }} }}\n')


def raid(level):
    return {"event_type": "raid", "level": level}


def levels(remote, *args):
    return [row["level"] for row in remote.sql("SELECT level FROM raid ORDER BY level", *args)]


def send(remote, events):
    with remote.serve() as server:
        server.send_events(events)
        assert server.stop() == 0


def log_start(remote):
    return remote.status()["topics"][0]["partitions"][0]["start"]


def test_dead_letters_that_are_landed_are_told_and_sent_again_once(hdfs, tmp_path):
    remote = hdfs.lake(tmp_path / "letters", more=raids(60))
    send(remote, [raid(1), raid(61), raid("7"), raid(200)])
    remote.ok("land", "--once")
    letters = json_rows(remote.ok("dead-letters", "--format", "json"))
    assert [letter["offset"] for letter in letters] == [1, 2, 3]
    assert remote.value_of("SELECT count(*) AS n FROM dead_letters", "--landed") == 3
    assert "field \"level\"" in letters[0]["reason"] and json.loads(letters[0]["value"]) == raid(61)

    remote.configure(more=raids(100))
    with remote.serve() as server:
        told = remote.fails("dead-letters", "replay", code=2, says=["repair their values"])
        assert told.out.startswith("1 dead letter sent again, 2 left\n")
        assert remote.fails("dead-letters", "replay", code=2).out.startswith("0 dead letters sent again, 1 before, 2 left\n")
        letters[1]["value"] = raid(7)
        repaired = remote.folder / "repaired.json"
        repaired.write_text(json.dumps(letters[1]))
        assert remote.ok("dead-letters", "replay", str(repaired)) == "1 dead letter sent again\n"
        assert remote.ok("dead-letters", "replay", str(repaired)) == "0 dead letters sent again, 1 before\n"
        assert levels(remote) == [1, 7, 61]
        assert server.stop() == 0
    remote.ok("land", "--once")
    assert levels(remote, "--landed") == [1, 7, 61]
    assert any(path.endswith("/replayed") for path in remote.tree("/.landing"))


def test_a_replay_that_was_killed_goes_on_without_doubling(hdfs, tmp_path):
    count = 300
    remote = hdfs.lake(tmp_path / "letters", more=raids(60))
    send(remote, [raid(61 + n) for n in range(count)])
    remote.ok("land", "--once")
    remote.configure(more=raids(10_000) + "[deduplication]\nids = 0\n")  # the records alone must keep it to once
    with remote.serve() as server:
        for _ in range(2):  # not before it sends: one that dies while it makes its lease leaves it without a name, until it is stale
            before = remote.value_of("SELECT count(*) AS n FROM events")
            replay = remote.start("dead-letters", "replay")
            wait_until(lambda: remote.value_of("SELECT count(*) AS n FROM events") > before or replay.poll() is not None, "some are sent", 60)
            replay.kill()
            replay.wait()
        remote.ok("dead-letters", "replay")
        assert levels(remote) == list(range(61, 61 + count))
        assert server.stop() == 0
    remote.ok("land", "--once")
    assert levels(remote, "--landed") == list(range(61, 61 + count))


def test_the_books_say_the_same_as_the_status(hdfs, tmp_path):
    remote = hdfs.lake(tmp_path / "books", more=raids(60))
    send(remote, [raid(1), raid(61), {"event_type": "sword", "n": 1, "message_id": "m1"}, {"event_type": "sword", "n": 1, "message_id": "m1"}])
    remote.ok("land", "--once")
    send(remote, [raid(2), {"event_type": "sword", "n": 2}])
    ledger = {row["table"]: row for row in remote.sql("SELECT * FROM ledger")}
    assert all(row["balanced"] and row["problem"] is None for row in ledger.values()), ledger
    counted = {name: (row["landed"], row["pending"]) for name, row in ledger.items()}
    assert counted["raid"] == (1, 1) and counted["sword"] == (1, 1), ledger
    status = {table["name"]: table for table in remote.status()["topics"][0]["continuous"]}
    for name in ("raid", "sword"):
        assert (status[name]["landed"], status[name]["pending"]) == counted[name] and status[name]["balanced"], status
    remote.ok("status")
    remote.ok("land", "--once")
    assert all(row["balanced"] and row["pending"] == 0 for row in remote.sql("SELECT * FROM ledger"))


def retained(limits, landing):
    """No table but the continuous ones."""
    return (f"[log]\nsegment_bytes = {SEGMENT}\nretention_check_ms = 100\n{limits}\n[landing]\n{landing}\n"
            "[[job]]\nname = 'none'\n[[job.output]]\nshow = true\n")


def fill(server, first=0):
    """Some two MiB."""
    server.send_events(numbered(MANY, 300, first))


def test_segments_expire_once_hdfs_has_what_they_hold(hdfs, tmp_path):
    remote = hdfs.lake(tmp_path / "retention", more=retained("retention_bytes = 0", LANDED_BY_HAND))
    with remote.serve() as server:
        fill(server)
        wait_until(lambda: "table events/* was never landed, which keeps offsets 0.." in server.errors, "they are named", 30)
        assert log_start(remote) == 0
        remote.ok("land", "--once")
        start = wait_until(lambda: log_start(remote), "the landed segments expire", 30)
        fill(server, MANY)
        wait_until(lambda: len(remote.segments()) > 2, "it goes on in new segments", 30)
        assert remote.value_of("SELECT count(*) AS n FROM n") == 2 * MANY
        assert start <= log_start(remote) <= MANY, "what is not landed stays"
        remote.ok("land", "--once")
        wait_until(lambda: log_start(remote) > MANY, "and goes then", 30)
        assert server.stop() == 0
    settled(remote, 2 * MANY)
    assert remote.value_of("SELECT sum(n) AS s FROM n", "--landed") == sum(range(2 * MANY))


def test_the_log_is_trimmed_by_hand_as_far_as_hdfs_has_it(hdfs, tmp_path):
    remote = hdfs.lake(tmp_path / "trim", more=retained("", LANDED_BY_HAND))
    with remote.serve() as server:
        fill(server)
        assert server.stop() == 0
    remote.configure(more=retained("retention_bytes = 1", LANDED_BY_HAND))
    before = remote.segments()
    done = remote.ok("log", "trim")
    assert "0 segments, 0 events, 0 bytes expired; it begins at offset 0" in done
    remote.ok("land", "--once")
    assert "nothing was changed" in remote.ok("log", "trim", "--dry-run") and remote.segments() == before
    done = remote.ok("log", "trim")
    start = log_start(remote)
    assert start > 0 and f"it begins at offset {start}" in done
    assert all(f"segment {path.name} expired" in done for path in set(before) - set(remote.segments()))
    settled(remote, MANY)
    # Made anew, the table would be without them: that is told, and it stays.
    remote.fails("rebuild", "n", code=2, says=["have expired from the log", "--force"])
    assert remote.value_of("SELECT count(*) AS n FROM n", "--landed") == MANY
