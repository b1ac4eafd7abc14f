"""What a person sees while something takes time: on a terminal a line that says what is waited for and for how long, above it,
and anywhere else, one line for each thing that is done."""

import sys
import threading
import time
from contextlib import contextmanager


class Progress:
    """Thread-safe. Use as a context."""

    def __init__(self, command, stream=None):
        self._command = command
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._waiting = []
        self._started = time.monotonic()
        self._guard = threading.Lock()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self):
        if self._live:
            self._ticker.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        if self._live:
            self._ticker.join()
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    @contextmanager
    def during(self, what, done):
        """`what` is waited for inside of the context; if it ends well, the line `done` is printed, with how long it took."""
        started = time.monotonic()
        with self._guard:
            self._waiting.append(what)
        try:
            yield
        finally:
            with self._guard:
                self._waiting.remove(what)
        self.say(f"{done}  ({time.monotonic() - started:.1f} s)")

    def say(self, line):
        with self._guard:
            self._stream.write(f"\r\x1b[K{line}\n" if self._live else f"{line}\n")
            self._stream.flush()

    def _tick(self):
        while not self._over.wait(0.2):
            with self._guard:
                names = ", ".join(self._waiting)
                line = f"{self._command}: {time.monotonic() - self._started:.0f} s, waiting for {names}"
                self._stream.write(f"\r\x1b[K{line[:100]}" if names else "\r\x1b[K")
                self._stream.flush()
