"""Many connections posting events with identities, and what became of each: acked with a receipt, or unknown."""

import json
import threading

from waiting import wait_until
from wire import Closed


class Clients:
    """Threads that ask a server, each on a connection of its own, until it is gone or finish() is called. Leaving the
    `with` block ends them."""

    DEADLINE_S = 30

    def __init__(self):
        self._stop = threading.Event()
        self._threads = []

    def _start(self, ask, *of_each):
        """A thread for each, given its arguments."""
        self._threads = [threading.Thread(target=ask, args=arguments, daemon=True) for arguments in of_each]
        for thread in self._threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.finish()

    def finish(self):
        self._stop.set()
        self.join()

    def join(self):
        for thread in self._threads:
            thread.join(self.DEADLINE_S)
            assert not thread.is_alive(), "a client hangs: its request is neither answered nor refused"


class Load(Clients):
    """Posts single events on `connections` connections until the server is gone or finish() is called.

    Every event has an identity (connection, number) that no other event of the test has; `acked` maps it to the offset
    of its receipt.
    """

    def __init__(self, server, connections=4, start=0, path="/events?receipt=1"):
        super().__init__()
        self.acked = {}
        self.sent = {}      # connection -> how many identities it has used
        self.refused = 0    # answers other than 200
        self._server, self._path = server, path
        self._start(self._post, *((index, start) for index in range(connections)))

    def _post(self, connection, start):
        number = start
        try:
            with self._server.wire() as wire:
                while not self._stop.is_set():
                    event = {"event_type": "load", "connection": connection, "number": number}
                    self.sent[connection] = number + 1
                    answer = wire.post(self._path, event)
                    if answer.status == 200:
                        self.acked[connection, number] = answer.json()["offset"]
                    else:
                        self.refused += 1
                    number += 1
        except (OSError, Closed):
            pass

    def wait_for_acks(self, count, deadline_s=30):
        wait_until(lambda: len(self.acked) >= count, f"{count} events were acked", deadline_s, poll_s=0.001)

    def next_number(self):
        return max(self.sent.values(), default=0)

    def assert_kept(self, questlog):
        assert_kept(questlog, self.acked)


def assert_kept(questlog, acked):
    """Every acked event lies at the offset of its receipt, no event is there twice, and each connection's are in order."""
    assert acked
    identities = []
    for value in questlog.values():
        event = json.loads(value)
        identities.append((event["connection"], event["number"]))
    assert len(set(identities)) == len(identities), "an event is in the log twice"
    for identity, offset in acked.items():
        assert offset < len(identities) and identities[offset] == identity, f"acked {identity} is not at offset {offset}"
    for connection in {connection for connection, _ in identities}:
        numbers = [number for other, number in identities if other == connection]
        assert numbers == sorted(numbers), f"the events of connection {connection} are out of order"
