"""What the lock file pins: `artifacts.toml`, written by `cluster/relock`. Every jar and every Python package has its version and
its SHA-256 there; what is not there is not downloaded.

A *part* is what is fetched and used together: a set of jars, or the Python environment. Its folder in the cache is named by
its content, so that another lock file never meets the files of this one."""

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

LOCK_FILE = Path(__file__).resolve().parents[1] / "artifacts.toml"
JAR_SETS = ("kafka", "hdfs", "spark")
PYTHON = "python"
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Jar:
    group: str
    artifact: str
    version: str
    classifier: str = ""

    @classmethod
    def parse(cls, coordinates):
        """`group:artifact:version` or `group:artifact:version:classifier`."""
        return cls(*coordinates.split(":"))

    @property
    def coordinates(self):
        return ":".join(filter(None, (self.group, self.artifact, self.version, self.classifier)))

    @property
    def file_name(self):
        return "-".join(filter(None, (self.artifact, self.version, self.classifier))) + ".jar"


@dataclass(frozen=True)
class Lock:
    """jars: set -> {Jar: SHA-256}. wheels, sdists, build: {"name==version": SHA-256}; `build` is what the sdists are built with."""

    jars: dict
    python_version: str
    wheels: dict
    sdists: dict
    build: dict

    def folder_name(self, part):
        """Of a part in the cache: its name and the beginning of its content's SHA-256."""
        if part == PYTHON:
            content = [self.python_version, self.wheels, self.sdists, self.build]
        else:
            content = {jar.coordinates: sha256 for jar, sha256 in self.jars[part].items()}
        return f"{part}-{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]}"

    def version(self, part, artifact):
        """The pinned version of a jar's artifact, or of a Python package."""
        if part == PYTHON:
            return next(name.partition("==")[2] for name in {**self.wheels, **self.sdists} if name.startswith(f"{artifact}=="))
        return next(jar.version for jar in self.jars[part] if jar.artifact == artifact)


def load(path=LOCK_FILE):
    with open(path, "rb") as file:
        written = tomllib.load(file)
    python = written["python"]
    return Lock(jars={name: {Jar.parse(coordinates): sha256 for coordinates, sha256 in written[name]["jars"].items()}
                      for name in JAR_SETS},
                python_version=python["version"], wheels=python["wheels"], sdists=python["sdists"], build=python["build"])
