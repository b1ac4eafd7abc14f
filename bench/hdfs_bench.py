"""Beside a real HDFS: batch from Kafka into its tables, SQL over them, and an upload, each with a peer in the same run."""

import getpass
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import batch_bench
import machine
from engines import Cluster, wait_until
from kafka_bench import JOB, TABLES, cpu_ratio, in_turns, medians, used, write_events
from servers import BINARY, ROOT, QuestlogServer

TOPIC = "bench-events"
QUERY = 'SELECT Host, count(*) AS events, count(DISTINCT session) AS sessions, max(player) AS player FROM {} GROUP BY Host ORDER BY Host'
UPLOAD = ROOT / "build" / "bench" / "src" / "hdfs" / "upload_bench"
UPLOAD_BYTES = 512 << 20

# Runs in a process of its own: importing is not counted, as starting is not in ours.
DUCKDB = r"""
import json, resource, sys, time, duckdb
files, query = sys.argv[1:]
connection = duckdb.connect(config={"threads": 1})
used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
cpu, wall = used(), time.monotonic()
connection.sql(query.format(f"read_parquet('{files}')")).fetchall()
print(json.dumps({"cpu_s": used() - cpu, "wall_s": time.monotonic() - wall}))
"""


def config(folder, cluster, with_kafka=False):
    path = folder / "hdfs.toml"
    section = f'[kafka]\nbootstrap = "{cluster.bootstrap}"\n' if with_kafka else ""
    path.write_text(f'[lake]\nroot = "{cluster.hdfs}/bench"\nwebhdfs = "{cluster.webhdfs}"\n[log]\ntopic = "{TOPIC}"\n'
                    f'{section}')
    return path


# --- Kafka → Parquet on HDFS

def fill(cluster, folder, count):
    source = folder / "events.ndjson"
    write_events(source, count)
    cluster.create(TOPIC)
    subprocess.run(["kcat", "-P", "-b", cluster.bootstrap, "-t", TOPIC, "-z", "zstd", "-l", source], check=True)
    source.unlink()
    wait_until("the topic has all of it", lambda: cluster.end(TOPIC) == count)


def batch(cluster, folder):
    shutil.rmtree(folder / "data", ignore_errors=True)
    return used([BINARY, "--data", folder / "data", "--config", config(folder, cluster, with_kafka=True), "batch", "separate_events"], folder)


def spark(cluster, folder):
    command, environment = cluster.spark_submit(JOB, cluster.bootstrap, TOPIC, f"{cluster.hdfs}/spark")
    return used(command, folder, env=environment)


def rows_on_hdfs(cluster, folder, root):
    """By copies of the files, read by DuckDB."""
    import duckdb
    counts = {}
    for table in TABLES:
        copy = folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        get(cluster, f"{root}/{table}", copy)
        counts[table] = duckdb.sql(f"SELECT count(*) FROM read_parquet('{copy}/*.parquet')").fetchone()[0]
    return counts


def get(cluster, path, folder):
    command, environment = cluster.hadoop_fs("-get", f"{cluster.hdfs}{path}", folder)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def tables(cluster, folder, count, rounds, say):
    say(f"{count:,} events into Kafka")
    fill(cluster, folder, count)
    ours, theirs = "questlog batch", "Spark, local[2]"
    ways = {ours: lambda: batch(cluster, folder), theirs: lambda: spark(cluster, folder)}
    results = in_turns(ways, rounds, say, f"two tables of {count:,} events on HDFS")
    if (mine := rows_on_hdfs(cluster, folder, "/bench/tmp")) != (other := rows_on_hdfs(cluster, folder, "/spark")):
        raise RuntimeError(f"questlog's tables have {mine} rows, Spark's {other}")
    rows = medians(results, cpu_ratio, ours)
    pairs = list(zip(results[ours], results[theirs], strict=True))
    for key in ("cpu_s", "wall_s"):
        rows[-1][f"{key}_ratio"] = statistics.median(other[key] / mine[key] for mine, other in pairs)
    return [row | {"events": count} for row in rows]


# --- SQL over files on HDFS

def landed(cluster, folder, count):
    """A data folder whose log, of swords alone, has been landed on HDFS, and local copies of the files."""
    source = folder / "events.ndjson"
    write_events(source, count, [start for start in batch_bench.STARTS if "purchase_sword" in start])
    server = QuestlogServer(folder / "sql", config_text=config(folder, cluster).read_text())
    try:
        batch_bench.post(server, source)
    finally:
        server.stop()
    source.unlink()
    machine.run([BINARY, "--data", server.data, "--config", config(folder, cluster), "land", "--once"])
    get(cluster, "/bench/events/purchase_sword", folder / "swords")
    return server.data


