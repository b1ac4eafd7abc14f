"""How each engine is run: its command line, its environment, what must be made before it, and what in it once it is up."""

import base64
import json
import os
import re
import secrets
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from questlog_cluster import kafka_metadata, probes
from questlog_cluster.artifacts import PYTHON
from questlog_cluster.errors import ClusterError
from questlog_cluster.fetch import Cache
from questlog_cluster.java import java
from questlog_cluster.render import render, user
from questlog_cluster.settings import LOOPBACK, Settings, write_whole

# The first compiler alone: a cluster for development is started more often than it is loaded, and this halves a start's work.
# Kafka, which is loaded, has both.
QUICK_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
DAEMON_JVM = (*QUICK_JVM, "-XX:+ExitOnOutOfMemoryError")
TOOL_JVM = ("-Xmx256m", *QUICK_JVM)
# WebHDFS (jersey 1 and jaxb-impl) looks into java.lang, which Java 17 does not let it without.
HADOOP_OPENS = "--add-opens=java.base/java.lang=ALL-UNNAMED"
# Memory and cores that Spark's worker offers: room for four applications, each of which takes what conf/spark says. The cores are not
# the machine's: an application that waits, as a notebook mostly does, takes none.
WORKER_CORES, WORKER_MEMORY = "8", "6g"
# Longer than conf/kafka lets ZooKeeper keep the place of a broker that was killed.
BROKER_GONE_S = 30
LEADERS_S = 20
# Variables of the user's that would change the engines behind the back of their configuration.
MEDDLING = ("SPARK_", "PYSPARK_", "HADOOP_", "HDFS_", "KAFKA_", "JUPYTER_", "JUPYTERLAB_", "CLASSPATH")


@dataclass(frozen=True)
class Process:
    name: str
    command: list
    environment: dict
    folder: Path


@dataclass(frozen=True)
class World:
    """What engines and their tools are run in: settings, what was fetched, and the names of the services that run beside them."""

    settings: Settings
    cache: Cache
    beside: frozenset = frozenset()

    def kafka_java(self, main, *args, jvm, log4j):
        conf = render(self.settings, "kafka")
        return [java(), *jvm, f"-Dlog4j.configuration=file:{conf}/{log4j}", "-cp", f"{self.cache.folder('kafka')}/*", main, *args]

    def kafka_tool(self, main, *args):
        return self.kafka_java(main, *args, jvm=TOOL_JVM, log4j="tools-log4j.properties")

    def hadoop_java(self, main, *args, jvm, log4j):
        conf = render(self.settings, "hadoop")
        return [java(), *jvm, HADOOP_OPENS, f"-Dlog4j.configuration=file:{conf}/{log4j}",
                "-cp", f"{conf}:{self.cache.folder('hdfs')}/*", main, *args]

    def hadoop_tool(self, main, *args):
        return self.hadoop_java(main, *args, jvm=TOOL_JVM, log4j="tools-log4j.properties")

    def python(self):
        return str(self.cache.folder(PYTHON) / "bin" / "python")

    def spark_home(self):
        return self.cache.python_packages() / "pyspark"

    def spark_environment(self):
        """For all that use Spark: its own processes, jobs, shells, notebooks."""
        settings = self.settings
        variables = {**environment(), "SPARK_HOME": str(self.spark_home()),
                     "SPARK_CONF_DIR": str(render(settings, "spark", spark_jars=self.cache.folder("spark"))),
                     "HADOOP_CONF_DIR": str(render(settings, "hadoop")), "SPARK_LOCAL_DIRS": str(settings.data("spark-local")),
                     "PYSPARK_PYTHON": self.python(), "PYSPARK_DRIVER_PYTHON": self.python()}
        if settings.bind == LOOPBACK:
            variables["SPARK_LOCAL_IP"] = LOOPBACK
        return variables


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith(MEDDLING)}
    return {**kept, "JAVA_HOME": str(Path(java()).parents[1])}


