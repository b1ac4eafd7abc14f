"""Flipped bits and truncations in every kind of file, each in a fresh copy of a prepared folder.

Whatever looks at the copy either answers as it does of the undamaged one, or ends with 1 and names the file. Afterwards
`log repair` keeps every event outside the damaged batches, at its offset.
"""

import json
import threading

from casework import Part
from prepared_logs import TABLE, TAIL, prepare_all
from questlog_process import ServerEnded

LOOKS = {
    "tail": TAIL,
    "from": ("tail", "-p", "0", "-o", "1234", "-c", "50", "-q", "-f", "%o %s\\n"),
    "events": ("sql", "--format", "csv", 'SELECT count(*), max("offset"), bit_xor(hash(value)) FROM events'),
    "table": ("sql", "--format", "csv", f"SELECT count(*), bit_xor(hash(t)) FROM {TABLE} t"),
    "status": ("status", "--json"),
    "serve": (),
}
IN_TABLES = ("landed Parquet", "_SUCCESS")  # what is made of the log, and can be made anew
VERIFIED = ("segment", "durable_end", "synced_end", "lost_events", "holes", "index")
ADDED = '"event_type": "join_guild"'


class Damage(Part):
    name = "damage"
    what = "flipped bits and truncations in every kind of file: told, or without effect; repair keeps the rest"

    def __init__(self, cases=2000):
        super().__init__(cases)
        self._lock = threading.Lock()
        self._sound = {}  # (prepared, look) -> what it says of the undamaged folder

    def prepare(self, folder):
        self._prepared = prepare_all(folder / "prepared")

    def case(self, number, chance, folder, book):
        prepared = self._prepared[number % len(self._prepared)]
        damaged = Damaged(prepared, folder, chance)
        looks = [look for look in LOOKS if look != "from" or prepared.name != "killed"]
        look = damaged.likely_look(looks, chance)
        try:
            told = damaged.verify() | damaged.look(look, self._of_the_sound(prepared, look, folder)) | damaged.verify_tables()
            if told and damaged.kind in VERIFIED:
                book.add("repairs that kept all else")
                damaged.repair()
            fate = "told" if told else damaged.harmless or "without effect"
        except AssertionError as fault:
            raise AssertionError(f"{prepared.name}: {damaged.what}, seen by {look}: {fault}") from fault
        book.add(f"{damaged.kind}: {damaged.how}, {fate}")

    def _of_the_sound(self, prepared, look, folder):
        with self._lock:
            if (prepared.name, look) not in self._sound:
                copy = prepared.copy(folder / "sound")
                done = copy.run(*LOOKS[look]) if LOOKS[look] else None
                assert done is None or done.code == 0, f"not damaged at all\n{done}"
                self._sound[prepared.name, look] = done and done.out.replace(str(copy.folder), "")
            return self._sound[prepared.name, look]


