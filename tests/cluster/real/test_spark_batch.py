"""`questlog batch --engine spark` makes what `questlog batch` makes."""

import json

import duckdb as library
import pytest
from conftest import START_S
from kafka import KafkaProducer
from kafka_topic import ALL_JOB
from mixed_events import NO_EVENTS, odd_lines, purchase, wide_line
from questlog_process import ROOT
from reference_flow import golden, mask_timestamps, without_column
from spark_batch import RUN_S, BothEngines

pytestmark = pytest.mark.timeout(START_S + 3 * RUN_S)
EXPRESSIONS = ROOT / "tests" / "golden" / "spark" / "expressions.txt"
EVENTS = 1_000_000

MIXED_JOB = """
[[job]]
name = "mixed"
[job.set]
item = "trim(item)"
spent = "price * count"
tier = "CASE WHEN price >= 100 THEN 'gold' WHEN price BETWEEN 10 AND 99.75 THEN 'silver' ELSE coalesce(player, '-') END"
first = "substr(text, 1, 3) || '/' || replace(text, 'a', '${x}')"
by_key = '"a.b"'
next_level = "level + 1"
share = "price / nullif(count, 0)"
[[job.output]]
path = "mixed/bought"
where = "event_type = 'purchase' AND item <> '' AND NOT gift IS NOT NULL"
[[job.output]]
path = "mixed/odd"
where = "event_type IN ('odd', 'missing')"
print_schema = true
[[job.output]]
path = "mixed/wide"
where = "event_type = 'wide'"
show = false
[[job.output]]
path = "mixed/odd_prices"
where = "event_type = 'odd' AND (mixed > 1 OR flag OR text LIKE '%N_') AND Host IS DISTINCT FROM 'x'"
[[job.output]]
path = "mixed/none"
where = "event_type = 'nobody_sends_this'"
"""


@pytest.fixture
def duckdb():
    with library.connect() as connection:
        yield connection


def fill(topic, lines, partition=None):
    """Puts lines of bytes, one record each; those with a line break, too."""
    producer = KafkaProducer(bootstrap_servers=topic.address, linger_ms=50, batch_size=262_144)
    for line in lines:
        producer.send(topic.name, line, partition=partition)
    producer.flush()
    producer.close()


def send_with_origins(topic, partition, offsets, log="4L6g3nShT-eMCtK--X86sw"):
    """Records as a forwarder sends them; what comes twice has another value, so that it shows which was taken."""
    producer = KafkaProducer(bootstrap_servers=topic.address)
    for number, offset in enumerate(offsets):
        origin = f"{log}:{partition}:{offset}" if isinstance(offset, int) else offset
        value = json.dumps({"event_type": "purchase", "item": f"forwarded {number}", "price": 1, "count": 1, "player": origin})
        producer.send(topic.name, value.encode(), partition=partition, headers=[("other", b"x"), ("questlog.origin", origin.encode())])
    producer.flush()
    producer.close()


