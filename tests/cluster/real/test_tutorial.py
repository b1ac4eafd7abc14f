"""docs/tutorial.md is what its commands say, run again on engines that it starts and stops itself."""

import subprocess

import pytest
from cluster_commands import ROOT
from conftest import START_S

pytestmark = pytest.mark.timeout(START_S + 600)


def test_the_tutorial_is_what_a_run_gives(own_engines):
    environment = {**own_engines.environment, "QUESTLOG_TUTORIAL_PORT": str(own_engines.ports["questlog"])}
    done = subprocess.run([ROOT / "scripts" / "tutorial", "--check"], env=environment, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
