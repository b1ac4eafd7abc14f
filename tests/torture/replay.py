"""Days of event time landed in minutes: a log whose events lie 20 s apart, over midnights and over jumps of the clock.

The log is written as a collector writes it whose wall clock jumps: time stands still until the clock is again where it was.
"""

import datetime
import itertools
import json
import re
import signal
import statistics
from pathlib import Path

from casework import Part
from landed import assert_same, landed_by_delta, landed_by_folder
from landing import plans_folder
from questlog_process import Questlog
from segment import write_partition
from told_events import TABLES, an_event
from waiting import wait_until

HOURS = 72
CUT_MS = 60_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BEGIN_MS = 20_420 * DAY_MS + 22 * HOUR_MS + 30_000  # 22:00:30 of some day, UTC
EVERY_MS = (20_000, 400_000)  # of each partition: events so far apart make about 4,300 and 650 cuts in three days
JUMPS = {20: 3, 30: -5, 45: -1, 46: 2, 60: 1}  # at which hour the wall clock jumps by how many hours
KILLS = 6
PROCESS_MAY_GROW = 1.25
FILES_OF_A_CUT = 8  # open in its midst, where a look at a server may find it
LANDING = f"[log]\npartitions = {len(EVERY_MS)}\n[landing]\ncut_ms = {CUT_MS}\n"
CONFIG = LANDING + "enabled = false\n"


class Replay(Part):
    name = "replay"
    what = "three days of events landed in minutes, in one go, with kills and by serve: cuts as the log alone says, and no growth"

    def __init__(self, cases=3, hours=HOURS):
        super().__init__(cases)
        self._hours = hours

    def case(self, number, chance, folder, book):
        questlog = Questlog(folder)
        questlog.write_config(CONFIG)
        questlog.ok("topic", "create", "--topic", "game-events", "--partitions", len(EVERY_MS))
        partitions = [[a_record(partition, index, at_ms) for index, at_ms in enumerate(times(self._hours, every_ms))]
                      for partition, every_ms in enumerate(EVERY_MS)]
        for partition, records in enumerate(partitions):
            write_partition(questlog, in_batches(records, chance), partition=partition)
        cuts = [expected_cuts(records) for records in partitions]
        total = sum(map(len, cuts))
        if number == 0:
            assert_flat(looks_at_land(questlog), "land", total, book)
        elif number == 2:
            assert_flat(looks_at_serve(questlog, total - len(EVERY_MS)), "serve", total, book)
            questlog.ok("land", "--once")  # the last cut of each partition, which is due only when nothing comes for a while
        else:
            kills = sorted(chance.sample(range(1, total - 1), KILLS))
            for done, until in itertools.pairwise([0, *kills]):
                land_and_kill(questlog, until - done)
            questlog.ok("land", "--once", deadline_s=1800)
            book.add("kills", KILLS)
        check(questlog, partitions, cuts)
        book.add(f"hours of event time, over {midnights(partitions)} midnights", self._hours)
        book.add("cuts, all where the log says", total)
        book.add("events, each in the folder of its day, once", sum(map(len, partitions)))


# --- the log

def times(hours, every_ms):
    """When each event came by a clock that jumps: never before the one before it."""
    latest, jumps = 0, dict(JUMPS)
    wall = BEGIN_MS
    for passed in range(0, hours * HOUR_MS, every_ms):
        wall += every_ms
        for hour in [hour for hour in jumps if passed >= hour * HOUR_MS]:
            wall += jumps.pop(hour) * HOUR_MS
        latest = max(latest, wall)
        yield latest


