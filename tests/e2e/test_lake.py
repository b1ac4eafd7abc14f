"""Continuous tables: landed by serve and by land, read by other programs, and by SQL with the log after them."""

import json
import shutil
import signal
import subprocess
from datetime import UTC, datetime

import duckdb
import pandas
import polars
import pyarrow.dataset
import pyarrow.parquet
import pytest
from deltalake import DeltaTable
from load import Load
from questlog_process import Questlog
from snippets import in_python
from waiting import repeating, wait_until

QUICK = "[landing]\ncut_ms = 200\n"
LEDGER = "SELECT * FROM ledger"


def events_of(count, start=0, kinds=("sword", "guild", "default")):
    return [{"event_type": kinds[n % len(kinds)], "n": n, "half": n / 2, "gift": n % 2 == 0, "name": f"händler {n}"}
            for n in range(start, start + count)]


def folder(questlog, table):
    return questlog.data / "lake" / "events" / table


def numbers_by_delta(questlog, table):
    return sorted(DeltaTable(str(folder(questlog, table))).to_pandas()["n"].tolist())


def landed_events(questlog):
    return sum(row["landed"] for row in questlog.sql(LEDGER))


@pytest.fixture
def landed(questlog):
    """Three types in two cuts; the second adds a column."""
    with questlog.serve() as server:
        server.send_events(events_of(3000))
        questlog.ok("land", "--once")
        server.send_events([{**event, "late": "yes"} for event in events_of(300, 3000)])
        questlog.ok("land", "--once")
        assert server.stop() == 0
    return questlog


# --- landing

def test_serve_lands_by_itself(questlog):
    questlog.write_config(QUICK)
    with questlog.serve() as server:
        server.send_events(events_of(30))
        wait_until(lambda: landed_events(questlog) == 30, "all are landed")
        assert numbers_by_delta(questlog, "sword") == list(range(0, 30, 3))
        assert numbers_by_delta(questlog, "default_event") == list(range(2, 30, 3))
        server.send_events(events_of(30, 30))
        wait_until(lambda: landed_events(questlog) == 60, "all are landed")
        assert numbers_by_delta(questlog, "sword") == list(range(0, 60, 3))
        metrics = server.get("/metrics").body.decode()
        assert "questlog_landed_events_total 60" in metrics


def test_serve_can_be_told_not_to_land(questlog):
    questlog.write_config("[landing]\nenabled = false\ncut_ms = 100\n")
    with questlog.serve() as server:
        server.send_events(events_of(3))
        assert questlog.value_of("SELECT count(*) FROM sword") == 1, "SQL reads the log"
        assert questlog.ok("land", "--once") == "game-events [0] offsets 0..2: 3 events in 3 tables\n"
        assert questlog.ok("land", "--once") == "nothing new to land\n"


def test_land_beside_a_server_that_lands(questlog):
    questlog.write_config(QUICK)
    with questlog.serve() as server, Load(server, connections=2, path="/events?receipt=1") as load:
        load.wait_for_acks(1)
        for _ in range(5):
            acked = dict(load.acked)
            questlog.ok("land", "--once")
            landed = {row["_offset"] for row in questlog.sql("SELECT _offset FROM load", "--landed")}
            assert set(acked.values()) <= landed, "all that was accepted before it began"
        load.finish()
        questlog.ok("land", "--once")
        ledger = questlog.sql(LEDGER)
        assert all(row["balanced"] and row["pending"] == 0 for row in ledger), ledger
        assert sum(row["landed"] for row in ledger) == len(load.acked)


def test_land_goes_on_until_it_is_stopped(questlog):
    questlog.write_config("[landing]\nenabled = false\ncut_ms = 100\n")
    with questlog.serve() as server:
        server.send_events(events_of(3))
        lander = questlog.start("land", "--json")
        try:
            first = json.loads(lander.stdout.readline())
            assert first["tables"] == {"sword": 1, "guild": 1, "default_event": 1}
            server.send_events(events_of(3, 3))
            second = json.loads(lander.stdout.readline())
            assert (second["from"], second["to"]) == (3, 6)
            lander.send_signal(signal.SIGTERM)
            assert lander.wait(10) == 0
        finally:
            lander.kill()


