"""Kafka's Metadata request, version 1: what a broker knows of brokers and partitions."""

import socket
import struct
from dataclasses import dataclass

METADATA, VERSION, CORRELATION = 3, 1, 1
ALL_TOPICS = -1


@dataclass(frozen=True)
class Metadata:
    """led: (topic, partition) of every partition that has a leader."""

    brokers: int
    led: frozenset


class Reader:
    """Takes big-endian values off bytes; struct.error where these end too early."""

    def __init__(self, data):
        self._data = data
        self._position = 0

    def number(self, code):
        value, = struct.unpack_from(f">{code}", self._data, self._position)
        self._position += struct.calcsize(f">{code}")
        return value

    def string(self):
        """"" of a null."""
        length = max(self.number("h"), 0)
        self._position += length
        return self._data[self._position - length:self._position].decode()

    def array(self, element):
        return [element(self) for _ in range(self.number("i"))]


def _broker(reader):
    reader.number("i"), reader.string(), reader.number("i"), reader.string()  # id, host, port, rack


def _partition(reader):
    reader.number("h")
    number, leader = reader.number("i"), reader.number("i")
    for _ in ("replicas", "in sync"):
        reader.array(lambda reader: reader.number("i"))
    return number, leader


def _topic(reader):
    reader.number("h")
    name = reader.string()
    reader.number("b")
    return name, reader.array(_partition)


def parse(answer):
    reader = Reader(answer)
    if reader.number("i") != CORRELATION:
        raise ValueError("not the answer to this request")
    brokers = len(reader.array(_broker))
    reader.number("i")  # the controller
    topics = reader.array(_topic)
    return Metadata(brokers, frozenset((name, number) for name, partitions in topics for number, leader in partitions if leader >= 0))


def _receive(connection, length):
    data = b""
    while len(data) < length:
        more = connection.recv(length - len(data))
        if not more:
            raise ConnectionError("the broker closed the connection")
        data += more
    return data


def ask(host, port, timeout_s):
    client = b"questlog-cluster"
    request = struct.pack(">hhih", METADATA, VERSION, CORRELATION, len(client)) + client + struct.pack(">i", ALL_TOPICS)
    with socket.create_connection((host, port), timeout_s) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        length, = struct.unpack(">i", _receive(connection, 4))
        return parse(_receive(connection, length))