def run_once(what, command):
    done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"{what} failed:\n{(done.stdout + done.stderr).strip()[-2000:]}")


def _alone(world, name, command, variables=None):
    return [Process(name, command, variables or environment(), world.settings.data(name))]


# --- Kafka

def kafka_file(settings):
    return settings.conf("kafka") / f"server-{'kraft' if settings.kraft else 'zookeeper'}.properties"


def zookeeper(world):
    return _alone(world, "zookeeper", world.kafka_java(
        "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(world.settings.conf("kafka") / "zookeeper.properties"),
        jvm=("-Xmx128m", *DAEMON_JVM), log4j="log4j.properties"))


def kafka(world):
    return _alone(world, "kafka", world.kafka_java(
        "kafka.Kafka", str(kafka_file(world.settings)), jvm=("-Xms256m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError"),
        log4j="log4j.properties"))


def make_place_for_kafka(world):
    """With ZooKeeper: a broker that was killed is gone for it, too. Without: the storage has its cluster id."""
    if world.settings.kraft:
        format_kraft(world)
        return
    deadline = time.monotonic() + BROKER_GONE_S
    while not probes.answers(probes.broker_place_is_free, world.settings):
        if time.monotonic() > deadline:
            raise ClusterError(f"ZooKeeper at {world.settings.address('zookeeper')} says that another broker 1 is alive. Stop that, or "
                               "choose other ports")
        time.sleep(0.1)


def format_kraft(world):
    if (world.settings.data("kafka-kraft") / "meta.properties").exists():
        return
    cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    run_once("formatting Kafka's storage", world.kafka_tool(
        "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "--config", str(kafka_file(world.settings)),
        "--ignore-formatted"))


def stored_partitions(settings):
    """(topic, partition) of each folder in Kafka's storage that is a topic's; KRaft's own log is none for clients."""
    storage = settings.data("kafka-kraft" if settings.kraft else "kafka")
    found = (re.fullmatch(r"([\w.-]+)-(\d+)", path.name) for path in storage.iterdir())
    return {(name[1], int(name[2])) for name in found if name and name[1] != "__cluster_metadata"}


def await_leaders(settings):
    """After a restart the broker answers before its partitions have leaders, and clients would be told to come again. What has none
    after a while, as a topic that is being deleted, keeps nobody up."""
    deadline = time.monotonic() + LEADERS_S
    while time.monotonic() < deadline:
        known = kafka_metadata.ask(settings.host("kafka"), settings.port("kafka"), LEADERS_S)
        if stored_partitions(settings) <= known.led:
            return
        time.sleep(0.1)


# --- HDFS

def namenode(world):
    return _alone(world, "namenode", world.hadoop_java("org.apache.hadoop.hdfs.server.namenode.NameNode",
                                                       jvm=("-Xmx384m", *DAEMON_JVM), log4j="log4j.properties"))


def datanode(world):
    return _alone(world, "datanode", world.hadoop_java("org.apache.hadoop.hdfs.server.datanode.DataNode",
                                                       jvm=("-Xmx384m", *DAEMON_JVM), log4j="log4j.properties"))


def format_namenode(world):
    if not (world.settings.data("namenode") / "current" / "VERSION").exists():
        run_once("formatting the NameNode", world.hadoop_tool("org.apache.hadoop.hdfs.server.namenode.NameNode",
                                                              "-format", "-nonInteractive"))


def make_hdfs_folders(settings):
    """/tmp, where the reference's jobs write, for everyone, and the user's home."""
    for path, mode in (("/tmp", "1777"), (f"/user/{user()}", "755")):
        status, body = probes.http_request(settings.host("namenode"), settings.port("webhdfs"),
                                           f"/webhdfs/v1{path}?op=MKDIRS&permission={mode}&user.name={user()}", "PUT", 20)
        if status != 200 or not json.loads(body)["boolean"]:
            raise ClusterError(f"HDFS made no {path}: {status} {body.decode(errors='replace')}")


# --- Spark

