"""`questlog verify` of what jobs have written, and beside a damaged table."""

import random
import string

JOB = """
[[job]]
name = "buys"
  [[job.output]]
  path = "tmp/buys"
  where = "event_type = 'buy'"
"""


def collect(questlog, events):
    with questlog.serve() as server:
        server.send_events(events)
        assert server.stop() == 0


def test_verify_runs_the_job_again_and_sees_what_no_query_does(questlog):
    questlog.write_config(JOB)
    chance = random.Random(7)
    names = ["".join(chance.choices(string.ascii_uppercase, k=16)) for _ in range(2000)]  # nothing in them repeats itself
    collect(questlog, [{"event_type": "buy", "name": name} for name in names])
    questlog.fails("verify", "buys", code=2, says=["questlog batch JOB"])
    questlog.ok("batch", "buys")
    collect(questlog, [{"event_type": "buy", "name": "later"}])
    assert questlog.ok("verify", "buys") == "1 file the same (2000 rows), 0 different, 0 unverifiable\n"
    path, = (questlog.data / "lake" / "tmp" / "buys").glob("*.parquet")
    content = path.read_bytes()
    row, name = next((row, name) for row, name in enumerate(names) if name.encode() in content)  # Snappy leaves most as they are
    path.write_bytes(content.replace(name.encode(), b"\x1b" + name[1:].encode()))
    assert questlog.value_of(f"SELECT count(*) FROM buys WHERE name = '{name}'", "--landed") == 0, "no query minds"
    done = questlog.fails("verify", code=1, says=["1 file is not what the log says", "questlog batch JOB"])
    assert (f"buys [0] offsets 0..1999: different: row {row + 1}: name is \\x1b{name[1:]}, and by the log {name}\n"
            f"  tmp/buys/{path.name}\n") in done.out
    questlog.ok("batch", "buys")
    questlog.ok("verify")


def test_a_damaged_table_is_told_and_hides_no_other(questlog):
    questlog.write_config("[landing]\nenabled = false\n")
    collect(questlog, [{"event_type": name} for name in ("aa", "bb", "cc")])
    questlog.ok("land", "--once")
    commit = questlog.data / "lake" / "events" / "bb" / "_delta_log" / f"{0:020}.json"
    commit.write_text("{")
    done = questlog.fails("verify", code=1, says=["1 file is not what the log says", "questlog rebuild TABLE"])
    assert done.out.startswith("bb [0] offsets 0..2: different: ") and commit.name in done.out
    assert done.out.endswith("2 files the same (2 rows), 1 different, 0 unverifiable\n")
    assert {"aa", "bb", "cc"} <= {row["name"] for row in questlog.sql("SHOW TABLES")}
    ledger = {row["table"]: row for row in questlog.sql("SELECT * FROM ledger")}
    assert [(name, row["balanced"]) for name, row in ledger.items()] == [("aa", True), ("bb", False), ("cc", True)]
    assert commit.name in ledger["bb"]["problem"]
    told = questlog.fails("status", code=1)
    assert all(f"\n  {name} " in told.out for name in ("aa", "bb", "cc")) and f"  bb: nothing more is landed: {ledger['bb']['problem']}" in told.out
    questlog.ok("rebuild", "bb")
    questlog.ok("verify")
    questlog.ok("status")
