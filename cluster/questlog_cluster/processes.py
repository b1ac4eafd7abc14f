"""Processes that the cluster started, known by pid *and* start time, so that another process which later got the same pid is
neither reported nor killed."""

import json
import os
import select
import signal
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from questlog_cluster.settings import write_whole

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Identity:
    """started: in clock ticks since this boot of the machine, None of a process that had ended; boot: the kernel's name for it."""

    pid: int
    started: int | None
    boot: str


def start_time(pid):
    """In clock ticks since boot; None if there is no such process, or nothing but its exit code is left of it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def identify(pid):
    return Identity(pid, start_time(pid), BOOT_ID.read_text().strip())


def is_alive(identity):
    return identity.started is not None and identity == identify(identity.pid)


def recorded(path):
    """The identity in a record that is still alive, or None."""
    try:
        identity = Identity(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    return identity if is_alive(identity) else None


def start(command, log, record, environment, folder):
    """Starts a process of its own session, with its output in the log, and records it. The log of the run before is kept as
    `*.log.1`. Returns the Popen."""
    log.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.rename(log.with_name(f"{log.name}.1"))
    with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment,
                                   cwd=folder, start_new_session=True)
    write_whole(record, json.dumps(asdict(identify(process.pid))) + "\n")
    return process


def stop(identity, patience_s):
    """Ends the process, and only this one: by SIGTERM and, if that is not enough in time, by SIGKILL. Returns False if the
    latter was needed. True after return: the process is gone."""
    try:
        handle = os.pidfd_open(identity.pid)  # from here on the pid cannot come to mean another process
    except ProcessLookupError:
        return True
    try:
        if not is_alive(identity):
            return True
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        for number, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, None)):
            signal.pidfd_send_signal(handle, number)
            if ended.poll(None if wait_s is None else wait_s * 1000):
                return number == signal.SIGTERM
    finally:
        os.close(handle)


def owner_of(port):
    """"pid 4711 (nginx)" of who listens on a TCP port of this machine; None where that cannot be seen."""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for row in rows:
            _, local, _, state, *rest = row.split()
            if state == "0A" and int(local.rpartition(":")[2], 16) == port:  # 0A: listening
                sockets.add(f"socket:[{rest[5]}]")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(file) in sockets for file in (process / "fd").iterdir()):
                return f"pid {process.name} ({(process / 'comm').read_text().strip()})"
        except OSError:  # gone by now, or another user's
            continue
    return None
