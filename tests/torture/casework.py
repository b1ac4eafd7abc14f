"""What every part of the torture is made of: numbered cases of one seed, what they did, and what they found.

A part has a name, a line that says what it does, and case(number, random, folder, book), which raises where a promise is
broken. Cases know nothing of each other, so that one can be seen again by its number. prepare(folder) comes before the
first and finish(book) after the last.
"""

import collections
import random
import shutil
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

FAILURES_MAX = 10  # of a part: then it ends, for the rest would say the same


class Part:
    name = what = ""

    def __init__(self, cases):
        self.cases = cases

    def prepare(self, folder):
        pass

    def case(self, number, chance, folder, book):
        raise NotImplementedError

    def finish(self, book):
        pass


class Book:
    """Counts of what was done and found. Any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self.counts = collections.Counter()

    def add(self, what, count=1):
        with self._lock:
            self.counts[what] += count


class Failure(Exception):
    """A case that broke a promise, or the preparation or the end of its part (number is None)."""

    def __init__(self, part, number, folder, cause):
        super().__init__(f"{part} case {number}: {cause}")
        self.part, self.number, self.folder = part, number, folder
        self.story = "".join(traceback.format_exception(cause))


class Course:
    """Runs parts with one seed, in a folder of its own; keeps the folders of failures alone."""

    def __init__(self, seed, folder, jobs, terminal=sys.stderr):
        self.seed, self.folder, self.jobs, self._terminal = seed, folder, jobs, terminal
        self.failures = []

    def chance(self, part, number):
        return random.Random(f"{self.seed}/{part.name}/{number}")

    def run(self, part, only=None):
        """The part's book and how many seconds it took."""
        book, began = Book(), time.monotonic()
        numbers = range(part.cases) if only is None else [only]
        failed_before, self._done = len(self.failures), 0
        shared = self.folder / part.name
        shared.mkdir(parents=True, exist_ok=True)
        if self._guarded(part, None, shared, lambda: part.prepare(shared)):
            with ThreadPoolExecutor(self.jobs) as pool:
                for number in numbers:
                    pool.submit(self._one, part, number, book, len(numbers), failed_before)
            self._guarded(part, None, shared, lambda: part.finish(book))
        self._draw("")
        if len(self.failures) == failed_before:
            shutil.rmtree(shared)
        return book, time.monotonic() - began

    def _one(self, part, number, book, total, failed_before):
        if len(self.failures) - failed_before >= FAILURES_MAX:
            return
        folder = self.folder / part.name / str(number)
        folder.mkdir()
        if self._guarded(part, number, folder, lambda: part.case(number, self.chance(part, number), folder, book)):
            shutil.rmtree(folder)
        self._done += 1
        self._draw(f"{part.name}: {self._done} of {total}")

    def _guarded(self, part, number, folder, action):
        try:
            action()
            return True
        except Exception as cause:  # whatever a case meets is the case's failure, and the others go on
            failure = Failure(part.name, number, folder, cause)
            self.failures.append(failure)
            (folder / "failure.txt").write_text(failure.story)
            self._draw("")
            print(f"FAILED {failure}", file=self._terminal)
            return False

    def _draw(self, text):
        if self._terminal.isatty():
            self._terminal.write(f"\r\x1b[K{text}")
            self._terminal.flush()
