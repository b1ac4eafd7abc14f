"""Our segment files through a reader and a writer that are not ours: kafka-python's, of record batches."""

import sys
from dataclasses import dataclass

import pyarrow
from kafka import codec as kafka_codec
from kafka.record import MemoryRecords, MemoryRecordsBuilder, default_records


def arrow_decode(codec):
    return lambda compressed: pyarrow.input_stream(pyarrow.BufferReader(bytes(compressed)), compression=codec).read()


# kafka-python looks for a package for each codec; Arrow has them all.
kafka_codec.lz4 = kafka_codec.zstd = pyarrow
default_records.lz4_decode, default_records.zstd_decode = arrow_decode("lz4"), arrow_decode("zstd")


@dataclass
class Batch:
    position: int
    size: int
    base_offset: int
    codec: int
    records: list


def read_batches(path):
    """Every batch of a segment, CRC checked, up to the zeros that are filled ahead."""
    whole = path.read_bytes()
    end = len(whole.rstrip(b"\0"))  # a batch may itself end in zeros: its own length says how many
    batches, position = [], 0
    while position < end:
        size = 12 + int.from_bytes(whole[position + 8:position + 12], "big")
        memory = MemoryRecords(whole[position:position + size])
        batch = memory.next_batch()
        assert batch is not None and batch.validate_crc(), f"{path}: bad batch at byte {position}"
        assert not memory.has_next()
        batches.append(Batch(position, size, batch.base_offset, batch.compression_type, list(batch)))
        position += size
    return batches


def flip_bit(path, position, bit=0):
    with open(path, "r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ (1 << bit)]))


CLOSED_CLEANLY = 1 << 63


def write_partition(questlog, batches, topic="game-events", partition=0):
    """Makes an empty partition hold these batches, in one segment, as after a clean stop; the topic is there. A batch is a
    list of (timestamp in ms, value, message id or None). Returns where the partition ends."""
    folder = questlog.data / "log" / f"{topic}-{partition}"
    offset = 0
    with open(folder / f"{offset:020}.log", "wb") as segment:
        for batch in batches:
            builder = MemoryRecordsBuilder(magic=2, compression_type=0, batch_size=1 << 24)
            for timestamp, value, message_id in batch:
                builder.append(timestamp, None, value.encode(), [("message_id", message_id.encode())] if message_id else [])
            builder.close()
            segment.write(offset.to_bytes(8, "big") + bytes(builder.buffer())[8:])  # baseOffset, which no checksum covers
            offset += len(batch)
    (folder / "durable_end").write_bytes((offset | CLOSED_CLEANLY).to_bytes(8, sys.byteorder))
    return offset
