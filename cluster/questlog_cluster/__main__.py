"""Runs the command named by the first argument: the name of the link that cluster/launch was called by."""

import importlib
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

if sys.version_info < (3, 11):
    sys.exit(f"The cluster's commands need Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}.\n"
             "On Debian 12, install python3 and put /usr/bin first in PATH.")

from questlog_cluster.errors import ClusterError  # noqa: E402: needs the path and the version

COMMANDS = {"up", "down", "logs", "status", "relock"}


def main():
    name = sys.argv[1]
    module = importlib.import_module(f"questlog_cluster.{name if name in COMMANDS else 'tools'}")
    try:
        return module.main(name, sys.argv[2:])
    except ClusterError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        if name == "up":
            print("up: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `cluster/logs | head`
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1


sys.exit(main())
