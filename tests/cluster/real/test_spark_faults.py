"""`questlog batch --engine spark` when Spark or questlog fails, and what is refused."""

import os
import signal
from pathlib import Path

import pytest
from conftest import START_S
from mixed_events import purchase
from spark_batch import RUN_S, spark_section
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 2 * RUN_S)

JOB = """
[[job]]
name = "bought"
[[job.output]]
path = "tmp/bought"
where = "event_type = 'purchase'"
show = false
"""


@pytest.fixture
def reader(engines, topic, tmp_path):
    """Its table has the first 100 events; 200 more are in the topic."""
    kept = topic()
    kept.put(purchase(n).decode() for n in range(100))
    questlog = kept.reader(tmp_path / "reader", spark_section(engines, tmp_path) + JOB)
    questlog.ok("batch", "bought")
    kept.put(purchase(n).decode() for n in range(100, 300))
    return questlog


def landed(questlog):
    table = next(table for table in questlog.tables() if table["name"] == "bought")
    assert table["balanced"] and table["problem"] is None, table
    return table["landed"]


def descendants(pid):
    children = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return [*children, *(below for child in children for below in descendants(child))]


def has_python_below_java(pid):
    """The launcher is Python, too."""
    try:
        javas = [below for below in descendants(pid) if "java" in Path(f"/proc/{below}/comm").read_text()]
        return any("python" in Path(f"/proc/{below}/comm").read_text() for java in javas for below in descendants(java))
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def staged(questlog):
    return [path for path in (questlog.data / "lake" / ".staging").rglob("*") if path.is_file()]


@pytest.fixture
def running(reader):
    """A run whose Spark has begun; and all its processes."""
    process = reader.start("batch", "bought", "--engine", "spark")

    wait_until(lambda: has_python_below_java(process.pid), "Spark's JVM has started the program", RUN_S)
    yield process, descendants(process.pid)
    if process.poll() is None:
        process.kill()
    process.communicate()


def all_end(pids):
    wait_until(lambda: not any(map(is_alive, pids)), "every process of Spark has ended", 60)


def runs_through(reader):
    done = reader.run("batch", "bought", "--engine", "spark", deadline_s=RUN_S)
    assert done.code == 0, done
    assert landed(reader) == 300 and staged(reader) == []


def test_a_killed_spark_leaves_the_table_and_the_next_run_lands(reader, running):
    process, spark = running
    os.kill(spark[0], signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0 and b"Spark" in said and str(reader.data / "spark" / "bought.log").encode() in said, said
    all_end(spark)
    assert landed(reader) == 100 and staged(reader) == []
    runs_through(reader)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_spark(reader, running, number):
    process, spark = running
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and b"interrupted" in said, said
    all_end(spark)
    assert landed(reader) == 100 and staged(reader) == []


def test_a_killed_questlog_ends_spark_and_the_next_run_lands(reader, running):
    process, spark = running
    process.kill()
    process.communicate(timeout=60)
    all_end(spark)
    assert landed(reader) == 100
    runs_through(reader)


def test_a_second_run_is_refused_while_one_is_under_way(reader, running):
    process, _ = running
    for engine in ("spark", "questlog"):
        reader.fails("batch", "bought", "--engine", engine, code=1, says=["tmp/bought is being written by another job"])
    process.communicate(timeout=RUN_S)
    assert process.returncode == 0 and landed(reader) == 300


def test_what_cannot_be_begun_is_refused(engines, topic, tmp_path):
    kept = topic()
    kept.put([purchase(0).decode()])
    reader = kept.reader(tmp_path / "reader", '[spark]\nsubmit = "/no/spark-submit"\n' + JOB)
    reader.fails("batch", "bought", "--engine", "spark", code=2, says=["/no/spark-submit", "No such file", "[spark]", "pip install"])
    reader = kept.reader(tmp_path / "reader", '[spark]\nsubmit = "false"\n' + JOB)
    reader.fails("batch", "bought", "--engine", "spark", code=2, says=["exit code 1", str(reader.data / "spark" / "bought.log")])
    broken = JOB.replace("event_type = 'purchase'", "upper(item) = 'X'")
    reader = kept.reader(tmp_path / "reader", broken)
    reader.fails("batch", "bought", "--engine", "spark", code=2, says=["upper"])
    assert not (reader.data / "lake" / "tmp" / "bought").exists()


def test_a_master_that_is_not_there_is_told_with_the_log(engines, topic, tmp_path):
    kept = topic()
    kept.put([purchase(0).decode()])
    reader = kept.reader(tmp_path / "reader", spark_section(engines, tmp_path, master="nonsense://x") + JOB)
    reader.fails("batch", "bought", "--engine", "spark", code=2, says=[str(reader.data / "spark" / "bought.log"), "Master must"], deadline_s=RUN_S)
