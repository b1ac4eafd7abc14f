"""What is true of the cluster: which services are up, on which address, as which process."""

import fcntl
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from questlog_cluster import probes
from questlog_cluster.engines import jupyter_url
from questlog_cluster.errors import ClusterError
from questlog_cluster.processes import recorded
from questlog_cluster.services import ALL

# Held by the command that is at work; its being there tells a cluster's folder.
LOCK = "cluster.lock"
UP, STARTING, DOWN = "up", "starting", "down"
# What `status` shows: its key, the service behind it, the port that is its address, and its probe if that is not the service's.
SHOWN = (
    ("zookeeper", "zookeeper", "zookeeper", probes.zookeeper),
    ("kafka", "kafka", "kafka", probes.kafka),
    ("namenode", "namenode", "namenode", probes.namenode),
    ("webhdfs", "namenode", "webhdfs", probes.webhdfs),
    ("datanode", "datanode", "datanode", probes.datanode),
    ("spark", "spark", "spark", probes.spark),
    ("jupyter", "jupyter", "jupyter", probes.jupyter),
    ("questlog", "questlog", "questlog", probes.questlog),
)


@contextmanager
def changing(settings):
    """One command at a time starts and stops things."""
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(settings.state.iterdir()) and not (settings.state / LOCK).exists():
        raise ClusterError(f"{settings.state} holds something else than a cluster; QUESTLOG_CLUSTER_STATE names a folder of its own")
    with open(settings.state / LOCK, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClusterError("another cluster/up or cluster/down is at work here; wait for it, and run this again") from None
        yield


def identities(settings, service):
    """process name -> its identity, of the service's processes that are alive."""
    found = {name: recorded(settings.record(name)) for name in service.process_names()}
    return {name: identity for name, identity in found.items() if identity}


def anything_alive(settings):
    return any(identities(settings, service) for service in ALL.values())


def state_of(settings, service, alive, probe):
    """up: all its processes live and it answers. starting: they live. down: one is missing. Of a service on another host,
    whether it answers is all there is to see."""
    if settings.is_here(service.name) and len(alive) < len(service.process_names()):
        return DOWN
    if probes.answers(probe, settings):
        return UP
    return STARTING if alive else DOWN


def survey(settings):
    """{"kafka": {"address": "127.0.0.1:29092", "pid": 1, "state": "up"}, …}. pid: null of what is down, or on another host.
    Beside them `url` of JupyterLab, with its token, and `worker_pid` of Spark's worker."""

    def look(shown):
        key, service, port, probe = shown
        alive = identities(settings, ALL[service])
        entry = {"address": settings.address(port), "pid": alive[service].pid if service in alive else None,
                 "state": state_of(settings, ALL[service], alive, probe)}
        if key == "spark":
            entry["worker_pid"] = alive["spark-worker"].pid if "spark-worker" in alive else None
        if key == "jupyter":
            entry["url"] = jupyter_url(settings) if entry["state"] == UP else None
        return key, entry

    with ThreadPoolExecutor() as pool:
        return dict(pool.map(look, SHOWN))
