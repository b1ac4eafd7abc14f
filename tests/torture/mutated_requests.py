"""Requests with something wrong in them, over sockets, against the real binary; and canaries between them.

Before each mutated request of a connection goes a valid one, and another behind it; a third has a connection of its own.
However the mutated one is understood, what comes back is well-formed answers and then the end of the connection, the valid
ones before it and beside it are answered right, and the books balance.
"""

import gzip
import itertools
import threading

import pyarrow
import sanitizers
from casework import Part
from ledger import Ledger
from questlog_process import BINARY, Questlog
from wire import chunked, request_bytes

REQUESTS_A_CASE = 100
MEMORY_KB_MAX = 96 * 1024  # more than at the start; a body of 8 MiB once unzipped is part of it
NUMBERS = (b"0", b"-1", b"2147483648", b"4294967296", b"9223372036854775807", b"18446744073709551616", b"1e9", b"0x10", b"+5",
           b"99999999999999999999999999999999")
SPACES = (b" ", b"\t", b"\r", b"\n", b"\r\n", b"\v", b"\f", b"\0", b"\r\n ", b"  ", b"\xa0")
BODY = b'{"event_type": "mutated", "s": "caf\\u00e9 \xc3\xa9", "n": 12345, "deep": [[{"a": null}], 1.5e3, true]}'


def zstd(data):
    out = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(out, "zstd") as stream:
        stream.write(data)
    return out.getvalue().to_pybytes()


def valid_requests():
    """One of every kind that the interface takes. None is a HEAD: no mutation of another method makes one."""
    host, lines = "game", b"\n".join([BODY] * 5)
    requests = [
        request_bytes("GET", "/purchase_a_sword?color=red&size=9", host),
        request_bytes("GET", "/", host, headers=[("User-Agent", "app/1"), ("Accept", "*/*"), ("X-Trace", "a" * 200)]),
        request_bytes("POST", "/purchase_a_knife?receipt=1", host, BODY, headers=[("Content-Type", "application/json")]),
        request_bytes("POST", "/join_guild", host, b"name=raven&rank=3",
                      headers=[("Content-Type", "application/x-www-form-urlencoded")]),
        request_bytes("POST", "/events?receipt=1&wait=durable", host, lines, headers=[("Idempotency-Key", "key-1")]),
        request_bytes("POST", "/events", host, b"[" + b", ".join([BODY] * 3) + b"]"),
        request_bytes("POST", "/events", host, chunked(BODY[:40], BODY[40:]), headers=[("Transfer-Encoding", "chunked")]),
        request_bytes("POST", "/events", host, chunked(lines)[:-2] + b"X-Trailer: a\r\n\r\n",
                      headers=[("Transfer-Encoding", "chunked"), ("Trailer", "X-Trailer")]),
        request_bytes("POST", "/events", host, gzip.compress(lines), headers=[("Content-Encoding", "gzip")]),
        request_bytes("POST", "/events", host, zstd(lines), headers=[("Content-Encoding", "zstd")]),
        request_bytes("POST", "/events", host, chunked(gzip.compress(lines)),
                      headers=[("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")]),
        request_bytes("POST", "/events", host, BODY, headers=[("Expect", "100-continue")]),
        request_bytes("GET", "/purchase_a_sword", host, version="1.0"),
        request_bytes("POST", "/events", host, BODY, version="1.0", headers=[("Connection", "keep-alive")]),
        request_bytes("GET", "http://game/join_guild?x=1", host),
        request_bytes("OPTIONS", "/events", host),
        request_bytes("GET", "/healthz", host, headers=[("Connection", "close")]),
    ]
    return [*requests, requests[0] + requests[4] + requests[0], requests[6] + requests[8]]


VALID = valid_requests()


def digits(data):
    """Where numbers stand."""
    return [(at, at + len(list(run))) for at, run in runs(data) if data[at:at + 1].isdigit()]


def runs(data):
    at = 0
    for _, group in itertools.groupby(data, key=lambda byte: 48 <= byte <= 57):
        group = list(group)
        yield at, group
        at += len(group)


def with_number(data, chance):
    places = digits(data)
    start, end = chance.choice(places)
    return data[:start] + chance.choice(NUMBERS) + data[end:]


def with_headers_moved(data, chance):
    head, mark, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    fields = lines[1:]
    chance.shuffle(fields)
    if chance.random() < 0.5 and fields:
        fields.append(chance.choice(fields))
    return b"\r\n".join([lines[0], *fields]) + mark + body


def with_bytes(make):
    """A mutation that puts `make(chance)` at some place, over as many bytes as it pleases."""
    def mutate(data, chance):
        at = chance.randrange(len(data) + 1)
        return data[:at] + make(chance) + data[at + chance.choice((0, 0, 1, 3)):]
    return mutate


def flipped(data, chance):
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def without(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.choice((1, 1, 2, 10)):]


def doubled(data, chance):
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.choice((1, 2, 20, 200)))
    return data[:end] + data[start:end] * chance.choice((1, 1, 3)) + data[end:]


def spliced(data, chance):
    other = chance.choice(VALID)
    return data[:chance.randrange(len(data))] + other[chance.randrange(len(other)):]


def cut(data, chance):
    return data[:chance.randrange(1, len(data))]


