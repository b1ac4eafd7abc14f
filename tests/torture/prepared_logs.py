"""Data folders that are damaged in copies: logs that were closed and logs that were not, with every kind of file in them."""

import json
from dataclasses import dataclass, field

from ledger import noise
from questlog_process import Questlog
from segment import flip_bit, read_batches
from small_segments import SMALL_SEGMENTS, numbered
from waiting import wait_until

TAIL = ("tail", "-o", "beginning", "-e", "-q", "-f", "%p %o %T %s\\n")
TABLE = "sword_purchases"


@dataclass
class Prepared:
    """A stopped data folder. `batches`: of each segment, as a parser that is not ours reads it."""

    name: str
    questlog: Questlog
    config: str
    batches: dict = field(default_factory=dict)
    rows: list = field(default_factory=list)  # what TAIL prints
    certain_to: int = 1 << 62  # the offset from which on a start may cut what does not read

    def copy(self, folder):
        copy = Questlog(folder)
        self.questlog.copy_data(copy.data)
        copy.write_config(self.config)
        return copy

    def files(self):
        """Kind -> paths under the data folder. Locks hold nothing but a process's number."""
        found = {}
        for path in sorted(self.questlog.data.rglob("*")):
            if path.is_file() and path.suffix != ".lock" and path.name != ".lock" and "spill" not in path.parts:
                found.setdefault(kind_of(path), []).append(path.relative_to(self.questlog.data))
        return found


def kind_of(path):
    if ".damaged-" in path.name:
        return "bytes set aside"
    return {".log": "segment", ".topic": "topic metadata", ".index": "index", ".parquet": "landed Parquet"}.get(
        path.suffix, path.name)


def prepare_all(folder):
    return [make(folder / make.__name__) for make in (closed, killed, relaxed, repaired, in_doubt)]


def fill(server, count=4500, start=0, size=160, a_request=150):
    """Events of two types, one of them a table's, in many batches."""
    for first in range(start, start + count, a_request):
        events = numbered(a_request, size, first)
        for event in events[::2]:
            event["event_type"] = "purchase_sword"
        server.send_events(events)
        server.get("/purchase_a_sword")


def finish(prepared):
    """Looks at a copy, for a look at a log that was not closed recovers it."""
    copy = prepared.copy(prepared.questlog.folder / "look")
    prepared.rows = copy.ok(*TAIL).splitlines()
    for path in prepared.files()["segment"]:
        prepared.batches[path] = read_batches(prepared.questlog.data / path)
    assert prepared.rows and all(prepared.batches.values())
    return prepared


def start(folder, more=""):
    questlog = Questlog(folder)
    config = SMALL_SEGMENTS + more
    questlog.write_config(config)
    return questlog, config


def closed(folder):
    """Stopped in order, three segments with indexes, landed, and more after that."""
    questlog, config = start(folder)
    with questlog.serve() as server:
        fill(server, 9000)
        assert server.stop() == 0
    questlog.ok("batch", "separate_events")
    with questlog.serve() as server:
        fill(server, 900, 9000)
        assert server.stop() == 0
    questlog.ok("tail", "-o", "4321", "-c", "1")  # makes an index
    assert len(questlog.segments()) >= 2
    return finish(Prepared("closed", questlog, config))


def killed(folder):
    """Killed when everything was answered: three partitions, compressed, and the next segment prepared."""
    questlog, config = start(folder, 'partitions = 3\ncompression = "lz4"\n')
    with questlog.serve() as server:
        for batch in range(60):
            server.send_events([{"event_type": "n", "n": batch * 40 + n, "pad": noise(640, batch * 40 + n)} for n in range(40)])
        spares = questlog.data / "log"
        wait_until(lambda: any(path.stat().st_size for path in spares.glob("*/spare.tmp")) or big(server), "a spare is there")
        server.kill()
    return finish(Prepared("killed", questlog, config))


def big(server):
    """One more request that fills segments."""
    server.send_events([{"event_type": "n", "pad": noise(640, n)} for n in range(300)])
    return False


def relaxed(folder):
    """Not synced at each commit; a power cut took something once; killed."""
    questlog, config = start(folder, 'sync = "never"\n')
    with questlog.serve() as server:
        fill(server, 900)
        server.kill()
    path, = questlog.segments()
    flip_bit(path, read_batches(path)[-2].position + 100)
    with questlog.serve() as server:  # cuts, and counts what it cut
        fill(server, 4500, 900)
        server.kill()
    partition, = json.loads(questlog.run("status", "--json").out)["topics"][0]["partitions"]
    assert partition["lost_events"] > 0
    with questlog.serve() as server:
        fill(server, 300, 6000)
        server.kill()
    synced_end = (questlog.segments()[0].parent / "synced_end").read_bytes()
    return finish(Prepared("relaxed", questlog, config, certain_to=int.from_bytes(synced_end, "little")))


def repaired(folder):
    """Damaged and repaired: holes, their record, and the bytes that were set aside. Compressed, and closed."""
    questlog, config = start(folder, 'compression = "zstd"\n')
    with questlog.serve() as server:
        for batch in range(60):
            server.send_events([{"event_type": "n", "n": batch * 40 + n, "pad": noise(640, batch * 40 + n)} for n in range(40)])
        assert server.stop() == 0
    path = questlog.segments()[0]
    flip_bit(path, read_batches(path)[7].position + 80)
    questlog.ok("log", "repair", "--topic", "game-events")
    return finish(Prepared("repaired", questlog, config))


def in_doubt(folder):
    """Killed, and the durable end on disk older than what was acknowledged, as a power cut may leave it."""
    questlog, config = start(folder)
    with questlog.serve() as server:
        fill(server, 3000)
        server.kill()
    path = questlog.segments()[-1]
    last = read_batches(path)[-4:]
    durable_end = path.parent / "durable_end"
    durable_end.write_bytes(last[0].base_offset.to_bytes(8, "little"))
    return finish(Prepared("in doubt", questlog, config, certain_to=last[0].base_offset))