def test_a_killed_lander_loses_and_doubles_nothing(questlog):
    questlog.write_config("[landing]\nenabled = false\ncut_ms = 100\n")
    with questlog.serve() as server:
        sent = 0
        for round_number in range(12):
            server.send_events(events_of(200, sent))
            sent += 200
            lander = questlog.start("land", "--json", stdout=subprocess.PIPE)
            if round_number % 2 == 0:
                lander.stdout.readline()
            lander.kill()
            lander.wait()
        questlog.ok("land", "--once")
        for kind, (table, first) in enumerate((("sword", 0), ("guild", 1), ("default_event", 2))):
            assert first == kind
            expected = list(range(first, sent, 3))
            assert numbers_by_delta(questlog, table) == expected
            plain = duckdb.sql(f"SELECT n FROM '{folder(questlog, table)}/date=*/*.parquet' ORDER BY n").fetchall()
            assert [row[0] for row in plain] == expected, "each event once, also for who does not know the log"


def test_what_is_not_landed_yet_is_there_at_once(questlog):
    with questlog.serve() as server:
        for number in range(20):
            server.send_events([{"event_type": "raid", "n": number}])
            if number == 10:
                questlog.ok("land", "--once")
            assert questlog.value_of("SELECT count(*) FROM raid") == number + 1
            row = questlog.sql("SELECT * FROM ledger WHERE \"table\" = 'raid'")[0]
            assert row["landed"] + row["pending"] == number + 1 and row["balanced"]


# --- other programs

def test_deltalake_reads_it(landed):
    table = DeltaTable(str(folder(landed, "sword")))
    assert table.protocol().min_reader_version == 1
    assert table.protocol().min_writer_version == 2
    assert table.metadata().partition_columns == ["date"]
    frame = table.to_pandas().sort_values("n").reset_index(drop=True)
    assert frame["n"].tolist() == list(range(0, 3300, 3))
    assert frame["half"].tolist() == [n / 2 for n in range(0, 3300, 3)]
    assert frame["gift"].tolist() == [n % 2 == 0 for n in range(0, 3300, 3)]
    assert frame["name"].tolist() == [f"händler {n}" for n in range(0, 3300, 3)]
    assert frame["late"].isna().tolist() == [n < 3000 for n in range(0, 3300, 3)]
    assert frame["_partition"].unique().tolist() == [0]
    assert frame["_offset"].tolist() == list(range(0, 3300, 3))
    stamps = [row["ms"] for row in landed.sql("SELECT epoch_ms(\"timestamp\") AS ms FROM events WHERE event_type = 'sword'")]
    assert frame["_timestamp"].astype("datetime64[ms, UTC]").astype("int64").tolist() == [int(ms) for ms in stamps]
    assert {str(day) for day in frame["date"]} == {str(day) for day in frame["_timestamp"].dt.date}
    statistics = pyarrow.table(table.get_add_actions(flatten=True)).sort_by("min._offset").to_pydict()
    assert statistics["num_records"] == [1000, 100]
    assert (statistics["min.half"], statistics["max.half"]) == ([0, 1500], [1498.5, 1648.5])
    assert (statistics["null_count.late"], statistics["null_count._rescued_data"]) == ([None, 0], [1000, 100])


def test_deltalake_finds_a_file_by_its_statistics(landed):
    table = DeltaTable(str(folder(landed, "sword"))).to_pyarrow_dataset()
    late = table.filter(pyarrow.dataset.field("_offset") >= 3000)
    assert late.count_rows() == 100


def test_polars_reads_it(landed):
    frame = polars.read_delta(str(folder(landed, "sword"))).sort("n")
    assert frame["n"].to_list() == list(range(0, 3300, 3))
    assert frame.schema["_timestamp"] == polars.Datetime("us", "UTC")
    assert frame.schema["gift"] == polars.Boolean
    lazy = polars.scan_delta(str(folder(landed, "sword"))).filter(polars.col("n") > 3200).select("n").collect()
    assert sorted(lazy["n"].to_list()) == list(range(3201, 3300, 3))


