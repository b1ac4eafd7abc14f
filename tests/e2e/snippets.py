"""Runs the Python that `questlog connect` prints."""

import json
import subprocess
import sys

# The program ends at once: pyarrow may abort while Python shuts down (Apache Arrow's issue 34314), after all was read.
END = """
import json, os, sys
print(json.dumps({rows}, default=str))
sys.stdout.flush()
os._exit(0)
"""


def in_python(lines, rows):
    """What `rows` is after the printed lines, which leave the table as `table`."""
    done = subprocess.run([sys.executable, "-c", lines + END.format(rows=rows)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, lines + done.stderr
    return json.loads(done.stdout)
