"""Everything is up, and each engine does what it is there for."""

import http.client
import json
import subprocess
import urllib.parse
from pathlib import Path

import pytest
from cluster_commands import ROOT
from conftest import START_S, listening, notebook_environment
from questlog_process import BINARY
from test_cluster_commands import KEYS
from waiting import wait_until

pytestmark = pytest.mark.timeout(START_S + 60)
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def request(address, method, path, body=None, headers=None):
    """(status, headers, body)"""
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def run(*command, stdin=""):
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=True).stdout


def pids_of(status):
    return {entry["pid"] for entry in status.values()} | {status["spark"]["worker_pid"]}


def webhdfs(engines, method, path, operation, body=None):
    """A request to the NameNode and, where it says so, to the DataNode."""
    status, headers, answer = request(engines.address("webhdfs"), method, f"/webhdfs/v1{path}?op={operation}&user.name=ada")
    if status == 307:
        place = urllib.parse.urlsplit(headers["Location"])
        assert place.hostname == "127.0.0.1", "the DataNode, too, is on loopback"
        status, headers, answer = request(place.netloc, method, f"{place.path}?{place.query}", body)
    return status, answer


def test_everything_is_up(engines):
    status = engines.status()
    assert list(status) == KEYS
    for key in KEYS:
        assert status[key]["state"] == "up" and status[key]["address"] == engines.address(key)
        assert Path(f"/proc/{status[key]['pid']}").is_dir()
    assert status["webhdfs"]["pid"] == status["namenode"]["pid"]
    assert len(pids_of(status)) == 8


def test_a_second_up_changes_nothing(engines):
    before = engines.status()
    assert engines.ok("up").count("is up already") == 7
    assert engines.status() == before


def test_all_listen_on_loopback_alone(engines):
    addresses = listening(pids_of(engines.status()))
    assert addresses and addresses <= LOOPBACK


def test_a_message_through_kafka(engines):
    broker = engines.address("kafka")
    run("kcat", "-P", "-b", broker, "-t", "chat", stdin="hello\n")
    assert run("kcat", "-C", "-b", broker, "-t", "chat", "-o", "beginning", "-e", "-q") == "hello\n"


def test_topics_as_the_reference_makes_them(engines):
    create = ["--create", "--topic", "game-events", "--partitions", "1", "--replication-factor", "1", "--if-not-exists"]
    engines.ok("bin/kafka-topics", *create)
    engines.ok("bin/kafka-topics", *create)
    described = engines.ok("bin/kafka-topics", "--describe", "--topic", "game-events", "--bootstrap-server", engines.address("kafka"))
    assert "PartitionCount: 1\tReplicationFactor: 1" in described and "Leader: 1\tReplicas: 1\tIsr: 1" in described


def test_a_file_through_webhdfs(engines):
    content = b"swords\n" * 100_000
    status, answer = webhdfs(engines, "PUT", "/tmp/swords.txt", "CREATE&overwrite=true", content)
    assert status == 201, answer
    assert webhdfs(engines, "GET", "/tmp/swords.txt", "OPEN") == (200, content)
    status, answer = webhdfs(engines, "GET", "/tmp/swords.txt", "GETFILESTATUS")
    assert json.loads(answer)["FileStatus"]["replication"] == 1
    status, answer = webhdfs(engines, "PUT", "/tmp/swords.txt", "RENAME&destination=/tmp/blades.txt")
    assert (status, json.loads(answer)) == (200, {"boolean": True})
    assert "ada supergroup" in engines.ok("bin/hadoop", "fs", "-ls", "/tmp/blades.txt")


