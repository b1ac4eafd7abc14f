"""Writes the batches of this folder that other programs compressed. Run it by hand:

    .deps/venv/bin/python tests/golden/codecs/generate.py

kafka-python makes the batch, Python's gzip and Arrow compress its records; `lz4.batch` and `zstd.batch` are questlog's own."""

import gzip
import struct
from pathlib import Path

import pyarrow as pa
from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.util import calc_crc32c

HEADER_BYTES = 61
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
RECORDS = 200


def value(n):
    kind = ("purchase_sword", "join_guild", "default")[n % 3]
    return f'{{"event_type": "{kind}", "n": {n}, "Host": "user{n % 7}.comcast.com", "Accept": "*/*"}}'.encode()


def plain_batch():
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 20)
    for n in range(RECORDS):
        builder.append(n, 1_577_880_000_000 + n, b"key" if n % 5 == 0 else None, value(n), [("n", b"%d" % n)] if n == 7 else [])
    batch = bytearray(builder.build())
    batch[12:16] = bytes(4)  # partitionLeaderEpoch: covered by no checksum, and 0 as questlog writes it
    return bytes(batch)


def with_records(batch, codec, records):
    whole = bytearray(batch[:HEADER_BYTES] + records)
    struct.pack_into(">i", whole, 8, len(whole) - 12)
    struct.pack_into(">h", whole, 21, codec)
    struct.pack_into(">I", whole, 17, calc_crc32c(bytes(whole[21:])))
    return bytes(whole)


def xerial(records, block_bytes=4096):
    """The framing of snappy-java, which Kafka's Java client writes: blocks of their own."""
    framed = b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1)
    for at in range(0, len(records), block_bytes):
        block = pa.compress(records[at:at + block_bytes], "snappy", asbytes=True)
        framed += struct.pack(">i", len(block)) + block
    return framed


def streamed(records, codec):
    """Written piece by piece, so that the frame does not say how long it is, as Java's streams do."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        for at in range(0, len(records), 1000):
            stream.write(records[at:at + 1000])
    return sink.getvalue().to_pybytes()


def main():
    folder = Path(__file__).parent
    plain = plain_batch()
    records = plain[HEADER_BYTES:]
    half = len(records) // 2
    for name, codec, stored in (
            ("none", 0, records),
            ("gzip", GZIP, gzip.compress(records, mtime=0)),
            ("gzip_two_members", GZIP, gzip.compress(records[:half], mtime=0) + gzip.compress(records[half:], mtime=0)),
            ("snappy", SNAPPY, pa.compress(records, "snappy", asbytes=True)),
            ("snappy_xerial", SNAPPY, xerial(records)),
            ("lz4_streamed", LZ4, streamed(records, "lz4")),
            ("zstd_streamed", ZSTD, streamed(records, "zstd"))):
        (folder / f"{name}.batch").write_bytes(with_records(plain, codec, stored))


main()
