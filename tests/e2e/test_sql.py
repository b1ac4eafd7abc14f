"""SQL over tables ∪ log tail, and the books."""

import csv
import io
import json
import re

import pyarrow.parquet as parquet
import pytest
from load import Load
from questlog_process import json_rows
from segment import flip_bit, read_batches
from waiting import repeating

SWORDS = "SELECT count(*) FROM sword_purchases"


@pytest.fixture
def swords(questlog):
    """A running server; swords(n) buys n."""
    with questlog.serve() as server:
        def buy(count):
            with server.wire() as wire:
                for _ in range(count):
                    assert wire.get("/purchase_a_sword", headers=[("Host", "user1")]).status == 200
        buy.server = server
        yield buy


# --- the log as a table ----------------------------------------------------------------------------------------------

def test_events_is_the_whole_log(reference):
    columns = reference.sql("DESCRIBE SELECT * FROM events")
    assert [(column["column_name"], column["column_type"]) for column in columns] == [
        ("topic", "VARCHAR"), ("partition", "BIGINT"), ("offset", "BIGINT"), ("timestamp", "TIMESTAMP WITH TIME ZONE"),
        ("event_type", "VARCHAR"), ("value", "VARCHAR")]
    rows = reference.sql('SELECT topic, partition, "offset", event_type, value FROM events ORDER BY "offset"')
    assert [row["value"] for row in rows] == reference.values()
    assert [row["offset"] for row in rows] == list(range(80))
    assert {(row["topic"], row["partition"]) for row in rows} == {("game-events", 0)}
    assert all(row["event_type"] == json.loads(row["value"])["event_type"] for row in rows)
    stamps = reference.sql('SELECT epoch_ms("timestamp") AS ms FROM events ORDER BY "offset"')
    assert [str(row["ms"]) for row in stamps] == reference.ok("tail", "-o", "beginning", "-e", "-f", "%T\\n").split()


def test_counts_by_type_agree_with_the_log(reference):
    assert reference.sql("SELECT event_type, count(*) AS n FROM events GROUP BY 1 ORDER BY 1") == [
        {"event_type": name, "n": 20} for name in ("default", "join_guild", "purchase_knife", "purchase_sword")]


def test_events_of_several_partitions_are_all_there(questlog):
    questlog.write_config("[log]\npartitions = 3\n")
    with questlog.serve() as server:
        receipts = [server.get("/?receipt=1").json() for _ in range(10)]
    rows = questlog.sql('SELECT partition, "offset" FROM events')
    assert sorted((row["partition"], row["offset"]) for row in rows) == sorted(
        (receipt["partition"], receipt["offset"]) for receipt in receipts)


# --- landed ∪ tail ---------------------------------------------------------------------------------------------------

def test_a_table_never_landed_is_the_whole_log_by_its_declaration(questlog, swords):
    swords(3)
    swords.server.get("/join_guild")
    assert questlog.sql("SELECT DISTINCT Host, \"Cache-Control\", event_type FROM sword_purchases") == [
        {"Host": "moe", "Cache-Control": "no-cache", "event_type": "purchase_sword"}]
    assert questlog.value_of(SWORDS) == 3
    questlog.fails("sql", SWORDS, "--landed", code=2, says=["sword_purchases", "questlog batch"])


def test_a_table_is_its_landed_rows_and_the_log_after_them(questlog, swords):
    swords(3)
    questlog.ok("batch", "separate_events")
    swords(2)
    assert questlog.value_of(SWORDS) == 5
    assert questlog.value_of(SWORDS, "--landed") == 3
    assert questlog.sql("SELECT DISTINCT Host FROM sword_purchases") == [{"Host": "moe"}]
    questlog.ok("batch", "separate_events")
    assert questlog.value_of(SWORDS) == questlog.value_of(SWORDS, "--landed") == 5


def test_the_union_is_what_the_next_batch_will_land(questlog, swords):
    swords(2)
    questlog.ok("batch", "separate_events")
    swords.server.get("/purchase_a_sword?level=7&name=x", headers=[("Host", "u"), ("X-New", "1")])
    query = "SELECT * FROM sword_purchases ORDER BY timestamp"
    before = questlog.ok("sql", query, "--format", "csv")
    schema = questlog.ok("schema", "sword_purchases")
    questlog.ok("batch", "separate_events")
    assert questlog.ok("sql", query, "--format", "csv", "--landed") == before
    assert questlog.ok("schema", "sword_purchases", "--landed") == schema


