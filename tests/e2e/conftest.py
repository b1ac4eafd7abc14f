"""Fixtures: a fresh data folder, a server on one, and a folder that holds the reference flow's traffic."""

import pytest
from questlog_process import BINARY, Questlog
from reference_flow import send_reference_traffic
from small_segments import SMALL_SEGMENTS, numbered


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is missing; build it with `make`, or name another with QUESTLOG_BINARY", returncode=2)


@pytest.fixture
def questlog(tmp_path):
    return Questlog(tmp_path)


@pytest.fixture
def server(questlog):
    with questlog.serve() as running:
        yield running


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    """The data folder after the reference flow's eight ab calls, server stopped. Tests must not add events to it."""
    questlog = Questlog(tmp_path_factory.mktemp("reference"))
    with questlog.serve("--access-log") as server:
        questlog.ab_reports = send_reference_traffic(server)
        assert server.stop() == 0
        questlog.access_log = [line for line in server.stderr_lines if '"GET ' in line]
    return questlog


@pytest.fixture
def filled(questlog):
    """A cleanly stopped log of 3 segments with many batches."""
    questlog.write_config(SMALL_SEGMENTS)
    with questlog.serve() as server:
        for start in range(0, 10_000, 500):
            server.send_events(numbered(500, 250, start))
        assert server.stop() == 0
    assert len(questlog.segments()) >= 3
    return questlog
