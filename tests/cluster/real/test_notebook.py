"""notebooks/game_events.ipynb runs from its first cell to its last on the real engines, and shows what was played."""

import json
import re
import subprocess

import pytest
from cluster_commands import ROOT
from conftest import START_S, notebook_environment

pytestmark = pytest.mark.timeout(START_S + 300)
NOTEBOOK = ROOT / "notebooks" / "game_events.ipynb"


def questlog(environment, *command):
    subprocess.run([environment["QUESTLOG_BINARY"], "--config", environment["QUESTLOG_CONFIG"], "--data", environment["QUESTLOG_DATA"],
                    *command], check=True, timeout=120, stdout=subprocess.DEVNULL)


def cells(notebook, kind):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def pictures(notebook):
    return sum("image/png" in output.get("data", {}) for cell in cells(notebook, "code") for output in cell["outputs"])


def said(notebook):
    return "".join(json.dumps(cell["outputs"]) for cell in cells(notebook, "code"))


def test_the_notebook_runs(engines, tmp_path):
    environment = notebook_environment(engines)
    played = subprocess.run([ROOT / "scripts" / "play", "--seconds", "8", "--url", f"http://{engines.address('questlog')}"], check=True,
                            capture_output=True, text=True, timeout=60).stdout
    assert re.fullmatch(r"\d+ calls, each answered with 200\n", played)
    questlog(environment, "batch", "separate_events")
    questlog(environment, "batch", "filtered_writes", "--force")  # Spark may have written to its folder in another test
    questlog(environment, "land", "--once")
    done = subprocess.run([environment["PYSPARK_PYTHON"], "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", str(NOTEBOOK),
                           "--output-dir", str(tmp_path)], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    run = json.loads((tmp_path / NOTEBOOK.name).read_text())
    assert pictures(run) == 3
    assert "'the same'" in said(run) and "very sharp knife" in said(run)


def test_the_notebook_is_committed_as_it_ran():
    notebook = json.loads(NOTEBOOK.read_text())
    assert [cell["execution_count"] for cell in cells(notebook, "code")] == list(range(1, len(cells(notebook, "code")) + 1))
    assert pictures(notebook) == 3 and "Traceback" not in said(notebook)