def test_a_tail_of_a_wider_type_widens_the_union(questlog):
    questlog.write_config("""
[[job]]
name = "buys"
  [[job.output]]
  path = "tmp/buys"
  where = "event_type = 'buy'"
""")
    with questlog.serve() as server:
        server.send_events([{"event_type": "buy", "x": 1, "y": 1}])
        questlog.ok("batch", "buys")
        server.send_events([{"event_type": "buy", "x": 2.5, "y": "a"}])
        assert questlog.sql("SELECT x, y FROM buys ORDER BY x") == [{"x": 1.0, "y": "1"}, {"x": 2.5, "y": "a"}]
        server.send_events([{"event_type": "buy", "z": True}])
        assert questlog.sql("SELECT count(*) AS n, count(z) AS z FROM buys") == [{"n": 3, "z": 1}]


def test_show_and_schema_read_the_union_and_landed_alone(questlog, swords):
    swords(1)
    questlog.ok("batch", "separate_events")
    swords(1)
    assert questlog.ok("show", "sword_purchases").count("purchase_sword") == 2
    assert questlog.ok("show", "sword_purchases", "--landed").count("purchase_sword") == 1
    assert questlog.ok("schema", "sword_purchases") == questlog.ok("schema", "sword_purchases", "--landed")


def test_an_empty_table_has_its_columns(questlog, swords):
    assert questlog.value_of(SWORDS) == 0
    names = [row["column_name"] for row in questlog.sql("DESCRIBE SELECT * FROM sword_purchases")]
    assert {"Cache-Control", "Host", "timestamp"} <= set(names)
    assert questlog.ok("show", "sword_purchases").count("+") == 3 * (len(names) + 1)


def test_a_changed_declaration_sets_the_landed_table_aside_and_says_so(questlog):
    job = '[[job]]\nname = "j"\n  [[job.output]]\n  path = "tmp/j"\n  where = "event_type = \'{}\'"\n'
    questlog.write_config(job.format("a"))
    with questlog.serve() as server:
        server.send_events([{"event_type": "a"}, {"event_type": "b"}, {"event_type": "b"}])
        assert server.stop() == 0
    questlog.ok("batch", "j")
    questlog.write_config(job.format("b"))
    done = questlog.run("sql", "SELECT event_type FROM j", "--format", "csv")
    assert done.code == 0 and done.out.split() == ["event_type", "b", "b"]
    assert "j" in done.err and "declar" in done.err.lower(), done.err
    assert questlog.value_of("SELECT event_type FROM j", "--landed") == "a"


# --- a 200 is visible ------------------------------------------------------------------------------------------------

def test_a_200_is_visible_to_every_query_that_starts_after_it(questlog, swords):
    for count in range(1, 16):
        swords(1)
        if count % 5 == 0:
            questlog.ok("batch", "separate_events")
        assert questlog.value_of(SWORDS) == count


@pytest.mark.timeout(90)
def test_queries_beside_batches_and_load_count_every_event_once(questlog):
    questlog.write_config('[[job]]\nname = "loads"\n  [[job.output]]\n  path = "tmp/loads"\n  where = "event_type = \'load\'"\n')
    with questlog.serve() as server, Load(server, connections=2) as load:
        load.wait_for_acks(10)
        seen = 0
        with repeating(lambda: questlog.ok("batch", "loads")):
            for _ in range(25):
                acked = len(load.acked)
                row, = questlog.sql("SELECT count(*) AS n, count(DISTINCT connection * 1000000 + number) AS d FROM loads")
                assert row["n"] == row["d"] >= max(acked, seen)
                seen = row["n"]
        load.finish()
    assert questlog.value_of("SELECT count(*) FROM loads") == questlog.value_of("SELECT count(*) FROM events")


def test_a_table_without_events_has_the_columns_that_its_calls_declare(questlog):
    questlog.write_config("""
[[event]]
path = "/buy"
type = "buy"
set = { shop = "north" }
fields = { price = "double", gift = "boolean" }
[[job]]
name = "buys"
[[job.output]]
path = "tmp/buys"
where = "event_type = 'buy' AND price > 3"
""")
    questlog.ok("topic", "create", "--topic", "game-events")
    columns = {"event_type": "VARCHAR", "gift": "BOOLEAN", "price": "DOUBLE", "shop": "VARCHAR", "timestamp": "VARCHAR"}

    def described(*options):
        return {row["column_name"]: row["column_type"] for row in questlog.sql("DESCRIBE buys", *options)}
    assert described() == columns
    questlog.ok("batch", "buys")
    assert described() == described("--landed") == columns


