"""1,000,000 events from the log into two Parquet tables: `questlog batch separate_events` and DuckDB's read_json."""

import http.client
import json
import random
import shutil
import statistics
import sys
from pathlib import Path

import machine
from servers import BINARY

STARTS = ('{"event_type": "default", ', '{"event_type": "purchase_sword", ',
          '{"event_type": "purchase_knife", "description": "very sharp knife", ',
          '{"event_type": "join_guild", "description": "nice guild", ')
HOSTS = ("user1.comcast.com", "user2.att.com")

# Runs in a process of its own: importing is not counted, and its memory is its own.
DUCKDB = r"""
import json, resource, sys, time, duckdb
source, target, way = sys.argv[1:]
connection = duckdb.connect(config={"threads": 1})
columns = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in
                          ("event_type", "description", "Host", "User-Agent", "Accept")) + "}"
events = f"read_json('{source}', format='newline_delimited', columns={columns})"
used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
cpu, wall = used(), time.monotonic()
if way == "one scan":
    connection.execute(f"CREATE TEMP TABLE events AS SELECT * FROM {events}")
    events = "events"
for table, kind in (("sword_purchases", "purchase_sword"), ("default_hits", "default")):
    connection.execute(f'''COPY (SELECT Accept, 'no-cache' AS "Cache-Control", 'moe' AS Host, "User-Agent", event_type
        FROM {events} WHERE event_type = '{kind}') TO '{target}/{table}.parquet' (FORMAT parquet, COMPRESSION snappy)''')
cpu, wall = used() - cpu, time.monotonic() - wall
peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"cpu_s": cpu, "wall_s": wall, "peak_mb": peak}))
"""


def write_events(path, count):
    """The reference's four events, drawn evenly with a fixed seed."""
    draw = random.Random(7)
    with open(path, "w") as file:
        for _ in range(count):
            file.write(f'{draw.choice(STARTS)}"Host": "{draw.choice(HOSTS)}", "User-Agent": "ApacheBench/2.3", "Accept": "*/*"}}\n')


def post(server, path, body_bytes=900_000):
    """Sends the file through POST /events in bodies below the limit."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    with open(path, "rb") as file:
        while lines := file.readlines(body_bytes):
            connection.request("POST", "/events", b"".join(lines))
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"POST /events: {answer.status} {text[:300]}")
    connection.close()


def duckdb_way(source, folder, way):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    usage = machine.run([sys.executable, "-c", DUCKDB, str(source), str(folder), way])
    return json.loads(usage.output.splitlines()[-1])


def questlog_way(data):
    usage = machine.run([BINARY, "--data", data, "batch", "separate_events"])
    return {"cpu_s": usage.cpu_s, "wall_s": usage.wall_s, "peak_mb": usage.peak_mb}


def run(make_server, folder, count, rounds, say):
    source = folder / "events.ndjson"
    say(f"writing {count:,} events")
    write_events(source, count)
    server = make_server(folder / "batch")
    try:
        say("posting them")
        post(server, source)
    finally:
        server.stop()
    ways = {
        "questlog batch": lambda: questlog_way(server.data),
        "DuckDB, scan per table": lambda: duckdb_way(source, folder / "duckdb", "scan per table"),
        "DuckDB, one scan": lambda: duckdb_way(source, folder / "duckdb", "one scan"),
    }
    results = {name: [] for name in ways}
    for turn in range(rounds):
        say(f"landing, round {turn + 1} of {rounds}")
        for name, way in list(ways.items())[::1 if turn % 2 == 0 else -1]:
            results[name].append(way() | {"load": machine.load()})
    check_same_rows(server.data, folder / "duckdb")
    rows = []
    for name, own in results.items():
        rows.append({key: statistics.median(result[key] for result in own) for key in ("cpu_s", "wall_s", "peak_mb", "load")}
                    | {"way": name, "events": count, "runs": own,
                       "ratio": statistics.median(mine["cpu_s"] / other["cpu_s"] for mine, other in
                                                  zip(results["questlog batch"], own, strict=True))})
    return rows


def check_same_rows(data, folder):
    """What was compared did the same: row counts of both tables agree."""
    import duckdb
    for table in ("sword_purchases", "default_hits"):
        ours, = Path(data, "lake", "tmp", table).glob("*.parquet")
        counts = [duckdb.sql(f"SELECT count(*) FROM read_parquet('{path}')").fetchone()[0]
                  for path in (ours, folder / f"{table}.parquet")]
        if counts[0] != counts[1]:
            raise RuntimeError(f"{table}: {counts[0]} rows against DuckDB's {counts[1]}")
