"""The broker's answer is read as Kafka's protocol has it."""

import struct

import pytest
from questlog_cluster import engines, kafka_metadata, settings


def string(text):
    return struct.pack(">h", len(text)) + text.encode()


def partition(number, leader, error=0):
    return struct.pack(">hii", error, number, leader) + struct.pack(">ii", 1, 1) + struct.pack(">ii", 1, 1)


def topic(name, *partitions):
    return struct.pack(">h", 0) + string(name) + b"\0" + struct.pack(">i", len(partitions)) + b"".join(partitions)


def answer(*topics, brokers=1, correlation=kafka_metadata.CORRELATION):
    broker = struct.pack(">i", 1) + string("127.0.0.1") + struct.pack(">ih", 29092, -1)  # the rack is null
    return (struct.pack(">ii", correlation, brokers) + broker * brokers + struct.pack(">ii", 1, len(topics)) + b"".join(topics))


def test_partitions_with_leaders_are_told():
    metadata = kafka_metadata.parse(answer(topic("plays", partition(0, 1), partition(1, -1, error=5)), topic("chat", partition(0, 1))))
    assert metadata == kafka_metadata.Metadata(1, frozenset({("plays", 0), ("chat", 0)}))


def test_partitions_that_should_have_leaders_are_those_stored(tmp_path):
    here = settings.Settings(state=tmp_path, cache=tmp_path, notebooks=tmp_path, binary=tmp_path, kraft=True)
    for name in ("plays-0", "game-events-12", "__consumer_offsets-0", "__cluster_metadata-0", "gone-0.3f2a-delete", "meta.properties"):
        (here.data("kafka-kraft") / name).mkdir(parents=True)
    assert engines.stored_partitions(here) == {("plays", 0), ("game-events", 12), ("__consumer_offsets", 0)}


def test_a_broker_that_knows_of_nobody():
    assert kafka_metadata.parse(answer(brokers=0)) == kafka_metadata.Metadata(0, frozenset())


@pytest.mark.parametrize("broken", [answer(topic("plays", partition(0, 1)))[:-1], answer(correlation=7), b""])
def test_what_is_no_answer_is_refused(broken):
    with pytest.raises((struct.error, ValueError)):
        kafka_metadata.parse(broken)
