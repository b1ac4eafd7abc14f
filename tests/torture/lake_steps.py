"""The steps of landing as system calls: what each does to what, by a rehearsal under strace on a copy of the data."""

import re
import shutil
from dataclasses import dataclass

from questlog_process import Questlog
from tracing import Call, read_calls, traced

CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "renameat2", "link", "unlink", "unlinkat", "mkdir")
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")
# Of what is renamed in the end, by the name that it gets.
KINDS = [(kind, re.compile(pattern)) for kind, pattern in (
    ("plan", r"\.plan$"),
    ("ids", r"\.ids(\.tmp)?$"),
    ("books", r"/books(\.tmp)?$"),
    ("checkpoint", r"\.checkpoint\.parquet$|_last_checkpoint$"),
    ("Parquet file", r"\.parquet$"),
    ("Delta commit", r"/\d{20}\.json$"),
    ("folder of the Delta log", r"/_delta_log$"),
    ("folder of a day", r"/date=[^/]*$"),
    ("folder of plans and books", r"/\.landing/[^/]+/\d+$"),
)]
OTHER = "lock, folder or leftover"


@dataclass
class Step:
    call: Call
    kind: str

    def __str__(self):
        return f"{self.call.name} of {'an exchange' if self.kind == 'exchange' else self.kind}"


def paths_of(call):
    descriptor = DESCRIPTOR.match(call.text)
    return [descriptor.group(1)] if descriptor else TEXT.findall(call.text)


def steps_of(calls, lake):
    """Those of the calls that are about the lake."""
    calls = [call for call in calls if any(path.startswith(str(lake)) for path in paths_of(call)[:2])]
    becomes = {}
    for call in calls:
        if call.name.startswith("rename") and "RENAME_EXCHANGE" not in call.text:
            becomes[paths_of(call)[0]] = paths_of(call)[1]
    return [Step(call, kind_of(call, becomes)) for call in calls]


def kind_of(call, becomes):
    if "RENAME_EXCHANGE" in call.text:
        return "exchange"
    path = paths_of(call)[0]
    while path in becomes:
        path = becomes[path]
    return next((kind for kind, pattern in KINDS if pattern.search(path)), OTHER)


def rehearse(questlog, *command):
    """The steps that the command would take now."""
    copy = Questlog(questlog.folder / "copy", data=questlog.folder / "copy" / "data")
    copy.config = questlog.config
    questlog.copy_data(copy.data)
    trace = questlog.folder / "rehearsal.trace"
    process = copy.start(*command, launcher=traced(trace, CALLS))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    steps = steps_of(read_calls(trace), copy.data / "lake")
    shutil.rmtree(copy.folder)
    return steps


def kill_at(questlog, step, *command):
    """Runs the command, which dies at the step's call."""
    launcher = traced(questlog.folder / "trace", CALLS, f"{step.call.name}:signal=SIGKILL:when={step.call.nth}")
    process = questlog.start(*command, launcher=launcher)
    out, err = process.communicate(timeout=120)
    assert process.returncode == -9, (str(step), process.returncode, out.decode(), err.decode())
