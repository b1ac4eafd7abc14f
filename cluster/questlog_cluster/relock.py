"""cluster/relock: resolves the roots below, downloads everything once, and writes artifacts.toml with what came.

For whoever raises a version: change a root here, run cluster/relock, read the difference, run `make test-cluster`, and
bring THIRD_PARTY.md up to date (a test names what it lacks)."""

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from questlog_cluster.artifacts import LOCK_FILE, Jar
from questlog_cluster.errors import ClusterError
from questlog_cluster.maven import COPY_DEPENDENCIES, maven, project

# ZooKeeper comes with Kafka 3.9, the last line that can do with and without it. Hadoop's daemons and clients are three artifacts.
# Of Spark's Kafka source and of Delta only the jars that pyspark lacks are taken, so nothing that their POMs bring in is asked for; the
# versions are those the POMs name. Delta's is the one that `questlog connect --for spark` prints.
JAR_ROOTS = {
    "kafka": ["org.apache.kafka:kafka_2.13:3.9.2", "org.apache.kafka:kafka-tools:3.9.2", "org.slf4j:slf4j-reload4j:1.7.36"],
    "hdfs": ["org.apache.hadoop:hadoop-hdfs:3.4.2", "org.apache.hadoop:hadoop-hdfs-client:3.4.2",
             "org.apache.hadoop:hadoop-common:3.4.2"],
    "spark": ["org.apache.spark:spark-sql-kafka-0-10_2.12:3.5.7", "org.apache.spark:spark-token-provider-kafka-0-10_2.12:3.5.7",
              "org.apache.kafka:kafka-clients:3.4.1", "org.apache.commons:commons-pool2:2.11.1",
              "io.delta:delta-spark_2.12:3.3.2", "io.delta:delta-storage:3.3.2"],
}
WITHOUT_DEPENDENCIES = {"spark"}

# pyspark 3.5 cannot give results to pandas 3. fsspec reads WebHDFS by requests.
PYTHON_VERSION = "3.11"
OLDEST_PYTHON = "3.11.2"  # Debian 12's: what asks for a later one is not taken
WHEEL_ROOTS = ["jupyterlab==4.6.6", "ipykernel==7.4.0", "duckdb==1.5.6", "pandas==2.3.3", "pyarrow==26.0.1", "fsspec==2026.9.0",
               "matplotlib==3.11.2", "requests==2.34.2", "py4j==0.10.9.7"]
SDIST_ROOTS = ["pyspark==3.5.7"]
BUILD_ROOTS = ["setuptools==84.2.1", "wheel==0.48.0"]


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def jar_at(path, repository):
    """The jar of a file in Maven's layout: group/parts/artifact/version/artifact-version[-classifier].jar."""
    *group, artifact, version, name = path.relative_to(repository).parts
    classifier = name.removeprefix(f"{artifact}-{version}").removesuffix(".jar").removeprefix("-")
    return Jar(".".join(group), artifact, version, classifier)


def locked_jars(roots, transitive, folder):
    (folder / "pom.xml").write_text(project([Jar.parse(root) for root in roots], transitive=transitive))
    maven(folder, [COPY_DEPENDENCIES, "-DincludeScope=runtime", "-Dmdep.useRepositoryLayout=true",
                   f"-DoutputDirectory={folder}/jars"])
    found = {jar_at(path, folder / "jars").coordinates: sha256_of(path) for path in (folder / "jars").rglob("*.jar")}
    return dict(sorted(found.items()))


def distribution_of(path):
    """"name==version" of a wheel, by its metadata, or of an sdist, by its name."""
    if path.suffix != ".whl":
        return "==".join(path.name.removesuffix(".tar.gz").rsplit("-", 1))
    with zipfile.ZipFile(path) as wheel:
        metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))).decode()
    name, version = (re.search(rf"^{key}: (.+)$", metadata, re.MULTILINE)[1].strip() for key in ("Name", "Version"))
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def locked_packages(roots, options, folder):
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--dest", folder, *options, *roots], check=True)
    found = {distribution_of(path): sha256_of(path) for path in folder.iterdir()}
    return dict(sorted(found.items()))


def table(heading, entries):
    return [f"[{heading}]", *(f'"{name}" = "{sha256}"' for name, sha256 in entries.items()), ""]


def main(command, args):
    argparse.ArgumentParser(prog=f"cluster/{command}", description=__doc__,
                            formatter_class=argparse.RawDescriptionHelpFormatter).parse_args(args)
    if "%d.%d" % sys.version_info[:2] != PYTHON_VERSION:
        raise ClusterError(f"the lock is for Python {PYTHON_VERSION}, and this is {sys.version.split()[0]}")
    lines = ["# Written by cluster/relock: what cluster/up downloads, and the SHA-256 of each file. Jars by Maven, packages by pip.",
             "# The wheels are those for CPython's version below on Linux x86-64.", ""]
    with tempfile.TemporaryDirectory() as scratch:
        def folder(name):
            made = Path(scratch, name)
            made.mkdir()
            return made

        for name, roots in JAR_ROOTS.items():
            print(f"relock: {name}", flush=True)
            lines += table(f"{name}.jars", locked_jars(roots, name not in WITHOUT_DEPENDENCIES, folder(name)))
        lines += ["[python]", f'version = "{PYTHON_VERSION}"', ""]
        binary = ["--only-binary", ":all:", "--python-version", OLDEST_PYTHON]
        source = ["--no-deps", "--no-binary", ":all:"]
        for name, roots, options in (("wheels", WHEEL_ROOTS, binary), ("sdists", SDIST_ROOTS, source),
                                     ("build", BUILD_ROOTS, [*binary, "--no-deps"])):
            print(f"relock: {name}", flush=True)
            lines += table(f"python.{name}", locked_packages(roots, options, folder(name)))
    LOCK_FILE.write_text("\n".join(lines).rstrip() + "\n")
    print(f"relock: wrote {LOCK_FILE}")
    return 0
