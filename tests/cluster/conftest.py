"""A cluster of the test's own: its state, ports, and notebooks, apart from the developer's."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parents[1] / "cluster")]

from cluster_commands import Cluster  # noqa: E402: needs the path
from questlog_process import BINARY  # noqa: E402


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is missing; build it with `make`, or name another with QUESTLOG_BINARY", returncode=2)


@pytest.fixture
def cluster(tmp_path):
    """Not started. What a test leaves running is stopped."""
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.run("down")
