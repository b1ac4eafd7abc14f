"""A log of small segments, and events that fill them."""

SMALL_SEGMENTS = "[log]\nsegment_bytes = 1048576\n"


def numbered(count, size=100, start=0):
    return [{"event_type": "n", "n": n, "pad": "x" * size} for n in range(start, start + count)]
