"""What questlog makes of a topic's records, for Spark's executors: which are there for the second time, which are events, what type a
value has, and how an event becomes a row. It is src/event/ and src/kafka/ once more; docs/formats/columns.md and kafka.md say what both
do, and tests/cluster/real/test_spark_batch.py that they do the same. Needs Python alone, 3.8 or newer."""

import re
import sys
from itertools import chain
from json.decoder import JSONDecoder, scanstring

NULL, BOOLEAN, BIGINT, DOUBLE, STRING = "null", "boolean", "bigint", "double", "string"
RESCUED = "_rescued_data"
DEPTH_MAX = 1024  # of arrays and objects in each other, but for one that is empty
KEYS_MAX = 100_000  # of one event type: what is remembered of them is in the memory of one task
TYPES_MAX = 65_000

_SPACE = re.compile(r"[ \t\n\r]*").match
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]").search
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{](?=([ \t\n\r]*[\]}])?)|[\]}]', re.DOTALL)
_ORIGIN = re.compile(rb"([^: \n]+):(-?[0-9]+):(-?[0-9]+)").fullmatch


class Integer(str):
    """A JSON number without fraction and exponent, as it stands there."""


class Fraction(str):
    """Another JSON number."""


class Nested(str):
    """An object or array, as it stands there."""


class NoJson(ValueError):
    pass


def _refuse_constant(text):
    raise NoJson(text)  # NaN, Infinity: Python's own


_READING = {"parse_int": Integer, "parse_float": Fraction, "parse_constant": _refuse_constant}
_flat = JSONDecoder(object_pairs_hook=list, **_READING).decode
_value = JSONDecoder(**_READING).scan_once


def allow_depth():
    """Python counts the levels of JSON that it is in as calls."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 4 * DEPTH_MAX))


def _is_too_deep(text):
    if text.count("{") + text.count("[") < DEPTH_MAX:
        return False
    depth = 0
    for token in _BRACKET.finditer(text):
        if token[0] in "]}":
            depth -= 1
        elif token[0] in "[{":
            depth += 1
            if depth >= DEPTH_MAX and token[1] is None:
                return True
    return False


def _has_lone_surrogate(text):
    high = -1  # where a low one must begin
    for escape in _ESCAPE.finditer(text):
        code = int(escape[1], 16) if escape[1] else 0
        is_low = 0xDC00 <= code < 0xE000
        if (high >= 0) != is_low or (is_low and high != escape.start()):
            return True
        high = escape.end() if 0xD800 <= code < 0xDC00 else -1
    return high >= 0


def _members_one_by_one(text):
    """(key, value, the key's text between its quotes, the value's text)"""
    at = _SPACE(text, 0).end()
    if text[at:at + 1] != "{":
        raise NoJson
    at = _SPACE(text, at + 1).end()
    if text[at:at + 1] == "}":
        after = at + 1
    else:
        while True:
            if text[at:at + 1] != '"':
                raise NoJson
            key, key_end = scanstring(text, at + 1, True)
            colon = _SPACE(text, key_end).end()
            if text[colon:colon + 1] != ":":
                raise NoJson
            begin = _SPACE(text, colon + 1).end()
            try:
                value, end = _value(text, begin)
            except StopIteration:
                raise NoJson from None
            raw = text[begin:end]
            yield key, Nested(raw) if isinstance(value, (dict, list)) else value, text[at + 1:key_end - 1], raw
            after = _SPACE(text, end).end()
            if text[after:after + 1] == "}":
                after += 1
                break
            if text[after:after + 1] != ",":
                raise NoJson
            at = _SPACE(text, after + 1).end()
    if _SPACE(text, after).end() != len(text):
        raise NoJson


def members_of(value):
    """The event's members in order, as (key, value) or longer; None: it is no event."""
    try:
        text = value.decode()
        if _SURROGATE(text) and _has_lone_surrogate(text):
            return None
        if text.count("{") == 1 and "[" not in text:
            members = _flat(text)
            if not isinstance(members, list):
                return None
        elif _is_too_deep(text):
            return None
        else:
            members = list(_members_one_by_one(text))
    except (ValueError, AttributeError, RecursionError):
        return None  # also a record without a value
    return members if isinstance(type_name_of(members), str) else None


def type_name_of(members):
    """The last event_type; None where there is none, or it is no string."""
    name = None
    for member in members:
        if member[0] == "event_type":
            name = member[1] if type(member[1]) is str else None
    return name


