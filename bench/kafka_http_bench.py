"""Single events over HTTP into Kafka: questlog with both kinds of acknowledgement, and the reference's app with kafka-python."""

import statistics
import time
import urllib.request

import http_bench
import machine
import servers
from engines import POLL_S, wait_until

CONNECTIONS = 32
STANDS_STILL_S = 5  # a topic that gets nothing for so long will not get what is missing

# What is measured: its name, what its 200 means, and which of ours says as much.
WAYS = {
    "questlog, ack = disk": ("on this disk, synced; in Kafka soon after", None),
    "questlog, ack = kafka": ("on this disk, and acknowledged by Kafka (acks = all)", None),
    "Flask, send()": ("in a worker's memory, as in the reference's app", "questlog, ack = disk"),
    "Flask, send().get()": ("acknowledged by Kafka (acks = all)", "questlog, ack = kafka"),
}


def start(kafka, folder):
    """A server and its topic for each way, in their order."""
    started = {}
    try:
        for number, name in enumerate(WAYS):
            topic, own = f"bench-http-{number}", folder / f"http-{number}"
            kafka.create(topic)
            if name.startswith("questlog"):
                ack = name.rpartition(" ")[2]
                server = servers.QuestlogServer(own, config_text=f'[log]\ntopic = "{topic}"\n'
                                                                 f'[kafka]\nbootstrap = "{kafka.bootstrap}"\nack = "{ack}"\n')
            else:
                environment = {"BENCH_KAFKA": kafka.bootstrap, "BENCH_TOPIC": topic, "BENCH_WAIT": "1" if "get" in name else ""}
                server = servers.GunicornServer(own, environment)
            server.name = name
            wait_until(f"{name} answers", lambda server=server: answers(server))
            started[name] = (server, topic)
    except BaseException:
        stop(started)
        raise
    return started


def answers(server):
    """gunicorn listens before its workers have loaded the app."""
    with urllib.request.urlopen(server.url + http_bench.PATH, timeout=30) as answer:
        return answer.status == 200


def stop(started):
    for server, _ in started.values():
        server.stop()


def settled_end(kafka, topic, wanted):
    """The topic's end once it has all that is wanted, or nothing more comes."""
    end, moved = kafka.end(topic), time.monotonic()
    while end < wanted and time.monotonic() - moved < STANDS_STILL_S:
        time.sleep(POLL_S)
        if (now := kafka.end(topic)) != end:
            end, moved = now, time.monotonic()
    return end, moved


def measure(kafka, server, topic, seconds):
    """A run of wrk and the time until the topic has what it was answered; CPU is of both."""
    first = kafka.end(topic)
    cpu, broker = machine.cpu_seconds(server.pids()), kafka.cpu_seconds()
    result = http_bench.wrk(server, CONNECTIONS, seconds)
    answered = time.monotonic()
    if result["requests"] == 0:
        raise RuntimeError(f"{server.name} answered nothing in {seconds} s")
    end, moved = settled_end(kafka, topic, first + result["requests"])
    events = result["requests"]
    return result | {"cpu_us": (machine.cpu_seconds(server.pids()) - cpu) / events * 1e6,
                     "broker_us": (kafka.cpu_seconds() - broker) / events * 1e6,
                     "behind_s": max(0.0, moved - answered),
                     "missing": max(0, events - (end - first)), "load": machine.load()}


def run(kafka, folder, seconds, rounds, say):
    started = start(kafka, folder)
    try:
        results = {name: [] for name in WAYS}
        for turn in range(-1, rounds):  # the first warms the servers up
            say("events over HTTP into Kafka" + (f", round {turn + 1} of {rounds}" if turn >= 0 else ", warming up"))
            for name in list(WAYS)[::1 if turn % 2 == 0 else -1]:
                result = measure(kafka, *started[name], seconds if turn >= 0 else 1)
                if turn >= 0:
                    results[name].append(result)
    finally:
        stop(started)
    rows = []
    for name, (does, counterpart) in WAYS.items():
        own = results[name]
        keys = ("rate", "p99_ms", "cpu_us", "broker_us", "behind_s", "load")
        row = {key: statistics.median(result[key] for result in own) for key in keys}
        row |= {"way": name, "does": does, "answered": sum(result["requests"] for result in own),
                "missing": sum(result["missing"] for result in own), "runs": own}
        if counterpart:
            row["ratio"] = statistics.median(ours["rate"] / other["rate"] for ours, other in zip(results[counterpart], own, strict=True))
        rows.append(row)
    return rows


def show(rows):
    print(f"\n{'HTTP → Kafka, 32 conn.':<23}{'events/s':>9}{'p99 ms':>8}{'CPU µs':>8}{'broker':>8}{'not in':>8}{'questlog':>9}{'load':>6}")
    print(f"{'':<23}{'':>9}{'':>8}{'/event':>8}{'µs':>8}{'Kafka':>8}{'is × it':>9}")
    for row in rows:
        ratio = f"{row['ratio']:.1f}" if "ratio" in row else ""
        print(f"{row['way']:<23}{row['rate']:>9,.0f}{row['p99_ms']:>8.1f}{row['cpu_us']:>8.1f}{row['broker_us']:>8.1f}"
              f"{row['missing']:>8,}{ratio:>9}{row['load']:>6.1f}")
    print("a 200 means:")
    for row in rows:
        print(f"  {row['way']:<23}{row['does']}")
        if row["behind_s"] > 0.1:
            print(f"  {'':<23}(Kafka had all of it {row['behind_s']:.2f} s after the last answer)")
