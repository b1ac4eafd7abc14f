"""Batch jobs: what lands, with which types, printed how, and how tables are replaced."""

import contextlib
import hashlib
import shutil

import duckdb
import pandas
import polars
import pyarrow.parquet as parquet
import pytest
from reference_flow import WHOLE_TIMESTAMP, read_table
from waiting import repeating

JOB = """
[[job]]
name = "buys"
  [[job.output]]
  path = "tmp/buys"
  where = "event_type = 'buy'"
  show = true
  print_schema = true
"""


@pytest.fixture
def shop(questlog):
    """A data folder whose configuration has the job `buys` on top of the built-in ones."""
    questlog.write_config(JOB)
    return questlog


def collect(questlog, *events, raw=()):
    with questlog.serve() as server:
        if events:
            server.send_events(events)
        for body in raw:
            assert server.post("/events", body).status == 200
        assert server.stop() == 0


def buy(**fields):
    return {"event_type": "buy", **fields}


def files_of(questlog, table="buys"):
    return sorted((questlog.data / "lake" / "tmp" / table).glob("*.parquet"))


def landed(questlog, table="buys"):
    return parquet.read_table(files_of(questlog, table)[0])


def types_of(questlog, table="buys"):
    schema = landed(questlog, table).schema
    return {name: str(schema.field(name).type) for name in schema.names}


# --- types -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("values, type_name, stored", [
    ([True, False, None], "bool", [True, False, None]),
    ([1, -2, None], "int64", [1, -2, None]),
    ([2**63 - 1, -2**63], "int64", [2**63 - 1, -2**63]),
    ([1, 2.5], "double", [1.0, 2.5]),
    ([1.0, 1e300], "double", [1.0, 1e300]),
    (["a", "é⚔", ""], "string", ["a", "é⚔", ""]),
    ([1, "a"], "string", ["1", "a"]),
    ([True, 1], "string", ["true", "1"]),
    ([None, None], "string", [None, None]),
    ([{"a": [1, 2]}, [True]], "string", ['{"a": [1, 2]}', "[true]"]),
    ([{"a": 1}, 5], "string", ['{"a": 1}', "5"]),
])
def test_types_are_inferred_over_all_of_a_tables_own_events(shop, values, type_name, stored):
    collect(shop, *[buy(x=value) for value in values], {"event_type": "other", "x": "text", "y": 1})
    shop.ok("batch", "buys")
    assert types_of(shop) == {"event_type": "string", "timestamp": "string", "x": type_name}
    assert landed(shop)["x"].to_pylist() == stored


def test_a_key_that_some_events_lack_is_null_there(shop):
    collect(shop, buy(a=1), buy(b="x"), buy())
    shop.ok("batch", "buys")
    assert landed(shop).drop_columns("timestamp").to_pylist() == [
        {"a": 1, "b": None, "event_type": "buy"}, {"a": None, "b": "x", "event_type": "buy"},
        {"a": None, "b": None, "event_type": "buy"}]


def test_columns_stand_in_bytewise_order(shop):
    collect(shop, buy(b=1, B=1, a=1, **{"User-Agent": "x", "é": 1, "_x": 1, "0": 1, "zz": 1}))
    shop.ok("batch", "buys")
    names = landed(shop).schema.names
    assert names == sorted(names, key=str.encode)


def test_names_equal_but_for_case_and_a_clients_timestamp_keep_their_values_under_visible_names(shop):
    collect(shop, buy(Host="upper", host="lower", timestamp="forged", Timestamp="also forged"))
    done = shop.run("batch", "buys")
    assert done.code == 0
    table = landed(shop)
    names = [name.lower() for name in table.schema.names]
    assert len(set(names)) == len(names) == 6, table.schema.names
    row = table.to_pylist()[0]
    assert sorted(value for value in row.values() if not WHOLE_TIMESTAMP.fullmatch(value)) == [
        "also forged", "buy", "forged", "lower", "upper"]
    assert WHOLE_TIMESTAMP.fullmatch(row["timestamp"])


def test_timestamps_are_the_logs_in_utc_as_spark_casts_them(shop):
    collect(shop, *[buy(n=n) for n in range(50)])
    shop.ok("batch", "buys")
    stamps = [int(stamp) for stamp in shop.ok("tail", "-o", "beginning", "-e", "-f", "%T\\n").split()]
    expected = [pandas.Timestamp(stamp, unit="ms").strftime("%Y-%m-%d %H:%M:%S.%f")[:-3].rstrip("0").rstrip(".")
                if stamp % 1000 else pandas.Timestamp(stamp, unit="ms").strftime("%Y-%m-%d %H:%M:%S") for stamp in stamps]
    assert landed(shop)["timestamp"].to_pylist() == expected


