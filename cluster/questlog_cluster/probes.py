"""Whether a service answers as a client needs it to. Each probe asks over the network as any client would, returns within a few
seconds, and takes every failure for a no."""

import http.client
import json
import socket
import struct

from questlog_cluster import kafka_metadata

TIMEOUT_S = 2.0
NAMENODE_INFO = "/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo"


def http_request(host, port, path, method="GET", timeout_s=TIMEOUT_S):
    """(status, body). Through no proxy, whatever the environment says: these are our own addresses."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _http_json(settings, port_name, host_of, path):
    status, body = http_request(settings.host(host_of), settings.port(port_name), path)
    return json.loads(body) if status == 200 else None


def _exchange(host, port, request, expected):
    with socket.create_connection((host, port), TIMEOUT_S) as connection:
        connection.sendall(request)
        answer = b""
        while len(answer) < expected and (more := connection.recv(4096)):
            answer += more
        return answer


def _zookeeper_says(settings, word, expected):
    return _exchange(settings.host("zookeeper"), settings.port("zookeeper"), word, expected)


def zookeeper(settings):
    return _zookeeper_says(settings, b"ruok", 4) == b"imok"


def broker_place_is_free(settings):
    """ZooKeeper knows no broker 1, as it does for a while after one was killed."""
    sessions = _zookeeper_says(settings, b"dump", 1 << 20)
    return b"Sessions with Ephemerals" in sessions and b"/brokers/ids/1\n" not in sessions


def kafka(settings):
    """The broker has joined its cluster."""
    return kafka_metadata.ask(settings.host("kafka"), settings.port("kafka"), TIMEOUT_S).brokers >= 1


def _namenode_info(settings):
    answer = _http_json(settings, "webhdfs", "namenode", NAMENODE_INFO)
    return answer["beans"][0] if answer and answer["beans"] else None


def namenode(settings):
    with socket.create_connection((settings.host("namenode"), settings.port("namenode")), TIMEOUT_S):
        return _namenode_info(settings) is not None


def webhdfs(settings):
    return http_request(settings.host("namenode"), settings.port("webhdfs"), "/webhdfs/v1/?op=GETFILESTATUS")[0] == 200


def datanode(settings):
    """The NameNode knows a live DataNode, and takes writes."""
    info = _namenode_info(settings)
    return info is not None and not info["Safemode"] and len(json.loads(info["LiveNodes"])) >= 1


def spark(settings):
    """The master has a worker."""
    master = _http_json(settings, "spark-ui", "spark", "/json/")
    return master is not None and master["status"] == "ALIVE" and master["aliveworkers"] >= 1


def jupyter(settings):
    return _http_json(settings, "jupyter", "jupyter", "/api") is not None


def questlog(settings):
    return http_request(settings.host("questlog"), settings.port("questlog"), "/readyz")[0] == 200


def answers(probe, settings):
    try:
        return probe(settings)
    except (OSError, http.client.HTTPException, ValueError, KeyError, struct.error):
        return False