def _type_of_integer(text):
    return BIGINT if len(text) < 19 or -2**63 <= int(text if len(text) < 25 else text[:25]) < 2**63 else STRING


def _type_of_fraction(text):
    return STRING if float(text) in (float("inf"), float("-inf")) else DOUBLE


_TYPES = {type(None): NULL, bool: BOOLEAN, str: STRING, Nested: STRING}


def type_of(value):
    known = _TYPES.get(type(value))
    if known is not None:
        return known
    return _type_of_integer(value) if type(value) is Integer else _type_of_fraction(value)


def wider(one, other):
    if one == other or other == NULL:
        return one
    if one == NULL:
        return other
    return DOUBLE if {one, other} == {BIGINT, DOUBLE} else STRING


def parse_origin(header):
    """What the forwarder says of where a record comes from: ((log id, partition), offset), or None."""
    match = _ORIGIN(header) if header is not None else None
    if match is None:
        return None
    partition, offset = int(match[2]), int(match[3])
    if not (0 <= partition < 2**31 and 0 <= offset < 2**63):
        return None
    return (match[1].decode("latin-1"), partition), offset


class Split:
    """One task's part of a partition of the topic: its records, but those that are there for the second time."""

    def __init__(self, index, records, seen_before):
        """seen_before: (partition, first offset) -> origins seen before that split."""
        self.index, self.partition, self.first = index, None, None
        self.repeats = 0
        self.origins = {}  # -> [the first offset that it had here, the last one]
        self._records, self._seen_before = records, seen_before

    def __iter__(self):
        """(offset, milliseconds, value)"""
        for partition, offset, millis, value, origin in self._records:
            if self.partition is None:
                self.partition, self.first = partition, offset
                last = dict(self._seen_before.get((partition, offset), {}))
            origin = parse_origin(origin)
            if origin is not None:
                place, at = origin
                self.origins.setdefault(place, [at, at])
                if at <= last.get(place, -1):
                    self.repeats += 1
                    continue
                last[place] = self.origins[place][1] = at
            yield offset, 0 if millis == -1 else millis, value


def census(index, records, kept, seen_before):
    """What questlog's plan asks of a split. kept: names of event types, or None for all."""
    allow_depth()
    split = Split(index, records, seen_before)
    events = not_events = other_types = 0
    types = {} if kept is None else {name: [0, None, {}] for name in kept}
    for offset, _, value in split:
        events += 1
        members = members_of(value)
        if members is None:
            not_events += 1
            continue
        name = type_name_of(members)
        seen = types.get(name)
        if seen is None:
            if kept is not None:
                other_types += 1
                continue
            if len(types) >= TYPES_MAX:
                raise RuntimeError(f"the topic has more than {TYPES_MAX} event types, and an output takes events of any: run this job without "
                                   "--engine spark, or name the types in its where")
            seen = types[name] = [0, None, {}]
        if seen[0] == 0:
            seen[1] = offset
        seen[0] += 1
        _observe(seen[2], offset, members)
    yield {"index": index, "partition": split.partition, "first": split.first, "events": events, "not_events": not_events,
           "other_types": other_types, "repeats": split.repeats, "origins": split.origins,
           "types": {name: seen for name, seen in types.items() if seen[0]}}


def _observe(keys, offset, members):
    last = {}
    for place, member in enumerate(members):
        key = member[0]
        last[key] = member[1]
        if key not in keys:
            if len(keys) >= KEYS_MAX:
                raise RuntimeError(f"an event type has more than {KEYS_MAX} different keys: run this job without --engine spark")
            keys[key] = [NULL, offset, place]
    for key, value in last.items():
        if value is None:
            continue
        known = keys[key]
        if known[0] != STRING:
            known[0] = wider(known[0], type_of(value))


def _as_string(value):
    if type(value) is Integer:
        return "0" if value == "-0" else str(value)
    if type(value) is bool:
        return "true" if value else "false"
    return str(value)


def _as_double(value):
    return float(int(value)) if type(value) is Integer else float(value)


_READ = {NULL: _as_string, STRING: _as_string, BOOLEAN: bool, BIGINT: int, DOUBLE: _as_double}