def spark(world):
    settings = world.settings
    variables = {**world.spark_environment(), "SPARK_DAEMON_MEMORY": "256m",
                 "SPARK_WORKER_OPTS": "-Dspark.worker.cleanup.enabled=true",
                 "SPARK_DAEMON_JAVA_OPTS": " ".join(
                     [*DAEMON_JVM, f"-Dlog4j2.configurationFile=file:{settings.conf('spark')}/daemons-log4j2.properties"])}
    program = [str(world.spark_home() / "bin" / "spark-class")]
    host = settings.host("spark")
    master = ["org.apache.spark.deploy.master.Master", "--host", host, "--port", str(settings.port("spark")),
              "--webui-port", str(settings.port("spark-ui"))]
    worker = ["org.apache.spark.deploy.worker.Worker", "--host", host, "--webui-port", str(settings.port("spark-worker-ui")),
              "--cores", WORKER_CORES, "--memory", WORKER_MEMORY, "--work-dir", str(settings.data("spark-work")),
              f"spark://{settings.address('spark')}"]
    return [Process("spark", program + master, variables, settings.data("spark")),
            Process("spark-worker", program + worker, variables, settings.data("spark"))]


# --- JupyterLab

def token_file(settings):
    return settings.state / "jupyter-token"


def make_jupyter_token(world):
    """Whoever may run code in JupyterLab is the user, so also on loopback a token is asked for, which only the user can read."""
    world.settings.notebooks.mkdir(parents=True, exist_ok=True)
    if not token_file(world.settings).exists():
        write_whole(token_file(world.settings), secrets.token_hex(24) + "\n", mode=0o600)


def jupyter_url(settings):
    """With the token; None while there is none. Containers publish the port on loopback as well."""
    try:
        return f"http://{LOOPBACK}:{settings.port('jupyter')}/lab?token={token_file(settings).read_text().strip()}"
    except FileNotFoundError:
        return None


def jupyter(world):
    settings, own = world.settings, world.settings.data("jupyter")
    conf = render(settings, "jupyter", notebooks=json.dumps(str(settings.notebooks)))
    command = [world.python(), "-m", "jupyterlab", "--config", str(conf / "jupyter_server_config.json")]
    if os.geteuid() == 0:
        command.append("--allow-root")
    return _alone(world, "jupyter", command, {
        **world.spark_environment(), **questlog_environment(world), "JUPYTER_TOKEN": token_file(settings).read_text().strip(),
        "JUPYTER_CONFIG_DIR": str(own / "config"), "JUPYTER_RUNTIME_DIR": str(own / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(own / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(own / "workspaces")})


# --- questlog

def questlog_config(world):
    """Where there is HDFS, its tables lie there; where there is Kafka, its log goes there."""
    settings = world.settings
    lake = (f'\n# Tables are on HDFS: /tmp/sword_purchases there is one\'s folder.\n[lake]\nroot = "hdfs://{settings.address("namenode")}/"\n'
            f'webhdfs = "{settings.address("webhdfs")}"\n' if "namenode" in world.beside else "")
    kafka = (f'\n# What is collected is forwarded to Kafka, and read there.\n[kafka]\nbootstrap = "{settings.address("kafka")}"\n'
             if "kafka" in world.beside else "")
    return render(settings, "questlog", lake=lake, kafka=kafka) / "questlog.toml"


def questlog_environment(world):
    """For notebooks, which ask the cluster's questlog and the files that it has written."""
    settings = world.settings
    return {"QUESTLOG_BINARY": str(settings.binary), "QUESTLOG_CONFIG": str(questlog_config(world)),
            "QUESTLOG_DATA": str(settings.data("questlog")), "QUESTLOG_WEBHDFS": settings.address("webhdfs"),
            "HADOOP_USER_NAME": user()}


def questlog(world):
    return _alone(world, "questlog", [str(world.settings.binary), "serve", "--data", str(world.settings.data("questlog")), "--config",
                                      str(questlog_config(world))], dict(os.environ))
