"""cluster/conf/ is filled in whole, and listens on loopback unless told otherwise."""

import json
import tomllib
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from questlog_cluster import engines, render, services, settings, up
from questlog_cluster.errors import ClusterError

MORE = {"questlog": {"kafka": "", "lake": ""}, "spark": {"spark_jars": "/jars"}, "jupyter": {"notebooks": json.dumps('/my "notes"')}}


@pytest.fixture
def here(tmp_path):
    return settings.Settings(state=tmp_path / "state", cache=tmp_path, notebooks=tmp_path, binary=tmp_path)


def rendered(settings_, component):
    folder = render.render(settings_, component, **MORE.get(component, {}))
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def properties(text):
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def hadoop(text):
    return {entry.findtext("name"): entry.findtext("value") for entry in xml.fromstring(text)}


@pytest.mark.parametrize("component", render.COMPONENTS)
def test_everything_is_filled_in(here, component):
    files = rendered(here, component)
    assert files and not [name for name, text in files.items() if "${" in text]


def test_addresses_without_settings(here):
    kafka, hdfs = rendered(here, "kafka"), rendered(here, "hadoop")
    server = properties(kafka["server-zookeeper.properties"])
    assert server["listeners"] == server["advertised.listeners"] == "PLAINTEXT://127.0.0.1:29092"
    assert server["zookeeper.connect"] == "127.0.0.1:32181"
    assert properties(kafka["zookeeper.properties"])["clientPortAddress"] == "127.0.0.1"
    kraft = properties(kafka["server-kraft.properties"])
    assert kraft["listeners"] == "PLAINTEXT://127.0.0.1:29092,CONTROLLER://127.0.0.1:29093"
    assert kraft["log.dirs"] != server["log.dirs"]
    site = hadoop(hdfs["hdfs-site.xml"])
    assert site["dfs.namenode.rpc-bind-host"] == site["dfs.namenode.http-bind-host"] == "127.0.0.1"
    assert all(site[f"dfs.datanode.{name}"].startswith("127.0.0.1:") for name in ("address", "http.address", "ipc.address"))
    assert hadoop(hdfs["core-site.xml"])["fs.defaultFS"] == "hdfs://127.0.0.1:8020"
    assert json.loads(rendered(here, "jupyter")["jupyter_server_config.json"])["ServerApp"]["ip"] == "127.0.0.1"
    assert 'listen = "127.0.0.1:5000"' in rendered(here, "questlog")["questlog.toml"]


@pytest.mark.parametrize("beside", [frozenset(), frozenset({"kafka"}), frozenset({"kafka", "namenode", "datanode"})])
def test_questlog_s_log_and_lake_are_on_the_services_beside_it(here, beside):
    engines.questlog(engines.World(here, None, beside))
    said = tomllib.loads((here.conf("questlog") / "questlog.toml").read_text())
    assert said.get("kafka") == ({"bootstrap": "127.0.0.1:29092"} if "kafka" in beside else None)
    assert said.get("lake") == ({"root": "hdfs://127.0.0.1:8020/", "webhdfs": "127.0.0.1:9870"} if "namenode" in beside else None)
    assert said["server"]["listen"] == "127.0.0.1:5000"


def test_another_host_s_services_are_beside_it(here):
    only_questlog = [services.ALL["questlog"]]
    assert up.beside(here, only_questlog) == {"questlog"}
    assert up.beside(here, [*only_questlog, services.ALL["kafka"]]) == {"questlog", "kafka"}
    assert up.beside(replace(here, hosts={"kafka": "kafka"}), only_questlog) == {"questlog", "kafka"}


def test_both_ways_of_kafka_are_the_same_broker(here):
    """What is said of topics and replicas does not depend on ZooKeeper."""
    files = rendered(here, "kafka")
    of_the_way = {"broker.id", "listeners", "advertised.listeners", "zookeeper.connect", "zookeeper.session.timeout.ms", "log.dirs",
                  "process.roles", "node.id", "controller.quorum.voters", "controller.listener.names", "inter.broker.listener.name",
                  "listener.security.protocol.map"}
    with_it, without = ({key: value for key, value in properties(files[f"server-{way}.properties"]).items() if key not in of_the_way}
                        for way in ("zookeeper", "kraft"))
    assert with_it == without and with_it


def test_jupyter_takes_any_folder(here):
    conf = json.loads(rendered(here, "jupyter")["jupyter_server_config.json"])
    assert conf["ServerApp"]["root_dir"] == '/my "notes"'


def test_several_may_fill_in_at_once(here):
    """As Spark and JupyterLab do, which start side by side with the same files."""
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            assert len({str(folder) for folder in pool.map(lambda _: render.render(here, "kafka"), range(8))}) == 1
    assert sorted(path.name for path in here.conf("kafka").iterdir()) == sorted(
        path.name for path in (settings.CONF / "kafka").iterdir())


def test_an_unknown_name_is_told(here, tmp_path, monkeypatch):
    (tmp_path / "conf" / "kafka").mkdir(parents=True)
    (tmp_path / "conf" / "kafka" / "server.properties").write_text("port=${kafak_port}\n")
    monkeypatch.setattr(render, "CONF", tmp_path / "conf")
    with pytest.raises(ClusterError, match="server.properties.*kafak_port"):
        render.render(here, "kafka")
