"""Clients that write down what they sent and what they were answered, and the comparison of that with the log."""

import gzip
import hashlib
import itertools
import json
import random
import threading

from load import Clients
from waiting import wait_until
from wire import Closed, request_bytes


def noise(size, *seed):
    """Text that hardly compresses, and is the same each time."""
    return hashlib.shake_128(repr(seed).encode()).hexdigest(size // 2 + 1)[:size]


class Ledger:
    """What became of every event that any client sent to one log, over all starts of its server.

    No two events are the same. `acked` names the event for the (partition, offset) of its receipt; a refused one must not
    be in the log; of the others no one knows.
    """

    def __init__(self):
        self.sent = {}      # value -> (client, number)
        self.acked = {}     # (partition, offset) -> value
        self.refused = set()
        self.log_id = None
        self.retry_after_missing = 0
        self._seen = {}     # what an earlier look found in the log: it stays
        self._clients = itertools.count()
        self._lock = threading.Lock()

    def client(self):
        return next(self._clients)

    def event(self, client, number, pad_bytes):
        value = json.dumps({"event_type": "load", "client": client, "number": number, "pad": noise(pad_bytes, client, number)})
        with self._lock:
            self.sent[value] = client, number
        return value

    def answered(self, values, answer):
        """One request's events and its answer."""
        with self._lock:
            if answer.status == 200:
                receipt = answer.json()
                self.log_id = self.log_id or receipt["log"]
                assert receipt["log"] == self.log_id, "the receipt names another log"
                first = receipt["first_offset"] if "first_offset" in receipt else receipt["offset"]
                for offset, value in enumerate(values, first):
                    place = receipt["partition"], offset
                    assert place not in self.acked, f"two receipts name {place}"
                    self.acked[place] = value
            else:
                assert answer.status == 503, (answer.status, answer.text)
                self.refused.update(values)
                self.retry_after_missing += "retry-after" not in answer.headers

    def check(self, questlog, others=None):
        """Compares with what `tail` shows; the number of events that are there. Raises where a promise is broken.

        `others` knows a value that the ledger's clients did not send.
        """
        lines = questlog.ok("tail", "-o", "beginning", "-e", "-q", "-f", "%p %o %s\\n").splitlines()
        return self.compare([(int(partition), int(offset), value)
                             for partition, offset, value in (line.split(" ", 2) for line in lines)], others)

    def compare(self, rows, others=None):
        there, ends, last = {}, {}, {}
        for partition, offset, value in rows:
            assert offset == ends.get(partition, 0), f"partition {partition}: offset {offset} is not what follows"
            ends[partition] = offset + 1
            if others and others(value):
                continue
            assert value in self.sent, f"partition {partition} offset {offset} holds what no one sent: {value[:200]}"
            assert value not in self.refused, f"an event that was answered 503 is at partition {partition} offset {offset}"
            client, number = self.sent[value]
            assert number > last.get((partition, client), -1), f"client {client}: event {number} is out of order or twice"
            last[partition, client] = number
            there[partition, offset] = value
        assert len(set(there.values())) == len(there), "an event is in the log twice"
        for place, value in self.acked.items():
            assert place in there, f"acknowledged at {place} and not there: {value[:80]}"
            assert there[place] == value, f"acknowledged at {place}, where another event is: {there[place][:80]}"
        for place, value in self._seen.items():
            assert there.get(place) == value, f"what was shown at {place} is gone or changed"
        assert not self.retry_after_missing, "a 503 without Retry-After"
        self._seen = there
        return len(there)


class RecordedLoad(Clients):
    """Clients of several kinds. `requests` bounds what each of them sends."""

    DEADLINE_S = 60

    KINDS = ("single", "lines", "pipelined", "zipped", "array")

    def __init__(self, server, ledger, seed, kinds=KINDS, pad_bytes=200, requests=None):
        super().__init__()
        self.ledger, self.answers = ledger, 0
        self._server, self._pad_bytes, self._requests = server, pad_bytes, requests
        self._fault = None
        self._start(self._run, *((kind, random.Random(f"{seed}/{index}")) for index, kind in enumerate(kinds)))

    def join(self):
        """Waits for clients that have a bound to be done."""
        super().join()
        if self._fault:
            raise self._fault

    def done(self):
        return not any(thread.is_alive() for thread in self._threads)

    def wait_for_answers(self, count, deadline_s=30):
        wait_until(lambda: self.answers >= count or self.done(), f"{count} answers came", deadline_s, poll_s=0.001)

    def _run(self, kind, chance):
        client, number = self.ledger.client(), 0
        try:
            with self._server.wire() as wire:
                for turn in itertools.count():
                    if self._stop.is_set() or turn == self._requests:
                        return
                    count = 1 if kind == "single" else chance.randrange(2, 30)
                    values = [self.ledger.event(client, number + index, chance.randrange(8, 2 * self._pad_bytes))
                              for index in range(count)]
                    number += count
                    self._send(wire, kind, values)
        except (OSError, Closed):
            pass  # the server is gone; of what was not answered no one knows
        except Exception as fault:  # finish() tells
            self._fault = fault

    def _send(self, wire, kind, values):
        path, headers = "/events?receipt=1", []
        if kind == "pipelined":
            wire.send(b"".join(request_bytes("POST", path, wire.host, value) for value in values))
            for value in values:
                self._answered([value], wire.answer())
            return
        body = "\n".join(values) if kind != "array" else f"[{', '.join(values)}]"
        if kind == "zipped":
            body, headers = gzip.compress(body.encode(), 1), [("Content-Encoding", "gzip")]
        self._answered(values, wire.post(path, body, headers=headers))

    def _answered(self, values, answer):
        self.ledger.answered(values, answer)
        self.answers += 1
