"""Starting services side by side, each as soon as what it needs is fetched and up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from questlog_cluster import probes, processes, state
from questlog_cluster.errors import ClusterError
from questlog_cluster.services import ALL

READY_S = 120.0  # for a service to answer, on a machine that is busy
LOG_LINES = 15


class Launch:
    def __init__(self, world, progress):
        self._world = world
        self._settings = world.settings
        self._progress = progress
        self._abandoned = threading.Event()

    @staticmethod
    def stop_remains(settings, services):
        """Of services that are down, the processes that are left: Spark's master without its worker."""
        for service in services:
            for identity in state.identities(settings, service).values():
                processes.stop(identity, service.stop_s)

    def run(self, services):
        """All are up after return. Raises the first failure once the others are up, or have failed; what is up stays up."""
        parts = dict.fromkeys(part for service in services for part in service.parts)
        with ThreadPoolExecutor(max_workers=len(parts) + len(ALL)) as pool:
            fetched = {part: pool.submit(self._world.cache.fetch, part, self._progress) for part in parts}
            ready = {}
            for service in services:  # in an order in which what is needed comes first
                needed = [ready.get(name) or pool.submit(self._await_elsewhere, name) for name in service.after(self._settings)]
                ready[service.name] = pool.submit(self._bring_up, service, [fetched[part] for part in service.parts], needed)
            try:
                failures = [failure for done in ready.values() if (failure := done.exception())]
            except BaseException:  # Ctrl-C
                self._abandoned.set()
                self._world.cache.abandon()
                raise
        for failure in failures:
            if not isinstance(failure, (ClusterError, OSError)):
                raise failure
        if failures:
            told = list(dict.fromkeys(str(failure) for failure in failures))
            raise ClusterError("\n".join(told))

    def _await_elsewhere(self, name):
        """A service that is another host's to start."""
        self._wait(ALL[name], {}, f"{name} at {self._settings.host(name)}")

    def _bring_up(self, service, fetched, needed):
        for done in [*fetched, *needed]:
            done.result()
        settings = self._settings
        address = settings.address(service.name)
        if len(state.identities(settings, service)) == len(service.process_names()):
            self._wait(service, {}, service.name)
            self._progress.say(f"{service.name:9}  {address}  is up already")
            return
        with self._progress.during(service.name, f"{service.name:9}  {address}  is up"):
            service.prepare(self._world)
            started = {process.name: processes.start(process.command, settings.log(process.name), settings.record(process.name),
                                                     process.environment, process.folder)
                       for process in service.processes(self._world)}
            self._wait(service, started, service.name)
            service.finish(settings)

    def _wait(self, service, started, what):
        deadline = time.monotonic() + READY_S
        while not probes.answers(service.probe, self._settings):
            for name, process in started.items():
                if process.poll() is not None:
                    raise ClusterError(f"{name} ended with exit code {process.returncode}. {self._end_of_log(name)}")
            if time.monotonic() > deadline:
                raise ClusterError(f"{what} did not answer within {READY_S:.0f} s. {self._end_of_log(service.name)}")
            if self._abandoned.wait(0.1):
                raise ClusterError("interrupted")

    def _end_of_log(self, process):
        log = self._settings.log(process)
        if not log.exists():
            return ""
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return f"The end of {log}:\n" + "\n".join(f"    {line}" for line in lines)