class Rows:
    """A split's events as rows: the time, then a cell for each of `columns`, (key, type) in order. Once it is through, on_end gets what it read."""

    def __init__(self, columns, types, seen_before, on_end):
        self._columns, self._types, self._seen_before, self._on_end = columns, types, seen_before, on_end

    def __call__(self, index, records):
        allow_depth()
        split = Split(index, records, self._seen_before)
        place = {key: i + 1 for i, (key, _) in enumerate(self._columns) if key != RESCUED}
        read_as = [None, *(_READ[type_] for _, type_ in self._columns)]
        rescue = next((i + 1 for i, (key, _) in enumerate(self._columns) if key == RESCUED), None)
        types = None if self._types is None else frozenset(self._types)
        time_of = TimestampText()
        read = 0
        for offset, millis, value in split:
            members = members_of(value)
            if members is None or (types is not None and type_name_of(members) not in types):
                continue
            read += 1
            row = [None] * (len(self._columns) + 1)
            row[0] = time_of(millis)
            left_over = False
            for member in members:
                at = place.get(member[0])
                if at is None:
                    left_over = True
                else:
                    row[at] = None if member[1] is None else read_as[at](member[1])
            if left_over and rescue is not None:
                row[rescue] = rescued(value.decode(), place)
            yield tuple(row)
        if split.partition is not None and (split.partition, split.first) not in self._seen_before:
            raise RuntimeError(f"partition {split.partition} was cut at offset {split.first}, where it was not before: run the job again")
        self._on_end({index: (split.partition, split.first, read)})


def rescued(text, place):
    """What an event has beyond its columns: keys and values as they stand in it."""
    return "{" + ", ".join(f'"{raw_key}": {raw}' for key, _, raw_key, raw in _members_one_by_one(text) if key not in place) + "}"


class TimestampText:
    """Milliseconds as Spark's cast(timestamp as string) writes them in UTC, of any year."""

    def __init__(self):
        self._second, self._text = None, ""

    def __call__(self, millis):
        second, rest = divmod(millis, 1000)
        if second != self._second:
            self._second, self._text = second, self._of_second(second)
        return f"{self._text}.{rest:03}".rstrip("0") if rest else self._text

    @staticmethod
    def _of_second(second):
        days, time = divmod(second, 86_400)
        shifted = days + 719_468  # from 0000-03-01
        era, day = divmod(shifted, 146_097)
        year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
        day -= 365 * year + year // 4 - year // 100
        month = (5 * day + 2) // 153
        day -= (153 * month + 2) // 5 - 1
        month += 3 if month < 10 else -9
        year += era * 400 + (month <= 2)
        sign = "+" if year > 9999 else "-" if year < 0 else ""
        return f"{sign}{abs(year):04}-{month:02}-{day:02} {time // 3600:02}:{time // 60 % 60:02}:{time % 60:02}"


def merged(splits):
    """One census of a range from its splits', which are ordered by partition and offset. Keys of a type are ordered by where they were first
    seen, and numbered across all types."""
    total = {name: sum(split[name] for split in splits) for name in ("events", "not_events", "other_types", "repeats")}
    types = {}
    for number, split in enumerate(splits):
        for name, (events, first, keys) in split["types"].items():
            known = types.setdefault(name, {"events": 0, "first": (number, first), "keys": {}})
            known["events"] += events
            for key, (type_, offset, place) in keys.items():
                if key in known["keys"]:
                    known["keys"][key][0] = wider(known["keys"][key][0], type_)
                else:
                    known["keys"][key] = [type_, (number, offset, place)]
    if len(types) > TYPES_MAX:
        raise RuntimeError(f"the topic has more than {TYPES_MAX} event types: run this job without --engine spark, or name the types in its where")
    seen = sorted(chain.from_iterable(((where, name, key) for key, (_, where) in known["keys"].items()) for name, known in types.items()))
    ordered = {name: [] for name in types}
    for rank, (_, name, key) in enumerate(seen):
        ordered[name].append([key, types[name]["keys"][key][0], rank])
    return {**total, "types": [{"name": name, "events": types[name]["events"], "keys": ordered[name]}
                               for name in sorted(types, key=lambda name: types[name]["first"])]}


def origins_before(splits):
    """(partition, first offset) -> what all splits of the partition before it saw of origins; and whether a split has a record that one of these
    makes the second of its kind."""
    before, repeats, last, partition = {}, False, {}, None
    for split in splits:
        if split["partition"] != partition:
            partition, last = split["partition"], {}
        before[partition, split["first"]] = dict(last)
        for place, (first, at) in split["origins"].items():
            repeats = repeats or first <= last.get(place, -1)
            last[place] = max(at, last.get(place, -1))
    return before, repeats
