"""A log that is not the one that was landed, and tables that several logs have landed in: nothing of them is lost unseen."""

import json
import re
import shutil

import pytest
from waiting import wait_until

ANOTHER = "this is not the log that was landed"
BRING_BACK = "bring the newer log back, or move the lake's folder away to land this one"


def send(questlog, *numbers, **more):
    with questlog.serve() as server:
        for n in numbers:
            server.send_events([{"event_type": "q", "n": n, **more}])
        assert server.stop() == 0


def numbers(questlog, *args):
    return [row["n"] for row in questlog.sql("SELECT n FROM q ORDER BY n", *args)]


@pytest.fixture
def restored(questlog):
    """n=1 and n=2 were landed, and the log has n=1 alone. The newer log lies beside it."""
    questlog.write_config("[landing]\nenabled = false\n")
    send(questlog, 1)
    questlog.ok("land", "--once")
    shutil.copytree(questlog.data / "log", questlog.folder / "older")
    send(questlog, 2)
    questlog.ok("land", "--once")
    (questlog.data / "log").rename(questlog.folder / "newer")
    (questlog.folder / "older").rename(questlog.data / "log")
    return questlog


def expect_told(questlog, what):
    for command in (["land", "--once"], ["verify"], ["rebuild", "q"], ["rebuild", "q", "--force"], ["sql", "SELECT n FROM q"]):
        questlog.fails(*command, code=1, says=[ANOTHER, what, BRING_BACK])
    ledger = questlog.sql("SELECT * FROM ledger")
    assert [row["balanced"] for row in ledger] == [False] and all(words in ledger[0]["problem"] for words in (ANOTHER, what))
    status = questlog.run("status")
    assert status.code == 1 and all(words in re.sub(r"\s+", " ", status.out) for words in (ANOTHER, what, BRING_BACK)), str(status)
    assert ANOTHER in json.loads(questlog.run("status", "--json").out)["topics"][0]["continuous"][0]["problem"]
    assert numbers(questlog, "--landed") == [1, 2]


def test_a_log_restored_from_an_older_backup_is_not_landed(restored):
    expect_told(restored, "offset 1 was landed, and the log ends at 1")
    send(restored, 3)
    expect_told(restored, "another event than the one that was landed is at offset 1")
    restored.write_config("[limits]\nlanded_wait_ms = 200\n")
    with restored.serve() as server:
        assert server.post("/events?wait=landed", '{"event_type": "q", "n": 4}').status == 202, "collecting goes on"
        wait_until(lambda: any(ANOTHER in line for line in server.stderr_lines), "the server tells it")
        assert server.stop() == 0
    expect_told(restored, "another event than the one that was landed is at offset 1")
    assert restored.value_of("SELECT count(*) FROM events") == 3, "and nothing is lost"


def test_the_newer_log_is_landed_when_it_is_back(restored):
    send(restored, 3)
    shutil.rmtree(restored.data / "log")
    (restored.folder / "newer").rename(restored.data / "log")
    send(restored, 5)
    restored.ok("land", "--once")
    assert numbers(restored) == [1, 2, 5]
    restored.ok("status")
    restored.ok("verify")


def test_a_restored_log_is_landed_when_the_lake_is_moved_away(restored):
    send(restored, 3)
    (restored.data / "lake").rename(restored.folder / "lake")
    restored.ok("land", "--once")
    assert numbers(restored) == [1, 3]
    restored.ok("status")


def test_an_event_that_is_sent_again_to_a_restored_log_is_not_taken_for_landed(questlog):
    questlog.write_config("[landing]\nenabled = false\n")
    send(questlog, 1)
    shutil.copytree(questlog.data / "log", questlog.folder / "older")
    send(questlog, 2, message_id="two")
    questlog.ok("land", "--once")
    shutil.rmtree(questlog.data / "log")
    (questlog.folder / "older").rename(questlog.data / "log")
    send(questlog, 2, message_id="two")
    assert questlog.value_of("SELECT count(*) FROM events") == 2


# --- tables of several logs

def test_rebuild_leaves_a_table_that_another_topic_has_landed_in(questlog):
    questlog.write_config("[landing]\nenabled = false\n")
    send(questlog, 1)
    questlog.ok("land", "--once")
    questlog.write_config("[log]\ntopic = 'other'\n[landing]\nenabled = false\n")
    send(questlog, 2, 3)
    questlog.ok("land", "--once")
    questlog.write_config("[landing]\nenabled = false\n")
    assert numbers(questlog, "--landed") == [1, 2, 3]
    says = ["q is left as it is", "2 rows of log", "(topic other)", "--force"]
    questlog.fails("rebuild", "q", code=2, says=says)
    assert numbers(questlog, "--landed") == [1, 2, 3]
    done = questlog.run("rebuild", "q", "--force")
    assert done.code == 0 and "2 rows of log" in done.err and "(topic other) were not in this log" in done.err, str(done)
    assert numbers(questlog, "--landed") == [1]
    questlog.ok("rebuild", "q")


def test_rebuild_leaves_a_table_whose_log_was_made_anew(questlog):
    questlog.write_config("[landing]\nenabled = false\n")
    send(questlog, 1)
    questlog.ok("land", "--once")
    shutil.rmtree(questlog.data / "log")
    send(questlog, 2)
    questlog.ok("land", "--once")
    questlog.fails("rebuild", "q", code=2, says=["1 row of log", "would be lost", "--force"])
    assert numbers(questlog) == [1, 2]
