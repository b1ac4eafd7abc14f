"""Lakes on a real HDFS, and what lies there by another client: WebHDFS through Python's own, and `hdfs dfs`."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from cluster_commands import ROOT
from questlog_cluster import processes
from questlog_process import Questlog
from waiting import wait_until

START_S = 600  # with downloads
_numbers = itertools.count(1)


class Hdfs:
    """The HDFS of a cluster."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.authority = "hdfs://" + cluster.address("namenode")
        self.webhdfs = cluster.address("webhdfs")

    def up(self):
        self.cluster.ok("up", "namenode", "datanode", deadline_s=START_S)
        self.call("PUT", "/", "SETPERMISSION", permission="777")

    def call(self, method, path, operation, body=None, **parameters):
        """The answer's bytes; nothing for a path that is not there."""
        query = urllib.parse.urlencode({"op": operation, "user.name": self.owner, **parameters})
        request = urllib.request.Request(f"http://{self.webhdfs}/webhdfs/v1{urllib.parse.quote(path)}?{query}", data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as refused:
            if refused.code == 404:
                return None
            if refused.code == 307:  # Python follows no redirect of a PUT
                with urllib.request.urlopen(urllib.request.Request(refused.headers["Location"], data=body, method=method),
                                            timeout=30) as answer:
                    return answer.read()
            raise AssertionError(refused.read().decode()) from refused

    @property
    def owner(self):
        return self.cluster.environment.get("USER") or "root"

    def list(self, path):
        """Name -> status."""
        answer = self.call("GET", path, "LISTSTATUS")
        statuses = json.loads(answer)["FileStatuses"]["FileStatus"] if answer else []
        return {status["pathSuffix"]: status for status in statuses}

    def tree(self, path):
        """Every file below, by its path from there."""
        files = {}
        for name, status in self.list(path).items():
            if status["type"] == "DIRECTORY":
                files |= {f"{name}/{inner}": bytes_ for inner, bytes_ in self.tree(f"{path}/{name}").items()}
            else:
                files[name] = self.call("GET", f"{path}/{name}", "OPEN")
        return files

    def put(self, path, body):
        self.call("PUT", path, "CREATE", body=body, overwrite="true")

    def takes_files(self):
        try:
            self.put("/probe", b"probe")
            return self.call("GET", "/probe", "OPEN") == b"probe"
        except (AssertionError, OSError):
            return False

    def tool(self, *args):
        """`hdfs dfs`, `hdfs dfsadmin`: standard output."""
        done = subprocess.run([ROOT / "cluster" / "bin" / "hdfs", *map(str, args)], env=self.cluster.environment, capture_output=True,
                              text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def kill(self, name):
        pid = self.cluster.status()[name]["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: processes.start_time(pid) is None, f"{name} is gone")

    def lake(self, folder, data=None, more="", settings=""):
        return HdfsLake(folder, self, data, more, settings)


class HdfsLake(Questlog):
    """A data folder whose lake is a folder of its own on HDFS."""

    def __init__(self, folder, hdfs, data=None, more="", settings=""):
        super().__init__(folder, data)
        self.hdfs = hdfs
        self.path = f"/lakes/{Path(folder).name}-{os.getpid()}-{next(_numbers)}"
        self.root = hdfs.authority + self.path
        self.configure(more, settings)

    def configure(self, more="", settings=""):
        self.write_config(f'{more}\n[lake]\nroot = "{self.root}"\nwebhdfs = "{self.hdfs.webhdfs}"\nuser = "{self.hdfs.owner}"\n{settings}\n')

    def tree(self, path=""):
        return self.hdfs.tree(self.path + path)

    def list(self, path=""):
        return self.hdfs.list(self.path + path)


def settled(questlog, count):
    """Every event is in exactly one place, and none is pending."""
    ledger = questlog.sql("SELECT * FROM ledger")
    assert all(row["balanced"] and row["pending"] == 0 and row["problem"] is None for row in ledger), ledger
    assert sum(row["landed"] for row in ledger) == count, ledger


@contextlib.contextmanager
def running(process):
    """Killed when the block is left, if it still runs."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def event(n, **more):
    return {"event_type": ("sword", "raid boss", "default")[n % 3], "n": n, "half": n / 2, "name": f"händler {n}", **more}
