"""spark/questlog_events.py by values, without Spark. That it agrees with the binary is tests/cluster/real/test_spark_batch.py's."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "spark"), str(ROOT / "tests" / "cluster" / "real")]

import questlog_events as events  # noqa: E402: needs the path
from mixed_events import NO_EVENTS, ODD_EVENTS, wide_line  # noqa: E402


@pytest.fixture(autouse=True)
def deep():
    before = sys.getrecursionlimit()
    events.allow_depth()
    yield
    sys.setrecursionlimit(before)


def record(offset, value, origin=None, partition=0, millis=1_533_411_407_870):
    return partition, offset, millis, value, origin


def census(*records, kept=None, before=None, index=0):
    return next(events.census(index, iter(records), kept, before or {}))


def rows(columns, *records, types=None, before=None):
    read = []
    found = list(events.Rows(columns, types, before or {(0, records[0][1]): {}}, read.append)(0, iter(records)))
    return found, read


@pytest.mark.parametrize("line", NO_EVENTS, ids=lambda line: repr(line[:40]))
def test_what_is_no_event(line):
    assert events.members_of(line) is None


@pytest.mark.parametrize("line", ODD_EVENTS, ids=lambda line: repr(line[:40]))
def test_what_is_one(line):
    assert events.members_of(line) is not None


def test_a_record_without_a_value_is_none():
    assert events.members_of(None) is None


@pytest.mark.parametrize(("text", "type_", "string"), [
    ("null", events.NULL, None), ("true", events.BOOLEAN, "true"), ("7", events.BIGINT, "7"), ("-0", events.BIGINT, "0"),
    ("9223372036854775807", events.BIGINT, "9223372036854775807"), ("9223372036854775808", events.STRING, "9223372036854775808"),
    ("-9223372036854775808", events.BIGINT, "-9223372036854775808"), ("-9223372036854775809", events.STRING, "-9223372036854775809"),
    ("1.50", events.DOUBLE, "1.50"), ("1e400", events.STRING, "1e400"), ("1e-400", events.DOUBLE, "1e-400"), ("-0e0", events.DOUBLE, "-0e0"),
    (r'"\u00e9"', events.STRING, "é"), ('{"a" : [1.50]}', events.STRING, '{"a" : [1.50]}'), ("[]", events.STRING, "[]")])
def test_types_and_texts(text, type_, string):
    line = b'{"event_type": "x", "v": ' + text.encode() + b" }"
    assert census(record(0, line))["types"]["x"][2]["v"][0] == type_
    assert rows([("v", events.STRING)], record(0, line))[0] == [("2018-08-04 19:36:47.87", string)]


def test_the_last_of_a_repeated_key_counts_at_the_place_of_the_first():
    found = census(record(5, b'{"event_type": "x", "a": "text", "b": 1, "a": 2}'))
    assert found["types"]["x"] == [1, 5, {"event_type": ["string", 5, 0], "a": ["bigint", 5, 1], "b": ["bigint", 5, 2]}]


def test_what_has_no_column_is_rescued_as_it_stands():
    line = br'{"event_type": "x", "\u0061b" : [1 , 2], "_rescued_data": 1.50, "c": null}'
    columns = [("_rescued_data", events.STRING), ("event_type", events.STRING)]
    assert rows(columns, record(0, line))[0][0][1] == r'{"\u0061b": [1 , 2], "_rescued_data": 1.50, "c": null}'


def test_only_types_that_were_asked_for_are_remembered_and_read():
    records = [record(0, b'{"event_type": "x", "a": 1}'), record(1, b'{"event_type": "y", "b": 1}'), record(2, b"none")]
    found = census(*records, kept=["x", "z"])
    assert (found["events"], found["other_types"], found["not_events"], list(found["types"])) == (3, 1, 1, ["x"])
    assert rows([("a", events.BIGINT)], *records, types=["x"]) == ([("2018-08-04 19:36:47.87", 1)], [{0: (0, 0, 1)}])


def origin(offset, log=b"L", partition=0):
    return log + f":{partition}:{offset}".encode()


@pytest.mark.parametrize("header", [None, b"", b"L", b"L:1", b":0:1", b"L:-1:1", b"L:0:-1", b"L:0:99999999999999999999", b"a b:0:1", b"a:b:0:1", b"L:x:1"])
def test_what_no_forwarder_wrote_is_no_origin(header):
    assert events.parse_origin(header) is None


def test_second_copies_are_passed_over_also_across_parts():
    value = b'{"event_type": "x"}'
    first = census(*(record(n, value, origin(at)) for n, at in enumerate([0, 1, 1, 0, 2])), index=1)
    assert (first["events"], first["repeats"]) == (3, 2)
    apart = census(*(record(n + 5, value, origin(at)) for n, at in enumerate([3, 4])))
    assert events.origins_before([first, apart]) == ({(0, 0): {}, (0, 5): {("L", 0): 2}}, False)
    overlapping = [record(n + 5, value, origin(at)) for n, at in enumerate([2, 3])]
    before, repeats = events.origins_before([first, census(*overlapping)])
    assert repeats
    again = census(*overlapping, before=before)
    assert (again["events"], again["repeats"]) == (1, 1)
    other_partition = census(record(9, value, origin(0), partition=1))
    assert events.origins_before([first, other_partition])[1] is False, "each partition of the topic by itself"


def test_keys_are_ordered_by_where_they_were_first_seen():
    second = census(record(50, b'{"event_type": "x", "b": 1.5, "c": true}'), record(51, b'{"event_type": "y", "d": 1}'))
    first = census(record(3, b'{"event_type": "x", "a": 1, "b": 1}'))
    types = events.merged([first, second])["types"]
    assert types == [{"name": "x", "events": 2, "keys": [["event_type", "string", 0], ["a", "bigint", 1], ["b", "double", 2], ["c", "boolean", 3]]},
                     {"name": "y", "events": 1, "keys": [["event_type", "string", 4], ["d", "bigint", 5]]}]


def test_a_part_that_was_cut_elsewhere_is_an_error():
    with pytest.raises(RuntimeError, match="cut at offset 7"):
        rows([], record(7, b'{"event_type": "x"}'), before={(0, 5): {}})


def test_more_keys_than_columns_are_all_told():
    assert len(census(record(0, wide_line(0)))["types"]["wide"][2]) == 1101


@pytest.mark.parametrize(("millis", "text"), [
    (0, "1970-01-01 00:00:00"), (1_533_411_407_000, "2018-08-04 19:36:47"), (1_533_411_407_870, "2018-08-04 19:36:47.87"),
    (-1, "1969-12-31 23:59:59.999"), (951_782_400_000, "2000-02-29 00:00:00"), (253_402_300_800_000, "+10000-01-01 00:00:00"),
    (-62_167_219_200_001, "-0001-12-31 23:59:59.999")])
def test_times_are_written_as_spark_writes_them(millis, text):
    assert events.TimestampText()(millis) == text