# --- a time of the log -----------------------------------------------------------------------------------------------

def test_a_time_is_read_from_its_segments_alone(filled):
    """Damage elsewhere is not met, since that is not read; who asks for everything is told of it."""
    first, second, third = filled.segments()[:3]
    since, until = (filled.value_of(f'SELECT timestamp FROM events WHERE "offset" = {read_batches(path)[1].base_offset}')
                    for path in (second, third))
    events = filled.value_of(f"SELECT count(*) FROM events WHERE timestamp >= '{since}' AND timestamp < '{until}'")
    assert events > 1000
    batch = read_batches(first)[1]
    flip_bit(first, batch.position + batch.size - 30)

    bounds = [f"{{0}}timestamp >= '{since}' AND {{0}}timestamp < '{until}'".format(of) for of in ("", "a.", "b.")]
    one = f"SELECT count(value) AS n FROM events WHERE {bounds[0]}"
    assert filled.value_of(one) == events
    assert filled.value_of(f"""WITH e AS (FROM events) SELECT count(a.value || b.value) AS n FROM e a JOIN e b
                               USING ("offset") WHERE {bounds[1]} AND {bounds[2]}""") == events
    everything = [f"{one} OR value = ''", "SELECT count(value) FROM events",
                  f"SELECT count(a.value) FROM events a LEFT JOIN events b ON a.\"offset\" = b.\"offset\" AND {bounds[1]}"]
    for query in everything:
        filled.fails("sql", query, code=1, says=["log repair"])

    def scans(query):
        return filled.ok("sql", f"EXPLAIN (FORMAT json) {query}", "--format", "csv").count("QUESTLOG_ROWS")
    assert 0 < scans(one) < scans(everything[0])


# --- formats ---------------------------------------------------------------------------------------------------------

QUERY = """SELECT 1 AS n, 'a,"b"' AS s, NULL AS z, 1.5::DOUBLE AS d, true AS t UNION ALL SELECT 2, 'é', 'x', 1e10, false
           ORDER BY n"""


def test_csv_has_a_header_row_and_quotes_what_needs_it(questlog):
    rows = list(csv.reader(io.StringIO(questlog.ok("sql", QUERY, "--format", "csv"))))
    assert rows == [["n", "s", "z", "d", "t"], ["1", 'a,"b"', "", "1.5", "true"], ["2", "é", "x", rows[2][3], "false"]]
    assert float(rows[2][3]) == 1e10


def test_json_keeps_types(questlog):
    assert json_rows(questlog.ok("sql", QUERY, "--format", "json")) == [
        {"n": 1, "s": 'a,"b"', "z": None, "d": 1.5, "t": True}, {"n": 2, "s": "é", "z": "x", "d": 1e10, "t": False}]
    assert json_rows(questlog.ok("sql", "SELECT 1 AS n WHERE false", "--format", "json")) == []


def test_parquet_goes_to_a_file_or_to_standard_output(questlog):
    path = questlog.folder / "out.parquet"
    questlog.ok("sql", QUERY, "--format", "parquet", "-o", path)
    assert parquet.read_table(path).to_pydict()["s"] == ['a,"b"', "é"]
    raw = questlog.ok("sql", QUERY, "--format", "parquet", binary_output=True)
    assert parquet.read_table(io.BytesIO(raw)).to_pydict()["n"] == [1, 2]


def test_the_table_format_shows_every_column_and_row(questlog):
    out = questlog.ok("sql", QUERY)
    assert all(text in out for text in ("n", "s", 'a,"b"', "é", "NULL"))
    assert questlog.ok("sql", QUERY, "--format", "table") == out


def test_sql_comes_from_standard_input_too(questlog):
    assert questlog.ok("sql", "--format", "csv", stdin="SELECT 42 AS answer\n") == "answer\n42\n"


def test_output_goes_to_a_file(questlog):
    path = questlog.folder / "out.csv"
    assert questlog.ok("sql", "SELECT 42 AS answer", "--format", "csv", "-o", path) == ""
    assert path.read_text() == "answer\n42\n"