def test_who_does_not_know_the_log_reads_the_same(landed):
    path = folder(landed, "sword")
    rows = duckdb.sql(f"SELECT n, late, date FROM read_parquet('{path}/date=*/*.parquet', union_by_name = true) ORDER BY n")
    assert [row[0] for row in rows.fetchall()] == list(range(0, 3300, 3))
    frame = pandas.concat([pandas.read_parquet(file) for file in path.glob("date=*/*.parquet")])
    assert sorted(frame["n"].tolist()) == list(range(0, 3300, 3))
    assert not [name for name in path.rglob("*") if name.is_file() and name.suffix not in (".parquet", ".json")]


def test_files_have_encodings_that_spark_reads(landed):
    """Those of Spark 3.5's vectorized reader; it has no other for tables such as ours."""
    known = {"PLAIN", "RLE", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"}
    files = list((landed.data / "lake" / "events").rglob("*.parquet"))
    assert files
    for file in files:
        rows = duckdb.sql(f"SELECT path_in_schema, encodings FROM parquet_metadata('{file}')").fetchall()
        assert [row for row in rows if not set(row[1].split(", ")) <= known] == []


def test_connect_prints_what_reads_it(landed):
    for tool in ("pandas", "polars"):
        assert in_python(landed.ok("connect", "sword", "--for", tool), "len(table)") == 1100
    sql = landed.ok("connect", "sword", "--for", "duckdb")
    assert len(duckdb.sql(sql)) == 1100
    assert f'load("file://{folder(landed, "sword")}")' in landed.ok("connect", "sword", "--for", "spark")
    landed.fails("connect", "nowhere", "--for", "pandas", code=2, says=["sword", "default_event", "land --once"])
    landed.fails("connect", "sword", "--for", "excel", code=2)


def test_connect_reads_a_snapshot_too(reference, tmp_path):
    reference.copy_data(tmp_path / "data")
    own = Questlog(tmp_path)
    own.fails("connect", "sword_purchases", "--for", "pandas", code=2, says=["was never landed", "questlog batch"])
    own.ok("batch", "separate_events")
    for tool in ("pandas", "polars"):
        assert in_python(own.ok("connect", "sword_purchases", "--for", tool), "len(table)") == 20
    assert len(duckdb.sql(own.ok("connect", "sword_purchases", "--for", "duckdb"))) == 20


def test_schema_tells_when_which_column_came(landed):
    lines = landed.ok("schema", "sword", "--history").splitlines()
    assert lines[0].startswith("version 0, 20") and lines[0].endswith(" UTC")
    assert lines[1:6] == [" + event_type: string", " + n: long", " + half: double", " + gift: boolean", " + name: string"]
    assert lines[6:10] == [" + _rescued_data: string", " + _timestamp: timestamp", " + _partition: long", " + _offset: long"]
    assert lines[10].startswith("version 1, ") and lines[11:] == [" + late: string"]
    landed.fails("schema", "nowhere", "--history", code=2, says=["SHOW TABLES"])
    log = folder(landed, "sword") / "_delta_log"
    first = [json.loads(line) for line in (log / f"{0:020}.json").read_text().splitlines()]
    assert lines[0] == f"version 0, {utc(next(line['commitInfo']['timestamp'] for line in first if 'commitInfo' in line))} UTC"
    # Another program takes the column away again.
    went = [{"commitInfo": {"timestamp": 1_795_384_733_873}}, *(line for line in first if "metaData" in line)]
    (log / f"{2:020}.json").write_text("".join(json.dumps(line) + "\n" for line in went))
    assert landed.ok("schema", "sword", "--history").splitlines() == [
        *lines, "version 2, 2026-11-22 21:58:53.873 UTC", " - late: string"]


def utc(ms):
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S.%f}".rstrip("0").rstrip(".")


# --- what is no event

def test_without_dead_letters_there_are_none(landed):
    assert "(0 rows)" in landed.ok("dead-letters")
    assert landed.value_of("SELECT count(*) FROM dead_letters") == 0
    landed.fails("dead-letters", "--format", "parquet", code=2, says=["csv"])


# --- verify and rebuild