def test_odd_keys_become_columns_and_never_sql_or_paths(shop):
    keys = ['a"b', "a'b; DROP TABLE x", "../up", "a b", "a.b", "", "select", "_offset", "_partition", "x" * 300, "new\nline"]
    collect(shop, buy(**{key: number for number, key in enumerate(keys)}))
    shop.ok("batch", "buys")
    values = landed(shop).drop_columns("timestamp").to_pylist()[0]
    assert sorted(value for value in values.values() if isinstance(value, int)) == list(range(len(keys)))
    assert shop.value_of("SELECT count(*) FROM buys") == 1


# --- munging and filters ---------------------------------------------------------------------------------------------

def test_separate_events_munges_and_the_others_do_not(questlog):
    with questlog.serve() as server:
        server.get("/purchase_a_sword", headers=[("Host", "user1"), ("Cache-Control", "max-age=0")])
        assert server.stop() == 0
    for job in ("separate_events", "just_filtering", "filtered_writes"):
        questlog.ok("batch", job)
    munged, plain = landed(questlog, "sword_purchases").to_pylist()[0], landed(questlog, "purchases").to_pylist()[0]
    assert (munged["Host"], munged["Cache-Control"]) == ("moe", "no-cache")
    assert (plain["Host"], plain["Cache-Control"]) == ("user1", "max-age=0")


def test_where_sees_what_set_made_and_set_sees_what_came(questlog):
    questlog.write_config("""
[[job]]
name = "raised"
set = { price = "price * 2", was = "price", who = "trim(player)", level = "CASE WHEN price > 5 THEN 'high' ELSE 'low' END" }
  [[job.output]]
  path = "tmp/raised"
  where = "price >= 10 AND event_type IN ('buy', 'rent')"
""")
    collect(questlog, buy(price=4, player="ann"), buy(price=5, player=" bob"), buy(price=6, player=None),
            {"event_type": "rent", "price": 50, "player": "eve "}, {"event_type": "steal", "price": 99, "player": "x"})
    questlog.ok("batch", "raised")
    rows = landed(questlog, "raised").select(["price", "was", "who", "level"]).to_pylist()
    assert rows == [{"price": 10, "was": 5, "who": "bob", "level": "low"}, {"price": 12, "was": 6, "who": None, "level": "high"},
                    {"price": 100, "was": 50, "who": "eve", "level": "high"}]


def test_a_job_without_path_writes_nothing(reference):
    lake = reference.data / "lake"
    before = sorted(lake.rglob("*"))
    reference.ok("batch", "just_filtering")
    assert sorted(lake.rglob("*")) == before


def test_a_declared_job_replaces_the_built_in_one_of_its_name(questlog):
    questlog.write_config(JOB.replace('"buys"', '"separate_events"'))
    collect(questlog, buy(a=1))
    questlog.ok("batch", "separate_events")
    assert [path.name for path in (questlog.data / "lake" / "tmp").iterdir()] == ["buys"]


def test_events_that_are_none_of_the_tables_are_counted_as_filtered(shop):
    collect(shop, buy(), {"event_type": "a"}, {"event_type": "b"})
    shop.ok("batch", "buys")
    table = next(table for table in shop.tables() if table["name"] == "buys")
    assert (table["accepted"], table["landed"], table["filtered"], table["pending"]) == (3, 1, 2, 0)


# --- text ------------------------------------------------------------------------------------------------------------

def test_show_and_schema_print_values_as_spark_does(shop):
    collect(shop, buy(d=1e10, t=True, n=None, s="exactly twenty chars", w="旅人", l="line\nfeed\ttab"),
            buy(d=1.5, t=None, n=7, s="a text of twenty-one.", w="é", l=""),
            buy(d=0.0001, t=False, n=-1, s=None, w="e", l=None), buy(d=100.0), buy(d=12345678.9), buy(d=1e-5))
    out = shop.ok("batch", "buys")
    schema, table = out.split("\n\n", 1)
    assert schema.splitlines() == [
        "root", " |-- d: double (nullable = true)", " |-- event_type: string (nullable = true)",
        " |-- l: string (nullable = true)", " |-- n: long (nullable = true)", " |-- s: string (nullable = true)",
        " |-- t: boolean (nullable = true)", " |-- timestamp: string (nullable = true)", " |-- w: string (nullable = true)"]
    names, rows = read_table(table)
    assert names == ["d", "event_type", "l", "n", "s", "t", "timestamp", "w"]
    assert [row[0] for row in rows] == ["1.0E10", "1.5", "1.0E-4", "100.0", "1.23456789E7", "1.0E-5"]
    assert rows[0][2:6] == ["line\\nfeed\\ttab", "NULL", "exactly twenty chars", "true"] and rows[0][7] == "旅人"
    assert rows[1][4] == "a text of twenty-..."
    lines = table.splitlines()
    assert len(lines[0]) == len(lines[5])           # a plain row is as long as the border
    assert len(lines[3]) == len(lines[0]) - 2       # two full-width characters take two columns each


