"""What comes is checked before it is used, and an interrupted or wrong download leaves nothing that is taken for whole. Maven is
played by a script that brings what the test put in its place."""

import hashlib
import os
from contextlib import contextmanager
from threading import Thread

import pytest
from questlog_cluster.artifacts import Jar, Lock
from questlog_cluster.errors import ClusterError
from questlog_cluster.fetch import Cache
from waiting import wait_until

JARS = {Jar("org.example", "first", "1.0"): b"first", Jar("org.example", "second", "2.0", "linux-x86_64"): b"second"}
# Copies `offered` to the folder that the POM names, and keeps a copy in its local repository, as Maven does.
MVN = """#!/bin/bash
[ -e {offered}/.fail ] && echo "Could not transfer artifact" && exit 1
for argument; do case $argument in *pom.xml) pom=$argument ;; -Dmaven.repo.local=*) local=${{argument#*=}} ;; esac; done
target=$(sed 's/.*<outputDirectory>//; s/<.*//' "$pom")
mkdir -p "$target" "$local"
for jar in {offered}/*.jar; do [ -e "$local/${{jar##*/}}" ] || cp "$jar" "$local"; done
cp "$local"/*.jar "$target"
[ -e {offered}/.wait ] && echo waiting && exec sleep 600
exit 0
"""


class Quiet:
    @contextmanager
    def during(self, what, done):
        yield


@pytest.fixture
def offered(tmp_path, monkeypatch):
    folder = tmp_path / "offered"
    folder.mkdir()
    for jar, content in JARS.items():
        (folder / jar.file_name).write_bytes(content)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "mvn").write_text(MVN.format(offered=folder))
    (tmp_path / "bin" / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return folder


@pytest.fixture
def cache(tmp_path):
    lock = Lock({"kafka": {jar: hashlib.sha256(content).hexdigest() for jar, content in JARS.items()}}, "3.11", {}, {}, {})
    return Cache(tmp_path / "cache", lock)


def test_what_is_pinned_is_fetched_once(cache, offered):
    cache.fetch("kafka", Quiet())
    assert sorted(path.name for path in cache.folder("kafka").glob("*.jar")) == ["first-1.0.jar", "second-2.0-linux-x86_64.jar"]
    assert cache.has("kafka")
    (offered / ".fail").touch()
    cache.fetch("kafka", Quiet())  # nothing is asked for again
    assert [path.name for path in cache.root.iterdir() if path.is_dir()] == [cache.folder("kafka").name]


def test_what_is_not_what_is_pinned_is_refused_and_asked_for_again(cache, offered):
    (offered / "first-1.0.jar").write_bytes(b"fisrt")
    with pytest.raises(ClusterError, match="org.example:first:1.0 is not what is pinned"):
        cache.fetch("kafka", Quiet())
    assert not cache.has("kafka") and not cache.folder("kafka").exists()
    (offered / "first-1.0.jar").write_bytes(b"first")
    cache.fetch("kafka", Quiet())
    assert (cache.folder("kafka") / "first-1.0.jar").read_bytes() == b"first"


def test_what_does_not_come_is_told(cache, offered):
    (offered / "first-1.0.jar").unlink()
    with pytest.raises(ClusterError, match="org.example:first:1.0 did not come"):
        cache.fetch("kafka", Quiet())
    assert not cache.has("kafka")


def test_a_failing_client_is_told_with_its_own_words(cache, offered):
    (offered / ".fail").touch()
    with pytest.raises(ClusterError, match="(?s)fetching 2 jars for kafka failed:.*Could not transfer artifact.*run this again"):
        cache.fetch("kafka", Quiet())
    (offered / ".fail").unlink()
    cache.fetch("kafka", Quiet())
    assert cache.has("kafka")


def test_interrupted_it_goes_on_another_time(cache, offered):
    """An abandoned fetch ends its client; what had come by then is not asked for again."""
    (offered / ".wait").touch()
    failures = []

    def fetch():
        try:
            cache.fetch("kafka", Quiet())
        except ClusterError as failure:
            failures.append(failure)

    thread = Thread(target=fetch)
    thread.start()
    log = cache.root / f"{cache.folder('kafka').name}.part" / "log"
    wait_until(lambda: log.exists() and "waiting" in log.read_text(), "Maven is at work")
    cache.abandon()
    thread.join(30)
    assert failures and not cache.has("kafka")
    for jar in offered.glob("*.jar"):
        jar.write_bytes(b"not what came the first time")
    (offered / ".wait").unlink()
    again = Cache(cache.root, cache.lock)
    again.fetch("kafka", Quiet())
    assert (again.folder("kafka") / "first-1.0.jar").read_bytes() == b"first"


def test_two_that_want_the_same_fetch_it_once(cache, offered, tmp_path):
    """Checkouts share the cache: one fetches, the other waits, then finds it there."""
    calls = tmp_path / "calls"
    mvn = tmp_path / "bin" / "mvn"
    mvn.write_text(mvn.read_text().replace("#!/bin/bash", f"#!/bin/bash\necho called >>{calls}"))
    threads = [Thread(target=Cache(cache.root, cache.lock).fetch, args=("kafka", Quiet())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert cache.has("kafka") and calls.read_text() == "called\n"