def test_verify_finds_what_is_not_what_the_log_says(landed):
    assert landed.ok("verify") == "6 files the same (3300 rows), 0 different, 0 unverifiable\n"
    assert landed.ok("verify", "sword") == "2 files the same (1100 rows), 0 different, 0 unverifiable\n"
    path = sorted(folder(landed, "sword").glob("date=*/*.parquet"))[0]
    table = pyarrow.parquet.ParquetFile(path).read()
    wrong = table.set_column(table.column_names.index("n"), "n", pyarrow.array([n + 1 for n in table["n"].to_pylist()]))
    pyarrow.parquet.write_table(wrong, path)
    done = landed.fails("verify", code=1, says=["1 file is not what the log says", "questlog rebuild"])
    first = int(path.stem.split("-")[-2])
    assert f"row 1, offset {first}: n is {first + 1}, and by the log {first}" in done.out, done.out
    landed.fails("verify", "nowhere", code=2, says=["SHOW TABLES"])
    lines = [json.loads(line) for line in landed.run("verify", "--json").out.splitlines()]
    assert [line["state"] for line in lines].count("different") == 1 and len(lines) == 6


def test_rebuild_makes_a_table_anew_while_queries_run(landed):
    path = sorted(folder(landed, "sword").glob("date=*/*.parquet"))[0]
    path.write_bytes(path.read_bytes()[:100])
    landed.fails("verify", code=1)
    assert landed.ok("rebuild", "sword") == "sword: 1100 rows from 2 cuts of the log\n"
    assert landed.ok("verify") == "6 files the same (3300 rows), 0 different, 0 unverifiable\n"
    assert numbers_by_delta(landed, "sword") == list(range(0, 3300, 3))

    def ask():
        assert landed.ok("sql", "SELECT count(*) FROM sword", "--format", "csv").split() == ["count_star()", "1100"]

    with repeating(ask, ask):
        for _ in range(8):
            landed.ok("rebuild", "sword")
    landed.fails("rebuild", "nowhere", code=2)


def test_what_has_expired_is_unverifiable_and_kept(questlog):
    questlog.write_config("[log]\nsegment_bytes = 1048576\nretention_bytes = 0\nretention_check_ms = 100\n[landing]\ncut_bytes = 1048576\n"
                          "cut_ms = 300\n[[job]]\nname = 'none'\n[[job.output]]\nshow = true\n")
    with questlog.serve() as server:
        for start in range(0, 20_000, 1000):
            server.send_events([{**event, "pad": "x" * 250} for event in events_of(1000, start)])
        wait_until(lambda: questlog.status()["topics"][0]["partitions"][0]["start"] > 0, "segments expire")
        assert server.stop() == 0
    done = questlog.ok("verify")
    assert " 0 different, " in done and " 0 unverifiable" not in done
    assert questlog.value_of("SELECT count(*) FROM sword") == len(range(0, 20_000, 3))
    questlog.fails("rebuild", "sword", code=2, says=["have expired", "--force"])
    assert questlog.value_of("SELECT count(*) FROM sword") == len(range(0, 20_000, 3))


# --- what is taken away under a server

def test_scratch_folders_may_be_removed_under_a_server(questlog):
    with questlog.serve() as server:
        for n in range(3):
            assert server.post("/events?wait=landed", json.dumps({"event_type": "sword", "n": n})).status == 200
            scratch = list((questlog.data / "lake").glob(".questlog-scratch-*"))
            assert scratch
            for folder in scratch:
                shutil.rmtree(folder)
        assert questlog.value_of("SELECT count(*) FROM sword", "--landed") == 3


def test_a_lake_that_is_moved_away_under_a_server_is_made_anew(questlog):
    with questlog.serve() as server:
        for n in range(2):
            assert server.post("/events?wait=landed", json.dumps({"event_type": f"type_{n}", "n": n})).status == 200
        (questlog.data / "lake").rename(questlog.folder / "old-lake")
        assert server.post("/events?wait=landed", '{"event_type": "type_1", "n": 2}').status == 200
        assert [row["n"] for row in questlog.sql("SELECT n FROM type_1 ORDER BY n", "--landed")] == [1, 2]
        assert questlog.value_of("SELECT n FROM type_0", "--landed") == 0
        assert questlog.value_of("SELECT sum(landed) FROM ledger") == 3
        assert questlog.status()["sound"]
