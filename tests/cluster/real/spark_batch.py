"""Jobs of one topic on both engines, and what they made of it."""

from cluster_commands import ROOT

QUICK_JVM = "-XX:TieredStopAtLevel=1"  # a test's Spark is started more than it is used
RUN_S = 300
PASSED_ON = ("QUESTLOG_CLUSTER_STATE", "QUESTLOG_CLUSTER_PORTS", "QUESTLOG_CLUSTER_NOTEBOOKS")


def spark_section(engines, folder, master="local[2]", **conf):
    """[spark] for the cluster's spark-submit."""
    submit = folder / "spark-submit"
    given = " ".join(f"{name}='{engines.environment[name]}'" for name in PASSED_ON)
    submit.write_text(f'#!/bin/sh\nexec env {given} {ROOT}/cluster/bin/spark-submit "$@"\n')
    submit.chmod(0o755)
    settings = {"spark.driver.extraJavaOptions": QUICK_JVM, "spark.ui.enabled": "false", **conf}
    lines = "".join(f'"{name}" = "{value}"\n' for name, value in settings.items())
    return f'[spark]\nmaster = "{master}"\nsubmit = "{submit}"\n[spark.conf]\n{lines}'


class BothEngines:
    """Two data folders over one topic: one whose jobs questlog runs, and one where Spark does."""

    def __init__(self, engines, topic, folder, jobs):
        folder.mkdir(exist_ok=True)
        more = spark_section(engines, folder) + jobs
        self.own, self.spark = topic.reader(folder / "own", more), topic.reader(folder / "spark", more)

    def run(self, job):
        """What both printed, which is the same, with the bytes of files left out of the notices."""
        own = self.own.run("batch", job, deadline_s=RUN_S)
        spark = self.spark.run("batch", job, "--engine", "spark", deadline_s=RUN_S)
        assert (spark.code, spark.out, notices(spark)) == (own.code, own.out, notices(own)), f"{own}\n{spark}"
        return spark

    def compare(self, duckdb, table):
        """How many rows both have in the table's files; they are the same, in the same order. What signs zeros have
        in a file hangs on its encoding."""
        for name, engine in (("own", self.own), ("spark", self.spark)):
            files = sorted(str(file) for file in (engine.data / "lake" / table).glob("*.parquet"))
            duckdb.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM read_parquet({files})")
        columns = {name: duckdb.execute(f"DESCRIBE {name}").fetchall() for name in ("own", "spark")}
        assert columns["spark"] == columns["own"], columns
        rows = [duckdb.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("own", "spark")]
        assert rows[0] == rows[1], rows
        pairs = duckdb.execute("SELECT own, spark FROM own POSITIONAL JOIN spark WHERE own IS DISTINCT FROM spark LIMIT 3").fetchall()
        different = [{name: (mine[name], other[name]) for name in mine if repr(mine[name]) != repr(other[name])} for mine, other in pairs]
        assert different == [], different
        return rows[0]

    def books(self, table):
        """The table's row of the status, which both have."""
        books = [next(entry for entry in engine.tables() if entry["name"] == table) for engine in (self.own, self.spark)]
        for entry in books:
            del entry["files"], entry["bytes"]
        assert books[0] == books[1] and books[0]["balanced"], books
        return books[0]


def notices(done):
    return [line.split(" bytes in ")[0].rpartition(", ")[0] if " bytes in " in line else line for line in done.err.splitlines()]
