"""The reference flow from first call to last table, against what the real engines printed for it."""

import re

import pyarrow.parquet as parquet
import pytest
from reference_flow import (GOLDEN, PATHS, USERS, WHOLE_TIMESTAMP, ab, golden, mask_timestamps, read_table,
                            send_reference_traffic, without_column)

JOBS = ("separate_events", "just_filtering", "filtered_writes")
BODIES = {"": b"\nThis is the default response!\n", "purchase_a_sword": b"\nSword Purchased!\n",
          "purchase_a_knife": b"Knife Purchased!\n", "join_guild": b"\nJoin Guild!\n"}


@pytest.fixture(scope="module")
def landed(reference):
    """The reference folder after all three jobs; what each printed."""
    return {job: reference.ok("batch", job) for job in JOBS}


def expected_purchases():
    return mask_timestamps(golden("filtered_writes.stdout.txt"))


def expected_separated():
    sword, default = golden("separate_events.stdout.txt").split("\n\n")[:2]
    return "".join(mask_timestamps(without_column(table, "description")) + "\n\n" for table in (sword, default))


# --- the topic -------------------------------------------------------------------------------------------------------

def test_creating_the_topic_is_said_once_and_repeating_it_is_silent(questlog):
    create = ("topic", "create", "--topic", "game-events", "--partitions", "1", "--replication-factor", "1",
              "--if-not-exists", "--zookeeper", "zookeeper:32181")
    assert questlog.ok(*create) == "Created topic game-events.\n"
    assert questlog.ok(*create) == ""
    assert questlog.ok("topic", "list") == "game-events\n"


def test_the_topic_is_described_as_kafka_topics_describes_it(reference):
    def without_id(text):
        return re.sub(r"TopicId: [A-Za-z0-9_-]{22}\t", "TopicId: ID\t", text)
    described = reference.ok("topic", "describe", "--topic", "game-events", "--bootstrap-server", "kafka:29092")
    assert without_id(described) == without_id(golden("topic_describe_kraft.txt"))
    assert "TopicId: ID\t" in without_id(described)


# --- the calls -------------------------------------------------------------------------------------------------------

def test_ab_sees_the_reference_servers_documents(reference):
    reports = iter(reference.ab_reports)
    for _ in USERS:
        for path in PATHS:
            report = next(reports)
            assert re.search(rf"Document Length: +{len(BODIES[path])} bytes\n", report), report
            assert re.search(r"Complete requests: +10\n", report)


def test_access_log_has_the_reference_servers_lines(reference):
    line = re.compile(r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4} \d\d:\d\d:\d\d\] "GET /(\w*) HTTP/1\.0" 200 -')
    paths = []
    for text in reference.access_log:
        match = line.fullmatch(text)
        assert match, text
        paths.append(match.group(1))
    assert paths == [path for _ in USERS for path in PATHS for _ in range(10)]


def test_the_reference_authors_own_path_for_the_knife_works_too(questlog):
    with questlog.serve() as server:
        ab(server, "/purchase_knife", "-n", "10", "-H", "Host: user2.att.com")
        ab(server, "/purchase_a_knife", "-n", "10", "-H", "Host: user2.att.com")
    assert len(set(questlog.values())) == 1 and len(questlog.values()) == 20


# --- the log ---------------------------------------------------------------------------------------------------------

def test_tail_prints_what_kcat_printed_byte_for_byte(reference):
    done = reference.run("tail", "-o", "beginning", "-e")
    assert done.code == 0
    assert done.out == golden("kcat_all.txt")
    assert done.err == golden("kcat_stderr.txt")


# --- the batch layer -------------------------------------------------------------------------------------------------

def test_separate_events_prints_the_sword_and_the_default_table(landed):
    assert mask_timestamps(landed["separate_events"]) == expected_separated()


def test_just_filtering_prints_schema_and_purchases(landed):
    assert mask_timestamps(landed["just_filtering"]) == expected_purchases()