@pytest.mark.parametrize("query, says", [
    ("SELEC 1", "SELEC"),
    ("SELECT * FROM no_such_table", "no_such_table"),
    ("SELECT no_such_column FROM events", "no_such_column"),
    ("", "SQL"),
    ("-- nothing to run", "expected one SQL statement, found 0"),
    ("SELECT 1; SELECT 2", "expected one SQL statement, found 2"),
    ("INSERT INTO events VALUES (1)", "does more than read"),
    ("DELETE FROM purchases", "does more than read"),
])
def test_a_query_that_cannot_be_answered_is_told(reference, query, says):
    done = reference.run("sql", query)
    assert done.code in (1, 2) and says in done.err and done.out == "", str(done)


def test_an_unknown_table_is_told_with_those_that_exist(questlog):
    for command in ("show", "schema"):
        questlog.fails(command, "swords", code=2, says=["swords", "sword_purchases", "default_hits", "purchases"])


def test_a_query_changes_neither_log_nor_tables(reference):
    files = {path: path.read_bytes() for path in reference.data.rglob("*") if path.is_file() and path.suffix in (".log", ".parquet")}
    reference.run("sql", "DELETE FROM events")
    reference.run("sql", "DROP TABLE events")
    assert reference.value_of("SELECT count(*) FROM events") == 80
    assert {path: path.read_bytes() for path in files} == files


# --- status ----------------------------------------------------------------------------------------------------------

def test_the_books_balance_before_between_and_after_batches(questlog, swords):
    def books():
        tables = {table["name"]: table for table in questlog.tables()}
        for table in tables.values():
            assert table["accepted"] == sum(table[fate] for fate in (
                "landed", "pending", "filtered", "dead_lettered", "duplicates", "lost")), table
        return tables["sword_purchases"]
    swords(2)
    swords.server.get("/")
    table = books()
    assert (table["accepted"], table["pending"], table["landed"]) == (3, 3, 0)
    questlog.ok("batch", "separate_events")
    table = books()
    assert (table["accepted"], table["pending"], table["landed"], table["filtered"]) == (3, 0, 2, 1)
    swords(1)
    table = books()
    assert (table["accepted"], table["pending"], table["landed"], table["filtered"]) == (4, 1, 2, 1)


def test_status_tells_log_range_tables_rows_and_bytes(questlog, swords):
    swords(4)
    questlog.ok("batch", "separate_events")
    swords(1)
    topic, = questlog.status()["topics"]
    partition, = topic["partitions"]
    assert (topic["topic"], partition["start"], partition["durable_end"]) == ("game-events", 0, 5)
    assert partition["bytes"] == sum(batch.size for path in questlog.segments() for batch in read_batches(path))
    table = next(table for table in topic["tables"] if table["name"] == "sword_purchases")
    assert table["rows"] == 4 and [landed["to"] for landed in table["landed_ranges"]] == [4]
    folder = questlog.data / "lake" / "tmp" / "sword_purchases"
    assert table["bytes"] == sum(path.stat().st_size for path in folder.glob("*.parquet"))
    text = questlog.ok("status")
    for word in ("game-events", "sword_purchases", "default_hits", "purchases"):
        assert word in text
    swords.server.stop()
    assert questlog.status()["topics"] == [topic], "status says something else with the server down"


def test_dead_letters_of_no_topic_are_told_as_everywhere(questlog):
    told = questlog.fails("tail", "-e", code=2, says=["topic 'game-events' does not exist"])
    for command in (["dead-letters"], ["dead-letters", "--reason", "not JSON"], ["dead-letters", "replay"],
                    ["sql", "SELECT * FROM dead_letters"], ["sql", "SELECT * FROM ledger"]):
        assert questlog.fails(*command, code=2).err == told.err


def test_connect_names_each_table_once(questlog):
    questlog.write_config('[landing]\nenabled = false\n[[job]]\nname = "raid"\n  [[job.output]]\n  path = "tmp/raid"\n')
    with questlog.serve() as server:
        server.send_events([{"event_type": "raid"}, {"event_type": "guild"}])
        assert server.stop() == 0
    questlog.ok("land", "--once")
    told = questlog.fails("connect", "nowhere", "--for", "pandas", code=2, says=["there are ", "guild, "])
    assert re.findall(r"\w+", told.err).count("raid") == 1
