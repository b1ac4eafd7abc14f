"""The Java that the engines run on."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from questlog_cluster.errors import ClusterError

# Kafka 3.9, Hadoop 3.4 and Spark 3.5 all run on 17. Hadoop 3.4 needs what Java 24 took away.
OLDEST, NEWEST = 17, 23


def version_of(program):
    """17 of `openjdk version "17.0.15"`; None of what is no Java."""
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    except OSError:
        return None
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else None


def candidates():
    if "JAVA_HOME" in os.environ:
        yield Path(os.environ["JAVA_HOME"]) / "bin" / "java"
    if found := shutil.which("java"):
        yield Path(found).resolve()
    yield from sorted(Path("/usr/lib/jvm").glob("java-17-*/bin/java"))


@functools.cache
def java():
    """JAVA_HOME's, the one in PATH, or Debian's: the first that is not too old or too new."""
    seen = []
    for program in candidates():
        version = version_of(program)
        if version is not None and OLDEST <= version <= NEWEST:
            return str(program)
        seen.append(f"{program} is {'no Java' if version is None else f'Java {version}'}")
    raise ClusterError("\n".join([f"Java {OLDEST} is needed, and there is none.", *seen,
                                  "On Debian 12: apt-get install openjdk-17-jre-headless. Elsewhere set JAVA_HOME to a Java 17."]))
