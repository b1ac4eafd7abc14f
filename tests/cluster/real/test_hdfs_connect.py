"""What `questlog connect TABLE` prints of a lake on HDFS, run as it is printed."""

import pytest
from conftest import START_S, notebook_environment
from hdfs_lake import Hdfs, event
from questlog_process import Questlog
from snippets import in_python
from spark_session import SparkSession

pytestmark = pytest.mark.timeout(START_S + 240)
MANY = 90
FOLDER = "händler's data 100% #1"  # what a URI or SQL takes for something else
JOB = """
[[job]]
name = "all"
[[job.output]]
path = "tmp/all_events"
where = "n IS NOT NULL"
"""


@pytest.fixture(scope="module", params=["lake", FOLDER])
def landed(request, engines, tmp_path_factory):
    """Two commits of each table, the second with a further column, and a snapshot."""
    hdfs = Hdfs(engines)
    hdfs.call("PUT", "/", "SETPERMISSION", permission="777")
    collector = Questlog(tmp_path_factory.mktemp("collector"))
    remote = hdfs.lake(tmp_path_factory.mktemp("remote") / request.param, data=collector.data, more="[landing]\nenabled = false\n" + JOB)
    with remote.serve() as server:
        for half, more in ((range(MANY // 2), {}), (range(MANY // 2, MANY), {"late": "yes"})):
            server.send_events([event(n, **more) for n in half])
            remote.ok("land", "--once")
        assert server.stop() == 0
    remote.ok("batch", "all")
    return remote


def found(rows):
    return sorted((row["n"], row["name"], row["half"]) for row in rows)


def expected(ns):
    return [(n, f"händler {n}", n / 2) for n in ns]


@pytest.mark.parametrize(("tool", "rows"), [
    ("pandas", "table.to_dict('records')"), ("polars", "table.to_dicts()"), ("duckdb", "table.df().to_dict('records')")])
def test_python_reads_it(landed, tool, rows):
    sword = in_python(landed.ok("connect", "sword", "--for", tool), rows)
    assert found(sword) == expected(range(0, MANY, 3))
    assert {row["late"] for row in sword if row["n"] >= MANY // 2} == {"yes"}
    assert found(in_python(landed.ok("connect", "all_events", "--for", tool), rows)) == expected(range(MANY))


@pytest.mark.parametrize("landed", [FOLDER], indirect=True)
def test_spark_reads_it(engines, landed):
    with SparkSession(notebook_environment(engines)) as spark:
        for table, ns in (("sword", range(0, MANY, 3)), ("all_events", range(MANY))):
            assert found(spark.run(landed.ok("connect", table, "--for", "spark")).rows) == expected(ns)


def test_a_table_that_is_not_there_is_refused(landed):
    landed.fails("connect", "nowhere", "--for", "pandas", code=2, says=["all_events", "sword", "land --once"])
