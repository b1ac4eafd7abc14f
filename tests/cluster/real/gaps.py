"""Topics of the real broker with offsets that no record has. Each is made by a function that takes the fixture `topic`."""

import contextlib
import json

from kafka import KafkaProducer
from waiting import wait_until


def compacted(topic):
    """Of 100 events with 7 keys those that the log cleaner left, and what it does not clean."""
    topic = topic(cleanup_policy="compact", segment_bytes=1000, min_cleanable_dirty_ratio=0.01)
    for first in range(0, 100, 20):
        topic.put([f"player-{n % 7}#{json.dumps({'event_type': 'n', 'n': n})}" for n in range(first, first + 20)], "-K#")
    wait_until(lambda: len(topic.records()) <= 40, "the log cleaner has run", 60, poll_s=0.3)
    return topic


def truncated(topic):
    topic = topic()
    topic.put_events(range(50))
    topic.delete_before(20)
    return topic


class Transactions:
    """Of one producer, one after the other."""

    def __init__(self, topic):
        self._topic = topic
        self._producer = KafkaProducer(bootstrap_servers=topic.address, transactional_id=topic.name)
        self._producer.init_transactions()

    def put(self, numbers, commits=True, partition=0, size=0):
        """Events with these numbers, and the marker after them."""
        self._producer.begin_transaction()
        for n in numbers:
            event = {"event_type": "n", "n": n, **({"text": "x" * size} if size else {})}
            self._producer.send(self._topic.name, json.dumps(event).encode(), partition=partition)
        self._producer.flush()
        (self._producer.commit_transaction if commits else self._producer.abort_transaction)()

    def close(self):
        self._producer.close()


@contextlib.contextmanager
def transactions(topic):
    made = Transactions(topic)
    try:
        yield made
    finally:
        made.close()


def transactional(topic):
    """Committed and aborted ones in turns, the last one aborted: it ends in a marker, as the others do."""
    topic = topic()
    with transactions(topic) as made:
        for number in range(4):
            made.put(range(number * 10, number * 10 + 10), commits=number % 2 == 0)
    return topic
