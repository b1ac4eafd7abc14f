"""Hosts of a test's own, with names, on one machine: a network namespace for each, joined by a bridge in one more."""

import os
import shutil
import subprocess
from pathlib import Path


def _ip(*args):
    subprocess.run(["ip", *args], check=True, capture_output=True, text=True)


class Hosts:
    """A context: while it lasts, `inside(name, command)` runs a command on that host, which knows the others by name. Needs root."""

    def __init__(self, names, subnet="10.213.87"):
        self._prefix = f"ql{os.getpid()}"
        self._addresses = {name: f"{subnet}.{number}" for number, name in enumerate(names, 2)}

    def _namespace(self, name):
        return f"{self._prefix}-{name}"

    def inside(self, name, command):
        """`ip netns exec` also puts the files of /etc/netns/NAMESPACE in the place of those in /etc; the host's own name is the
        namespace's that unshare makes."""
        return ["ip", "netns", "exec", self._namespace(name), "unshare", "--uts", "sh", "-c", f'hostname {name}; exec "$@"', "sh",
                *command]

    def __enter__(self):
        bridge = self._namespace("bridge")
        try:
            _ip("netns", "add", bridge)
            _ip("-n", bridge, "link", "add", "br0", "type", "bridge")
            _ip("-n", bridge, "link", "set", "br0", "up")
            table = "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in self._addresses.items())
            for number, (name, address) in enumerate(self._addresses.items()):
                namespace, port = self._namespace(name), f"port{number}"
                files = Path("/etc/netns") / namespace
                files.mkdir(parents=True)
                (files / "hosts").write_text(table)
                _ip("netns", "add", namespace)
                _ip("-n", bridge, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
                _ip("-n", bridge, "link", "set", port, "master", "br0", "up")
                _ip("-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
                for device in ("lo", "eth0"):
                    _ip("-n", namespace, "link", "set", device, "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in [*self._addresses, "bridge"]:
            subprocess.run(["ip", "netns", "delete", self._namespace(name)], check=False, capture_output=True)
            shutil.rmtree(Path("/etc/netns") / self._namespace(name), ignore_errors=True)
