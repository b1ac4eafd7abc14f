"""`questlog verify` of what jobs have written."""

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
