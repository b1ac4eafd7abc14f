"""The commands of cluster/, from outside, on a state folder and ports of their own."""

import json
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from questlog_cluster.settings import PORTS
from questlog_process import BINARY

ROOT = Path(__file__).resolve().parents[2]
COMMAND_DEADLINE_S = 60


@dataclass
class Completed:
    args: tuple
    code: int
    out: str
    err: str

    def __str__(self):
        return f"cluster/{' '.join(map(str, self.args))} -> {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def free_ports(names):
    """A port for each name, free when it was looked for, below those that the kernel gives to clients."""
    ports, candidate = {}, 20_000 + os.getpid() % 9_000
    for name in names:
        while True:
            candidate += 1
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", candidate))
                    break
                except OSError:
                    continue
        ports[name] = candidate
    return ports


class Cluster:
    def __init__(self, folder, **environment):
        self.folder = Path(folder)
        self.state = self.folder / "state"
        self.notebooks = self.folder / "notebooks"
        self.ports = free_ports(PORTS)
        self.environment = {
            **os.environ, "QUESTLOG_CLUSTER_STATE": str(self.state), "QUESTLOG_CLUSTER_NOTEBOOKS": str(self.notebooks),
            "QUESTLOG_CLUSTER_PORTS": " ".join(f"{name}={port}" for name, port in self.ports.items()),
            "QUESTLOG_BINARY": str(BINARY), **environment}

    def start(self, command, *args, **popen):
        return subprocess.Popen([ROOT / "cluster" / command, *map(str, args)], cwd=self.folder, env=self.environment,
                                stdin=subprocess.DEVNULL, **popen)

    def run(self, command, *args, deadline_s=COMMAND_DEADLINE_S, launcher=()):
        """Runs a command to its end, whatever its exit code."""
        done = subprocess.run([*launcher, ROOT / "cluster" / command, *map(str, args)], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=deadline_s, check=False)
        return Completed((command, *args), done.returncode, done.stdout, done.stderr)

    def ok(self, command, *args, **more):
        """Standard output of a command that must succeed."""
        done = self.run(command, *args, **more)
        assert done.code == 0, str(done)
        return done.out

    def fails(self, command, *args, code=1, says=(), **more):
        """A command that must fail with this exit code, naming each of `says` on standard error."""
        done = self.run(command, *args, **more)
        assert done.code == code, str(done)
        for text in says:
            assert str(text) in done.err, f"{text!r} is not in\n{done}"
        assert "Traceback" not in done.err, str(done)
        return done

    def status(self):
        return json.loads(self.ok("status", "--json"))

    def address(self, name):
        return f"127.0.0.1:{self.ports[name]}"

    def record(self, process):
        return self.state / "run" / f"{process}.json"
