"""Our segment files through a reader that is not ours: kafka-python's parser of record batches."""

from dataclasses import dataclass

import pyarrow
from kafka import codec as kafka_codec
from kafka.record import MemoryRecords, default_records


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
