"""The Delta log, as other programs see it: what lake_test wrote, with checkpoints, removed files and odd names; and what they
write into our tables themselves."""

import datetime
import os
import subprocess

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
from deltalake import DeltaTable, Field, TableFeatures
from deltalake.schema import PrimitiveType
from questlog_process import BINARY

WRITER = BINARY.parent / "src" / "lake" / "lake_test"
COMMITS, LATE_FROM, REMOVED_EVERY, ROWS_EACH = 203, 150, 10, 3  # as in src/lake/delta_log_readers_test.cpp
REMOVED = {number - 1 for number in range(COMMITS) if number % REMOVED_EVERY == REMOVED_EVERY - 1}


def numbers_at(version):
    """What `n` is in the table's rows at a version."""
    gone = {number for number in REMOVED if number + 1 <= version}
    return [n for number in range(version + 1) if number not in gone for n in range(number * ROWS_EACH, (number + 1) * ROWS_EACH)]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    assert WRITER.is_file(), f"{WRITER} is missing: build the tests, too"
    folder = tmp_path_factory.mktemp("delta")
    subprocess.run([WRITER, "--gtest_filter=DeltaLogReaders.*"], check=True, timeout=120, stdout=subprocess.DEVNULL,
                   env={**os.environ, "QUESTLOG_DELTA_FOLDER": str(folder)})
    return folder / "table"


def sorted_frame(frame):
    return frame.sort_values("n").reset_index(drop=True)


def test_deltalake_reads_what_is_there(written):
    table = DeltaTable(str(written))
    assert table.version() == COMMITS - 1
    assert (table.protocol().min_reader_version, table.protocol().min_writer_version) == (1, 2)
    assert table.metadata().name == "sword"
    assert table.metadata().configuration == {"questlog.topic": 'game "events" ü'}
    assert table.transaction_version("questlog:id:0") == COMMITS
    frame = sorted_frame(table.to_pandas())
    expected = numbers_at(COMMITS - 1)
    assert frame["n"].tolist() == expected
    assert frame["price"].tolist() == [n / 2 for n in expected]
    assert frame["gift"].tolist() == [n % 2 == 0 for n in expected]
    assert set(frame["event_type"]) == {"händler"}
    assert set(frame["value"]) == {b"b\x00"}
    assert frame["late"].isna().tolist() == [n < LATE_FROM * ROWS_EACH for n in expected]
    noon = [pandas.Timestamp(f"2026-11-{24 + n // ROWS_EACH % 3}T12:00Z") + pandas.Timedelta(milliseconds=n) for n in expected]
    assert frame["at"].tolist() == noon
    assert [str(date) for date in frame["date"]] == [f"2026-11-{stamp.day}" for stamp in noon]


@pytest.mark.parametrize("version", [100, 101, 149, 150, 199, 200])
def test_deltalake_reads_what_was_there(written, version):
    assert sorted(DeltaTable(str(written), version=version).to_pandas()["n"].tolist()) == numbers_at(version)


