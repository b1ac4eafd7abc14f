"""cluster/down: stops what cluster/up started, and nothing else: each process by its own pid, and only if the process with that pid
is the one that was started."""

import argparse
import shutil
from concurrent.futures import ThreadPoolExecutor

from questlog_cluster import processes, settings as places, state
from questlog_cluster.errors import ClusterError
from questlog_cluster.services import ALL, named, with_dependents
from questlog_cluster.terminal import Progress

EXAMPLES = """examples:
  cluster/down                stops everything; all data stay
  cluster/down spark jupyter  stops these two
  cluster/down --wipe         stops everything, then removes Kafka's topics, HDFS's files and what else the cluster stored

Never removed: notebooks, your own data folders, and what was downloaded."""


def arguments(command, args):
    parser = argparse.ArgumentParser(prog=f"cluster/{command}", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("services", nargs="*", metavar="SERVICE",
                        help=f"of {', '.join(ALL)}, or hdfs; without one: all. What cannot go on without them is stopped too")
    parser.add_argument("--wipe", action="store_true", help="also remove the cluster's data and logs")
    options = parser.parse_args(args)
    if options.wipe and options.services:
        parser.error("--wipe removes everything, so it goes with no service's name")
    return options


def stop_service(settings, service, progress):
    alive = state.identities(settings, service)
    if alive:
        with progress.during(service.name, f"{service.name:9}  is down"):
            for name, identity in reversed(alive.items()):  # Spark's worker before its master
                if not processes.stop(identity, service.stop_s):
                    progress.say(f"{name} did not end within {service.stop_s:.0f} s, and was killed")
    for name in service.process_names():
        settings.record(name).unlink(missing_ok=True)


def stop_all(settings, services, progress):
    """Who needs another stops before it; else side by side."""
    left = {service.name: service for service in services}
    with ThreadPoolExecutor() as pool:
        while left:
            needed = {name for service in left.values() for name in service.after(settings)}
            now = [service for name, service in left.items() if name not in needed]
            list(pool.map(lambda service: stop_service(settings, service, progress), now))
            for service in now:
                del left[service.name]


def wipe(settings):
    """Everything in the state folder but its lock, which this process holds."""
    for path in settings.state.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != state.LOCK:
            path.unlink()


def main(command, args):
    options = arguments(command, args)
    settings = places.from_environment()
    if not settings.state.exists():
        print("Nothing is running, and nothing is stored.")
        return 0
    with state.changing(settings):
        settings = settings.remembered()
        services = with_dependents(named(options.services), settings)
        running = [service for service in services if state.identities(settings, service)]
        with Progress("down") as progress:
            stop_all(settings, services, progress)
        if not running:
            print("Nothing was running.")
        if not state.anything_alive(settings):
            settings.forget()
        if options.wipe:
            still = [name for name, service in ALL.items() if state.identities(settings, service)]
            if still:
                raise ClusterError(f"{', '.join(still)} cannot be stopped, so nothing was removed")
            wipe(settings)
            print(f"Removed what the cluster stored, in {settings.state}. {settings.notebooks} stays.")
    return 0
