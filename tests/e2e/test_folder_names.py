"""A data folder may be called anything: also what readers of Parquet take for a partition, a pattern or a URL."""

import duckdb
import pyarrow.parquet
import pytest
from questlog_process import Questlog
from snippets import in_python

NAMES = ["env=prod", "date=2020-01-01", "n=7", "a[1]", "a*b", "it's", "über raum", "50% \"b\""]
JOB = """
[[job]]
name = "of_swords"
  [[job.output]]
  path = "tmp/swords"
  where = "event_type = 'sword'"
"""
EVENTS = [{"event_type": "sword", "n": n, "name": f"sword {n}"} for n in range(20)]
ROWS = [(event["n"], event["name"]) for event in EVENTS]
DELTA_COLUMNS = ["event_type", "n", "name", "_rescued_data", "_timestamp", "_partition", "_offset", "date"]
SNAPSHOT_COLUMNS = ["event_type", "n", "name", "timestamp"]


def collect(questlog, events):
    with questlog.serve() as server:
        server.send_events(events)
        assert server.stop() == 0


@pytest.mark.parametrize("name", NAMES)
def test_its_name_is_no_part_of_the_tables(tmp_path, name):
    questlog = Questlog(tmp_path / name)
    questlog.write_config(JOB)
    collect(questlog, EVENTS)
    questlog.ok("land", "--once")
    questlog.ok("batch", "of_swords")
    assert "0 different, 0 unverifiable" in questlog.ok("verify")
    questlog.ok("rebuild", "sword")
    assert "0 different, 0 unverifiable" in questlog.ok("verify")
    assert questlog.status()["sound"]
    for table, columns in (("sword", DELTA_COLUMNS[:-1]), ("swords", SNAPSHOT_COLUMNS)):
        for flags in ([], ["--landed"]):
            rows = questlog.sql(f"SELECT * FROM {table} ORDER BY n", *flags)
            assert (list(rows[0]), [(row["n"], row["name"]) for row in rows]) == (columns, ROWS)
    for table, columns in (("sword", DELTA_COLUMNS), ("swords", SNAPSHOT_COLUMNS)):
        read = duckdb.sql(questlog.ok("connect", table, "--for", "duckdb"))
        assert read.columns == columns
        assert read.select("n, name").order("n").fetchall() == ROWS
        for tool in ("pandas", "polars"):
            lines = questlog.ok("connect", table, "--for", tool)
            assert in_python(lines, "[list(table.columns), sorted(map(int, table['n']))]") == [columns, [n for n, _ in ROWS]], lines
    days = {row["day"] for row in questlog.sql("SELECT CAST(_timestamp AS DATE) AS day FROM sword")}
    assert {str(day) for (day,) in duckdb.sql(questlog.ok("connect", "sword", "--for", "duckdb")).select("date").fetchall()} == days


def test_checkpoints_have_deltas_columns_alone(tmp_path):
    """The second is copied from the first."""
    questlog = Questlog(tmp_path / "add=7")
    questlog.write_config("[landing]\nenabled = false\ncut_bytes = 65536\n")
    with questlog.serve() as server:
        for batch in range(205):
            server.send_events([{"event_type": "sword", "n": batch * 100 + n, "padding": "x" * 700} for n in range(100)])
        assert server.stop() == 0
    questlog.ok("land", "--once")
    log = questlog.data / "lake" / "events" / "sword" / "_delta_log"
    for version in (100, 200):
        assert pyarrow.parquet.read_schema(log / f"{version:020}.checkpoint.parquet").names == ["txn", "add", "remove", "metaData", "protocol"]
    assert questlog.value_of("SELECT count(DISTINCT n) FROM sword", "--landed") == 20_500
    questlog.ok("land", "--once")
    assert questlog.value_of("SELECT sum(landed) FROM ledger") == 20_500
