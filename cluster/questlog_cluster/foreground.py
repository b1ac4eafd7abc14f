"""cluster/up --foreground: the services live as long as this process, and their logs are its output. So containers run them."""

import signal
import sys
import threading

from questlog_cluster import state
from questlog_cluster.down import stop_all
from questlog_cluster.logs import follow, tails
from questlog_cluster.terminal import Progress


def attend(settings, services):
    """Shows the logs until SIGTERM, Ctrl-C, or the end of one of the services; then stops the others. Returns the exit code."""
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())

    def gone():
        return [service.name for service in services
                if len(state.identities(settings, service)) < len(service.process_names())]

    watched = tails(settings, services)
    for tail in watched:
        tail.begin(None)
    follow(watched, until=lambda: over.is_set() or gone())
    lost = [] if over.is_set() else gone()
    for name in lost:
        print(f"up: {name} ended by itself", file=sys.stderr)
    with state.changing(settings):
        stop_attended(settings, services)
    return 1 if lost else 0


def stop_attended(settings, services):
    """The caller holds the state (state.changing)."""
    with Progress("down") as progress:
        stop_all(settings, services, progress)
    if not state.anything_alive(settings):
        settings.forget()