def a_record(partition, index, at_ms):
    """Most have names; every seventh repeats one, from a cut before or from almost a day or more than a day before."""
    a_day = DAY_MS // EVERY_MS[partition]
    back = (1, 50, a_day - 1, a_day + 20)[index // 7 % 4] if index % 7 == 6 else 0
    who = f"{partition}-{max(0, index - back)}"
    if index % 101 == 100:
        return at_ms, f"no JSON {who}", None
    message_id = who if index % 7 > 1 or back else None
    more = {"message_id": message_id} if message_id else {}
    return at_ms, an_event(who, list(TABLES)[index % 5 % 2], index=index, **more), message_id


def in_batches(records, chance):
    records = iter(records)
    while batch := list(itertools.islice(records, chance.randrange(1, 9))):
        yield batch


# --- what is to become of it

def expected_cuts(records):
    """Where cuts begin, by the log alone; none is as large as cut_bytes."""
    begins = []
    for offset, (at_ms, _, _) in enumerate(records):
        if not begins or at_ms - first_ms >= CUT_MS or at_ms // DAY_MS != first_ms // DAY_MS:
            begins.append(offset)
            first_ms = at_ms
    return begins


def expected_rows(partitions):
    """(partition, offset, table, who): of what came twice within a day, the first. A repeat makes its name known anew."""
    rows = []
    for partition, records in enumerate(partitions):
        seen = {}
        for offset, (at_ms, value, message_id) in enumerate(records):
            before = seen.get(message_id)
            if message_id:
                seen[message_id] = at_ms
                if before is not None and at_ms - before <= DAY_MS:
                    continue
            event = json.loads(value) if value.startswith("{") else None
            rows.append((partition, offset, TABLES[event["event_type"]], event["who"]) if event
                        else (partition, offset, "dead_letters", value))
    return sorted(rows)


def midnights(partitions):
    return len({at_ms // DAY_MS for at_ms, _, _ in partitions[0]}) - 1


def check(questlog, partitions, cuts):
    expected = expected_rows(partitions)
    assert sum(map(len, partitions)) > len(expected), "nothing comes twice"
    for reader in (landed_by_delta, landed_by_folder):
        assert_same(reader(questlog), expected, reader.__name__)
    for partition, begins in enumerate(cuts):
        plans = sorted((plans_folder(questlog) / str(partition)).glob("*.plan"))
        assert [int(plan.stem) for plan in plans] == begins, f"partition {partition} was cut elsewhere"
        for plan, begin in zip(plans, begins, strict=True):
            day = datetime.datetime.fromtimestamp(partitions[partition][begin][0] / 1000, datetime.UTC).date()
            assert f"date = {day}\n" in plan.read_text(), plan
    ledger = questlog.sql("SELECT * FROM ledger")
    assert all(row["balanced"] and row["pending"] == 0 for row in ledger), ledger


# --- landing it

def land_and_kill(questlog, cuts):
    """Kills it when it has told of so many cuts, which may find it in the midst of the next."""
    process = questlog.start("land", "--once", "--json")
    for _ in range(cuts):
        assert process.stdout.readline(), process.stderr.read().decode()
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def looks_at_land(questlog):
    """One process lands all; what memory and how many files it has is looked at after each cut."""
    process = questlog.start("land", "--once", "--json")
    looks = [what_it_has(process.pid) for _ in process.stdout]
    _, err = process.communicate()
    assert process.returncode == 0, err.decode()
    return [look for look in looks if look]


def looks_at_serve(questlog, cuts):
    """The same of a server, which is asked now and then how many cuts it has landed: as many looks as cuts."""
    questlog.write_config(LANDING)
    looks = []
    with questlog.serve() as server, server.wire() as wire:
        def look():
            landed = int(re.search(r"^questlog_landed_cuts_total (\d+)", wire.get("/metrics").text, re.MULTILINE).group(1))
            looks.extend([what_it_has(server.pid)] * (landed - len(looks)))
            return landed >= cuts

        wait_until(look, f"{cuts} cuts are landed", deadline_s=1800, poll_s=0.05)
        assert server.stop() == 0, server.output
    return looks


def assert_flat(looks, command, cuts, book):
    quarter = len(looks) // 4
    assert quarter * 4 > cuts * 0.9, f"of {cuts} cuts {len(looks)} were seen"
    (before, files_before), (after, files_after) = (
        [statistics.median(numbers) for numbers in zip(*part, strict=True)] for part in (looks[:quarter], looks[-quarter:]))
    book.add(f"KiB of {command}'s memory in the first quarter", round(before))
    book.add(f"KiB of {command}'s memory in the last quarter", round(after))
    book.add(f"files of {command} open in the first quarter", round(files_before))
    book.add(f"files of {command} open in the last quarter", round(files_after))
    most = max(files for _, files in looks)
    assert files_after <= files_before + 1 and most <= files_before + FILES_OF_A_CUT, \
        f"{files_before} files were open, then {files_after}, {most} at most"
    assert after <= before * PROCESS_MAY_GROW, f"from {before} KiB in the first quarter to {after} KiB in the last"


def what_it_has(pid):
    """(KiB of memory, files); None: it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return None
    memory = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")]
    return (*memory, files) if memory else None  # without memory it has just ended
