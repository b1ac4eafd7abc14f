"""cluster/logs: what the services say."""

import argparse
import os
import sys
import time

from questlog_cluster import settings as places
from questlog_cluster.errors import ClusterError
from questlog_cluster.services import ALL, named

EXAMPLES = """examples:
  cluster/logs kafka          the end of Kafka's log
  cluster/logs -n 0 -f        from here on, all of them
  cluster/logs -n all spark   all that Spark's master and worker said since they were started

The log of the run before is the file with .1 after its name."""
POLL_S = 0.2


def lines_wanted(text):
    if text == "all":
        return None
    if text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number of lines, and not \"all\"")


def arguments(command, args):
    parser = argparse.ArgumentParser(prog=f"cluster/{command}", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=f"of {', '.join(ALL)}, or hdfs; without one: all")
    parser.add_argument("-f", "--follow", action="store_true", help="and what comes, until Ctrl-C")
    parser.add_argument("-n", "--lines", type=lines_wanted, default=20, metavar="N", help="how many lines of each; 20, or all")
    return parser.parse_args(args)


class Tail:
    """One process's log file, read on from where it was; from the start again when the process was started anew."""

    def __init__(self, path, prefix):
        self._path = path
        self._prefix = prefix
        self._file = None
        self._rest = ""

    def _show(self, text):
        lines = (self._rest + text).split("\n")
        self._rest = lines.pop()
        for line in lines:
            sys.stdout.write(f"{self._prefix}{line}\n")

    def begin(self, lines):
        """Shows so many last lines; None shows all."""
        try:
            self._file = open(self._path, errors="replace")
        except FileNotFoundError:
            return
        text = self._file.read()
        if lines is not None:
            kept = text.splitlines(keepends=True)
            text = "".join(kept[len(kept) - lines:] if lines < len(kept) else kept)
        self._show(text)

    def follow(self):
        if self._file:
            self._show(self._file.read())
        if self._is_another():
            if self._file:
                self._show(self._file.read() + ("\n" if self._rest else ""))
                self._file.close()
            self._file = open(self._path, errors="replace")
            self._show(self._file.read())

    def _is_another(self):
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return self._file is None or not (there.st_ino, there.st_dev) == self._place()

    def _place(self):
        here = os.fstat(self._file.fileno())
        return here.st_ino, here.st_dev


def tails(settings, services):
    names = [name for service in services for name in service.process_names()]
    width = max(map(len, names))
    return [Tail(settings.log(name), f"{name:{width}} | " if len(names) > 1 else "") for name in names]


def follow(watched, until=lambda: False):
    """Shows what comes, until the condition is true."""
    while not until():
        for tail in watched:
            tail.follow()
        sys.stdout.flush()
        time.sleep(POLL_S)
    for tail in watched:
        tail.follow()


def main(command, args):
    options = arguments(command, args)
    settings = places.from_environment()
    services = named(options.services)
    there = [service for service in services if any(settings.log(name).exists() for name in service.process_names())]
    if not there and not options.follow:
        raise ClusterError("there is no log yet; cluster/up makes them")
    watched = tails(settings, services if options.follow else there)
    for tail in watched:
        tail.begin(options.lines)
    sys.stdout.flush()
    if options.follow:
        follow(watched)
    return 0
