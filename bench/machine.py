"""What the machine and its processes use: CPU seconds, memory, load."""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")


def load():
    """The one-minute load average."""
    return os.getloadavg()[0]


def cpu_seconds(pids):
    """User and system time of running processes."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        direct = [int(child) for child in file.read().split()]
    return direct + [deeper for child in direct for deeper in children(child)]


def memory_mb(pid, field="VmRSS"):
    """VmRSS: now; VmHWM: the most so far."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    return 0.0


def sync_us(folder, count=40):
    """What the disk asks for: the median time of writing 512 bytes into a zero-filled file and fdatasync, in µs."""
    path = os.path.join(folder, "sync-probe")
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.write(file, bytes(512 * count))
        os.fsync(file)
        times = []
        for number in range(count):
            start = time.monotonic()
            os.pwrite(file, b"x" * 512, 512 * number)
            os.fdatasync(file)
            times.append(time.monotonic() - start)
        return statistics.median(times) * 1e6
    finally:
        os.close(file)
        os.unlink(path)


@dataclass
class Usage:
    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


def run(command, **popen):
    """Runs a command to its end and says what it used. Its peak memory is looked at every few milliseconds: the kernel's own
    figure (ru_maxrss) would include this process, which it was forked from."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **popen)
    peak = [0.0]
    ended = threading.Event()

    def watch():
        while not ended.wait(0.003):
            try:
                peak[0] = max(peak[0], memory_mb(process.pid, "VmHWM"))
            except OSError:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    output = process.stdout.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    ended.set()
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{output[-2000:]}")
    return Usage(time.monotonic() - start, usage.ru_utime + usage.ru_stime, peak[0], output)


# Runs in a process of its own, which whatever the command leaves behind becomes a child of: none ends uncounted.
TREE = r"""
import ctypes, json, os, resource, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
start = time.monotonic()
code = subprocess.run(sys.argv[2:]).returncode
wall = time.monotonic() - start
try:
    while True:
        os.wait()
except ChildProcessError:
    pass
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump({"code": code, "wall_s": wall, "cpu_s": used.ru_utime + used.ru_stime}, file)
"""


def run_tree(command, folder, output=None, **popen):
    """Runs a command to its end and says what it and all its descendants used. Its standard output goes to `output`, or, as its
    standard error, to files of the folder."""
    report, out, err = folder / "tree.json", folder / "tree.out", folder / "tree.err"
    report.unlink(missing_ok=True)
    with open(output or out, "wb") as stdout, open(err, "wb") as stderr:
        subprocess.run([sys.executable, "-c", TREE, report, *command], stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, check=True,
                       **popen)
    used = json.loads(report.read_text())
    said = "" if output else out.read_text(errors="replace")
    if used["code"] != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {used['code']}:\n{said[-1000:]}{err.read_text(errors='replace')[-2000:]}")
    return Usage(used["wall_s"], used["cpu_s"], 0.0, said)
