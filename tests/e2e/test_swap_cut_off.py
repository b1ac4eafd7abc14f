"""Swaps by renames, as file systems have them that cannot exchange two names (HDFS), cut off between two renames."""

from questlog_process import Questlog

EVENTS = 30


def landed(folder):
    questlog = Questlog(folder)
    questlog.write_config("[landing]\nenabled = false\n")
    collect(questlog, 0)
    questlog.ok("land", "--once")
    return questlog


def collect(questlog, first):
    with questlog.serve() as server:
        server.send_events([{"event_type": "sword", "n": n} for n in range(first, first + EVENTS)])
        assert server.stop() == 0


def cut_off_a_rebuild(questlog):
    """As `questlog rebuild` leaves it that dies when the old table has moved and the new one has not."""
    lake = questlog.data / "lake"
    log_id = next(lake.glob(".landing/*")).name
    aside = lake / ".staging" / f"rebuild-{log_id}" / "events"
    (aside / "sword.exchange").mkdir(parents=True)
    (lake / "events" / "sword").rename(aside / "sword")


def numbers(questlog, *args):
    return sorted(row["n"] for row in questlog.sql("SELECT n FROM sword", *args))


def test_readers_find_the_table_that_a_dead_rebuild_has_moved(tmp_path):
    questlog = landed(tmp_path)
    cut_off_a_rebuild(questlog)
    assert numbers(questlog) == numbers(questlog, "--landed") == list(range(EVENTS))
    assert "sword" in questlog.ok("sql", "SHOW TABLES")


def test_the_next_lander_puts_it_back(tmp_path):
    questlog = landed(tmp_path)
    cut_off_a_rebuild(questlog)
    collect(questlog, EVENTS)
    questlog.ok("land", "--once")
    assert (questlog.data / "lake" / "events" / "sword" / "_delta_log").is_dir()
    assert numbers(questlog, "--landed") == list(range(2 * EVENTS))
    questlog.ok("verify")


def test_the_next_rebuild_puts_it_back_and_makes_it_anew(tmp_path):
    questlog = landed(tmp_path)
    cut_off_a_rebuild(questlog)
    questlog.ok("rebuild", "sword")
    assert numbers(questlog, "--landed") == list(range(EVENTS))
    assert not list((questlog.data / "lake" / ".staging").glob("rebuild-*"))
    questlog.ok("verify")
