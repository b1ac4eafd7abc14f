"""Single and batched events over HTTP: questlog and its peers, turn and turn about."""

import json
import os
import re
import statistics
import subprocess
from pathlib import Path

import machine

HERE = Path(__file__).resolve().parent
PATH = "/purchase_a_sword"
BATCH_EVENTS = 1000


def wrk(server, connections, seconds, script=None, path=PATH, environment=None):
    threads = 1 if connections < 64 else 2
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    if script:
        command += ["-s", HERE / script]
    done = subprocess.run([*command, server.url + path], capture_output=True, text=True, check=True,
                          env={**os.environ, **(environment or {})})
    requests = int(re.search(r"(\d+) requests in", done.stdout).group(1))
    if bad := re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", done.stdout):
        raise RuntimeError(f"{server.name} at {connections} connections: {bad.group()}")
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)  # pipelined, wrk measures no latency
    return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1)), "requests": requests,
            "p99_ms": float(p99.group(1)) * {"us": 1e-3, "ms": 1, "s": 1e3}[p99.group(2)]}


def ab(server, requests):
    done = subprocess.run(["ab", "-q", "-n", str(requests), "-c", "32", server.url + PATH], capture_output=True, text=True,
                          check=True)
    if not re.search(r"Failed requests:\s+0\n", done.stdout):
        raise RuntimeError(f"{server.name}: ab saw failed requests\n{done.stdout}")
    return {"rate": float(re.search(r"Requests per second:\s+([\d.]+)", done.stdout).group(1)), "requests": requests,
            "p99_ms": float(re.search(r"99%\s+(\d+)", done.stdout).group(1))}


def ndjson_body(folder):
    """1,000 events of the reference's shape with a little of their own, about 198 KB."""
    path = folder / "body.ndjson"
    path.write_text("".join(json.dumps({
        "event_type": "purchase_sword", "Host": "user1.comcast.com", "User-Agent": "ApacheBench/2.3", "Accept": "*/*",
        "player": f"player-{n:06d}", "level": n % 60, "price": n / 4, "region": "eu-west", "shop": "market"}) + "\n"
        for n in range(BATCH_EVENTS)))
    return path


def measure(server, shape):
    """One run; adds the server's own CPU time a request."""
    before = machine.cpu_seconds(server.pids())
    result = shape["run"](server)
    result["cpu_us"] = (machine.cpu_seconds(server.pids()) - before) / result["requests"] * 1e6
    return result


def shapes(folder, seconds):
    body = ndjson_body(folder)

    def connections(count):
        return lambda server: wrk(server, count, seconds)
    return [
        {"name": "1 connection", "peers": "all", "run": connections(1)},
        {"name": "8 connections", "peers": "nginx", "run": connections(8)},
        {"name": "64 connections", "peers": "all", "run": connections(64)},
        {"name": "256 connections", "peers": "nginx", "run": connections(256)},
        {"name": "64 conn., pipelined x16", "peers": "nginx", "run": lambda server: wrk(server, 64, seconds, "pipelined.lua")},
        {"name": "ab -c32, no keep-alive", "peers": "nginx",
         "run": lambda server: ab(server, 8000 * seconds)},
        {"name": "NDJSON x1000, 4 conn.", "peers": "nginx", "events": BATCH_EVENTS,
         "run": lambda server: wrk(server, 4, seconds, "ndjson.lua", "/events", {"BENCH_BODY": str(body)})},
    ]


def median(results, key):
    return statistics.median(result[key] for result in results)


def run(servers, folder, seconds, rounds, say):
    """Rows: one per shape and server, medians over the rounds, the ratio taken pair by pair; and the disk's sync times."""
    questlog, rows, syncs = servers[0], [], []
    for shape in shapes(folder, seconds):
        taking_part = [server for server in servers if shape["peers"] == "all" or server.name in ("questlog", "nginx")]
        results = {server.name: [] for server in taking_part}
        say(shape["name"])
        for turn in range(rounds):
            syncs.append(machine.sync_us(folder))
            for server in taking_part if turn % 2 == 0 else reversed(taking_part):
                results[server.name].append(measure(server, shape) | {"load": machine.load()})
        for server in taking_part:
            own, ours = results[server.name], results[questlog.name]
            rows.append({
                "shape": shape["name"], "server": server.name, "events_per_request": shape.get("events", 1),
                "rate": median(own, "rate") * shape.get("events", 1), "p99_ms": median(own, "p99_ms"),
                "cpu_us": median(own, "cpu_us") / shape.get("events", 1), "load": median(own, "load"),
                "ratio": statistics.median(mine["rate"] / other["rate"] for mine, other in zip(ours, own, strict=True)),
                "runs": own})
    return rows, syncs
