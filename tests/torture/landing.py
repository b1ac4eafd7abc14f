"""kill -9 at named steps of landing and under load: each event is in its table exactly once, by every reader."""

import datetime
import itertools
import signal
import time

from casework import Part
from lake_steps import CALLS, kill_at, rehearse
from landed import check_landed
from ledger import RecordedLoad
from questlog_process import Questlog, ServerEnded
from segment import write_partition
from told_events import PREPARED, TYPES, ToldEvents, an_event
from tracing import traced
from waiting import wait_until

PARTITIONS = 2
COMMITS_BEFORE_A_CHECKPOINT = 100
CHECKPOINT_EVERY = 3  # of so many cases one begins with a kill in a checkpoint
CONFIG = f"[log]\nsegment_bytes = 1048576\npartitions = {PARTITIONS}\n[landing]\ncut_ms = 100\n"
NOT_BY_ITSELF = CONFIG + "enabled = false\n"
TARGETS = ("plan", "Parquet file", "Delta commit", "books", "ids", "folder of the Delta log", "folder of a day",
           "folder of plans and books", "lock, folder or leftover")
VICTIMS = ("serve", "land", "both", "rebuild")
REBUILT = "sword"


class Landing(Part):
    name = "landing"
    what = "kill -9 at each step of landing, and under load with two landers; each event is in one table, once"

    def __init__(self, cases=20, step_kills=5, load_kills=2):
        super().__init__(cases)
        self._step_kills, self._load_kills = step_kills, load_kills
        self._prepared = None

    def prepare(self, folder):
        if self.cases >= CHECKPOINT_EVERY:
            self._prepared = prepare_log(folder / "prepared")

    def case(self, number, chance, folder, book):
        """One data folder that is killed at some steps and moments, and looked at after each."""
        questlog, told = Questlog(folder), ToldEvents(chance.random())
        has_checkpoint = number % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1
        if has_checkpoint:
            self._prepared.copy_data(questlog.data)
        targets = itertools.cycle(turned(TARGETS, number * 2))
        victims = itertools.cycle(turned(VICTIMS, number * 2))
        kill_landing(questlog, told, chance, "checkpoint" if has_checkpoint else next(targets), book)
        look(questlog, told, chance, book)
        for kill in range(1, self._step_kills):
            if kill == 3:
                kill_rebuilding(questlog, chance, book)
            elif kill % 2 == 0:
                kill_landing(questlog, told, chance, next(targets), book)
            else:
                kill_serving(questlog, told, chance, book)
            look(questlog, told, chance, book)
        for _ in range(self._load_kills):
            kill_under_load(questlog, told, chance, next(victims), book)
            look(questlog, told, chance, book)
        leave_nothing_behind(questlog, told, chance)
        book.add("events acknowledged, each in one table, once", len(told.told))


def turned(names, by):
    by %= len(names)
    return names[by:] + names[:by]


def one_of(steps, chance):
    """Any kind of step as likely as another, however often it is taken."""
    name = chance.choice(sorted({str(step) for step in steps}))
    return chance.choice([step for step in steps if str(step) == name])


# --- what there is to land

