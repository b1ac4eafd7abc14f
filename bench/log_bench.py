"""The log by itself: commits on a disk that is slow, what it takes to open a gigabyte of it, and how large it is."""

import http.client
import json
import os
import statistics
import subprocess
import threading
import time
import urllib.request

import http_bench
import machine
import servers

DELAY_US = 2000
CONNECTIONS = 256
OPENED_BYTES = 1 << 30
END = 'questlog_log_end_offset{partition="0"}'


class Onlooker:
    """A client of its own, whose requests store nothing and need no disk: what they take is what the loop makes them wait."""

    def __init__(self, server):
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.times_ms = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._connection.close()

    def _look(self):
        while not self._stop.wait(0.005):
            began = time.monotonic()
            self._connection.request("GET", "/healthz")
            self._connection.getresponse().read()
            self.times_ms.append((time.monotonic() - began) * 1e3)


def slowing(folder):
    """What stands before a command whose syncs are to take longer."""
    library = folder / "slow_sync.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, http_bench.HERE / "slow_sync.c", "-ldl"], check=True)
    return ["env", f"LD_PRELOAD={library}", f"SLOW_SYNC_US={DELAY_US}"]


def slow_disk(folder, seconds, rounds, say):
    """Single events while each sync takes 2 ms more than it does. With every connection waiting for one commit or the next, the most
    that can be had is half of them a sync."""
    say(f"{CONNECTIONS} connections, a sync takes {DELAY_US / 1e3:.0f} ms more")
    server = servers.QuestlogServer(folder / "slow", launcher=slowing(folder))
    runs = []
    try:
        for _ in range(rounds):
            syncs, took_s = metric(server, "questlog_fsync_seconds_count"), metric(server, "questlog_fsync_seconds_sum")
            with Onlooker(server) as onlooker:
                run = http_bench.wrk(server, CONNECTIONS, seconds)
            sync_s = (metric(server, "questlog_fsync_seconds_sum") - took_s) / (metric(server, "questlog_fsync_seconds_count") - syncs)
            times = sorted(onlooker.times_ms)
            runs.append(run | {"sync_ms": sync_s * 1e3, "of_the_most": run["rate"] / (CONNECTIONS / 2 / sync_s),
                               "onlooker_p50_ms": statistics.median(times), "onlooker_p99_ms": times[len(times) * 99 // 100],
                               "load": machine.load()})
    finally:
        server.stop()
    if any(run["sync_ms"] < DELAY_US / 1e3 for run in runs):
        raise RuntimeError("the syncs were not slowed")
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]} | {"runs": runs}


def partition(server):
    """What `status` says of the topic's one partition."""
    done = subprocess.run([servers.BINARY, "--data", server.data, "status", "--json"], capture_output=True, check=True)
    topic, = json.loads(done.stdout)["topics"]
    only, = topic["partitions"]
    return only


def metric(server, name):
    with urllib.request.urlopen(server.url + "/metrics", timeout=10) as answer:
        line, = (line for line in answer.read().decode().splitlines() if line.startswith(name + " "))
    return float(line.split()[1])


def value_bytes(data):
    """Of all values, by reading them."""
    with subprocess.Popen([servers.BINARY, "--data", data, "tail", "-o", "beginning", "-e", "-q"], stdout=subprocess.PIPE) as tail:
        lines = size = 0
        for block in iter(lambda: tail.stdout.read(1 << 20), b""):
            size += len(block)
            lines += block.count(b"\n")
    if tail.returncode != 0:
        raise RuntimeError("questlog tail failed")
    return size - lines


def sizes(folder, seconds, say):
    """Bytes of the log to bytes of its values, by how many clients there are, and so by how many events a commit has."""
    say("bytes in the log")
    rows = []
    for connections in (1, 8, 64, CONNECTIONS):
        server = servers.QuestlogServer(folder / f"size-{connections}")
        try:
            http_bench.wrk(server, connections, seconds)
        finally:
            server.stop()
        kept, values = partition(server), value_bytes(server.data)
        rows.append({"connections": connections, "events": kept["durable_end"], "log_bytes": kept["bytes"],
                     "value_bytes": values, "ratio": kept["bytes"] / values})
    return rows


def opening(folder, rounds, say):
    """From the start of the process until it listens, with a gigabyte of log: before it is landed, after, and after a kill under load."""
    say("opening a gigabyte of log")
    body = str(http_bench.ndjson_body(folder))
    data = folder / "large-data"
    starts = iter(range(1_000_000))
    times = {"empty": [], "not landed": [], "landed": [], "killed": []}

    def start(state, lands=True):
        began = time.monotonic()
        server = servers.QuestlogServer(folder / f"large-{next(starts)}", data, lands)
        times[state].append(time.monotonic() - began)
        return server

    server = start("empty", lands=False)
    while sum(path.stat().st_size for path in data.rglob("*.log")) < OPENED_BYTES:
        http_bench.wrk(server, 4, 1, "ndjson.lua", "/events", {"BENCH_BODY": body})
    server.stop()
    for _ in range(rounds):
        start("not landed", lands=False).stop()
    for _ in range(rounds):
        subprocess.run([servers.BINARY, "--data", data, "land", "--once"], stdout=subprocess.DEVNULL, check=True)
        server = start("landed")
        with subprocess.Popen(["wrk", "-t1", "-c4", "-d60s", "-s", http_bench.HERE / "ndjson.lua", server.url + "/events"],
                              env={**os.environ, "BENCH_BODY": body}, stdout=subprocess.DEVNULL) as client:
            end = metric(server, END)
            while metric(server, END) == end:
                time.sleep(0.01)
            server.process.kill()
            server.process.wait()
            client.terminate()
        start("killed").stop()
    kept = partition(server)
    return {"bytes": kept["bytes"], "events": kept["durable_end"], "seconds": {state: statistics.median(taken) for state, taken in times.items()},
            "runs": times}


def run(folder, options, say):
    return {"slow_disk": slow_disk(folder, options.seconds, options.rounds, say),
            "sizes": sizes(folder, options.seconds, say), "opening": opening(folder, options.rounds, say)}


def show(report):
    slow, opened = report["slow_disk"], report["opening"]
    print(f"\n{CONNECTIONS} connections, {slow['sync_ms']:.2f} ms a sync: {slow['rate']:,.0f} events/s, {slow['of_the_most']:.2f} of the most, "
          f"p99 {slow['p99_ms']:.1f} ms\na client beside them that stores nothing: {slow['onlooker_p50_ms']:.2f} ms, "
          f"p99 {slow['onlooker_p99_ms']:.2f} ms")
    print(f"\n{'connections':>11}{'events':>12}{'bytes in the log':>18}{'of the values':>15}{'ratio':>8}")
    for row in report["sizes"]:
        print(f"{row['connections']:>11}{row['events']:>12,}{row['log_bytes']:>18,}{row['value_bytes']:>15,}{row['ratio']:>8.2f}")
    print(f"\n{opened['bytes'] / 1e9:.2f} GB of log, {opened['events']:,} events, in the page cache; seconds until it listens")
    for state, seconds in opened["seconds"].items():
        print(f"  {state:<12}{seconds:.3f}")
