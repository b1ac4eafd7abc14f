"""What each service is: what it is fetched as, waits for, listens on, and how it shows that it works. engines.py runs them."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from questlog_cluster import engines, probes
from questlog_cluster.artifacts import PYTHON
from questlog_cluster.errors import ClusterError, UsageError
from questlog_cluster.settings import PORTS


@dataclass(frozen=True)
class Service:
    """processes(world): what is started, the first of it the service's own. prepare(world) comes before, finish(settings) once the
    probe is true. parts: of the lock file. after(settings): services that must be up first. stop_s: how long it may take to end
    before it is killed."""

    name: str
    parts: tuple
    after: Callable
    processes: Callable
    probe: Callable
    prepare: Callable = lambda world: None
    finish: Callable = lambda settings: None
    stop_s: float = 20.0
    helpers: tuple = ()

    def process_names(self):
        return (self.name, *self.helpers)

    def ports(self, settings):
        """Names of the ports it listens on."""
        return [port for port, (_, service) in PORTS.items() if service == self.name
                and (port != "kafka-controller" or settings.kraft)]


def check_binary(settings):
    if not shutil.which(str(settings.binary)):
        raise ClusterError(f"{settings.binary} is missing. Build it with: make\nOr name another binary with QUESTLOG_BINARY, or "
                           "the services that are wanted, for example: cluster/up kafka hdfs")


def _nothing(settings):
    return ()


def _zookeeper_of_kafka(settings):
    return () if settings.kraft else ("zookeeper",)


ALL = {service.name: service for service in (
    Service("zookeeper", ("kafka",), _nothing, engines.zookeeper, probes.zookeeper),
    Service("kafka", ("kafka",), _zookeeper_of_kafka, engines.kafka, probes.kafka, prepare=engines.make_place_for_kafka,
            finish=engines.await_leaders, stop_s=40.0),
    Service("namenode", ("hdfs",), _nothing, engines.namenode, probes.namenode, prepare=engines.format_namenode),
    Service("datanode", ("hdfs",), lambda settings: ("namenode",), engines.datanode, probes.datanode,
            finish=engines.make_hdfs_folders),
    Service("spark", ("spark", PYTHON), _nothing, engines.spark, probes.spark, helpers=("spark-worker",)),
    Service("jupyter", ("spark", PYTHON), _nothing, engines.jupyter, probes.jupyter, prepare=engines.make_jupyter_token),
    Service("questlog", (), _nothing, engines.questlog, probes.questlog, stop_s=40.0),
)}
# What may be named on a command line beside the services themselves.
GROUPS = {"hdfs": ("namenode", "datanode"), "webhdfs": ("namenode", "datanode")}


def named(names):
    """Services of names and groups, in the order of ALL; of no name, all."""
    unknown = [name for name in names if name not in ALL and name not in GROUPS]
    if unknown:
        raise UsageError(f"there is no service {', '.join(unknown)}; there are {', '.join(ALL)}, and hdfs for "
                           f"{' and '.join(GROUPS['hdfs'])}")
    wanted = {service for name in names for service in GROUPS.get(name, (name,))}
    return [service for name, service in ALL.items() if name in wanted or not names]


def with_needed(services, settings):
    """Also the services that these need and that are started on this machine."""
    wanted = {service.name for service in services}
    for name, service in reversed(ALL.items()):  # who needs comes after who is needed
        if name in wanted:
            wanted.update(needed for needed in service.after(settings) if settings.is_here(needed))
    if settings.kraft:
        wanted.discard("zookeeper")
    return [service for name, service in ALL.items() if name in wanted]


def with_dependents(services, settings):
    """Also the services that cannot go on without these."""
    wanted = {service.name for service in services}
    for name, service in ALL.items():
        if wanted.intersection(service.after(settings)):
            wanted.add(name)
    return [service for name, service in ALL.items() if name in wanted]