def test_spark_reads_kafka_and_writes_parquet_to_hdfs(engines):
    events = [{"event_type": "purchase_sword", "Host": "user1.comcast.com"}, {"event_type": "default", "Host": "user2.att.com"},
              {"event_type": "purchase_sword", "Host": "user2.att.com"}]
    run("kcat", "-P", "-b", engines.address("kafka"), "-t", "plays", stdin="".join(json.dumps(event) + "\n" for event in events))
    said = engines.ok("bin/spark-submit", ROOT / "tests" / "cluster" / "real" / "kafka_to_hdfs.py", engines.address("kafka"), "plays",
                      "/tmp/purchases", deadline_s=240)
    assert said == "purchase_sword user1.comcast.com\npurchase_sword user2.att.com\n"
    listed = engines.ok("bin/hdfs", "dfs", "-ls", "/tmp/purchases")
    assert "/tmp/purchases/_SUCCESS" in listed and ".snappy.parquet" in listed


def test_questlog_answers(engines):
    status, _, answer = request(engines.address("questlog"), "GET", "/purchase_a_sword")
    assert (status, answer) == (200, b"\nSword Purchased!\n")


def test_what_questlog_collects_is_in_kafka(engines):
    """The two are started together, so it is Kafka's topic that its commands read, too."""
    assert request(engines.address("questlog"), "GET", "/purchase_a_sword")[0] == 200
    def records():
        return run("kcat", "-C", "-b", engines.address("kafka"), "-t", "game-events", "-o", "beginning", "-e", "-q")
    wait_until(lambda: '"purchase_sword"' in records(), "it is forwarded", 30)
    read = subprocess.run([BINARY, "tail", "--data", engines.state / "data" / "questlog", "--config",
                           engines.state / "conf" / "questlog" / "questlog.toml", "-o", "beginning", "-e", "-q"],
                          capture_output=True, text=True, timeout=60, check=True).stdout
    assert read == records()


def test_jupyter_wants_its_token(engines):
    url = urllib.parse.urlsplit(engines.status()["jupyter"]["url"])
    token = urllib.parse.parse_qs(url.query)["token"][0]
    assert url.netloc == engines.address("jupyter") and url.path == "/lab"
    assert request(url.netloc, "GET", "/api/contents")[0] == 403
    assert request(url.netloc, "GET", f"/api/contents?token={'0' * len(token)}")[0] == 403
    assert request(url.netloc, "GET", "/api/contents", headers={"Authorization": f"token {token}"})[0] == 200
    assert (engines.state / "jupyter-token").stat().st_mode & 0o777 == 0o600


def test_notebooks_are_saved_in_the_user_s_folder(engines):
    url = urllib.parse.urlsplit(engines.status()["jupyter"]["url"])
    token = urllib.parse.parse_qs(url.query)["token"][0]
    notebook = {"type": "notebook", "format": "json", "content": {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}}
    status, _, answer = request(url.netloc, "PUT", "/api/contents/mine.ipynb", json.dumps(notebook),
                                {"Authorization": f"token {token}", "Content-Type": "application/json"})
    assert status == 201, answer
    assert json.loads((engines.notebooks / "mine.ipynb").read_text())["nbformat"] == 4


def test_a_notebook_queries_hdfs_with_spark_and_as_files(engines):
    """A kernel of JupyterLab's, with the environment that the server gives it."""
    environment = notebook_environment(engines)
    python = environment["PYSPARK_PYTHON"]
    webhdfs(engines, "PUT", "/tmp/lines.txt", "CREATE&overwrite=true", b"one\ntwo\n")
    cell = ("import fsspec, pandas\n"
            "from pyspark.sql import SparkSession\n"
            "spark = SparkSession.builder.getOrCreate()\n"
            "frame = spark.sql('select value from text.`/tmp/lines.txt`').toPandas()\n"
            f"files = fsspec.filesystem('webhdfs', host='127.0.0.1', port={engines.ports['webhdfs']}, user='ada')\n"
            "print(spark.sparkContext.master, sorted(frame.value), files.cat('/tmp/lines.txt'))\n")
    done = subprocess.run([python, "-c", cell], env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.stdout == f"spark://{engines.address('spark')} ['one', 'two'] b'one\\ntwo\\n'\n", done.stderr