def test_deltalake_finds_files_by_statistics_and_partitions(written):
    table = DeltaTable(str(written))
    statistics = pyarrow.table(table.get_add_actions(flatten=True)).to_pylist()
    assert sum(row["num_records"] for row in statistics) == len(numbers_at(COMMITS - 1))
    assert {row["min.n"] for row in statistics} == set(numbers_at(COMMITS - 1)[::ROWS_EACH])
    of_a_day = table.to_pandas(filters=[("date", "=", datetime.date(2026, 11, 25))])
    assert sorted(of_a_day["n"].tolist()) == [n for n in numbers_at(COMMITS - 1) if n // ROWS_EACH % 3 == 1]
    assert [entry["engineInfo"].split("/")[0] for entry in table.history()] == ["questlog"] * COMMITS


def test_polars_and_duckdb_read_what_is_there(written):
    expected = numbers_at(COMMITS - 1)
    frame = polars.read_delta(str(written)).sort("n")
    assert frame["n"].to_list() == expected
    assert frame.schema["at"] == polars.Datetime("us", "UTC") and frame.schema["date"] == polars.Date
    sword = DeltaTable(str(written)).to_pyarrow_dataset()  # DuckDB finds it by its name
    assert sword is not None
    assert duckdb.sql("SELECT n FROM sword WHERE n >= 600 ORDER BY n").fetchall() == [(n,) for n in expected if n >= 600]


# --- what other programs write into a table that we land in

PADDING = "x" * 700


@pytest.fixture
def landed(questlog, request):
    """A table of as many commits as the test asks for, of 100 events each, and the server that goes on."""
    questlog.write_config("[landing]\nenabled = false\ncut_bytes = 65536\n")
    with questlog.serve() as server:
        for batch in range(request.param):
            server.send_events([{"event_type": "sword", "n": batch * 100 + n, "padding": PADDING} for n in range(100)])
        questlog.ok("land", "--once")
        assert DeltaTable(str(folder_of(questlog))).version() == request.param - 1
        yield questlog, server
        assert server.stop() == 0


def folder_of(questlog):
    return questlog.data / "lake" / "events" / "sword"


def check(questlog, count):
    """All agree on how many events there are, landed or not, and on each of them once."""
    assert questlog.value_of("SELECT count(*) FROM sword") == count
    assert questlog.value_of("SELECT count(DISTINCT n) FROM sword") == count
    row = next(row for row in questlog.sql("SELECT * FROM ledger") if row["table"] == "sword")
    assert row["balanced"] and row["landed"] + row["pending"] == count, row


def numbers_by_delta(questlog):
    return sorted(DeltaTable(str(folder_of(questlog))).to_pandas()["n"].tolist())


def land_more(questlog, server, first, **fields):
    server.send_events([{"event_type": "sword", "n": n, "padding": PADDING, **fields} for n in range(first, first + 100)])
    questlog.ok("land", "--once")


@pytest.mark.parametrize("landed", [105], indirect=True)
def test_a_table_goes_on_after_what_other_programs_do_to_it(landed):
    questlog, server = landed
    log = folder_of(questlog) / "_delta_log"
    assert (log / "00000000000000000100.checkpoint.parquet").is_file()
    assert '"version":100' in (log / "_last_checkpoint").read_text()
    check(questlog, 10_500)

    DeltaTable(str(folder_of(questlog))).optimize.compact()
    check(questlog, 10_500)
    land_more(questlog, server, 10_500)
    check(questlog, 10_600)
    assert numbers_by_delta(questlog) == list(range(10_600))

    table = DeltaTable(str(folder_of(questlog)))
    table.alter.set_table_properties({"owner": "someone"}, raise_if_not_exists=False)
    table = DeltaTable(str(folder_of(questlog)))
    table.create_checkpoint()
    checkpointed = table.version()
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    for commit in log.glob("*.json"):
        if int(commit.stem) < checkpointed:
            commit.unlink()
    check(questlog, 10_600)
    land_more(questlog, server, 10_600, late="yes")
    check(questlog, 10_700)
    assert numbers_by_delta(questlog) == list(range(10_700))
    assert DeltaTable(str(folder_of(questlog))).metadata().configuration["owner"] == "someone"


@pytest.mark.parametrize("landed", [3], indirect=True)
def test_times_as_spark_writes_them_are_times_in_utc(landed):
    questlog, server = landed
    asked = "SELECT typeof(_timestamp) AS type, epoch_us(_timestamp) AS at FROM sword ORDER BY n"
    before = questlog.sql(asked)
    for file in sorted(folder_of(questlog).glob("date=*/*.parquet"))[:2]:
        pyarrow.parquet.write_table(pyarrow.parquet.ParquetFile(file).read(), file, use_deprecated_int96_timestamps=True)
    assert questlog.sql(asked) == before
    for file in folder_of(questlog).glob("date=*/*.parquet"):
        pyarrow.parquet.write_table(pyarrow.parquet.ParquetFile(file).read(), file, use_deprecated_int96_timestamps=True)
    assert questlog.sql(asked) == before
    assert {row["type"] for row in before} == {"TIMESTAMP WITH TIME ZONE"}
    land_more(questlog, server, 300)
    check(questlog, 400)


@pytest.mark.parametrize("landed", [3], indirect=True)
def test_a_column_of_another_programs_stays(landed):
    questlog, server = landed
    DeltaTable(str(folder_of(questlog))).alter.add_columns(
        [Field("score", PrimitiveType("long"), metadata={"comment": "by hand"})])
    land_more(questlog, server, 300, late="yes")
    check(questlog, 400)
    fields = {field.name: field for field in DeltaTable(str(folder_of(questlog))).schema().fields}
    assert fields["score"].metadata == {"comment": "by hand"}
    assert numbers_by_delta(questlog) == list(range(400))


@pytest.mark.parametrize("landed", [3], indirect=True)
def test_what_we_cannot_write_to_is_told_and_still_read(landed):
    questlog, server = landed
    DeltaTable(str(folder_of(questlog))).alter.add_columns([Field("score", PrimitiveType("integer"))])
    server.send_events([{"event_type": "sword", "n": 300}])
    questlog.fails("land", "--once", code=1, says=["sword", "column score", "integer"])
    assert questlog.value_of("SELECT count(*) FROM sword") == 301
    assert numbers_by_delta(questlog) == list(range(300))


@pytest.mark.parametrize("landed", [3], indirect=True)
def test_a_newer_protocol_is_refused(landed):
    questlog, server = landed
    DeltaTable(str(folder_of(questlog))).alter.add_feature(TableFeatures.DeletionVectors,
                                                            allow_protocol_versions_increase=True)
    server.send_events([{"event_type": "sword", "n": 300}])
    questlog.fails("land", "--once", code=1, says=["sword", "version 3/7 of the Delta protocol"])
