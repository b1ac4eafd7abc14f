"""cluster/bin/: the engines' own command line tools, against this cluster."""

import os
import sys

from questlog_cluster import artifacts, settings as places
from questlog_cluster.engines import World, environment
from questlog_cluster.errors import ClusterError
from questlog_cluster.fetch import Cache

# `hadoop fs` and its like: program -> its first word -> the class that is run with the rest.
HADOOP = {
    "hadoop": {"fs": "org.apache.hadoop.fs.FsShell"},
    "hdfs": {"dfs": "org.apache.hadoop.fs.FsShell", "dfsadmin": "org.apache.hadoop.hdfs.tools.DFSAdmin",
             "fsck": "org.apache.hadoop.hdfs.tools.DFSck"},
}


def need(cache, *parts):
    missing = [part for part in parts if not cache.has(part)]
    if missing:
        raise ClusterError(f"{', '.join(missing)} is not downloaded yet; cluster/up does that, or cluster/up --fetch-only")


def kafka_topics(world, args):
    need(world.cache, "kafka")
    if "--bootstrap-server" not in args:
        args = ["--bootstrap-server", world.settings.address("kafka"), *args]
    return world.kafka_tool("org.apache.kafka.tools.TopicCommand", *args), environment()


def hadoop(name, world, args):
    need(world.cache, "hdfs")
    classes = HADOOP[name]
    if not args or args[0] not in classes:
        raise ClusterError(f"of {name}'s commands there {'is' if len(classes) == 1 else 'are'} {', '.join(classes)}; for example: "
                           f"cluster/bin/{name} {next(iter(classes))} -ls /tmp")
    return world.hadoop_tool(classes[args[0]], *args[1:]), environment()


def spark(name, world, args):
    need(world.cache, "spark", artifacts.PYTHON)
    return [str(world.spark_home() / "bin" / name), *args], world.spark_environment()


def main(name, args):
    settings = places.from_environment().remembered()
    world = World(settings, Cache(settings.cache, artifacts.load()))
    if name == "kafka-topics":
        command, variables = kafka_topics(world, args)
    elif name in HADOOP:
        command, variables = hadoop(name, world, args)
    elif name in ("spark-submit", "pyspark"):
        command, variables = spark(name, world, args)
    else:
        raise ClusterError(f"cluster/launch has no command {name}")
    sys.stdout.flush()
    os.execve(command[0], command, variables)
