"""Brings what the lock file pins into the cache: jars by Maven, Python packages by pip, each as configured on this machine. The parts
are independent and are fetched at the same time. A part is in the cache whole and checked, or not at all; what was
interrupted goes on where it can: Maven from its local repository, pip from its own cache."""

import fcntl
import hashlib
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from questlog_cluster import maven
from questlog_cluster.artifacts import PYTHON
from questlog_cluster.errors import ClusterError

RETRY = "Once the network and the configuration of {client} are right, run this again; it goes on where it was."
STAMP = "complete"


class Cache:
    """The folder of downloads, which any number of checkouts and clusters may share."""

    def __init__(self, folder, lock):
        self.root = folder
        self.lock = lock
        self._children = set()
        self._guard = threading.Lock()
        self._abandoned = False

    def folder(self, part):
        """Where a part lies once it is fetched: jars, or a Python environment."""
        return self.root / self.lock.folder_name(part)

    def python_packages(self):
        return self.folder(PYTHON) / "lib" / f"python{self.lock.python_version}" / "site-packages"

    def has(self, part):
        return (self.folder(part) / STAMP).exists()

    def fetch(self, part, progress):
        """The part is in the cache after return. Others who want the same wait meanwhile."""
        if self.has(part):
            return
        what = "the Python environment" if part == PYTHON else f"{part}'s jars"
        with progress.during(what, f"fetched {what}"), self._alone(part):
            if not self.has(part):
                (self._fetch_python if part == PYTHON else self._fetch_jars)(part)

    def abandon(self):
        """Ends the clients that are running; fetch() then fails, now and later."""
        with self._guard:
            self._abandoned = True
            for child in self._children:
                child.send_signal(signal.SIGTERM)

    @contextmanager
    def _alone(self, part):
        self.root.mkdir(parents=True, exist_ok=True)
        with open(self.root / f"{part}.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _run(self, what, client, command, log):
        with open(log, "a") as output:
            with self._guard:
                if self._abandoned:
                    raise ClusterError("interrupted")
                child = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
                self._children.add(child)
            status = child.wait()
            with self._guard:
                self._children.discard(child)
        if status != 0:
            end = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise ClusterError(f"{what} failed:\n{end}\n{RETRY.format(client=client)}\nThe whole story is in {log}.")

    def _scratch(self, part):
        scratch = self.root / f"{self.lock.folder_name(part)}.part"
        scratch.mkdir(exist_ok=True)
        return scratch

    def _fetch_jars(self, jar_set):
        wanted = self.lock.jars[jar_set]
        scratch = self._scratch(jar_set)
        arrived = scratch / "jars"
        shutil.rmtree(arrived, ignore_errors=True)
        if not shutil.which("mvn"):
            raise ClusterError("mvn is missing. On Debian: apt-get install maven")
        (scratch / "pom.xml").write_text(maven.copying(wanted, arrived))
        self._run(f"fetching {len(wanted)} jars for {jar_set}", "Maven", maven.command(scratch, [maven.COPY]), scratch / "log")
        check_jars(wanted, arrived, scratch / "repository")
        (arrived / STAMP).touch()
        shutil.rmtree(self.folder(jar_set), ignore_errors=True)
        arrived.rename(self.folder(jar_set))
        shutil.rmtree(scratch)

    def _fetch_python(self, part):
        lock, folder, scratch = self.lock, self.folder(part), self._scratch(part)
        log = scratch / "log"
        if f"{sys.version_info[0]}.{sys.version_info[1]}" != lock.python_version:
            raise ClusterError(f"the pinned packages are for Python {lock.python_version}, and {sys.executable} is "
                               f"{sys.version.split()[0]}. Put a Python {lock.python_version} first in PATH.")

        def install(name, packages, *options):
            requirements = scratch / f"{name}.txt"
            requirements.write_text("".join(f"{package} --hash=sha256:{sha256}\n" for package, sha256 in packages.items()))
            self._run(f"installing {name}", "pip", [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps",
                                                   "--require-hashes", "--disable-pip-version-check", *options,
                                                   "--requirement", requirements], scratch / f"{name}.log")

        self._run("making the Python environment", "python3-venv", [sys.executable, "-m", "venv", "--clear", folder], log)
        install("build tools", lock.build, "--only-binary", ":all:")
        # pyspark is packed as source, and half of the work; it shares no file with the others.
        with ThreadPoolExecutor() as pool:
            running = [pool.submit(install, "pyspark", lock.sdists, "--no-build-isolation", "--no-binary", ":all:"),
                       pool.submit(install, "packages", lock.wheels, "--only-binary", ":all:")]
        for done in running:
            done.result()
        (folder / STAMP).touch()
        shutil.rmtree(scratch)


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_jars(wanted, folder, repository):
    """Every jar has the SHA-256 that is pinned. One that has not is removed from Maven's repository too, so that it is
    downloaded again, not met again."""
    wrong = []
    for jar, sha256 in wanted.items():
        path = folder / jar.file_name
        if not path.exists():
            wrong.append(f"{jar.coordinates} did not come")
        elif (found := sha256_of(path)) != sha256:
            wrong.append(f"{jar.coordinates} is not what is pinned: its SHA-256 is {found}, not {sha256}")
            for copy in repository.rglob(jar.file_name):
                copy.unlink()
    if wrong:
        raise ClusterError("\n".join([*wrong, "Nothing of it is used. Run this again; if it stays so, ask where Maven gets it from."]))
