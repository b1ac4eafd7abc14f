"""Continuous tables, read and written by the cluster's Spark with Delta's own jars."""

import datetime
import json
import shutil

import pytest
from conftest import START_S, notebook_environment
from earlier_log import DAY_MS, shift
from questlog_process import Questlog
from spark_session import SparkFailed, SparkSession

pytestmark = pytest.mark.timeout(START_S + 120)
QUICK = "[landing]\ncut_ms = 200\n"
TABLES = ("sword", "raid_x20_boss", "default_event")
EACH_CUT = 30
TYPES = {"VARCHAR": "string", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean", "TIMESTAMP WITH TIME ZONE": "timestamp"}


def event(n, **more):
    """Of one of three types, with what is hard to carry: letters, fractions, extremes, nested values, nulls, taken names."""
    return {"event_type": ("sword", "raid boss", "default")[n % 3], "n": n, "half": n / 2 - 10, "name": f"händler 🗡 {n}\n\t\"'\\\0",
            "gift": (True, False, None)[n // 3 % 3], "loot": {"gold": [n, None, {"ü": 1.5}]} if n % 2 else None,
            "mixed": f"n{n}" if n % 4 == 0 else n + 0.25, "big": 2**53 + 1 + n, "least": -2**63, "zero": -0.0, "tiny": 5e-324,
            "greatest": 1.7976931348623157e308, "never": None, "Name": n, "date": "the event's", "a b.c=": n, **more}


def events(first, **more):
    return [event(n, **more) for n in range(first, first + EACH_CUT)]


@pytest.fixture(scope="module")
def spark(engines):
    with SparkSession({**notebook_environment(engines), "TZ": "Asia/Kathmandu"}) as session:
        yield session


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    """Three cuts: the first of the day before, the third with further columns. Tests leave it as it is."""
    questlog = Questlog(tmp_path_factory.mktemp("lake"))
    questlog.write_config("[landing]\nenabled = false\n")
    with questlog.serve() as server:
        server.send_events(events(0))
        assert server.stop() == 0
    for segment in questlog.segments():
        shift(segment, -DAY_MS)
    questlog.write_config(QUICK)
    with questlog.serve() as server:
        questlog.ok("land", "--once")
        server.send_events(events(EACH_CUT))
        questlog.ok("land", "--once")
        server.send_events(events(2 * EACH_CUT, late="yes", never=7, gift="no"))
        questlog.ok("land", "--once")
        assert server.stop() == 0
    check_ledger(questlog, 3 * EACH_CUT)
    return questlog


@pytest.fixture
def own(landed, tmp_path):
    """The same for a test that changes it."""
    return copy_of(landed, tmp_path)


def copy_of(questlog, to):
    questlog.copy_data(to / "data")
    copy = Questlog(to)
    copy.write_config(questlog.config.read_text())
    return copy


def folder(questlog, table):
    return questlog.data / "lake" / "events" / table


def check_ledger(questlog, count):
    ledger = questlog.sql("SELECT * FROM ledger")
    assert all(row["balanced"] and row["pending"] == 0 and row["problem"] is None for row in ledger), ledger
    assert sum(row["landed"] for row in ledger) == count, ledger


def day_of(microseconds):
    return str(datetime.datetime.fromtimestamp(microseconds / 1e6, datetime.UTC).date())


def by_sql(questlog, table, where="true"):
    """(types, rows), as questlog's own SQL has them, and with the column that only the files' folders have."""
    types = {row["column_name"]: TYPES[row["column_type"]] for row in questlog.sql(f'DESCRIBE SELECT * FROM "{table}"')}
    rows = questlog.sql(f'SELECT * REPLACE (epoch_us(_timestamp) AS _timestamp) FROM "{table}" WHERE {where}')
    return {**types, "date": "date"}, [{**row, "date": day_of(row["_timestamp"])} for row in rows]


def lines(rows):
    """In which 1, 1.0 and true differ, and 0.0 and -0.0."""
    return [json.dumps(row, ensure_ascii=False) for row in sorted(rows, key=lambda row: row["_offset"])]


def check(spark, questlog, table):
    types, rows = by_sql(questlog, table)
    read = spark.read(folder(questlog, table))
    assert list(read.types.items()) == list(types.items())
    assert lines(read.rows) == lines(rows)
    return read.rows


# --- reading

@pytest.mark.parametrize("table", TABLES)
def test_rows_and_types_are_those_of_sql(spark, landed, table):
    rows = check(spark, landed, table)
    assert len(rows) == EACH_CUT and len({row["date"] for row in rows}) >= 2
    assert {row["late"] for row in rows} == {None, "yes"}
    assert any(row["_rescued_data"] for row in rows)


def test_a_time_is_the_same_moment_wherever_spark_runs(spark, landed):
    stamps = [row["_timestamp"] for row in by_sql(landed, "sword")[1]]
    shown = spark.run("spark.conf.set('spark.sql.session.timeZone', 'UTC')\n"
                      f"frame = spark.read.format('delta').load('file://{folder(landed, 'sword')}')\n"
                      "table = frame.selectExpr('_timestamp', 'date_format(_timestamp, \"yyyy-MM-dd HH:mm:ss.SSS\") AS shown', "
                      "'to_date(_timestamp) = date AS same')\n").rows
    spark.run("spark.conf.unset('spark.sql.session.timeZone')")
    assert sorted(row["_timestamp"] for row in shown) == sorted(stamps)
    assert all(row["same"] for row in shown)
    for row in shown:
        moment = datetime.datetime.fromtimestamp(row["_timestamp"] / 1e6, datetime.UTC)
        assert row["shown"] == moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def test_what_needs_no_other_files_reads_no_other_files(spark, own):
    """By the partition, and by the bounds of numbers and times in the log."""
    path = folder(own, "sword")
    types, rows = by_sql(own, "sword")
    assert spark.sql(f"DESCRIBE DETAIL delta.`file://{path}`").rows[0]["partitionColumns"] == ["date"]
    first_day = min(row["date"] for row in rows)
    later = [row for row in rows if row["date"] != first_day]
    shutil.rmtree(path / f"date={first_day}")
    with pytest.raises(SparkFailed, match="does not exist"):
        spark.read(path)
    first = min(later, key=lambda row: row["_offset"])
    assert lines(spark.read(path, f"date > '{first_day}'").rows) == lines(later)
    assert lines(spark.read(path, f"_offset >= {first['_offset']}").rows) == lines(later)
    assert lines(spark.read(path, f"_timestamp >= timestamp_micros({first['_timestamp']})").rows) == lines(later)


def test_aggregates_are_those_of_sql(spark, landed):
    """Some of which Spark takes from the Delta log alone, where it is asked for nothing else."""
    types, rows = by_sql(landed, "sword")
    path = f"delta.`file://{folder(landed, 'sword')}`"
    values = {column: [row[column] for row in rows if row[column] is not None] for column in types}
    asked = {f"min_{column}": (f"min(`{column}`)", min(values[column], default=None)) for column in types}
    asked |= {f"max_{column}": (f"max(`{column}`)", max(values[column], default=None)) for column in types}
    counts = {f"count_{column}": (f"count(`{column}`)", len(values[column])) for column in types}
    for of_interest in ({"n": ("count(*)", len(rows))}, asked, asked | counts):
        columns = ", ".join(f"{expression} AS `{name}`" for name, (expression, _) in of_interest.items())
        assert spark.sql(f"SELECT {columns} FROM {path}").rows == [{name: value for name, (_, value) in of_interest.items()}]


@pytest.mark.parametrize("condition", ["late IS NULL OR n < 63", "late = 'yes'", "gift IS NULL", "never IS NOT NULL AND half < 25",
                                       "zero <= 0 AND tiny > 0 AND big > 9007199254740995"])
def test_conditions_find_what_sql_finds(spark, landed, condition):
    """Not `zero = 0`: Spark 3.5 finds no -0.0 by that, in its own files neither."""
    _, rows = by_sql(landed, "sword", condition)
    assert lines(spark.read(folder(landed, "sword"), condition).rows) == lines(rows)


def test_earlier_versions(spark, landed):
    path, by_offset = folder(landed, "sword"), lines(by_sql(landed, "sword")[1])
    each = EACH_CUT // len(TABLES)
    for version in range(3):
        then = spark.read(path, versionAsOf=version)
        assert ("late" in then.types) == (version == 2)
        assert [row["_offset"] for row in sorted(then.rows, key=lambda row: row["_offset"])] == \
            [json.loads(line)["_offset"] for line in by_offset[:each * (version + 1)]]
    newest = spark.sql(f"SELECT * FROM delta.`file://{path}` VERSION AS OF 2")
    assert lines(newest.rows) == by_offset
    assert [row["version"] for row in spark.sql(f"DESCRIBE HISTORY delta.`file://{path}`").rows] == [2, 1, 0]


def test_the_files_alone(spark, landed):
    """For who does not know the Delta log."""
    path = folder(landed, "sword")
    types, rows = by_sql(landed, "sword")
    read = spark.run(f"table = spark.read.option('mergeSchema', True).option('basePath', 'file://{path}')"
                     f".parquet('file://{path}/date=*')")
    assert read.types == types
    assert lines([{column: row[column] for column in types} for row in read.rows]) == lines(rows)
    one_day = spark.run(f"table = spark.read.parquet('file://{path}/date={min(row['date'] for row in rows)}')")
    assert sorted(row["n"] for row in one_day.rows) == list(range(0, EACH_CUT, 3))


def test_connect_prints_what_reads_it(spark, landed):
    """Also here, where a path without a scheme is one of HDFS's."""
    table = spark.run(landed.ok("connect", "sword", "--for", "spark"))
    assert lines(table.rows) == lines(by_sql(landed, "sword")[1])


# --- what changes

def test_a_table_that_is_rebuilt_while_spark_knows_the_old_one(spark, own):
    before = lines(check(spark, own, "sword"))
    for _ in range(2):
        own.ok("rebuild", "sword")
        assert lines(check(spark, own, "sword")) == before


# --- a long table

SMALL_CUTS = "[landing]\nenabled = false\ncut_bytes = 65536\n"
PADDING = "x" * 2800
COMMITS, EACH = 105, 25


def batch(number, **more):
    return [{"event_type": "raid", "n": n, "half": n / 2, "padding": PADDING, **more}
            for n in range(number * EACH, (number + 1) * EACH)]


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A table of as many commits that there is a checkpoint. Tests leave it as it is."""
    questlog = Questlog(tmp_path_factory.mktemp("long"))
    questlog.write_config(SMALL_CUTS)
    with questlog.serve() as server:
        for number in range(COMMITS):
            server.send_events(batch(number))
        questlog.ok("land", "--once")
        assert server.stop() == 0
    check_ledger(questlog, COMMITS * EACH)
    return questlog


def numbers(rows):
    return sorted(row["n"] for row in rows)


def test_a_long_table_through_its_checkpoint(spark, long, tmp_path):
    questlog = copy_of(long, tmp_path)
    log = folder(questlog, "raid") / "_delta_log"
    assert len(list(log.glob("*.json"))) == COMMITS
    assert (log / f"{100:020}.checkpoint.parquet").is_file()
    for version in range(100):
        (log / f"{version:020}.json").unlink()
    assert numbers(check(spark, questlog, "raid")) == list(range(COMMITS * EACH))
    then = spark.read(folder(questlog, "raid"), f"n >= {99 * EACH}", versionAsOf=100)
    assert numbers(then.rows) == list(range(99 * EACH, 101 * EACH))


def test_spark_writes_and_landing_goes_on(spark, long, tmp_path):
    questlog = copy_of(long, tmp_path)
    path = folder(questlog, "raid")
    table = f"delta.`file://{path}`"

    def detail():
        return spark.sql(f"DESCRIBE DETAIL {table}").rows[0]

    with questlog.serve() as server:
        before = check(spark, questlog, "raid")
        assert detail()["numFiles"] == COMMITS
        spark.sql(f"OPTIMIZE {table}")
        assert detail()["numFiles"] < COMMITS
        assert lines(check(spark, questlog, "raid")) == lines(before)
        check_ledger(questlog, COMMITS * EACH)

        server.send_events(batch(COMMITS, late="yes"))
        questlog.ok("land", "--once")
        assert numbers(check(spark, questlog, "raid")) == list(range((COMMITS + 1) * EACH))
        check_ledger(questlog, (COMMITS + 1) * EACH)

        spark.run(f"frame = spark.read.format('delta').load('file://{path}').where('n = 7')\n"
                  f"frame.withColumn('n', -frame.n).write.format('delta').mode('append').save('file://{path}')")
        server.send_events(batch(COMMITS + 1, later=0.5))
        questlog.ok("land", "--once")
        expected = sorted([-7, *range((COMMITS + 2) * EACH)])
        assert numbers(check(spark, questlog, "raid")) == expected
        check_ledger(questlog, (COMMITS + 2) * EACH)
        assert (detail()["minReaderVersion"], detail()["minWriterVersion"]) == (1, 2)
        assert server.stop() == 0