# --- files -----------------------------------------------------------------------------------------------------------

def test_parquet_opens_in_every_reader_with_the_same_rows(shop):
    collect(shop, *[buy(n=n, d=n / 4, t=n % 2 == 0, s=f"é{n}", o={"k": n}, z=None) for n in range(5000)])
    shop.ok("batch", "buys")
    path = str(files_of(shop)[0])
    arrow = parquet.read_table(path)
    assert arrow.num_rows == 5000 and arrow["n"].to_pylist() == list(range(5000))
    frame = pandas.read_parquet(path)
    assert frame["s"].tolist() == arrow["s"].to_pylist() and frame["t"].dtype == bool
    polar = polars.read_parquet(path)
    assert polar["o"].to_list() == arrow["o"].to_pylist() and polar["z"].null_count() == 5000
    assert polar.schema["s"] == polars.String and polar.schema["o"] == polars.String
    rows = duckdb.sql(f"SELECT sum(n), sum(d), count(*) FILTER (t), max(timestamp) FROM read_parquet('{path}')").fetchone()
    assert rows == (sum(range(5000)), sum(range(5000)) / 4, 2500, max(arrow["timestamp"].to_pylist()))
    folder = str(files_of(shop)[0].parent)
    assert parquet.read_table(folder).num_rows == 5000          # the folder as a data set, _SUCCESS and all
    assert polars.scan_parquet(folder + "/*.parquet").select(polars.len()).collect().item() == 5000
    metadata = parquet.ParquetFile(path).metadata
    assert metadata.row_group(0).column(0).compression == "SNAPPY"


def test_a_table_without_rows_is_an_empty_file_with_its_columns(questlog):
    questlog.write_config("""
[[job]]
name = "empty"
set = { Host = "'moe'", doubled = "price * 2" }
  [[job.output]]
  path = "tmp/empty"
  where = "event_type = 'buy'"
  show = true

[[event]]
path = "/buy"
methods = ["POST"]
type = "buy"
reply = "ok"
set = { shop = "main" }
fields = { price = { type = "double", required = true } }
""")
    collect(questlog, {"event_type": "other", "z": 1})
    out = questlog.ok("batch", "empty")
    names, rows = read_table(out)
    assert rows == [] and {"Host", "doubled", "price", "shop", "timestamp"} <= set(names) and "z" not in names
    folder = questlog.data / "lake" / "tmp" / "empty"
    assert (folder / "_SUCCESS").exists()
    table = parquet.read_table(files_of(questlog, "empty")[0])
    assert table.num_rows == 0 and table.schema.names == names
    assert questlog.ok("show", "empty") == out
    assert questlog.value_of("SELECT count(*) FROM empty") == 0


def test_a_batch_before_the_first_event_lands_empty_tables(questlog):
    with questlog.serve() as server:
        assert server.stop() == 0
    questlog.ok("batch", "separate_events")
    assert landed(questlog, "sword_purchases").num_rows == 0
    assert questlog.value_of("SELECT count(*) FROM sword_purchases") == 0


def test_the_same_range_gives_the_same_bytes(shop):
    collect(shop, *[buy(n=n, s=f"name {n % 97}", d=n / 7) for n in range(20_000)])
    digests, names = set(), set()
    for _ in range(3):
        shop.ok("batch", "buys")
        path, = files_of(shop)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
        names.add(path.name)
    assert len(digests) == 1 and len(names) == 3


# --- overwriting -----------------------------------------------------------------------------------------------------

def test_a_batch_beside_a_running_server_lands_all_that_was_acked(shop):
    with shop.serve() as server:
        for count in range(1, 4):
            server.send_events([buy(n=count)])
            shop.ok("batch", "buys")
            assert landed(shop)["n"].to_pylist() == list(range(1, count + 1))


@pytest.mark.timeout(120)
def test_readers_see_the_old_or_the_new_table_and_never_a_mixture(shop):
    with shop.serve() as server:
        server.send_events([buy(generation=0, n=n) for n in range(200)])
        shop.ok("batch", "buys")
        folder = files_of(shop)[0].parent
        sizes = []

        def read_folder():
            with contextlib.suppress(FileNotFoundError):  # a listed file may be gone; the reader lists again
                names = list(folder.glob("*.parquet"))
                assert len(names) <= 1, "two generations at once"
                sizes.extend(parquet.read_table(name).num_rows for name in names)

        def look():
            assert folder.exists(), "for a moment there was no table"

        def read_by_sql():
            row, = shop.sql("SELECT count(*) AS n, count(DISTINCT generation) AS g FROM buys", "--landed")
            sizes.append(row["n"] if row["n"] == 200 * row["g"] else -1)

        with repeating(look, read_folder, read_by_sql):
            for generation in range(1, 16):
                server.send_events([buy(generation=generation, n=n) for n in range(200)])
                shop.ok("batch", "buys")
    assert sizes and all(size > 0 and size % 200 == 0 for size in sizes), sorted(set(sizes))
    assert len(set(sizes)) > 2, "the readers saw no swap"


