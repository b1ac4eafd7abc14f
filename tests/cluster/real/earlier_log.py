"""A log whose events were accepted earlier than they were: tables with more days than a test lasts."""

from kafka.record.util import calc_crc32c

DAY_MS = 24 * 60 * 60 * 1000
CRC, ATTRIBUTES = slice(17, 21), 21  # docs/formats/log.md; the CRC-32C is of all that begins with the attributes
TIMESTAMPS = (slice(27, 35), slice(35, 43))  # base and maximum; records have theirs as a difference to the former


def shift(segment, by_ms):
    """Moves each batch of a segment file in time. No server may have it open."""
    whole = bytearray(segment.read_bytes())
    position = 0
    while (length := int.from_bytes(whole[position + 8:position + 12], "big")) != 0:
        batch = whole[position:position + 12 + length]
        for field in TIMESTAMPS:
            batch[field] = (int.from_bytes(batch[field], "big") + by_ms).to_bytes(8, "big")
        batch[CRC] = calc_crc32c(bytes(batch[ATTRIBUTES:])).to_bytes(4, "big")
        whole[position:position + len(batch)] = batch
        position += len(batch)
        if position >= len(whole):
            break
    segment.write_bytes(whole)