MUTATIONS = {
    "flipped": flipped,
    "inserted": with_bytes(lambda chance: bytes(chance.randrange(256) for _ in range(chance.choice((1, 1, 4))))),
    "deleted": without,
    "doubled": doubled,
    "spliced": spliced,
    "odd numbers": with_number,
    "cut": cut,
    "odd spaces": with_bytes(lambda chance: chance.choice(SPACES)),
    "headers moved": with_headers_moved,
}


def mutated(chance):
    data = chance.choice(VALID)
    name = chance.choice(sorted(MUTATIONS))
    data = MUTATIONS[name](data, chance)
    if data and chance.random() < 0.2:  # a second fault on top
        data = MUTATIONS[chance.choice(["flipped", "deleted", "odd spaces"])](data, chance)
    return name, data


class MutatedRequests(Part):
    name = "requests"
    what = "mutated requests over sockets, with canaries before, behind and beside them"

    def __init__(self, cases=100):
        super().__init__(cases)
        self._lock = threading.Lock()
        self._behind = {}  # a canary behind a mutated request -> the answers that took events

    def prepare(self, folder):
        self._questlog = Questlog(folder / "server")
        self._questlog.write_config("[log]\npartitions = 3\nsegment_bytes = 1048576\n[limits]\nheader_timeout_ms = 2000\n"
                                    "body_timeout_ms = 2000\n")
        self._server = self._questlog.serve()
        self._ledger = Ledger()  # of the canaries
        for data in VALID * 20:  # warm, and each of them taken
            with self._server.wire() as wire:
                wire.send(data)
                wire.finish_sending()
                answers = wire.answers_until_closed()
                assert answers and all(answer.status == 200 for answer in answers), (data, answers)
        self._memory_kb = memory_kb(self._server)

    def case(self, number, chance, folder, book):
        client, numbers = self._ledger.client(), itertools.count()
        for _ in range(REQUESTS_A_CASE):
            name, data = mutated(chance)
            try:
                self._one(client, numbers, data, chance)
            except Exception as fault:
                (folder / "request.bin").write_bytes(data)
                raise AssertionError(f"{name}: {data[:2000]!r}: {fault}") from fault
            book.add(f"{name}")
        assert self._server.process.poll() is None, self._server.output

    def _one(self, client, numbers, data, chance):
        before, behind, beside = (self._ledger.event(client, next(numbers), 16) for _ in range(3))
        with self._server.wire() as wire:
            sent = canary(before) + data + canary(behind)
            for piece in pieces(sent, chance):
                try:
                    wire.send(piece)
                except OSError:
                    break  # it was refused, and closed: what was answered is there to be read
            try:
                wire.finish_sending()
            except OSError:
                pass
            answers = wire.answers_until_closed()
        with self._server.wire() as wire:
            wire.send(canary(beside))
            self._ledger.answered([beside], wire.answer())
        assert answers and answers[0].status == 200, f"the canary before it was answered {answers[:1]}"
        self._ledger.answered([before], answers[0])
        for answer in answers[1:]:
            assert 200 <= answer.status < 600 and answer.version == "HTTP/1.1", answer
        with self._lock:
            self._behind[behind] = [answer.json() for answer in answers[1:] if answer.status in (200, 207)
                                    and answer.headers.get("content-type") == "application/json"]

    def finish(self, book):
        server, ledger = self._server, self._ledger
        with server:
            grown = memory_kb(server) - self._memory_kb
            if "asan" not in str(BINARY) and "tsan" not in str(BINARY):
                assert grown < MEMORY_KB_MAX, f"the server's memory grew by {grown} KB"
            accepted = {line.split()[0]: float(line.split()[1]) for line in server.get("/metrics").text.splitlines()
                        if line and not line.startswith("#")}["questlog_events_accepted_total"]
            assert server.stop(deadline_s=30) == 0, server.output
        sanitizers.assert_silent(server.errors)
        rows = [line.split(" ", 2) for line in
                self._questlog.ok("tail", "-o", "beginning", "-e", "-q", "-f", "%p %o %s\\n").splitlines()]
        assert len(rows) == accepted, f"{accepted} events were accepted and {len(rows)} are in the log"
        places = {(int(partition), int(offset)): value for partition, offset, value in rows}
        for place, value in ledger.acked.items():
            assert places[place] == value, f"the canary at {place} is not there"
        there = {value: place for place, value in places.items() if value in ledger.sent}
        assert sum(value in ledger.sent for value in places.values()) == len(there), "a canary is in the log twice"
        for value, answers in self._behind.items():
            if value not in there:
                continue
            itself = any((one.get("partition"), one.get("offset")) == there[value] for one in answers)
            # Else it was part of a body that a mutation made longer: one line of those that were taken.
            assert itself or any(one.get("accepted") for one in answers), f"a canary is an event, and unanswered: {value}"
            book.add("canaries behind: handled" if itself else "canaries behind: in a body that had become longer")
        assert self._questlog.status()["sound"]
        self._questlog.ok("log", "verify")
        book.add("events accepted, all in the log", len(rows))
        book.add("KB of memory more than before", grown)


def canary(value):
    return request_bytes("POST", "/events?receipt=1", "canary", value)


def pieces(data, chance):
    """In one send, in two, or in many."""
    way = chance.randrange(4)
    if way == 0:
        at = chance.randrange(1, len(data))
        return [data[:at], data[at:]]
    if way == 1:
        size = chance.choice((7, 64, 300))
        return [data[at:at + size] for at in range(0, len(data), size)]
    return [data]


def memory_kb(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
