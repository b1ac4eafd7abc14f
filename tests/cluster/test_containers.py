"""compose.yaml and Dockerfile run what cluster/up runs, with the reference's names and ports."""

import re
import shutil
import subprocess

import pytest
from cluster_commands import ROOT
from containers import containers
from questlog_cluster import services, settings
from test_conf import hadoop, properties, rendered

CONTAINERS = containers()
ENGINES = {name: container for name, container in CONTAINERS.items() if name != "mids"}


def settings_in(container, tmp_path):
    environment = {**container.environment, "QUESTLOG_CLUSTER_STATE": str(tmp_path), "QUESTLOG_CLUSTER_CACHE": str(tmp_path)}
    return settings.from_environment(environment)


def services_of(container):
    assert container.command[:2] == ["cluster/up", "--foreground"]
    return services.named(container.command[2:])


def test_names_and_ports_are_the_reference_s():
    assert list(CONTAINERS) == ["zookeeper", "kafka", "namenode", "datanode", "spark", "questlog", "mids"]
    assert CONTAINERS["zookeeper"].expose == ["32181"]
    assert CONTAINERS["kafka"].expose == ["29092"]
    assert "8020" in CONTAINERS["namenode"].expose
    assert CONTAINERS["spark"].ports == ["127.0.0.1:8888:8888"]
    assert CONTAINERS["questlog"].ports == ["127.0.0.1:5000:5000"]


def test_every_service_runs_in_one_container():
    assert sorted(service.name for container in ENGINES.values() for service in services_of(container)) == sorted(services.ALL)


@pytest.mark.parametrize("name", ENGINES)
def test_a_container_starts_its_own_services_alone(name, tmp_path):
    """What they need is another container's, so it is waited for and not started a second time."""
    container = ENGINES[name]
    own = services_of(container)
    assert services.with_needed(own, settings_in(container, tmp_path)) == own
    assert container.health == ["cluster/status", *(service.name for service in own)]


@pytest.mark.parametrize("name", ENGINES)
def test_every_port_is_open_to_the_others(name, tmp_path):
    container = ENGINES[name]
    here = settings_in(container, tmp_path)
    ports = {str(here.port(port)) for service in services_of(container) for port in service.ports(here)}
    published = {port.rpartition(":")[2] for port in container.ports}
    assert ports == set(container.expose) | published


def test_only_loopback_is_published():
    assert all(port.startswith("127.0.0.1:") for container in CONTAINERS.values() for port in container.ports)


@pytest.mark.parametrize("name", ENGINES)
def test_all_containers_know_each_other_by_the_same_names(name, tmp_path):
    here = settings_in(ENGINES[name], tmp_path)
    assert here.bind == "0.0.0.0"
    for service in services.ALL:
        home = next(other for other, container in ENGINES.items() if service in container.command[2:])
        assert here.host(service) == home


def test_the_shared_configuration_has_the_reference_s_addresses(tmp_path):
    here = settings_in(ENGINES["kafka"], tmp_path)
    kafka = properties(rendered(here, "kafka")["server-zookeeper.properties"])
    assert kafka["advertised.listeners"] == "PLAINTEXT://kafka:29092"
    assert kafka["listeners"] == "PLAINTEXT://0.0.0.0:29092"
    assert kafka["zookeeper.connect"] == "zookeeper:32181"
    hdfs = rendered(here, "hadoop")
    assert hadoop(hdfs["core-site.xml"])["fs.defaultFS"] == "hdfs://namenode:8020"
    site = hadoop(hdfs["hdfs-site.xml"])
    assert site["dfs.namenode.rpc-bind-host"] == "0.0.0.0" and site["dfs.datanode.hostname"] == "datanode"
    assert "spark://spark:7077" in rendered(here, "spark")["spark-defaults.conf"]


@pytest.mark.parametrize("name", ENGINES)
def test_configuration_and_data_are_mounted(name):
    volumes = ENGINES[name].volumes
    assert "./cluster/conf:/questlog/cluster/conf:ro" in volumes
    assert f"{name}:/questlog/cluster/.state" in volumes


def test_notebooks_are_the_user_s_own_folder():
    assert "./notebooks:/questlog/notebooks" in CONTAINERS["spark"].volumes


def test_every_image_is_built_by_the_dockerfile():
    dockerfile = (ROOT / "Dockerfile").read_text()
    stages = re.findall(r"^FROM \S+ AS (\w+)$", dockerfile, re.MULTILINE)
    assert {container.target for container in CONTAINERS.values()} <= set(stages)
    for copied in re.findall(r"^COPY (?!--from)(\S+) ", dockerfile, re.MULTILINE):
        assert (ROOT / copied).exists()
    for tool in ("jq", "kcat", "apache2-utils"):
        assert re.search(rf"install.*\b{tool}\b", dockerfile)


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")
def test_docker_compose_takes_the_file():
    done = subprocess.run(["docker-compose", "--file", ROOT / "compose.yaml", "config", "--services"], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == sorted(CONTAINERS)
