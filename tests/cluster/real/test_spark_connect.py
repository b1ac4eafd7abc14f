"""What `questlog connect TABLE --for spark` prints, done as it says: its command in a shell, its lines in the pyspark which that starts.
No cluster: a Spark as pip installs it, on this machine's files."""

import itertools
import os
import shutil
import subprocess

import pytest
from conftest import START_S
from questlog_cluster import artifacts, settings
from questlog_cluster.engines import environment
from questlog_cluster.fetch import Cache
from questlog_process import Questlog

pytestmark = pytest.mark.timeout(START_S + 240)
FOLDER = """händler's "data" 100% #1"""


@pytest.fixture(scope="module")
def cache(fetched):
    return Cache(settings.from_environment().cache, artifacts.load())


@pytest.fixture(scope="module")
def home(cache, tmp_path_factory):
    """The home of someone whose Maven has Delta already, where Spark looks first: the pinned jars, and of their POMs what says which
    of them needs which."""
    home = tmp_path_factory.mktemp("home")
    jars = {jar.artifact: jar for jar in cache.lock.jars["spark"] if jar.group == "io.delta"}
    for jar in jars.values():
        needed = [other for other in jars.values() if jar.artifact == "delta-spark_2.12" and other != jar]
        repository = home / ".m2" / "repository" / "io" / "delta" / jar.artifact / jar.version
        repository.mkdir(parents=True)
        shutil.copy(cache.folder("spark") / jar.file_name, repository)
        (repository / f"{jar.artifact}-{jar.version}.pom").write_text(
            "<project><modelVersion>4.0.0</modelVersion>" + described(jar) + "<dependencies>" +
            "".join(f"<dependency>{described(other)}</dependency>" for other in needed) + "</dependencies></project>\n")
    return home


def described(jar):
    return f"<groupId>{jar.group}</groupId><artifactId>{jar.artifact}</artifactId><version>{jar.version}</version>"


@pytest.fixture(scope="module")
def landed(tmp_path_factory):
    questlog = Questlog(tmp_path_factory.mktemp("lake") / FOLDER)
    questlog.write_config("[landing]\ncut_ms = 200\n")
    with questlog.serve() as server:
        for first, more in ((0, {}), (10, {"late": "yes"})):
            server.send_events([{"event_type": "sword", "n": n, "half": n / 2, **more} for n in range(first, first + 10)])
            questlog.ok("land", "--once")
        assert server.get("/purchase_a_sword").status == 200
        assert server.stop() == 0
    questlog.write_config("[[job]]\nname = 'bought'\n[[job.output]]\npath = 'bought'\nwhere = \"event_type = 'purchase_sword'\"\n")
    questlog.ok("batch", "bought")
    return questlog


def in_pyspark(cache, home, command, lines, cwd):
    """What the lines print, in a shell's `pyspark`."""
    done = subprocess.run(
        ["bash", "-ec", command], input="\n".join([*lines, ""]), cwd=cwd, capture_output=True, text=True, timeout=240, check=False,
        env={**environment(), "PATH": f"{cache.folder(artifacts.PYTHON) / 'bin'}:{os.environ['PATH']}", "SPARK_LOCAL_IP": "127.0.0.1",
             "HOME": str(home), "JAVA_TOOL_OPTIONS": f"-Duser.home={home} -XX:TieredStopAtLevel=1",
             "PYSPARK_DRIVER_PYTHON_OPTS": "-i"})  # as where there is a terminal
    return done.stdout, done.stderr


def test_connect_prints_what_reads_it(cache, home, landed, tmp_path):
    assert f"delta-spark_2.12:{cache.lock.version('spark', 'delta-spark_2.12')} " in landed.ok("connect", "sword", "--for", "spark")
    printed = landed.ok("connect", "sword", "--for", "spark").splitlines()
    comment = itertools.takewhile(lambda line: line.startswith("#"), printed)
    command = "\n".join(line.removeprefix("#") for line in comment)
    alternative = printed[-1].partition("Without Delta's packages: ")[2]
    snapshot = landed.ok("connect", "bought", "--for", "spark").splitlines()
    said, log = in_pyspark(cache, home, command, [
        *printed, "print('delta', sorted((row.n, row.half, row.late, str(row.date) != '') for row in table.collect()))",
        f"table = {alternative}", "print('files', sorted((row.n, row.half, row.late, str(row.date) != '') for row in table.collect()))",
        *snapshot, "print('snapshot', table.count(), table.first().event_type)"], tmp_path)
    expected = [(n, n / 2, "yes" if n >= 10 else None, True) for n in range(20)]
    for name in ("delta", "files"):
        assert f"{name} {expected}" in said, said + log
    assert "snapshot 1 purchase_sword" in said, said + log
    assert "io.delta#delta-storage" in log and "in local-m2-cache" in log and "in central" not in log, log
