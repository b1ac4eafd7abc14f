"""cluster/up: starts Kafka with ZooKeeper, HDFS, Spark, JupyterLab and questlog on this machine, without Docker.

What is missing is downloaded first, as artifacts.toml pins it; what runs already is left alone. Everything listens on 127.0.0.1."""

import argparse
import importlib.util
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from questlog_cluster import artifacts, settings as places, state
from questlog_cluster.engines import World, jupyter_url
from questlog_cluster.errors import ClusterError
from questlog_cluster.fetch import Cache
from questlog_cluster.foreground import attend, stop_attended
from questlog_cluster.java import java
from questlog_cluster.launch import Launch
from questlog_cluster.processes import owner_of
from questlog_cluster.services import ALL, check_binary, named, with_needed
from questlog_cluster.terminal import Progress

EXAMPLES = """examples:
  cluster/up                            everything
  cluster/up kafka hdfs                 Kafka with ZooKeeper, NameNode and DataNode
  cluster/up --kraft kafka              Kafka without ZooKeeper, with data of its own
  cluster/up --port kafka=39092 --port jupyter=9999
  cluster/up --fetch-only               downloads everything, starts nothing

ports: """ + ", ".join(f"{name}={port}" for name, (port, _) in places.PORTS.items())


def arguments(command, args):
    parser = argparse.ArgumentParser(prog=f"cluster/{command}", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("services", nargs="*", metavar="SERVICE",
                        help=f"of {', '.join(ALL)}, or hdfs; without one: all. What they need is started too")
    parser.add_argument("--kraft", action="store_true", help="Kafka without ZooKeeper")
    parser.add_argument("--port", action="append", default=[], metavar="NAME=PORT",
                        help="another port; cluster/status and the others know it while something runs")
    parser.add_argument("--foreground", action="store_true", help="then show the logs; Ctrl-C or SIGTERM stops the services")
    parser.add_argument("--fetch-only", action="store_true", help="download what the services need, and start nothing")
    return parser.parse_args(args)


def settings_for(options, environment_settings):
    """Ports and mode of this start: what is asked for, else what is running, else the environment's or the default. What is
    running is not moved."""
    asked = places.parse_ports(" ".join(options.port))
    if not state.anything_alive(environment_settings):
        return replace(environment_settings, ports={**environment_settings.ports, **asked}, kraft=options.kraft)
    running = environment_settings.remembered()
    if options.kraft and not running.kraft:
        if state.identities(running, ALL["kafka"]):
            raise ClusterError("Kafka is running with ZooKeeper. Stop them first: cluster/down zookeeper kafka")
        running = replace(running, kraft=True)
    for name, port in asked.items():
        service = places.PORTS[name][1]
        if port != running.port(name) and state.identities(running, ALL[service]):
            raise ClusterError(f"{service} is running, with {name} on port {running.port(name)}. Stop it first: cluster/down {service}")
    return replace(running, ports={**running.ports, **asked})


def ensure_tools(parts, cache):
    """Java, and what fetches those of the parts that are missing: by scripts/setup where they are not there."""
    if not parts:
        return
    try:
        java()
        lacking = not (all(cache.has(part) for part in parts) or (shutil.which("mvn") and importlib.util.find_spec("ensurepip")))
    except ClusterError:
        lacking = True
    if lacking:
        subprocess.run([places.ROOT / "scripts" / "setup", "--cluster"], check=False)  # it says itself what went wrong
        java.cache_clear()
        java()


def is_free(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what only lingers after a stop takes no port
        try:
            probe.bind((host, port))
            return True
        except OSError:
            return False


def check_ports(settings, services):
    """Names every port that these services would listen on and that another process has, or that two of them would share."""
    problems, names = [], [name for service in services for name in service.ports(settings)]
    for name in names:
        port = settings.port(name)
        same = [other for other in names if settings.port(other) == port and other != name]
        if same:
            problems.append(f"port {port} is meant for {name} and for {', '.join(same)}")
        elif not is_free(settings.bind, port):
            owner = owner_of(port)
            problems.append(f"port {port} ({name}) is taken{f' by {owner}' if owner else ''}. "
                            f"Stop that, or choose another: cluster/up --port {name}=PORT")
    if problems:
        raise ClusterError("\n".join(problems))


def parts_of(services):
    return list(dict.fromkeys(part for service in services for part in service.parts))


def fetch_only(cache, services):
    with Progress("up") as progress, ThreadPoolExecutor() as pool:
        fetching = [pool.submit(cache.fetch, part, progress) for part in parts_of(services)]
        try:
            for done in fetching:
                done.result()
        except BaseException:
            cache.abandon()
            raise


def beside(settings, services):
    """The names of those that are started now, run already, or are another host's."""
    started = {service.name for service in services}
    return frozenset(name for name, service in ALL.items()
                     if name in started or not settings.is_here(name) or state.identities(settings, service))


def interrupt(_number, _frame):
    raise KeyboardInterrupt


def main(command, args):
    options = arguments(command, args)
    signal.signal(signal.SIGTERM, interrupt)
    before = places.from_environment()
    asked_for = named(options.services)
    cache = Cache(before.cache, artifacts.load())
    if options.fetch_only:
        ensure_tools(parts_of(asked_for), cache)
        fetch_only(cache, asked_for)
        return 0
    with state.changing(before):
        settings = settings_for(options, before)
        services = with_needed(asked_for, settings)
        to_start = [service for service in services if len(state.identities(settings, service)) < len(service.process_names())]
        if any(service.name == "questlog" for service in to_start):
            check_binary(settings)
        Launch.stop_remains(settings, to_start)
        check_ports(settings, to_start)
        ensure_tools(parts_of(to_start), cache)
        settings.remember()
        try:
            with Progress("up") as progress:
                Launch(World(settings, cache, beside(settings, services)), progress).run(services)
        except BaseException as failure:
            if options.foreground:
                stop_attended(settings, services)
            elif isinstance(failure, (ClusterError, KeyboardInterrupt)):
                print("up: what did start goes on; cluster/status shows it, cluster/down stops it", file=sys.stderr)
            raise
    if any(service.name == "jupyter" for service in services):
        print(f"JupyterLab: {jupyter_url(settings)}")
    if options.foreground:
        return attend(settings, services)
    print("cluster/status shows what runs, cluster/logs what it says, cluster/down stops it.")
    return 0
