"""The lock file pins everything that is downloaded, and THIRD_PARTY.md names the licence of each."""

import re

import pytest
from cluster_commands import ROOT
from questlog_cluster import artifacts, relock

LOCK = artifacts.load()


def packages():
    return {**LOCK.wheels, **LOCK.sdists, **LOCK.build}


def test_every_artifact_has_a_checksum():
    checksums = [sha256 for jars in LOCK.jars.values() for sha256 in jars.values()] + list(packages().values())
    assert len(checksums) > 300
    assert all(artifacts.SHA256.fullmatch(sha256) for sha256 in checksums)


@pytest.mark.parametrize("jar_set", artifacts.JAR_SETS)
def test_roots_are_locked(jar_set):
    assert {artifacts.Jar.parse(root) for root in relock.JAR_ROOTS[jar_set]} <= set(LOCK.jars[jar_set])
    names = [jar.file_name for jar in LOCK.jars[jar_set]]
    assert len(set(names)) == len(names)


def test_python_roots_are_locked():
    assert set(relock.WHEEL_ROOTS) <= set(LOCK.wheels)
    assert set(relock.SDIST_ROOTS) == set(LOCK.sdists)
    assert set(relock.BUILD_ROOTS) == set(LOCK.build)


def test_spark_s_jars_fit_its_python_package():
    assert LOCK.version("spark", "spark-sql-kafka-0-10_2.12") == LOCK.version("python", "pyspark")


def test_another_lock_has_other_folders():
    changed = artifacts.Lock({**LOCK.jars, "kafka": {jar: "0" * 64 for jar in LOCK.jars["kafka"]}}, LOCK.python_version,
                             {**LOCK.wheels, "more==1": "0" * 64}, LOCK.sdists, LOCK.build)
    assert changed.folder_name("kafka") != LOCK.folder_name("kafka")
    assert changed.folder_name("python") != LOCK.folder_name("python")
    assert changed.folder_name("hdfs") == LOCK.folder_name("hdfs")


def test_every_artifact_s_licence_is_listed():
    listed = set(re.findall(r"[\w.-]+", (ROOT / "THIRD_PARTY.md").read_text().partition("## What the cluster downloads")[2]))
    wanted = {jar.artifact for jars in LOCK.jars.values() for jar in jars} | {name.partition("==")[0] for name in packages()}
    assert wanted - listed == set()
