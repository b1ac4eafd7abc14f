"""The servers that are compared, each on a free port of 127.0.0.1, each in a folder of its own."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import machine

ROOT = Path(__file__).resolve().parents[1]
BINARY = Path(os.environ.get("QUESTLOG_BINARY", ROOT / "build" / "release" / "questlog")).resolve()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Server:
    """A started peer. `does` says what an answer of it is worth."""

    name = does = ""

    def __init__(self, command, port, cwd, environment=None):
        self.port = port
        self.process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self._wait_for_port()

    def _wait_for_port(self):
        deadline = time.monotonic() + 20
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not answer on port {self.port}")
            time.sleep(0.02)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def pids(self):
        return [self.process.pid, *machine.children(self.process.pid)]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class QuestlogServer(Server):
    name = "questlog"
    does = "fsynced before the answer (sync = always)"

    def __init__(self, folder, data=None, lands=False, config_text="", launcher=()):
        folder.mkdir(parents=True)
        self.data = data or folder / "data"
        config = folder / "questlog.toml"  # what it collects is landed when that is measured
        config.write_text(f"[landing]\nenabled = {str(lands).lower()}\n{config_text}")
        command = [*launcher, BINARY, "--data", self.data, "--config", config, "serve", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=open(folder / "stderr.txt", "wb"))
        for line in self.process.stdout:
            if found := re.search(rb"http://[^ :]+:(\d+)", line):
                self.port = int(found.group(1))
                return
        raise RuntimeError("questlog did not start: " + (folder / "stderr.txt").read_text())


class NginxServer(Server):
    name = "nginx"
    does = "constant answers (return 200), stores nothing"

    def __init__(self, folder):
        folder.mkdir(parents=True)
        port = free_port()
        (folder / "nginx.conf").write_text(f"""
worker_processes auto;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_max_body_size 2m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    default_type "text/html; charset=utf-8";
    location / {{ return 200 "\\nSword Purchased!\\n"; }}
  }}
}}
""")
        nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        super().__init__([nginx, "-p", folder, "-c", folder / "nginx.conf"], port, folder)


class FlaskServer(Server):
    name = "flask"
    does = "the reference's app on its development server, keeps nothing"

    def __init__(self, folder):
        folder.mkdir(parents=True)
        port = free_port()
        super().__init__([sys.executable, "-m", "flask", "--app", "game_api", "run", "--port", str(port)], port,
                         ROOT / "bench" / "flask_app")


class GunicornServer(Server):
    name = "gunicorn"
    does = "the same app behind gunicorn, 2 workers, keeps nothing"

    def __init__(self, folder, environment=None):
        folder.mkdir(parents=True)
        port = free_port()
        super().__init__([sys.executable, "-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "--no-control-socket", "game_api:app"], port,
                         ROOT / "bench" / "flask_app", {**os.environ, **(environment or {})})