def prepare_log(folder):
    """As many commits of swords as there are before a checkpoint, around a midnight, with dead letters and repeats."""
    questlog = Questlog(folder)
    questlog.write_config(NOT_BY_ITSELF)
    questlog.ok("topic", "create", "--topic", "game-events", "--partitions", PARTITIONS)
    midnight = int(time.time()) // 86400 * 86400_000
    for partition, cuts in enumerate((60, COMMITS_BEFORE_A_CHECKPOINT - 60)):
        write_partition(questlog, [a_batch(partition, cut, midnight + (cut - cuts // 2) * 150) for cut in range(cuts)],
                        partition=partition)
    check_landed(questlog)
    assert len(list((table_folder(questlog, REBUILT) / "_delta_log").glob("*.json"))) == COMMITS_BEFORE_A_CHECKPOINT
    return questlog


def a_batch(partition, cut, at_ms):
    """A sword, something else, an event with an id or what repeats one of the cut before, and now and then no event at all."""
    def named(kind, index, **more):
        return an_event(f"{PREPARED} {partition} {cut} {index}", kind, **more)

    message_id = f"{partition} {cut - cut % 2}"
    batch = [(at_ms, named(REBUILT, 0), None), (at_ms + 1, named(TYPES[cut % 3], 1), None),
             (at_ms + 1, named(TYPES[cut % 2], 2, message_id=message_id), message_id)]
    return batch + ([(at_ms + 2, f"{PREPARED} no JSON {partition} {cut}", None)] if cut % 7 == 0 else [])


def load_on(server, told, chance, requests):
    return RecordedLoad(server, told, chance.random(), pad_bytes=chance.choice((20, 200)), requests=requests)


def fill(questlog, told, chance):
    """Events that are not landed, by a server that is then stopped or killed."""
    questlog.write_config(NOT_BY_ITSELF)
    with questlog.serve() as server:
        told.send_again(server)
        with load_on(server, told, chance, requests=chance.randrange(2, 10)) as load:
            load.join()
        if chance.random() < 0.5:
            assert server.stop() == 0, server.output


# --- kills at a step

def kill_landing(questlog, told, chance, target, book):
    fill(questlog, told, chance)
    steps = rehearse(questlog, "land", "--once")
    step = one_of([step for step in steps if step.kind == target] or steps, chance)
    assert step.kind == target or target != "checkpoint", "no checkpoint was due"
    kill_at(questlog, step, "land", "--once")
    book.add(f"kills of land at the {step}")


def kill_rebuilding(questlog, chance, book):
    questlog.write_config(NOT_BY_ITSELF)
    steps = rehearse(questlog, "rebuild", REBUILT)
    after = next(index for index, step in enumerate(steps) if step.kind == "exchange")
    near = steps[after:] if chance.random() < 0.5 else steps  # half of them once the tables are exchanged
    step = one_of(near, chance)
    kill_at(questlog, step, "rebuild", REBUILT)
    book.add(f"kills of rebuild at the {step}")


def kill_serving(questlog, told, chance, book):
    """The server's other threads make the same calls: the step is told by the path that it is about."""
    kind, calls, paths = chance.choice(serving_steps(questlog, chance))
    call = chance.choice(calls)
    questlog.write_config(CONFIG)
    launcher = traced(questlog.folder / "trace", CALLS, f"{call}:signal=SIGKILL:when=1")
    launcher += [option for path in paths for option in ("-P", str(path))]
    try:
        with questlog.serve(launcher=launcher) as server:
            with load_on(server, told, chance, requests=chance.randrange(2, 10)):
                wait_until(lambda: server.process.poll() is not None, f"serve comes to the {call} of a {kind}, {paths}", 30)
            assert server.wait() == -9, server.output
    except ServerEnded as ended:
        assert ended.code == -9, ended
    book.add(f"kills of serve at the {call} of {kind}")


def serving_steps(questlog, chance):
    """(kind, calls, paths) of what the next landing is to do: the paths that are known beforehand."""
    partition = chance.randrange(PARTITIONS)
    folder = plans_folder(questlog) / str(partition)
    begins = f"{landed_to(folder):020}"
    table = table_folder(questlog, REBUILT)
    version = 1 + max((int(path.stem) for path in (table / "_delta_log").glob("*.json")), default=-1)
    today = datetime.datetime.now(datetime.UTC).date()
    days = [table / f"date={today + datetime.timedelta(days=later)}" for later in (0, 1)]
    writing = ("openat", "pwrite64", "fdatasync", "rename")
    return [("plan", ("renameat2",), [folder / f"{begins}.plan"]),
            ("ids", writing, [folder / f"{begins}.ids.tmp"]),
            ("books", writing, [folder / "books.tmp"]),
            ("Delta commit", ("renameat2",), [table / "_delta_log" / f"{version:020}.json"]),
            ("folder of the Delta log", ("openat", "fsync"), [table / "_delta_log"]),
            ("folder of a day", ("mkdir", "openat", "fsync")[0 if not days[0].exists() else 1:], days)]


def log_id(questlog):
    topic = (questlog.data / "log" / "game-events.topic").read_text()
    return next(line.split(" = ")[1] for line in topic.splitlines() if line.startswith("id = "))


def plans_folder(questlog):
    return questlog.data / "lake" / ".landing" / log_id(questlog)


def landed_to(plans):
    books = plans / "books"
    lines = books.read_text().splitlines() if books.exists() else []
    return next((int(line.split(" = ")[1]) for line in lines if line.startswith("landed_to")), 0)


def table_folder(questlog, table):
    return questlog.data / "lake" / "events" / table


# --- kills at a moment

def kill_under_load(questlog, told, chance, victim, book):
    """serve lands, and so does a process beside it; one of them is killed, both are, or a rebuild that runs meanwhile."""
    questlog.write_config(CONFIG)
    plans = len(plans_of(questlog))
    with questlog.serve() as server, Beside(questlog, "land") as lander:
        with load_on(server, told, chance, requests=60) as load:
            told.send_again(server)
            load.wait_for_answers(chance.randrange(1, 200))
            cuts = plans + chance.randrange(5)
            wait_until(lambda: len(plans_of(questlog)) >= cuts, f"{cuts} cuts are planned", 60, poll_s=0.001)
            if victim in ("serve", "both"):
                server.kill()
            if victim in ("land", "both"):
                lander.kill()
            if victim == "rebuild":
                book.add(f"    {kill_rebuild_beside(questlog, chance)}")
                load.join()  # and go on
        if victim in ("land", "rebuild"):
            assert server.stop() == 0, server.output
        if victim in ("serve", "rebuild"):
            lander.end()
    book.add(f"kills under load, of {victim}")


def plans_of(questlog):
    return list(plans_folder(questlog).glob("*/*.plan"))


def parquet_files(folder):
    """How many there are; none while the folders below it come and go under the look."""
    try:
        return len(list(folder.rglob("*.parquet")))
    except FileNotFoundError:
        return 0


def kill_rebuild_beside(questlog, chance):
    files = chance.randrange(8)
    with Beside(questlog, "rebuild", REBUILT) as rebuild:
        aside = questlog.data / "lake" / ".staging" / f"rebuild-{log_id(questlog)}"
        wait_until(lambda: rebuild.has_ended() or parquet_files(aside) >= files, "the rebuild goes on", 60, 0.001)
        return "the rebuild had ended by then" if rebuild.has_ended() else "in the midst of its files"


class Beside:
    """A command beside the server, killed when the `with` block is left."""

    def __init__(self, questlog, *command):
        self._process = questlog.start(*command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def has_ended(self):
        return self._process.poll() is not None

    def kill(self):
        self._process.kill()
        self._process.communicate()

    def end(self):
        self._process.send_signal(signal.SIGTERM)
        _, err = self._process.communicate(timeout=60)
        # One that is told so in its first moments dies of it.
        assert self._process.returncode in (0, -signal.SIGTERM), (self._process.returncode, err.decode())


# --- afterwards

def look(questlog, told, chance, book):
    """Either commands recover what is there, or the server does, and lands beside them."""
    questlog.write_config(CONFIG)
    if chance.random() < 0.5:
        model = check_landed(questlog, told)
    else:
        with questlog.serve() as server:
            model = check_landed(questlog, told)
            assert server.stop() == 0, server.output
    book.add("rows compared by two readers", 2 * len(model.rows))


def leave_nothing_behind(questlog, told, chance):
    """What the killed had not finished goes with the next landing, or the next rebuild."""
    fill(questlog, told, chance)
    check_landed(questlog, told)
    questlog.ok("rebuild", REBUILT)
    check_landed(questlog, told)
    lake = questlog.data / "lake"
    left = [path for pattern in (".questlog-scratch-*", ".staging/landing-*/*", ".staging/rebuild-*", ".landing/*/*/*.tmp")
            for path in lake.glob(pattern)]
    assert not left, f"left by the killed: {left}"