def sql(cluster, folder, count, rounds, say):
    say(f"landing {count:,} events on HDFS")
    data = landed(cluster, folder, count)
    query = QUERY.format("purchase_sword")

    def ask():
        usage = machine.run([BINARY, "--data", data, "--config", config(folder, cluster), "sql", "--landed", "--format", "json", query])
        return {"cpu_s": usage.cpu_s, "wall_s": usage.wall_s}, json.loads(usage.output)

    def duckdb():
        usage = machine.run([sys.executable, "-c", DUCKDB, f"{folder}/swords/date=*/*.parquet", QUERY])
        return json.loads(usage.output.splitlines()[-1])
    ask()  # the cache is warm then
    results = in_turns({"questlog sql": lambda: ask()[0], "DuckDB, local copies": duckdb}, rounds, say, "SQL over HDFS")
    return medians(results, lambda ours, other: ours["wall_s"] / other["wall_s"], "questlog sql")


# --- Upload

def upload(cluster, folder, rounds, say):
    source = folder / "upload.bin"
    with open(source, "wb") as file:
        for _ in range(UPLOAD_BYTES >> 20):
            file.write(os.urandom(1 << 20))

    def timed(command, **more):
        began = time.monotonic()
        usage = used(command, folder, **more)
        return usage | {"rate": UPLOAD_BYTES / (time.monotonic() - began) / 1e6}

    def put():
        command, environment = cluster.hadoop_fs("-put", "-f", source, f"{cluster.hdfs}/put.bin")
        return timed(command, env=environment)
    own = {**os.environ, "QUESTLOG_WEBHDFS": cluster.webhdfs, "QUESTLOG_UPLOAD_FILE": str(source), "HADOOP_USER_NAME": getpass.getuser()}

    def sent():
        usage = timed([UPLOAD], env=own)
        if "ERROR" in (folder / "tree.out").read_text():
            raise RuntimeError((folder / "tree.out").read_text())
        return usage
    ways = {"WebHDFS, as questlog": sent, "hdfs dfs -put": put}
    results = in_turns(ways, rounds, say, "upload")
    source.unlink()
    return medians(results, lambda ours, other: ours["rate"] / other["rate"], "WebHDFS, as questlog")


# --- All of it

def run(folder, options, say):
    rounds = min(options.rounds, 3)
    counts = [50_000] if options.quick else [options.events, 5 * options.events]
    folder = folder / "hdfs"
    folder.mkdir()
    say("starting Kafka and HDFS")
    cluster = Cluster(folder, with_hdfs=True)
    try:
        return {"tables": [row for count in counts for row in tables(cluster, folder, count, options.spark_rounds, say)],
                "sql_events": 10 * counts[0], "sql": sql(cluster, folder, 10 * counts[0], rounds, say),
                "upload": upload(cluster, folder, rounds, say)}
    finally:
        cluster.stop()


def aims(report):
    rows = []
    for row in report["tables"]:
        if "cpu_s_ratio" in row:
            rows.append((f"{row['events']:,} events, Spark's CPU ÷ questlog's", "≥ 50", row["cpu_s_ratio"], row["cpu_s_ratio"] >= 50))
            rows.append((f"{row['events']:,} events, Spark's wall time ÷ questlog's", "≥ 15", row["wall_s_ratio"], row["wall_s_ratio"] >= 15))
    sql, put = report["sql"][1]["ratio"], report["upload"][1]["ratio"]
    return [*rows, ("SQL, wall time ÷ DuckDB's on local copies", "≤ 1.3", sql, sql <= 1.3), ("upload, rate ÷ hdfs dfs -put's", "≥ 0.7", put, put >= 0.7)]


def show(report):
    print(f"\n{'Kafka → two tables on HDFS':<34}{'events':>11}{'CPU s':>8}{'wall s':>8}{'load':>6}")
    for row in report["tables"]:
        print(f"{row['way']:<34}{row['events']:>11,}{row['cpu_s']:>8.2f}{row['wall_s']:>8.2f}{row['load']:>6.1f}")
    print(f"\nSQL over {report['sql_events']:,} rows on HDFS".ljust(47) + f"{'CPU s':>7}{'wall s':>8}{'load':>6}")
    for row in report["sql"]:
        print(f"{row['way']:<45}{row['cpu_s']:>8.2f}{row['wall_s']:>8.2f}{row['load']:>6.1f}")
    print(f"\n{UPLOAD_BYTES >> 20} MiB to HDFS".ljust(46) + f"{'MB/s':>8}{'CPU s':>8}{'load':>6}")
    for row in report["upload"]:
        print(f"{row['way']:<45}{row['rate']:>8.0f}{row['cpu_s']:>8.2f}{row['load']:>6.1f}")
    print(f"\n{'aim':<56}{'':>8}{'measured':>10}")
    for what, aim, figure, met in aims(report):
        print(f"{what:<56}{aim:>8}{figure:>10.2f}  {'met' if met else 'missed'}")
