"""System calls that fail: every n-th write, sync, open, rename and truncate, for n = 1, 2, 3 … until a run is unharmed.

After each run a start without faults holds every event that was acknowledged, and none that was refused.
"""

import itertools
import json
import re
import resource
import shutil
import threading

from casework import Part
from ledger import Ledger, RecordedLoad
from questlog_process import Questlog, ServerEnded
from small_segments import SMALL_SEGMENTS, numbered
from tracing import read_calls, traced
from waiting import wait_until
from wire import Closed

SYNCS = ("fdatasync", "fsync", "msync")
FAULTS = [
    # Nothing that was injected happened: a write that returns 0 wrote nothing, and says so.
    *itertools.product(["pwrite64"], ["error=EIO", "error=ENOSPC", "retval=0"]),
    *itertools.product(SYNCS, ["error=EIO", "error=ENOSPC"]),
    *itertools.product(["openat", "rename,renameat2", "ftruncate"], ["error=EIO", "error=ENOSPC"]),
    # A limit on the size of files: the write that meets it is cut short and tells its true length, the next one fails.
    ("file size", "short"),
]
STAGES = ("a first start", "a start after a kill", "a landing")
NAMES = {"error=EIO": "EIO", "error=ENOSPC": "ENOSPC", "retval=0": "short", "short": "short"}
TEXTS = {"EIO": "Input/output error", "ENOSPC": "No space left on device"}
RUNS_MAX = 60        # of one kind of fault at one stage
EVERY_ONE_TO = 12    # n goes up by 1 so far, then by a quarter
KERNELS_OWN = re.compile(r'"/(proc|sys)/')  # on no disk; DuckDB, which asks there for limits, aborts where it gets no answer
LIBRARY = re.compile(r"\.so\b")