def test_filtered_writes_prints_schema_and_purchases(landed):
    assert mask_timestamps(landed["filtered_writes"]) == expected_purchases()


def test_tables_of_more_than_20_rows_say_so(questlog):
    with questlog.serve() as server:
        send_reference_traffic(server)
        ab(server, "/purchase_a_sword", "-n", "1", "-H", "Host: user3.example")
    separated = questlog.ok("batch", "separate_events")
    sword, default, end = separated.split("\n\n")
    assert sword.splitlines()[-1] == "only showing top 20 rows" and end == ""
    assert "only showing" not in default
    assert questlog.ok("batch", "just_filtering").endswith("+\nonly showing top 20 rows\n\n")


def test_the_tables_lie_where_spark_put_them_and_are_named_as_spark_named_them(reference, landed):
    lake = reference.data / "lake" / "tmp"
    assert sorted(path.name for path in lake.iterdir()) == ["default_hits", "purchases", "sword_purchases"]
    part = re.compile(r"part-00000-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-c000\.snappy\.parquet")
    for table in lake.iterdir():
        success, file = sorted(path.name for path in table.iterdir())
        assert success == "_SUCCESS" and (table / success).stat().st_size == 0
        assert part.fullmatch(file), file


@pytest.mark.parametrize("table", ["sword_purchases", "default_hits", "purchases"])
def test_parquet_holds_the_rows_that_spark_wrote(reference, landed, table):
    ours = parquet.read_table(next((reference.data / "lake" / "tmp" / table).glob("*.parquet")))
    sparks = parquet.read_table(next((GOLDEN / "parquet" / table).glob("*.parquet")))
    if table != "purchases":
        sparks = sparks.drop_columns("description")
    assert ours.schema.names == sparks.schema.names
    assert ours.schema.types == sparks.schema.types
    assert ours.drop_columns("timestamp").equals(sparks.drop_columns("timestamp"))
    for timestamp in ours["timestamp"].to_pylist():
        assert WHOLE_TIMESTAMP.fullmatch(timestamp), timestamp


# --- reading the tables ----------------------------------------------------------------------------------------------

def test_show_prints_the_landed_table_as_the_job_did(reference, landed):
    purchases = landed["filtered_writes"]
    table = purchases[purchases.index("+--"):]
    assert reference.ok("show", "purchases") == table
    assert reference.ok("show", "purchases", "--landed") == table
    assert reference.ok("schema", "purchases") == purchases[:purchases.index("+--")]
    assert reference.ok("schema", "purchases", "--landed") == purchases[:purchases.index("+--")]


def test_show_takes_a_number_of_rows_and_whole_values(reference, landed):
    few = reference.ok("show", "purchases", "--rows", "5")
    assert few.endswith("only showing top 5 rows\n\n") and len(read_table(few)[1]) == 5
    whole = reference.ok("show", "purchases", "--no-truncate")
    names, rows = read_table(whole)
    assert names == ["Accept", "Host", "User-Agent", "event_type", "timestamp"]
    assert all(WHOLE_TIMESTAMP.fullmatch(row[-1]) for row in rows)
    assert "|*/*   |user1.comcast.com|ApacheBench/2.3|purchase_sword|" in whole  # left-aligned, as Spark does then


def test_the_reports_queries_give_the_references_answers(reference, landed):
    counts = reference.sql("SELECT Host, event_type, count(*) AS n FROM purchases GROUP BY ALL ORDER BY Host")
    assert counts == [{"Host": user, "event_type": "purchase_sword", "n": 10} for user in USERS]
    assert reference.value_of("SELECT count(*) FROM sword_purchases") == 20
    assert reference.value_of("SELECT count(*) FROM default_hits") == 20


def test_the_books_balance(reference, landed):
    status = reference.status()
    text = reference.ok("status")
    assert "80" in text
    for table in status["topics"][0]["tables"]:
        fates = ("landed", "pending", "filtered", "dead_lettered", "duplicates")
        assert table["accepted"] == sum(table[fate] for fate in fates) == 80, table
