"""cluster/status: which services are up, on which address, as which process."""

import argparse
import json

from questlog_cluster import settings as places, state
from questlog_cluster.services import ALL, GROUPS, named

EXAMPLES = """examples:
  cluster/status
  cluster/status kafka && echo "Kafka answers"
  cluster/status --json | jq -r .kafka.address

The exit code is 0 if every named service is up, else 1; without a name always 0.
states: up (its process lives, and it answers), starting (its process lives), down."""


def arguments(command, args):
    parser = argparse.ArgumentParser(prog=f"cluster/{command}", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("services", nargs="*", metavar="SERVICE", help=f"of {', '.join(ALL)}, {', '.join(GROUPS)}; without one: all")
    parser.add_argument("--json", action="store_true", help="as JSON, by service")
    return parser.parse_args(args)


def table(entries):
    rows = [("service", "state", "address", "pid", "")]
    for key, entry in entries.items():
        rows.append((key, entry["state"], entry["address"], str(entry["pid"] or ""), entry.get("url") or ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join("  ".join([*(f"{cell:{width}}" for cell, width in zip(row, widths)), row[4]]).rstrip() for row in rows)


def main(command, args):
    options = arguments(command, args)
    settings = places.from_environment().remembered()
    entries = state.survey(settings)
    if options.services:
        wanted = {service.name for service in named(options.services)}
        behind = {key: service for key, service, *_ in state.SHOWN}
        entries = {key: entry for key, entry in entries.items() if behind[key] in wanted}
    print(json.dumps(entries, indent=2) if options.json else table(entries))
    return 0 if not options.services or all(entry["state"] == state.UP for entry in entries.values()) else 1
