"""Events of every kind that a topic may hold, and what is no event: for engines that must read them alike."""

import json
import random

INTEGERS = ["0", "-0", "7", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808"]
WIDE = ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" + "0" * 40, "1e400", "-1.5e999"]
FRACTIONS = ["1.50", "-0.0", "-0e0", "0.1", "1E5", "1e-400", "-1e-400", "5e-324", "1.7976931348623157e308", "2.2250738585072014e-308"]
STRINGS = ['"NaN"', '"Infinity"', '"-inf"', '""', '" "', '"null"', '"true"', '"false"', '"7"', '"-1.5e3"', '"1e400"', '"01"', '"+1"', '"5 "',
           r'"\u0000"', r'"\ud83d\ude00"', '"😀"', '"Ä ß İ"', r'"\t\n\"\\\/"', '"it\'s"', '"${x}"', '"%_`"', '"' + "long " * 40 + '"']
NESTED = ['{}', '[]', '{"a": [1, 2.50, {"b" : null}]}', '[ 1 ,2,  "x]}" ]', '[1e400, -0, 12345678901234567890123]', '{"k": "\\u00e9"}', "[[[[]]]]"]
CONSTANTS = ["true", "false", "null"]
ANY = INTEGERS + WIDE + FRACTIONS + STRINGS + NESTED + CONSTANTS

# Keys as they stand in the JSON. Some are the same key, some name the same column, some cannot name one as they are.
KEYS = ["Host", "host", "HOST", r"H\u006fst", "a.b", "a_x2E_b", "", "Größe", "😀", "x" * 100, "timestamp", "Timestamp", "_offset", "_partition",
        "_rescued_data", "`", "\\\"", "select", "User-Agent", "c0", "c1"]


def _deep(levels, inside="1"):
    return '{"event_type": "odd", "a": ' + "[" * (levels - 1) + inside + "]" * (levels - 1) + "}"


NO_EVENTS = [line if isinstance(line, bytes) else line.encode() for line in [
    "", " ", "not json", "null", "5", '"x"', "[1]", '[{"event_type": "odd"}]', "{}", '{"a": 1}', '{"event_type": 5}', '{"event_type": null}',
    '{"event_type": "odd", "event_type": 5}', '{"event_type": ["odd"]}', '{"event_type": "odd"} trailing', '{"event_type": "odd"}{}',
    '{"event_type": "odd",}', '{"event_type": "odd" "a": 1}', "{'event_type': 'odd'}", '{"event_type": "odd", "a": 01}', '{"event_type": "odd", "a": 1.}',
    '{"event_type": "odd", "a": .5}', '{"event_type": "odd", "a": +1}', '{"event_type": "odd", "a": 1e}', '{"event_type": "odd", "a": -}',
    '{"event_type": "odd", "a": NaN}', '{"event_type": "odd", "a": [NaN]}', '{"event_type": "odd", "a": Infinity}', '{"event_type": "odd", "a": -Infinity}',
    '{"event_type": "odd", "a": nul}', '{"event_type": "odd", "a": True}', '{"event_type": "odd", "a": undefined}', '{"event_type": "odd", "a"}',
    '{"event_type": "odd", "a": [1 2]}', '{"event_type": "odd", "a": {"b": 1,}}', '{"event_type": "odd", a: 1}', '{"event_type": "odd", "a": "',
    r'{"event_type": "odd", "a": "\ud800"}', r'{"event_type": "odd", "a": "\udc00"}', r'{"event_type": "odd", "a": "\ud800\u0041"}',
    r'{"event_type": "odd", "a": ["\ud83d"]}', r'{"event_type": "odd", "\ud800": 1}', r'{"event_type": "odd", "a": "\u00zz"}', r'{"event_type": "odd", "a": "\x"}',
    '{"event_type": "odd", "a": "tab\there"}', '{"event_type": "odd", "a": "\x00"}', '{"event_type": "odd"\x0b}', "\ufeff" + '{"event_type": "odd"}',
    b'{"event_type": "odd", "a": "\xff"}', b'{"event_type": "odd", "a": "\xc0\xaf"}', b'{"event_type": "odd", "a": "\xed\xa0\x80"}',
    b'{"event_type": "odd", "a": "\xf4\x90\x80\x80"}', b'{"event_type": "odd", "a": "\xe2\x82"}', _deep(1025), _deep(5000), _deep(1024),
    '{"event_type": "odd", "a": ' + "[" * 1000]]
ODD_EVENTS = [line.encode() for line in [
    '{"event_type": "odd"}', '  {  "event_type"  :  "odd"  ,  "spaced"  :  [ 1 , 2 ]  }  ', '{"event_type":"odd","tight":{"a":1}}\r',
    r'{"\u0065vent_type": "odd", "escaped": 1}', '{"event_type": 5, "event_type": "odd"}', '{"event_type": "odd", "twice": 1, "twice": "two"}',
    '{"event_type": "odd", "twice": "two", "twice": null}', '{"event_type": "odd", "_rescued_data": 1, "_rescued_data": {"x" : 2}}',
    '{"event_type": ""}', r'{"event_type": "od\u0064", "by escape": true}', _deep(1023), _deep(1024, ""), '{"event_type": "odd", "a": "\x7f"}',
    r'{"event_type": "odd", "a": "\\ud800"}', r'{"event_type": "odd", "a": "\ud83d\ude00\ud83d\ude00"}', '{"event_type": "odd", "{": "}", "[": "]"}']]


def odd_lines(count, seed=7):
    """`count` lines, each as they come: mostly events of type odd, among them what is none."""
    chance = random.Random(seed)
    yield from ODD_EVENTS
    yield from NO_EVENTS
    for _ in range(count - len(ODD_EVENTS) - len(NO_EVENTS)):
        members = [(key, chance.choice(ANY)) for key in chance.sample(KEYS, chance.randrange(6))]
        members += [("level", chance.choice(INTEGERS)), ("price", chance.choice(INTEGERS + FRACTIONS)), ("flag", chance.choice(CONSTANTS)),
                    ("big", chance.choice(INTEGERS + WIDE)), ("text", chance.choice(STRINGS)), ("mixed", chance.choice(ANY)), ("nothing", "null")]
        members = [("event_type", '"odd"')] + [member for member in members if chance.random() < 0.8]
        chance.shuffle(members)
        yield ("{" + ", ".join(f'"{key}": {value}' for key, value in members) + "}").encode()


def purchase(number):
    item = ("sword", "knife", " Sword ", "")[number % 4]
    event = {"event_type": "purchase", "item": item, "price": number % 500 / 4, "count": number % 7, "player": f"p{number % 1000}"}
    return json.dumps(event if number % 10 else {**event, "gift": True}).encode()


def wide_line(number, keys=1100):
    """An event with more keys than a table has columns, in an order of its own."""
    return json.dumps({"event_type": "wide", **{f"k{(number * 37 + i) % (keys + 50)}": i for i in range(keys)}}).encode()
