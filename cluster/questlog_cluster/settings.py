"""Where things lie, which host and port each service has, and whether Kafka runs without ZooKeeper.

The environment, for tests and containers (README.md has the table):
  QUESTLOG_CLUSTER_STATE      the state folder; without it cluster/.state
  QUESTLOG_CLUSTER_CACHE      what was downloaded; without it .deps/cluster
  QUESTLOG_CLUSTER_NOTEBOOKS  JupyterLab's folder; without it notebooks
  QUESTLOG_CLUSTER_PORTS      "kafka=39092 jupyter=9999"; `cluster/up --port` goes before it
  QUESTLOG_CLUSTER_HOSTS      "kafka=kafka namenode=namenode": services that run under another name than 127.0.0.1
  QUESTLOG_CLUSTER_BIND       the address that the services of this machine listen on; without it 127.0.0.1
  QUESTLOG_BINARY             questlog's binary; without it build/release/questlog
"""

import json
import os
import re
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from questlog_cluster.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "cluster" / "conf"
LOOPBACK = "127.0.0.1"

# Each port and the service that listens on it. The reference's where it has them.
PORTS = {
    "zookeeper": (32181, "zookeeper"),
    "kafka": (29092, "kafka"),
    "kafka-controller": (29093, "kafka"),
    "namenode": (8020, "namenode"),
    "webhdfs": (9870, "namenode"),
    "datanode": (9866, "datanode"),
    "datanode-http": (9864, "datanode"),
    "datanode-ipc": (9867, "datanode"),
    "spark": (7077, "spark"),
    "spark-ui": (8080, "spark"),
    "spark-worker-ui": (8081, "spark"),
    "jupyter": (8888, "jupyter"),
    "questlog": (5000, "questlog"),
}
SERVICES = tuple(dict.fromkeys(service for _, service in PORTS.values()))
REMEMBERED = "settings.json"


def parse_ports(text):
    """{"kafka": 39092} of "kafka=39092 jupyter=9999"; commas do as well as spaces."""
    ports = {}
    for assignment in text.replace(",", " ").split():
        name, equals, value = assignment.partition("=")
        if name not in PORTS:
            raise UsageError(f"there is no port {name!r}; there are {', '.join(PORTS)}")
        if not equals or not value.isdigit() or not 1 <= int(value) <= 65535:
            raise UsageError(f"{assignment!r} is no port: write {name}=PORT, with a number from 1 to 65535")
        ports[name] = int(value)
    return ports


def parse_hosts(text):
    hosts = {}
    for assignment in text.replace(",", " ").split():
        name, _, host = assignment.partition("=")
        if name not in SERVICES or not host:
            raise UsageError(f"QUESTLOG_CLUSTER_HOSTS has {assignment!r}: write SERVICE=HOST, with a service of "
                               f"{', '.join(SERVICES)}")
        hosts[name] = host
    return hosts


def _folder(environment, name, default):
    return Path(environment.get(f"QUESTLOG_CLUSTER_{name}") or default).absolute()


def _folder_for_engines(environment, name, default):
    """Class paths, URLs and XML name it: what has a meaning in one of them is told before an engine trips over it."""
    folder = _folder(environment, name, default)
    if not re.fullmatch(r"[\w./@+~-]+", str(folder), re.ASCII):
        raise UsageError(f"the engines cannot work in {str(folder)!r}: only letters, digits and . _ - / @ + ~ may be in its path. "
                           f"Name another folder with QUESTLOG_CLUSTER_{name}")
    return folder


@dataclass(frozen=True)
class Settings:
    state: Path
    cache: Path
    notebooks: Path
    binary: Path
    bind: str = LOOPBACK
    hosts: dict = field(default_factory=dict)
    ports: dict = field(default_factory=lambda: {name: port for name, (port, _) in PORTS.items()})
    kraft: bool = False

    def host(self, service):
        return self.hosts.get(service, LOOPBACK)

    def is_here(self, service):
        """Whether the service, where it is needed, is started on this machine; else it is waited for."""
        return self.host(service) == LOOPBACK

    def port(self, name):
        return self.ports[name]

    def address(self, port_name):
        return f"{self.host(PORTS[port_name][1])}:{self.ports[port_name]}"

    def data(self, name):
        return self.state / "data" / name

    def log(self, process):
        return self.state / "logs" / f"{process}.log"

    def record(self, process):
        return self.state / "run" / f"{process}.json"

    def conf(self, component):
        """The configuration as rendered for these settings."""
        return self.state / "conf" / component

    def remembered(self):
        """These settings with ports and mode as they were when what is running was started."""
        try:
            written = json.loads((self.state / REMEMBERED).read_text())
            return replace(self, ports={**self.ports, **written["ports"]}, kraft=written["kraft"])
        except FileNotFoundError:
            return self

    def remember(self):
        write_whole(self.state / REMEMBERED, json.dumps({"ports": self.ports, "kraft": self.kraft}) + "\n")

    def forget(self):
        (self.state / REMEMBERED).unlink(missing_ok=True)


def from_environment(environment=os.environ):
    settings = Settings(
        state=_folder_for_engines(environment, "STATE", ROOT / "cluster" / ".state"),
        # Resolved: where the cache is behind a link, what lies in it outlives the link.
        cache=_folder_for_engines(environment, "CACHE", ROOT / ".deps" / "cluster").resolve(),
        notebooks=_folder(environment, "NOTEBOOKS", ROOT / "notebooks"),
        binary=Path(environment.get("QUESTLOG_BINARY") or ROOT / "build" / "release" / "questlog").absolute(),
        bind=environment.get("QUESTLOG_CLUSTER_BIND") or LOOPBACK,
        hosts=parse_hosts(environment.get("QUESTLOG_CLUSTER_HOSTS", "")))
    return replace(settings, ports={**settings.ports, **parse_ports(environment.get("QUESTLOG_CLUSTER_PORTS", ""))})


def write_whole(path, text, mode=0o644):
    """The file has this text, or the one that it had: never a part, also where several write it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # for the owner alone
    with open(descriptor, "w") as file:
        file.write(text)
        os.fchmod(descriptor, mode)
    os.rename(scratch, path)
