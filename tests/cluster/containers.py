"""compose.yaml as data: what each container runs, where, and as what."""

import shlex
from dataclasses import dataclass

import yaml
from cluster_commands import ROOT


@dataclass(frozen=True)
class Container:
    name: str
    command: list
    environment: dict
    health: list
    expose: list
    ports: list
    volumes: list
    target: str


def containers():
    """name -> Container, in the order of the file."""
    written = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return {name: Container(name, shlex.split(entry["command"]), entry.get("environment", {}),
                            entry.get("healthcheck", {}).get("test", [])[1:], entry.get("expose", []), entry.get("ports", []),
                            entry["volumes"], entry["build"]["target"])
            for name, entry in written.items()}
