"""Beside a real Kafka: what serve forwards, what tail reads, and what batch lands of it, each with a peer in the same run."""

import json
import os
import re
import shutil
import statistics
import time
import urllib.request
from random import Random

import batch_bench
import kafka_http_bench
import machine
from engines import Cluster, wait_until
from servers import BINARY, ROOT, QuestlogServer

TOPIC = "bench-events"
RECORD_BYTES = 170
SAMPLE_EVENTS = 200_000  # so many different payloads does the peer draw from
PRODUCER = ["acks=all", "compression.type=zstd"]
TUNED = ["linger.ms=1", "batch.size=1000000", "buffer.memory=67108864"]
JOB = ROOT / "bench" / "spark" / "separate_events.py"
TABLES = ("sword_purchases", "default_hits")
TYPES = ("default_event", "purchase_sword", "purchase_knife", "join_guild")  # as their tables are called


def write_events(path, count, starts=batch_bench.STARTS):
    """The reference's four events, or some of them, with a player and a session of their own: 170 bytes on average."""
    draw = Random(7)
    with open(path, "w") as file:
        for _ in range(count):
            file.write(f'{draw.choice(starts)}"Host": "{draw.choice(batch_bench.HOSTS)}", "User-Agent": "ApacheBench/2.3", '
                       f'"Accept": "*/*", "player": "p-{draw.randrange(10**6):06d}", "session": "{draw.randrange(16**10):010x}"}}\n')


def in_turns(ways, rounds, say, what):
    """{name: results}, the order turned round from round to round."""
    results = {name: [] for name in ways}
    for turn in range(rounds):
        say(f"{what}, round {turn + 1} of {rounds}")
        for name, way in list(ways.items())[::1 if turn % 2 == 0 else -1]:
            results[name].append(way() | {"load": machine.load()})
    return results


def medians(results, ratio_of, ours):
    """A row for each way; `ratio_of` is of our figure and the other's, taken within each round."""
    keys = list(results[ours][0])
    return [{key: statistics.median(result[key] for result in own) for key in keys}
            | {"way": name, "runs": own, "ratio": statistics.median(map(ratio_of, results[ours], own))}
            for name, own in results.items()]


# --- Forwarding

def lag(server):
    with urllib.request.urlopen(server.url + "/metrics", timeout=10) as answer:
        return float(re.search(rb"^questlog_kafka_lag_events (\S+)$", answer.read(), re.MULTILINE).group(1))


