"""The reference's PySpark jobs, as they are, over a topic that questlog filled; and Spark over what questlog wrote."""

import json

import pytest
from conftest import START_S
from cluster_commands import ROOT
from questlog_process import Questlog
from reference_flow import golden, mask_timestamps, send_reference_traffic
from spark_batch import RUN_S
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 4 * RUN_S)
JOBS = ROOT / "tests" / "cluster" / "real" / "reference_jobs"


@pytest.fixture
def played(topic, tmp_path):
    """The topic that `serve --kafka` filled with the reference's traffic."""
    plays = topic()
    questlog = Questlog(tmp_path / "game")
    questlog.write_config(f'[log]\ntopic = "{plays.name}"\n')
    with questlog.serve("--kafka", plays.address) as server:
        send_reference_traffic(server)
        wait_until(lambda: len(plays.records()) == 80, "all calls are in the topic", 60)
    return plays


def submit(engines, topic, job):
    return engines.ok("bin/spark-submit", JOBS / f"{job}.py", deadline_s=RUN_S, launcher=("env", f"BOOT={topic.address}", f"TOPIC={topic.name}"))


def test_the_references_jobs_print_goldens_text(engines, played):
    assert mask_timestamps(submit(engines, played, "separate_events")) == mask_timestamps(golden("separate_events.stdout.txt"))
    for job in ("filtered_writes", "just_filtering"):
        assert mask_timestamps(submit(engines, played, job)) == mask_timestamps(golden("filtered_writes.stdout.txt"))
    assert mask_timestamps(submit(engines, played, "read_back")) == mask_timestamps(golden("read_back.stdout.txt"))


def lake_on_hdfs(engines):
    return f"hdfs://{engines.address('namenode')}/lake"


@pytest.mark.skipif("hdfs://" not in (ROOT / "docs" / "formats" / "config.md").read_text(), reason="this questlog has no lake on HDFS")
def test_spark_reads_every_table_on_hdfs(engines, played, tmp_path):
    """Snapshots as Parquet, of either engine; continuous tables as Delta, and as files."""
    from spark_batch import spark_section
    lake = f"{lake_on_hdfs(engines)}/{played.name}"
    more = f'[lake]\nroot = "{lake}"\nwebhdfs = "{engines.address("webhdfs")}"\n' + spark_section(engines, tmp_path)
    reader = played.reader(tmp_path / "reader", more)
    reader.ok("batch", "separate_events", deadline_s=RUN_S)
    reader.ok("batch", "filtered_writes", "--engine", "spark", deadline_s=RUN_S)
    reader.ok("land", "--once", deadline_s=RUN_S)
    assert reader.value_of("SELECT count(*) FROM purchases") == 20
    job = tmp_path / "read_all.py"
    job.write_text(f"""
import json
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
tables = {{name: spark.read.parquet({lake!r} + '/tmp/' + name).count() for name in ('sword_purchases', 'default_hits', 'purchases')}}
tables['delta'] = spark.read.format('delta').load({lake!r} + '/events/purchase_sword').count()
tables['files'] = spark.read.parquet({lake!r} + '/events/purchase_sword/date=*/*.parquet').count()
print(json.dumps(tables))
""")
    said = engines.ok("bin/spark-submit", job, deadline_s=RUN_S)
    assert json.loads(said) == dict.fromkeys(("sword_purchases", "default_hits", "purchases", "delta", "files"), 20)