class Damaged:
    """A copy of a prepared folder with one file damaged."""

    def __init__(self, prepared, folder, chance):
        self.prepared, self.questlog = prepared, prepared.copy(folder / "copy")
        files = prepared.files()
        self.kind = "segment" if chance.random() < 0.4 else chance.choice(sorted(files))
        self.file = chance.choice(files[self.kind])
        self.path = self.questlog.data / self.file
        self.harmless, self.unseen = "", False
        size = self.path.stat().st_size
        if self.kind == "_SUCCESS":
            self.how, self.byte = "removed", 0
            self.path.unlink()
        elif chance.random() < 0.7:
            self.how, self.byte = "flipped", chance.randrange(size)
            if self.kind == "segment":  # zeros that are filled ahead are most of some segments
                self.byte = chance.randrange(min(size, self._data_bytes() + 5000))
            content = bytearray(self.path.read_bytes())
            content[self.byte] ^= 1 << chance.randrange(8)
            self.path.write_bytes(content)
        else:
            self.how, self.byte = "cut short", chance.randrange(size)
            if self.kind == "segment":
                self.byte = chance.randrange(min(size, self._data_bytes() + 5000))
            with open(self.path, "r+b") as file:
                file.truncate(self.byte)
        self.what = f"{self.file} {self.how} at byte {self.byte}"

    def _data_bytes(self):
        last = self.prepared.batches[self.file][-1]
        return last.position + last.size

    def likely_look(self, looks, chance):
        """Tables are seen by SQL alone, indexes by reads from the middle."""
        if self.kind in IN_TABLES and chance.random() < 0.8:
            return "table"
        if self.kind == "index" and "from" in looks and chance.random() < 0.5:
            return "from"
        return chance.choice(looks)

    def _damaged_batches(self):
        """Those that the flipped bit or the cut is in, or that lay behind the cut."""
        if self.kind != "segment":
            return []
        return [batch for batch in self.prepared.batches[self.file]
                if batch.position + batch.size > self.byte and (self.how == "cut short" or batch.position <= self.byte)]

    def _losable(self):
        """(partition, offset) of each event in a damaged batch."""
        partition = self.file.parent.name.rsplit("-", 1)[1]
        return {(partition, str(record.offset)) for batch in self._damaged_batches() for record in batch.records}

    def _in_doubt(self):
        """Whether a start may cut at the damage, and all behind it: no one knows that it was ever on disk."""
        first = next(iter(self._damaged_batches()), None)
        return first is not None and first.base_offset >= self.prepared.certain_to

    # What looks at it.

    def told(self, done):
        """A failure that names what is damaged."""
        code = 2 if self.kind == "_SUCCESS" and done.code == 2 else 1  # a folder without one is no table, and to name it is wrong
        assert done.code == code, f"neither 0 nor {code}\n{done}"
        named = [self.path.name, self.path.stem.lstrip("0") or "0"] if self.kind == "segment" else [self.path.name]
        if self.kind in IN_TABLES:
            named.append(self.path.parent.name)
        if self.kind in ("durable_end", "synced_end"):  # what they say is held against the data
            named.append(".log")
        assert any(name in done.err + done.out for name in named), f"does not name {self.path.name}\n{done}"
        return True

    def verify(self):
        """`log verify`; it changes nothing."""
        done = self.questlog.run("log", "verify", "--json")
        if done.code == 0:
            report = json.loads(done.out.splitlines()[-1])
            assert report["sound"], str(done)
            return False
        assert done.code == 1 and (self.kind in VERIFIED or self.kind == "topic metadata"), f"takes the log for damaged\n{done}"
        if self.kind == "topic metadata":
            return self.told(done)
        faults = [json.loads(line) for line in done.out.splitlines() if '"fault"' in line]
        assert faults and all(fault["path"] for fault in faults), str(done)
        if self.kind == "segment":
            assert {fault["path"] for fault in faults} <= {str(self.path), *self._neighbours()}, str(done)
        return True

    def verify_tables(self):
        """What no query sees of a table `verify` does, and its job makes it anew."""
        if self.kind != "landed Parquet":
            return False
        done = self.questlog.run("verify", "--json")
        if done.code != 0:
            self.told(done)
            self.questlog.ok("batch", "separate_events", "--force")
            self.questlog.ok("verify")
            return True
        if any(json.loads(line)["state"] == "unverifiable" for line in done.out.splitlines()):
            self.harmless = "unverifiable, as a repair gave up events that the table has"
            return False
        content = self.path.read_bytes()
        writer = content.rfind(b"DuckDB version")
        assert self.how == "flipped" and not self.unseen and writer <= self.byte <= content.find(b")", writer), \
            f"verify does not see it\n{done}"
        self.harmless = "in the name of the file's writer"
        return False

    def _neighbours(self):
        """What else a cut or a flip is seen by: the index that no longer fits, the segment that no longer follows."""
        return {str(path) for path in self.path.parent.iterdir()}

    def look(self, look, sound):
        if look == "serve":
            return self.serve()
        done = self.questlog.run(*LOOKS[look])
        if done.code != 0:
            if look in ("tail", "from"):
                assert set(done.out.splitlines()) <= set(sound.splitlines()), f"shows what never was\n{done.out[:2000]}"
            return self.told(done)
        out = done.out.replace(str(self.questlog.folder), "")
        if out != sound:
            self.excuse(look, out, done.err)
        return False

    def serve(self):
        try:
            with self.questlog.serve() as server:
                assert server.get("/join_guild").status == 200
                assert server.stop() == 0, server.output
        except ServerEnded as ended:
            done = self.questlog.run("tail", "-o", "beginning", "-e", "-q")
            done.code, done.err = ended.code, ended.output
            return self.told(done)
        done = self.questlog.run(*TAIL)
        if done.code != 0:
            return self.told(done)
        rows = [row for row in done.out.splitlines() if ADDED not in row]
        if sorted(rows) != sorted(self.prepared.rows):
            self.excuse("tail", "\n".join(rows), server.errors)
        return False

    def excuse(self, look, out, err):
        """Another answer than of the undamaged folder, without an error: only where nothing certain is missing."""
        if self.kind == "landed Parquet" and self.how == "flipped":
            self.unseen = True  # Parquet's data pages have no checksum
            return
        if self.prepared.name == "relaxed" and self.kind == "durable_end" and "acknowledged events are lost" in err:
            self.harmless = "told as lost events that never were"  # the word alone says what was acknowledged
            return
        if look == "status" and self.kind == "synced_end" and self.how == "cut short":
            self.harmless = "taken for a log that is synced at each commit, of which no start cuts anything"
            return
        assert self._in_doubt(), f"another answer, and no error\n{out[:1500]}\n--- stderr\n{err}"
        self.harmless = "cut as a power cut's doubtful end"
        if look == "tail":
            self._assert_prefix(out.splitlines())
        assert "cut" in err or "kept" in err or "lost" in err or self.how == "cut short", f"cut, and not a word\n{err}"

    def _assert_prefix(self, rows):
        assert rows == self.prepared.rows[:len(rows)] and len(rows) >= self.prepared.certain_to, "more is gone than the end"

    # What is left of it.

    def repair(self):
        done = self.questlog.run("log", "repair", "--topic", "game-events")
        if done.code == 1 and f"remove {self.path}" in done.err:  # as it says: the log itself is whole
            assert self.kind in ("durable_end", "synced_end"), str(done)
            self.path.unlink()
            done = self.questlog.run("log", "repair", "--topic", "game-events")
        assert done.code == 0, f"is not repaired\n{done}"
        self.questlog.ok("log", "verify")
        rows = {tuple(row.split(" ", 3)) for row in self.questlog.ok(*TAIL).splitlines() if ADDED not in row}
        before = {tuple(row.split(" ", 3)) for row in self.prepared.rows}
        assert rows <= before, f"a repair changed events: {sorted(rows - before)[:3]}"
        missing = {row[:2] for row in before - rows}
        if self._in_doubt():
            assert all(int(offset) >= self.prepared.certain_to for _, offset in missing), "more is gone than the end"
        else:
            assert missing <= self._losable(), f"a repair lost whole events: {sorted(missing - self._losable())[:10]}"
