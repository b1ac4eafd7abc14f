"""Configuration files: those under cluster/conf/, with ${names} filled in for this machine's hosts, ports and folders. Containers
fill in the same files, with the names and ports of compose.yaml."""

import getpass
from string import Template

from questlog_cluster.errors import ClusterError
from questlog_cluster.settings import CONF, write_whole

COMPONENTS = tuple(sorted(path.name for path in CONF.iterdir() if path.is_dir()))


def user():
    try:
        return getpass.getuser()
    except KeyError:  # a uid without a name
        return "questlog"


def values(settings, **folders):
    """What the files may name: ${kafka_port} of each port, ${kafka_host} of each service, ${bind}, ${data}, ${user}, and the
    folders given."""
    named = {f"{name.replace('-', '_')}_port": port for name, port in settings.ports.items()}
    named |= {f"{name}_host": settings.host(name) for name in
              ("zookeeper", "kafka", "namenode", "datanode", "spark", "jupyter", "questlog")}
    return {**named, "bind": settings.bind, "data": settings.state / "data", "user": user(), **folders}


def render(settings, component, **folders):
    """Fills in a component's files, and returns the folder they are in then."""
    source, target = CONF / component, settings.conf(component)
    for path in sorted(source.rglob("*")):
        if path.is_file():
            try:
                text = Template(path.read_text()).substitute(values(settings, **folders))
            except (KeyError, ValueError) as error:
                raise ClusterError(f"{path}: cannot fill in {error}; ${{name}} is replaced, and $$ is a dollar sign") from error
            write_whole(target / path.relative_to(source), text)
    return target
