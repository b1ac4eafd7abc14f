"""What lies in the tables, by readers that are not ours, beside what the log holds: each event exactly once."""

import collections
import datetime
import json

import pyarrow.parquet
from deltalake import DeltaTable
from told_events import TABLES

LEDGER = "SELECT * FROM ledger"
DEAD_LETTERS = "dead_letters"


def landed_by_delta(questlog):
    """(partition, offset, table, who) of every row that a Delta log knows of, sorted. Of a dead letter, `who` is its value."""
    return sorted(row for folder in folders(questlog) if (folder / "_delta_log").is_dir()
                  for row in rows_of(folder.name, DeltaTable(str(folder)).to_pyarrow_dataset().to_table(columns_of(folder.name))))


def landed_by_folder(questlog):
    """The same of all Parquet files that lie there. Each has its rows in order, of the day that its folder is called by."""
    landed = []
    for folder in folders(questlog):
        for path in folder.glob("date=*/*.parquet"):
            timestamp = "timestamp" if folder.name == DEAD_LETTERS else "_timestamp"
            table = pyarrow.parquet.ParquetFile(path).read([*columns_of(folder.name), timestamp])
            rows = list(rows_of(folder.name, table))
            assert rows == sorted(rows), f"{path}: its rows are not in the log's order"
            days = {time.astimezone(datetime.UTC).date().isoformat() for time in table[timestamp].to_pylist()}
            assert days == {path.parent.name.removeprefix("date=")}, f"{path} has events of {days}"
            landed += rows
    return sorted(landed)


def folders(questlog):
    root = questlog.data / "lake" / "events"
    return sorted(root.iterdir()) if root.is_dir() else []


def columns_of(table):
    return ["partition", "offset", "value"] if table == DEAD_LETTERS else ["_partition", "_offset", "who"]


def rows_of(table, found):
    for partition, offset, who in zip(*(found[name].to_pylist() for name in columns_of(table)), strict=True):
        yield partition, offset, table, who.decode() if table == DEAD_LETTERS else who


class LogModel:
    """Where each record of the log is to be, by what `tail` shows of it: of those with one message id, the first."""

    def __init__(self, questlog):
        self.rows, self.repeats, self.records = [], 0, collections.Counter()
        ids = set()
        text = questlog.ok("tail", "-o", "beginning", "-e", "-q", "-f", "%p %o %s\\n")
        for line in text.splitlines():
            partition, offset, value = line.split(" ", 2)
            partition, offset = int(partition), int(offset)
            assert offset == self.records[partition], f"partition {partition}: offset {offset} is not what follows"
            self.records[partition] += 1
            event = json.loads(value) if value.startswith("{") else {}
            name = partition, event.get("message_id")
            if name[1] and name in ids:
                self.repeats += 1
                continue
            ids.add(name)
            self.rows.append((partition, offset, TABLES[event["event_type"]] if event else DEAD_LETTERS,
                              event.get("who", value)))
        self.rows.sort()


def check_landed(questlog, told=None):
    """Lands what is there and compares; raises where a promise is broken. Returns the model."""
    questlog.ok("land", "--once")
    model = LogModel(questlog)
    for reader in (landed_by_delta, landed_by_folder):
        assert_same(reader(questlog), model.rows, reader.__name__)
    ledger = questlog.sql(LEDGER)
    assert all(row["balanced"] and row["pending"] == 0 and not row["problem"] for row in ledger), ledger
    sums = {name: sum(row[name] for row in ledger) for name in ("accepted", "landed", "dead_lettered", "duplicates")}
    assert sums["accepted"] == model.records.total() and sums["duplicates"] == model.repeats, (sums, model.records, model.repeats)
    assert sums["landed"] + sums["dead_lettered"] == len(model.rows), (sums, len(model.rows))
    done = questlog.ok("verify", deadline_s=180)
    assert " 0 different, 0 unverifiable" in done, done
    if told:
        check_told(told, model)
    return model


def check_told(told, model):
    """Every event that a client was told of lies in its place, and each once; none is there that was refused or never sent."""
    by_place, names = {}, collections.Counter()
    for partition, offset, table, who in model.rows:
        if told.knows(who):
            by_place[partition, offset] = who
            names[who] += 1
    twice = [who for who, count in names.items() if count > 1]
    assert not twice, f"landed more than once: {twice[:5]}"
    for who, place in told.told.items():
        assert by_place.get(place) == who, f"{who} was acknowledged at {place}, where {by_place.get(place)} is"


def assert_same(found, expected, what):
    if found != expected:
        missing = collections.Counter(expected) - collections.Counter(found)
        beyond = collections.Counter(found) - collections.Counter(expected)
        raise AssertionError(f"{what}: {missing.total()} rows are missing, {list(missing)[:3]}, and {beyond.total()} are too many, "
                             f"{list(beyond)[:3]}")