class Faults(Part):
    name = "faults"
    what = "every n-th system call fails; what was acknowledged stays, and no failed sync is retried"

    def __init__(self, cases=len(FAULTS) * len(STAGES), runs_max=RUNS_MAX):
        super().__init__(cases)
        self._runs_max = runs_max
        self._prepared = {}

    def prepare(self, folder):
        for stage in STAGES[1:]:
            self._prepared[stage] = prepare_stage(stage, folder / stage.replace(" ", "_"))

    def case(self, number, chance, folder, book):
        stage = STAGES[number % len(STAGES)]
        call, how = FAULTS[number // len(STAGES)]
        kind = f"{call} × {NAMES[how]}"
        nth = runs = 0
        while runs < self._runs_max:
            nth += max(1, nth // 4) if nth >= EVERY_ONE_TO else 1
            run = FaultyRun(folder / str(nth), stage, call, how, nth, self._prepared.get(stage))
            harmed = run.land() if stage == "a landing" else run.serve(chance.random(), book)
            runs += 1
            if not harmed:
                book.add(f"{stage}, {kind}: to the end, n = {nth}", runs)
                return
            book.add("faults that were met")
            shutil.rmtree(folder / str(nth))
        book.add(f"{stage}, {kind}: as far as n = {nth}", runs)


def prepare_stage(stage, folder):
    """A data folder and what is in it: (folder, ledger) after a kill; (folder, rows of the table) before a landing."""
    questlog = Questlog(folder)
    questlog.write_config(SMALL_SEGMENTS)
    if stage == "a start after a kill":
        ledger = Ledger()
        with questlog.serve() as server, RecordedLoad(server, ledger, 0, pad_bytes=2000) as load:
            load.wait_for_answers(200)
            server.kill()
        return questlog, ledger
    with questlog.serve() as server:
        server.send_events(swords(0))
        assert server.stop() == 0
    questlog.ok("batch", "separate_events")  # so that there is a table to be exchanged
    with questlog.serve() as server:
        server.send_events(swords(3000))
        assert server.stop() == 0
    return questlog, 6000


def swords(start):
    return [{**event, "event_type": "purchase_sword"} for event in numbered(3000, start=start)]


class FaultyRun:
    """One run of questlog, on a data folder of its own, whose n-th call fails."""

    def __init__(self, folder, stage, call, how, nth, prepared):
        self.folder, self.stage, self.call, self.how, self.nth = folder, stage, call, how, nth
        self.questlog = Questlog(folder)
        self.questlog.write_config(SMALL_SEGMENTS)
        self.trace = folder / "trace"
        self.ledger, self.expected = Ledger(), None
        if prepared:
            prepared[0].copy_data(self.questlog.data)
            if stage == "a landing":
                self.expected = prepared[1]
            else:
                self.ledger.sent, self.ledger.acked = dict(prepared[1].sent), dict(prepared[1].acked)
                self.ledger.log_id = prepared[1].log_id
                for _ in range(10):
                    self.ledger.client()

    def launcher(self):
        """Opens are counted from the first that is questlog's own."""
        if self.call == "file size":
            return []
        nth = self.nth + (opens_before_main(self.questlog) if self.call == "openat" else 0)
        return traced(self.trace, (*self.call.split(","),), f"{self.call}:{self.how}:when={nth}")

    def injected(self):
        return [call for call in read_calls(self.trace) if call.injected] if self.trace.exists() else []

    # A server under load.

    def serve(self, seed, book):
        code, output = self.served(seed, book)
        injected = self.injected()
        harmed = bool(injected) if self.call != "file size" else self.nth <= 8
        self.assert_told(code, output, injected)
        if code != 0:
            book.add("processes that ended with 1 and said why")
        if self.how == "retval=0" or not harmed:
            assert code == 0, f"ended with {code} although no call failed\n{output}"
        if self.call in SYNCS and any(not call.touches("spare.tmp") for call in injected):
            assert code == 1, f"a failed {self.call} was passed over, or tried again: {injected}\n{output}"
        with self.questlog.serve() as server:
            self.ledger.check(self.questlog)
            assert server.stop() == 0
        self.questlog.ok("log", "verify")
        return harmed

    def served(self, seed, book):
        """Exit code and output. On a full disk the log takes events again by itself."""
        try:
            server = self.questlog.serve(launcher=self.launcher())
        except ServerEnded as ended:
            book.add("starts that were refused, and said why")
            return ended.code, ended.output
        with server:
            if self.call == "file size":
                limit_file_size(server, 64 * 1024 * self.nth + 4321)
            with RecordedLoad(server, self.ledger, seed, kinds=("single", "lines"), pad_bytes=8000, requests=20) as load:
                load.join()
            if self.ledger.refused:
                book.add("runs with a 503 that then took events again")
                limit_file_size(server, resource.RLIM_INFINITY)
                self.takes_events_again(server)
            if server.process.poll() is None:
                server.process.terminate()
            return server.wait(), server.output

    def takes_events_again(self, server):
        client = self.ledger.client()
        numbers = itertools.count()

        def accepted():
            value = self.ledger.event(client, next(numbers), 80)
            answer = server.post("/events?receipt=1", value)
            self.ledger.answered([value], answer)
            return answer.status == 200
        try:
            wait_until(accepted, "the log takes events again", 10)
        except (OSError, Closed):
            pass  # it has ended: its exit code is looked at

    def assert_told(self, code, output, injected):
        """It ends with 1 and says why; with 2 where it could not read its configuration."""
        if code == 0 or any(KERNELS_OWN.search(call.text) for call in injected):
            return
        usage = any(call.touches("questlog.toml") for call in injected)
        assert code == 1 or (code == 2 and usage), f"ended with {code}\n{output}"
        told = [line for line in output.splitlines() if line.startswith("questlog: ")]
        assert told and (self.how not in TEXTS or any(TEXTS[NAMES[self.how]] in line for line in told)), (
            f"no word of why it ended\n{output}")

    # A landing beside which nothing runs.

    def land(self):
        if self.call == "file size":
            return False  # DuckDB writes the file, and tells no one what is free
        process = self.questlog.start("batch", "separate_events", launcher=self.launcher())
        _, err = process.communicate(timeout=60)
        injected = self.injected()
        self.assert_told(process.returncode, err.decode(), injected)
        assert self.rows() == self.expected, f"the table is wrong after\n{err.decode()}"
        self.questlog.ok("batch", "separate_events")
        assert self.rows("--landed") == self.expected
        status = json.loads(self.questlog.ok("status", "--json"))
        assert status["sound"], status
        return bool(injected)

    def rows(self, *options):
        return self.questlog.value_of("SELECT count(DISTINCT n) FROM sword_purchases", *options)


def limit_file_size(server, size):
    if server.process.poll() is None:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


_opens_lock = threading.Lock()
_opens = []


def opens_before_main(questlog):
    """How many files are opened to load the program's libraries, before questlog itself begins."""
    with _opens_lock:
        if not _opens:
            trace = questlog.folder / "opens"
            process = questlog.start("topic", "list", launcher=traced(trace, ("openat",)))
            process.communicate(timeout=60)
            _opens.append(1 + max(index for index, call in enumerate(read_calls(trace)) if LIBRARY.search(call.text)))
        return _opens[0]