def forward(kafka, data, folder, count):
    """The log that `data` has into an empty topic: from the start of serve until the topic has all of it."""
    kafka.create(TOPIC)
    shutil.rmtree(data / "kafka", ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    broker, began = kafka.cpu_seconds(), time.monotonic()
    server = QuestlogServer(folder, data, config_text=f'[log]\ntopic = "{TOPIC}"\n[kafka]\nbootstrap = "{kafka.bootstrap}"\n')
    try:
        wait_until("all is forwarded", lambda: kafka.end(TOPIC) == count, 300)
        wall = time.monotonic() - began
        wait_until("all is acknowledged", lambda: lag(server) == 0)
        return {"rate": count / wall, "cpu_s": machine.cpu_seconds(server.pids()), "broker_s": kafka.cpu_seconds() - broker, "wall_s": wall}
    finally:
        server.stop()


def producer_perf(kafka, folder, count, properties, payload):
    """Kafka's own: the rate is what it says, without the JVM's start."""
    topic = "bench-producer"
    kafka.create(topic)
    command, environment = kafka.java("org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", count,
                                      "--throughput", -1, *payload, "--producer-props", f"bootstrap.servers={kafka.bootstrap}",
                                      *PRODUCER, *properties)
    broker = kafka.cpu_seconds()
    usage = machine.run_tree(command, folder, env=environment)
    if kafka.end(topic) != count:
        raise RuntimeError(f"ProducerPerformance sent {count}, the topic has {kafka.end(topic)}")
    rate = float(re.findall(r"records sent, ([\d.]+) records/sec", usage.output)[-1])
    return {"rate": rate, "cpu_s": usage.cpu_s, "broker_s": kafka.cpu_seconds() - broker, "wall_s": usage.wall_s}


def forwarding(kafka, folder, count, rounds, say):
    source, sample = folder / "kafka.ndjson", folder / "sample.ndjson"
    say(f"collecting {count:,} events without Kafka")
    write_events(source, count)
    write_events(sample, min(count, SAMPLE_EVENTS))
    server = QuestlogServer(folder / "spool", config_text=f'[log]\ntopic = "{TOPIC}"\n')
    try:
        batch_bench.post(server, source)
    finally:
        server.stop()
    source.unlink()

    def perf(properties, payload):
        return lambda: producer_perf(kafka, folder, count, properties, payload)
    ways = {"questlog serve": lambda: forward(kafka, server.data, folder / "forward", count),
            "perf-test, its defaults": perf([], ["--record-size", RECORD_BYTES]),
            "perf-test, batches as ours": perf(TUNED, ["--record-size", RECORD_BYTES]),
            "perf-test, our events, too": perf(TUNED, ["--payload-file", sample])}
    results = in_turns(ways, rounds, say, "forwarding")
    return medians(results, lambda ours, other: ours["rate"] / other["rate"], "questlog serve")


# --- Reading

def used(command, folder, output=None, **popen):
    usage = machine.run_tree(command, folder, output, **popen)
    return {"cpu_s": usage.cpu_s, "wall_s": usage.wall_s}


def questlog(kafka, folder):
    """The binary on a data folder of its own, which has nothing but the cluster's address and the topic."""
    config = folder / "reading.toml"
    config.write_text(f'[log]\ntopic = "{TOPIC}"\n')
    return [BINARY, "--data", folder / "reading", "--config", config, "--kafka", kafka.bootstrap]


def cpu_ratio(ours, other):
    return ours["cpu_s"] / other["cpu_s"]


def reading(kafka, folder, count, rounds, say):
    commands = {"questlog tail": [*questlog(kafka, folder), "tail", "-e", "-q"],
                "kcat -C": ["kcat", "-C", "-b", kafka.bootstrap, "-t", TOPIC, "-o", "beginning", "-e", "-q"]}
    for name, command in commands.items():
        seen = len(machine.run_tree([*command, "-f", "."], folder).output)
        if seen != count:
            raise RuntimeError(f"{name} read {seen} of {count} events")

    def read(command):
        shutil.rmtree(folder / "reading", ignore_errors=True)
        return used(command, folder, os.devnull)
    ways = {name: lambda command=command: read(command) for name, command in commands.items()}
    return medians(in_turns(ways, rounds, say, "reading"), cpu_ratio, "questlog tail")


# --- Tables

def land(kafka, folder, *command):
    shutil.rmtree(folder / "reading", ignore_errors=True)
    return used([*questlog(kafka, folder), *command], folder)


def spark(kafka, folder):
    shutil.rmtree(folder / "spark", ignore_errors=True)
    command, environment = kafka.spark_submit(JOB, kafka.bootstrap, TOPIC, f"file://{folder}/spark")
    return used(command, folder, env=environment)


def table_counts(root):
    import duckdb
    return {table: duckdb.sql(f"SELECT count(*) FROM read_parquet('{root}/{table}/*.parquet')").fetchone()[0] for table in TABLES}


def check(kafka, folder, count):
    """What was compared did the same: the two tables agree, and land --once has every event in a table."""
    land(kafka, folder, "land", "--once")
    said = machine.run_tree([*questlog(kafka, folder), "sql", "--landed", "--format", "json", "SELECT " + " + ".join(
        f"(SELECT count(*) FROM {kind})" for kind in TYPES) + " AS n"], folder).output
    if (landed := json.loads(said)[0]["n"]) != count:
        raise RuntimeError(f"land --once has {landed} of {count} events in its tables")
    land(kafka, folder, "batch", "separate_events")
    ours, theirs = (table_counts(root) for root in (folder / "reading" / "lake" / "tmp", folder / "spark"))
    if ours != theirs:
        raise RuntimeError(f"questlog's tables have {ours} rows, Spark's {theirs}")


def tables(kafka, folder, count, rounds, spark_rounds, say):
    """Spark takes so much longer that it has rounds of its own, with questlog batch; the ratios are of those."""
    batch, once, job = "questlog batch", "questlog land --once", "Spark, local[2]"
    ways = {batch: lambda: land(kafka, folder, "batch", "separate_events"), job: lambda: spark(kafka, folder)}
    results = in_turns(ways, spark_rounds, say, "two tables, with Spark")
    more = in_turns({batch: ways[batch], once: lambda: land(kafka, folder, "land", "--once")}, rounds, say, "tables")
    pairs = list(zip(results[batch], results[job], strict=True))
    check(kafka, folder, count)
    rows = medians({batch: results[batch] + more[batch]}, cpu_ratio, batch) + medians({once: more[once]}, cpu_ratio, once) \
        + medians({job: results[job]}, cpu_ratio, job)
    for key in ("cpu_s", "wall_s"):
        rows[-1][f"{key}_ratio"] = statistics.median(other[key] / ours[key] for ours, other in pairs)
    return rows


# --- All of it

def run(folder, options, say):
    rounds, count = min(options.rounds, 3), min(options.events, 50_000) if options.quick else options.events
    folder = folder / "kafka"
    folder.mkdir()
    say("starting Kafka")
    kafka = Cluster(folder)
    try:
        return {"events": count,
                "http": kafka_http_bench.run(kafka, folder, options.seconds, options.rounds, say),
                "forwarding": forwarding(kafka, folder, count, rounds, say),
                "reading": reading(kafka, folder, count, rounds, say),
                "tables": tables(kafka, folder, count, rounds, options.spark_rounds, say)}
    finally:
        kafka.stop()


def aims(report):
    """(what, aim, figure, whether it is met)"""
    perf = report["forwarding"][1:]
    job = report["tables"][-1]
    rows = [(f"forwarding, rate ÷ {row['way']}", "≥ 0.8", row["ratio"], row["ratio"] >= 0.8) for row in perf]
    rows.append(("reading, CPU ÷ kcat's", "≤ 1.5", report["reading"][1]["ratio"], report["reading"][1]["ratio"] <= 1.5))
    rows.append(("two tables, Spark's CPU ÷ questlog's", "≥ 50", job["cpu_s_ratio"], job["cpu_s_ratio"] >= 50))
    rows.append(("two tables, Spark's wall time ÷ questlog's", "≥ 15", job["wall_s_ratio"], job["wall_s_ratio"] >= 15))
    return rows


def show(report):
    kafka_http_bench.show(report["http"])
    print(f"\n{report['events']:,} events to Kafka".ljust(29) + f"{'events/s':>10}{'CPU s':>8}{'broker s':>10}{'questlog':>10}{'load':>6}")
    print(f"{'':<28}{'':>10}{'':>8}{'':>10}{'is × it':>10}")
    for number, row in enumerate(report["forwarding"]):
        ratio = f"{row['ratio']:.2f}" if number else ""
        print(f"{row['way']:<28}{row['rate']:>10,.0f}{row['cpu_s']:>8.2f}{row['broker_s']:>10.2f}{ratio:>10}{row['load']:>6.1f}")
    print(f"\n{report['events']:,} events from Kafka".ljust(29) + f"{'CPU s':>8}{'wall s':>8}{'CPU ratio':>11}{'wall ratio':>12}{'load':>6}")
    for row in report["reading"] + report["tables"]:
        ratios = f"{'':>11}{'':>12}"
        if row["way"].startswith("kcat"):
            ratios = f"{row['ratio']:>11.2f}{'':>12}"
        elif row["way"].startswith("Spark"):
            ratios = f"{1 / row['cpu_s_ratio']:>11.3f}{1 / row['wall_s_ratio']:>12.3f}"
        print(f"{row['way']:<28}{row['cpu_s']:>8.2f}{row['wall_s']:>8.2f}{ratios}{row['load']:>6.1f}")
    print(f"\n{'aim':<50}{'':>8}{'measured':>10}")
    for what, aim, figure, met in aims(report):
        print(f"{what:<50}{aim:>8}{figure:>10.2f}  {'met' if met else 'missed'}")
