"""The real binary, from outside: one data folder, its commands, and a server on it."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from waiting import wait_until
from wire import Wire

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("QUESTLOG_BINARY", ROOT / "build" / "release" / "questlog")).resolve()
COMMAND_DEADLINE_S = 60
# Times are UTC wherever the program runs.
ENVIRONMENT = {**os.environ, "TZ": "Asia/Kathmandu"}


@dataclass
class Completed:
    args: tuple
    code: int
    out: str
    err: str

    def __str__(self):
        return f"questlog {' '.join(map(str, self.args))} -> {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Questlog:
    """A data folder and, if written, a configuration. Commands run in a working directory of their own."""

    def __init__(self, folder, data=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = Path(data) if data else self.folder / "data"
        self.config = None

    def write_config(self, text, name="questlog.toml"):
        self.config = self.folder / name
        self.config.write_text(text)
        return self.config

    def _options(self):
        return ["--data", str(self.data)] + (["--config", str(self.config)] if self.config else [])

    def run(self, *args, stdin="", deadline_s=COMMAND_DEADLINE_S, binary_output=False):
        """Runs a command to its end, whatever its exit code."""
        done = subprocess.run([BINARY, *self._options(), *map(str, args)], input=stdin.encode(), cwd=self.folder,
                              env=ENVIRONMENT, capture_output=True, timeout=deadline_s, check=False)
        out = done.stdout if binary_output else done.stdout.decode()
        return Completed(args, done.returncode, out, done.stderr.decode(errors="replace"))

    def ok(self, *args, **more):
        """Standard output of a command that must succeed."""
        done = self.run(*args, **more)
        assert done.code == 0, str(done)
        return done.out

    def fails(self, *args, code, says=(), **more):
        """A command that must fail with this exit code, naming each of `says` on standard error."""
        done = self.run(*args, **more)
        assert done.code == code, str(done)
        for text in says:
            assert str(text) in done.err, f"{text!r} is not in\n{done}"
        return done

    def start(self, *args, launcher=(), **popen):
        """Starts a command and leaves it running; the caller ends it."""
        return subprocess.Popen([*launcher, BINARY, *self._options(), *map(str, args)], cwd=self.folder, stdin=subprocess.DEVNULL,
                                env=ENVIRONMENT, stdout=popen.pop("stdout", subprocess.PIPE),
                                stderr=popen.pop("stderr", subprocess.PIPE), **popen)

    def serve(self, *args, listen="127.0.0.1:0", **more):
        return Server(self, ["serve", "--listen", listen, *args], **more)

    # What the log holds, by the tools that a person would use.

    def sql(self, text, *args):
        """Rows of a query as dictionaries."""
        return json_rows(self.ok("sql", text, "--format", "json", *args))

    def value_of(self, text, *args):
        """The one value of a query that has one."""
        rows = self.sql(text, *args)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return next(iter(rows[0].values()))

    def values(self, topic=None):
        """Every event's value in order, as the log holds it."""
        return self.ok("tail", *(["-t", topic] if topic else []), "-o", "beginning", "-e", "-q").splitlines()

    def events(self):
        return [json.loads(value) for value in self.values()]

    def status(self):
        return json.loads(self.ok("status", "--json"))

    def tables(self):
        return [table for topic in self.status()["topics"] for table in topic["tables"]]

    def copy_data(self, to):
        """Its files; the socket that a killed server leaves is none."""
        shutil.copytree(self.data, to, ignore=lambda folder, names: [name for name in names if Path(folder, name).is_socket()])

    def segments(self, topic="game-events", partition=0):
        return sorted((self.data / "log").glob(f"{topic}-{partition}/*.log"))


def json_rows(text):
    """Rows of --format json: one array of objects, or an object a line."""
    text = text.strip()
    if not text:
        return []
    return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]


class Server:
    """A running `questlog serve`. Leaving the `with` block kills it if the test has not stopped it."""

    def __init__(self, questlog, args, deadline_s=20.0, launcher=()):
        self.questlog = questlog
        self.stdout_lines = []
        self.stderr_lines = []
        self.process = subprocess.Popen(
            [*launcher, BINARY, *questlog._options(), *map(str, args)], cwd=questlog.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
        self._readers = [self._collect(self.process.stdout, self.stdout_lines),
                         self._collect(self.process.stderr, self.stderr_lines)]
        try:
            self.url = wait_until(self._announced, "the server announced its URL, or ended", deadline_s)
        except AssertionError:
            self.kill()
            raise AssertionError(f"no URL announced:\n{self.output}") from None
        if self.url == "ended":
            code = self.process.wait()
            self._join()
            raise ServerEnded(code, self.output)
        host, port = self.url.split("//")[1].rstrip("/").rsplit(":", 1)
        self.host, self.port = host, int(port)

    @staticmethod
    def _collect(stream, lines):
        def read():
            for line in stream:
                lines.append(line.decode(errors="replace").rstrip("\n"))
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def _announced(self):
        for line in self.stdout_lines:
            if found := re.search(r"http://[^ ]+", line):
                return found.group()
        return "ended" if self.process.poll() is not None and not self._readers[0].is_alive() else None

    def _join(self):
        for reader in self._readers:
            reader.join(5)

    @property
    def output(self):
        return "\n".join(["--- stdout", *self.stdout_lines, "--- stderr", *self.stderr_lines])

    @property
    def errors(self):
        return "\n".join(self.stderr_lines)

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def wire(self, **more):
        return Wire(self.host, self.port, **more)

    def get(self, target, **more):
        with self.wire() as wire:
            return wire.get(target, **more)

    def post(self, target, body, **more):
        with self.wire() as wire:
            return wire.post(target, body, **more)

    def send_events(self, events, **more):
        """Posts events as NDJSON in requests within the body limit; all must be accepted."""
        lines = [json.dumps(event) for event in events]
        with self.wire() as wire:
            while lines:
                size, count = 0, 0
                while count < len(lines) and size + len(lines[count]) < 900_000:
                    size += len(lines[count]) + 1
                    count += 1
                answer = wire.post("/events", "\n".join(lines[:count]), **more)
                assert answer.status == 200, (answer.status, answer.body[:500])
                lines = lines[count:]

    def stop(self, number=signal.SIGTERM, deadline_s=10.0):
        """Ends it in order; its exit code. Fails if that takes longer than promised."""
        self.process.send_signal(number)
        return self.wait(deadline_s)

    def wait(self, deadline_s=10.0):
        try:
            code = self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {deadline_s} s\n{self.output}") from None
        self._join()
        return code

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._join()


class ServerEnded(Exception):
    """serve ended instead of announcing itself."""

    def __init__(self, code, output):
        super().__init__(f"serve ended with {code}\n{output}")
        self.code, self.output = code, output
