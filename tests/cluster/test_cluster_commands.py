"""Every command says how it is used, and what is wrong with how it was used."""

import pytest
from questlog_cluster import services, settings
from questlog_cluster.errors import UsageError

KEYS = ["zookeeper", "kafka", "namenode", "webhdfs", "datanode", "spark", "jupyter", "questlog"]
REFERENCE_PORTS = {"zookeeper": 32181, "kafka": 29092, "namenode": 8020, "jupyter": 8888, "questlog": 5000}


@pytest.mark.parametrize("command", ["up", "down", "logs", "status"])
def test_help_has_examples(cluster, command):
    said = cluster.ok(command, "--help")
    assert f"cluster/{command}" in said and "examples:" in said


@pytest.mark.parametrize(("args", "says"), [
    (["up", "kafak"], "there is no service kafak"),
    (["up", "--port", "kafak=1"], "there is no port 'kafak'"),
    (["up", "--port", "kafka"], "write kafka=PORT"),
    (["up", "--port", "kafka=0"], "from 1 to 65535"),
    (["up", "--port", "kafka=65536"], "from 1 to 65535"),
    (["down", "--wipe", "kafka"], "goes with no service's name"),
    (["logs", "-n", "many"], "no number of lines"),
    (["status", "spork"], "there is no service spork"),
])
def test_misuse_is_told(cluster, args, says):
    cluster.fails(*args, code=2, says=[says])


def test_misuse_of_the_environment_is_told(cluster):
    cluster.environment["QUESTLOG_CLUSTER_HOSTS"] = "kafka"
    cluster.fails("status", code=2, says=["QUESTLOG_CLUSTER_HOSTS has 'kafka'"])


def test_a_folder_that_engines_cannot_work_in_is_told(cluster):
    cluster.environment["QUESTLOG_CLUSTER_STATE"] = str(cluster.folder / "my state")
    cluster.fails("up", "questlog", code=2, says=["my state", "QUESTLOG_CLUSTER_STATE"])


def test_default_ports_are_the_reference_s():
    assert {name: settings.PORTS[name][0] for name in REFERENCE_PORTS} == REFERENCE_PORTS
    assert len({port for port, _ in settings.PORTS.values()}) == len(settings.PORTS)


def test_status_of_nothing(cluster):
    status = cluster.status()
    assert list(status) == KEYS
    for key in KEYS:
        assert status[key]["address"] == cluster.address(key)
        assert (status[key]["pid"], status[key]["state"]) == (None, "down")
    assert cluster.run("status", "kafka").code == 1
    cluster.fails("logs", says=["there is no log yet"])
    assert "Nothing is running" in cluster.ok("down")


def names(chosen):
    return [service.name for service in chosen]


def test_a_subset_brings_what_it_needs(tmp_path):
    here = settings.Settings(state=tmp_path, cache=tmp_path, notebooks=tmp_path, binary=tmp_path)
    kraft = settings.Settings(state=tmp_path, cache=tmp_path, notebooks=tmp_path, binary=tmp_path, kraft=True)
    apart = settings.Settings(state=tmp_path, cache=tmp_path, notebooks=tmp_path, binary=tmp_path, hosts={"zookeeper": "zookeeper"})

    def needed(settings, *asked):
        return names(services.with_needed(services.named(asked), settings))

    assert needed(here) == list(services.ALL)
    assert needed(here, "kafka") == ["zookeeper", "kafka"]
    assert needed(kraft, "kafka") == ["kafka"]
    assert needed(kraft) == [name for name in services.ALL if name != "zookeeper"]
    assert needed(apart, "kafka") == ["kafka"]
    assert needed(here, "hdfs", "questlog") == ["namenode", "datanode", "questlog"]
    assert needed(here, "datanode") == ["namenode", "datanode"]
    assert names(services.with_dependents(services.named(["zookeeper", "namenode"]), here)) == \
        ["zookeeper", "kafka", "namenode", "datanode"]
    with pytest.raises(UsageError):
        services.named(["hdsf"])