def test_a_killed_batch_leaves_the_old_table_and_the_next_one_cleans_up(shop):
    collect(shop, *[buy(n=n) for n in range(50_000)])
    shop.ok("batch", "buys")
    before = {path.name: path.read_bytes() for path in files_of(shop)[0].parent.iterdir()}
    for _ in range(5):
        batch = shop.start("batch", "buys")
        batch.stdout.readline()  # it has begun to print, or ended
        batch.kill()
        batch.communicate()
        present = {path.name: path.read_bytes() for path in files_of(shop)[0].parent.iterdir()}
        assert len(present) == 2 and sorted(present.values()) == sorted(before.values())
    shop.ok("batch", "buys")
    assert sorted(path.name.split("-")[0] for path in files_of(shop)[0].parent.iterdir()) == ["_SUCCESS", "part"]
    assert len(list((shop.data / "lake").rglob("*.parquet"))) <= 1 + 3  # the table's, and those kept for readers in need


def test_a_log_that_no_longer_reaches_back_is_not_written_over_the_table_without_force(shop):
    collect(shop, buy(n=1), buy(n=2))
    shop.ok("batch", "buys")
    shutil.rmtree(shop.data / "log")
    collect(shop, buy(n=3))
    shop.fails("batch", "buys", code=2, says=["--force", "buys"])
    assert landed(shop)["n"].to_pylist() == [1, 2]
    shop.ok("batch", "buys", "--force")
    assert landed(shop)["n"].to_pylist() == [3]


@pytest.mark.parametrize("left", ["_SUCCESS", "nothing"])
def test_a_table_that_lost_its_file_is_told_and_made_anew_from_the_log(shop, left):
    collect(shop, buy(n=1), buy(n=2))
    shop.ok("batch", "buys")
    folder = files_of(shop)[0].parent
    for path in folder.iterdir():
        if path.name != left:
            path.unlink()
    for command in (["sql", "FROM buys"], ["sql", "FROM buys", "--landed"], ["show", "buys"]):
        shop.fails(*command, code=1, says=[folder, "damaged", "questlog batch"])
    assert shop.value_of("SELECT count(*) FROM purchases") == 0, "the other tables answer"
    done = shop.run("batch", "buys")
    assert done.code == 0 and f"made anew from the log, as {folder} is damaged" in done.err, str(done)
    assert landed(shop)["n"].to_pylist() == [1, 2]
    assert "damaged" not in shop.run("batch", "buys").err


def test_a_table_that_cannot_be_written_leaves_the_jobs_others_to_be_landed(questlog):
    with questlog.serve() as server:
        server.get("/")
        server.get("/purchase_a_sword")
        assert server.stop() == 0
    blocked = questlog.data / "lake" / "tmp" / "sword_purchases"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where the table's folder should be")
    done = questlog.fails("batch", "separate_events", code=1,
                          says=["1 of the 2 outputs of job separate_events failed", "sword_purchases: ", blocked,
                                "default_hits: 1 of 2 events landed"])
    assert "|   default|" in done.out and "purchase_sword" not in done.out
    assert landed(questlog, "default_hits")["event_type"].to_pylist() == ["default"]
    assert blocked.read_text() == "a file where the table's folder should be"
    blocked.unlink()
    questlog.ok("batch", "separate_events")
    assert landed(questlog, "sword_purchases")["event_type"].to_pylist() == ["purchase_sword"]


def test_batch_says_what_it_landed_and_draws_progress_only_on_terminals(shop):
    collect(shop, buy(n=1), {"event_type": "other"})
    err = shop.run("batch", "buys").err
    assert "1 of 2 events landed" in err and "\r" not in err and len(err.splitlines()) == 1


def test_an_unknown_job_is_told_with_those_that_exist(questlog):
    questlog.fails("batch", "separate", code=2, says=["separate", "separate_events", "just_filtering", "filtered_writes"])


def test_spark_is_refused_without_a_topic_in_kafka(questlog):
    questlog.fails("batch", "separate_events", "--engine", "spark", code=2,
                   says=["--engine spark reads a topic in Kafka", "cannot read", "[kafka]", "--kafka HOST:PORT"])
    questlog.fails("batch", "separate_events", "--engine", "flink", code=2, says=["--engine", "flink", "spark"])
    assert not (questlog.data / "spark").exists()
