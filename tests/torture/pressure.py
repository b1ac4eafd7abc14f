"""The real binary under concurrent load of every kind, with readers beside it and a stop in the midst: for the sanitizers."""

import contextlib
import itertools
import random
import socket

import sanitizers
from casework import Part
from ledger import Ledger, RecordedLoad
from questlog_process import Questlog
from waiting import repeating
from wire import Closed, request_bytes

ANSWERS = 3000
SLOW_CLIENTS = 200
CONFIGS = (
    "partitions = 3\n",
    'compression = "lz4"\n',
    'sync = "interval"\nsync_interval_ms = 20\npartitions = 3\n',
    'compression = "zstd"\nsegment_ms = 1000\n',
)


class Pressure(Part):
    name = "pressure"
    what = "clients of every kind, slow ones among them, readers beside, and a stop in the midst of it"

    def __init__(self, cases=len(CONFIGS), answers=ANSWERS):
        super().__init__(cases)
        self._answers = answers

    def case(self, number, chance, folder, book):
        questlog, ledger = Questlog(folder), Ledger()
        questlog.write_config(f"[log]\nsegment_bytes = 1048576\n{CONFIGS[number % len(CONFIGS)]}"
                              "[limits]\nheader_timeout_ms = 3000\nbody_timeout_ms = 3000\n")
        with questlog.serve("--access-log") as server, contextlib.ExitStack() as beside:
            tails = [beside.enter_context(Tail(questlog, folder / f"tail-{index}")) for index in range(2)]
            slow = beside.enter_context(SlowClients(server, SLOW_CLIENTS, chance.random()))
            with repeating(lambda: polite(server, "/metrics"), lambda: polite(server, "/readyz"), slow.turn,
                           lambda: questlog.ok("status", "--json"), lambda: questlog.ok("tail", "-o", "-5", "-e")):
                with RecordedLoad(server, ledger, chance.random(), kinds=RecordedLoad.KINDS * 3, pad_bytes=400) as load:
                    calls = beside.enter_context(DeclaredCalls(server))
                    load.wait_for_answers(self._answers, deadline_s=300)
                    assert server.stop(deadline_s=30) == 0, server.output
                    load.finish()
                    calls.finish()
            sanitizers.assert_silent(server.errors)
            for tail in tails:
                tail.end()
        look(questlog, ledger, tails, calls, book)


def look(questlog, ledger, tails, calls, book):
    """What was acknowledged is there, and what a reader beside the server saw is what there is."""
    lines = questlog.ok("tail", "-o", "beginning", "-e", "-q", "-f", "%p %o %s\\n").splitlines()
    for tail in tails:
        assert set(tail.lines()) <= set(lines), "a reader beside the server saw what is not there"
        book.add("events that readers beside it saw", len(tail.lines()))
    assert sum('"event_type": "purchase_sword"' in line for line in lines) >= calls.answered
    ledger.check(questlog, others=lambda value: '"event_type": "load"' not in value)
    questlog.ok("log", "verify")
    assert questlog.status()["sound"]
    book.add("events acknowledged, all there", len(ledger.acked) + calls.answered)
    book.add("requests refused with 503", len(ledger.refused))


def polite(server, path):
    with contextlib.suppress(OSError, Closed):  # the server may have ended
        server.get(path)


class Tail:
    """`questlog tail`, following the log beside the server."""

    def __init__(self, questlog, path):
        self._path = path
        self._file = open(path, "wb")
        self._process = questlog.start("tail", "-o", "beginning", "-q", "-f", "%p %o %s\\n", stdout=self._file)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()
        self._file.close()

    def end(self):
        self._process.terminate()
        _, err = self._process.communicate(timeout=30)
        sanitizers.assert_silent(err.decode(errors="replace"))

    def lines(self):
        """Whole ones: it may have been ended in the midst of one."""
        return self._path.read_text(errors="replace").splitlines()[:-1]


class SlowClients:
    """Connections that are idle, half-open, or send a request a few bytes at a time; one turn moves each by one step."""

    def __init__(self, server, count, seed):
        self._chance = random.Random(seed)
        self._clients = []
        request = request_bytes("POST", "/events", "slow", {"event_type": "slow", "pad": "x" * 3000})
        for index in range(count):
            client = socket.create_connection((server.host, server.port), timeout=20)
            client.setblocking(False)
            rest = {0: b"", 1: request[:len(request) // 2]}.get(index % 4, request)
            self._clients.append([client, rest])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client, _ in self._clients:
            client.close()

    def turn(self):
        for entry in self._clients:
            step = self._chance.choice((1, 10, 100))
            with contextlib.suppress(OSError):  # closed on it: a slow client is let go
                if entry[1]:
                    entry[1] = entry[1][entry[0].send(entry[1][:step]):]
                entry[0].recv(4096)


class DeclaredCalls:
    """ab's kind of client: calls of the game, one after the other on one connection each."""

    def __init__(self, server, connections=3):
        self.answered = 0
        self._context = repeating(*[self._client(server) for _ in range(connections)])
        self._context.__enter__()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.finish()

    def finish(self):
        if self._context:
            context, self._context = self._context, None
            context.__exit__(None, None, None)

    def _client(self, server):
        wires, numbers = [], itertools.count()

        def call():
            try:
                if not wires:
                    wires.append(server.wire())
                if wires[0].get(f"/purchase_a_sword?n={next(numbers)}").status == 200:
                    self.answered += 1
            except (OSError, Closed):
                if wires:
                    wires.pop().close()
        return call
