"""Landing in continuous tables: `questlog land --once`, beside DuckDB's read_json → COPY of the same events."""

import json
import random
import shutil
import statistics
import sys
import time
from pathlib import Path

import batch_bench
import machine
from servers import BINARY

# Runs in a process of its own: importing is not counted. Typed columns, a COPY for each type.
DUCKDB = r"""
import json, resource, sys, time, duckdb
source, target, way = sys.argv[1:]
connection = duckdb.connect(config={"threads": 1})
columns = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in
                          ("event_type", "description", "Host", "User-Agent", "Accept")) + "}"
used = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
cpu, wall = used(), time.monotonic()
events = f"read_json('{source}', format='newline_delimited', columns={columns})"
if way == "one scan":
    connection.execute(f"CREATE TEMP TABLE events AS SELECT * FROM {events}")
    events = "events"
for kind in ("default", "purchase_sword", "purchase_knife", "join_guild"):
    connection.execute(f'''COPY (SELECT * FROM {events} WHERE event_type = '{kind}') TO '{target}/{kind}.parquet' (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)''')
cpu, wall = used() - cpu, time.monotonic() - wall
peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"cpu_s": cpu, "wall_s": wall, "peak_mb": peak}))
"""


def write_typed(path, count, types):
    """Events of so many types, drawn evenly with a fixed seed, a little longer than the reference's."""
    draw = random.Random(7)
    with open(path, "w") as file:
        for number in range(count):
            file.write(f'{{"event_type": "kind_{draw.randrange(types)}", "number": {number}, "level": {draw.randrange(60)}, '
                       f'"Host": "{draw.choice(batch_bench.HOSTS)}", "User-Agent": "ApacheBench/2.3", "Accept": "*/*"}}\n')


def collected(make_server, folder, source, body_bytes=900_000):
    """A data folder whose log has the events, and nothing landed."""
    server = make_server(folder)
    try:
        batch_bench.post(server, source, body_bytes)
    finally:
        server.stop()
    return server.data


def land(data, *options):
    shutil.rmtree(data / "lake", ignore_errors=True)
    usage = machine.run([BINARY, "--data", data, *options, "land", "--once"])
    return {"cpu_s": usage.cpu_s, "wall_s": usage.wall_s, "peak_mb": usage.peak_mb, "load": machine.load()}


def duckdb_copy(source, folder, way):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    usage = machine.run([sys.executable, "-c", DUCKDB, str(source), str(folder), way])
    return json.loads(usage.output.splitlines()[-1]) | {"load": machine.load()}


def median(runs):
    return {key: statistics.median(run[key] for run in runs) for key in ("cpu_s", "wall_s", "peak_mb", "load")}


def four_types(make_server, folder, count, rounds, say):
    """A row for us, and two for DuckDB."""
    source = folder / f"lake-{count}.ndjson"
    batch_bench.write_events(source, count)
    say(f"landing {count:,} events of 4 types")
    data = collected(make_server, folder / f"lake-{count}", source)
    ways = {"questlog land --once": lambda: land(data)}
    for way in ("scan per type", "one scan"):
        ways[f"DuckDB, {way}"] = lambda way=way: duckdb_copy(source, folder / "lake-duckdb", way)
    results = {name: [] for name in ways}
    for turn in range(rounds):
        for name, way in list(ways.items())[::1 if turn % 2 == 0 else -1]:
            results[name].append(way())
    files = list((data / "lake" / "events" / "default_event").glob("date=*/*.parquet"))
    rows = json.loads(machine.run([BINARY, "--data", data, "sql", "--format", "json",
                                   "SELECT count(*) AS n FROM default_event", "--landed"]).output)[0]["n"]
    bytes_per_event = sum(path.stat().st_size for path in files) / rows
    shutil.rmtree(data)
    source.unlink()
    ours = results["questlog land --once"]
    rows = [median(own) | {"way": name, "events": count, "types": 4,
                           "ratio": statistics.median(mine["cpu_s"] / other["cpu_s"]
                                                      for mine, other in zip(ours, own, strict=True))}
            for name, own in results.items()]
    rows[0]["bytes_per_default_event"] = bytes_per_event
    return rows


def many_types(make_server, folder, count, rounds, say):
    rows = []
    for types in (4, 1000):
        source = folder / f"typed-{types}.ndjson"
        write_typed(source, count, types)
        say(f"landing {count:,} events of {types} types")
        data = collected(make_server, folder / f"typed-{types}", source)
        rows.append(median([land(data) for _ in range(rounds)])
                    | {"way": "questlog land --once", "events": count, "types": types})
        shutil.rmtree(data)
        source.unlink()
    return rows


def many_files(make_server, folder, count, say):
    """A table of some thousand files: landing them, a start beside them, and SQL over them."""
    source = folder / "one.ndjson"
    write_typed(source, count, 1)
    say(f"landing {count:,} events in cuts of 64 KiB")
    data = collected(make_server, folder / "one", source, 66_000)  # a commit, and so a batch, of a cut's size each
    config = folder / "small-cuts.toml"
    config.write_text("[landing]\ncut_bytes = 65536\n")
    landed = land(data, "--config", config)
    files = len(list((data / "lake" / "events" / "kind_0").glob("date=*/*.parquet")))
    began = time.monotonic()
    server = make_server(folder / "again", data, lands=True)
    ready_s = time.monotonic() - began
    server.stop()
    counted = machine.run([BINARY, "--data", data, "sql", "SELECT count(*) FROM kind_0"])
    status = machine.run([BINARY, "--data", data, "status"])
    shutil.rmtree(data)
    source.unlink()
    return {"files": files, "landing_cpu_s": landed["cpu_s"], "landing_wall_s": landed["wall_s"], "ready_s": ready_s,
            "count_wall_s": counted.wall_s, "status_wall_s": status.wall_s, "load": machine.load()}


def run(make_server, folder, counts, rounds, say):
    rows = []
    for count in counts:
        rows += four_types(make_server, folder, count, rounds if count <= 1_000_000 else 1, say)
    return {"four_types": rows, "types": many_types(make_server, folder, min(max(counts), 1_000_000), rounds, say),
            "files": many_files(make_server, folder, 4 * min(max(counts), 1_000_000), say)}


def show(report):
    print(f"\n{'landing':<26}{'events':>11}{'types':>7}{'CPU s':>8}{'µs/event':>10}{'wall s':>8}{'peak MB':>9}{'questlog':>10}{'load':>6}")
    print(f"{'':<26}{'':>11}{'':>7}{'':>8}{'':>10}{'':>8}{'':>9}{'CPU is × it':>12}")
    for row in report["four_types"] + report["types"]:
        ratio = f"{row['ratio']:.2f}" if row["way"].startswith("DuckDB") else ""
        print(f"{row['way']:<26}{row['events']:>11,}{row['types']:>7}{row['cpu_s']:>8.2f}{row['cpu_s'] / row['events'] * 1e6:>10.2f}"
              f"{row['wall_s']:>8.2f}{row['peak_mb']:>9.0f}{ratio:>10}{row['load']:>6.1f}")
    for row in report["four_types"]:
        if "bytes_per_default_event" in row:
            print(f"{row['events']:,} events: {row['bytes_per_default_event']:.1f} bytes a landed default event")
    files = report["files"]
    print(f"a table of {files['files']:,} files: landed in {files['landing_wall_s']:.1f} s, {files['landing_cpu_s'] / files['files'] * 1e3:.1f} ms "
          f"CPU a cut; serve is ready in {files['ready_s']:.2f} s,\n  count(*) takes {files['count_wall_s']:.2f} s, status {files['status_wall_s']:.2f} s")