def test_a_million_mixed_events_land_alike(engines, topic, duckdb, tmp_path):
    kept = topic(2)
    odd = list(odd_lines(20_000))
    send_with_origins(kept, 0, [*range(500), *range(250, 750), "no:origin", "x:y:z", ":0:1", "x:0:-1", "x:0:99999999999999999999"])
    for partition in (0, 1):
        kept.put((f"{purchase(n * 2 + partition).decode()}" for n in range(EVENTS * 9 // 20)), "-p", partition)
        fill(kept, (odd[(n * 7 + partition) % len(odd)] for n in range(EVENTS // 20)), partition)
    fill(kept, map(wide_line, range(20)), 1)
    send_with_origins(kept, 0, [*range(700, 800), 5, 801])  # the first of these are there for the second time, in another task's part
    both = BothEngines(engines, kept, tmp_path, MIXED_JOB)
    printed = both.run("mixed")
    assert printed.code == 0, printed
    assert both.compare(duckdb, "mixed/bought") > EVENTS // 2
    assert both.compare(duckdb, "mixed/odd") > EVENTS // 20
    assert both.compare(duckdb, "mixed/wide") == 20
    assert len(duckdb.execute("DESCRIBE spark").fetchall()) > 1000
    assert both.compare(duckdb, "mixed/odd_prices") > 1000
    assert both.compare(duckdb, "mixed/none") == 0
    books = both.books("odd")
    assert books["dead_lettered"] > len(NO_EVENTS) and books["filtered"] > EVENTS // 2
    files = list((both.spark.data / "lake/mixed/bought").glob("*.parquet"))
    assert len(files) > 1, "Spark's tasks write a file each"
    for table in ("bought", "odd"):
        query = f"SELECT count(*) AS n, count(DISTINCT player) AS players, min(timestamp) AS first FROM {table}" if table == "bought" \
            else f"SELECT count(*) AS n, max(level) AS top FROM {table}"
        assert both.spark.sql(query) == both.own.sql(query)


def test_every_type_of_a_topic_in_one_table(engines, topic, duckdb, tmp_path):
    few = topic(3)
    for partition in range(3):
        fill(few, list(odd_lines(400, seed=partition)) + [wide_line(partition)], partition)
        fill(few, [json.dumps({"event_type": f"type {n}", "n": n, f"k{n % 40}": n / 8}).encode() for n in range(partition, 300, 3)], partition)
    both = BothEngines(engines, few, tmp_path, ALL_JOB)
    both.run("all_of_them")
    assert both.compare(duckdb, "tmp/everything") > 1200
    assert duckdb.execute("SELECT count(_rescued_data) FROM spark").fetchone()[0] > 0


def test_expressions_have_the_same_values_on_both_engines(engines, topic, duckdb, tmp_path):
    """The expressions of tests/golden/spark/expressions.txt, each a column of one job."""
    lines = EXPRESSIONS.read_text().splitlines()
    texts = [line.split("\t")[0] for line in lines]
    columns = "".join(f"e{number} = {json.dumps(text, ensure_ascii=False)}\n" for number, text in enumerate(texts))
    job = f'[[job]]\nname = "values"\n[job.set]\n{columns}[[job.output]]\npath = "tmp/values"\nshow = false\n'
    rows = [("a", "a", 1, 1.5, True), ("abc", "cba", -7, -2.5, False), (None, None, None, None, None), ("", "", 0, 0.0, True),
            ("  x ", " x  ", 922337203, 1e10, False), ("ÄÖß İ", "İ ßÖÄ", 5, 1e-5, None), ("12", "21", 12, 12.0, True),
            ("-1.5e3", "true", 2**63 - 1, 1e300, True), ("false", "3", -2**63, -1e300, False), ("1e400", "01", 3, 3.0, True),
            ("+1", ".5", -1, 0.5, False), ("5 ", "NaN", 1, 5.0, True), ("\u0000", "😀😀", 2**53 + 1, -0.0, False),
            ("Infinity", "%_", 7, 5e-324, True), ("\u00a0 x\u3000", "\t", -2, 1.7976931348623157e308, None)]
    values = topic()
    fill(values, [json.dumps({"event_type": "value", **dict(zip("stndb", row, strict=True))}).encode() for row in rows])
    both = BothEngines(engines, values, tmp_path, job)
    both.run("values")
    assert both.compare(duckdb, "tmp/values") == len(rows)


def test_the_reference_jobs_print_goldens_text(engines, topic, tmp_path, duckdb):
    flow = topic()
    fill(flow, golden("kcat_all.txt").encode().splitlines())
    both = BothEngines(engines, flow, tmp_path, "")
    printed = both.run("separate_events").out
    for mine, real in zip(printed.split("\n\n"), golden("separate_events.stdout.txt").split("\n\n")[:2], strict=False):
        assert mask_timestamps(mine).strip() == mask_timestamps(without_column(real, "description")).strip()
    assert mask_timestamps(both.run("filtered_writes").out) == mask_timestamps(golden("filtered_writes.stdout.txt"))
    assert mask_timestamps(both.run("just_filtering").out) == mask_timestamps(golden("filtered_writes.stdout.txt"))
    for table in ("sword_purchases", "default_hits", "purchases"):
        assert both.compare(duckdb, f"tmp/{table}") == 20


def test_an_empty_topic_makes_empty_tables(engines, topic, tmp_path, duckdb):
    both = BothEngines(engines, topic(2), tmp_path, "")
    both.run("separate_events")
    both.run("just_filtering")
    assert both.compare(duckdb, "tmp/sword_purchases") == 0
