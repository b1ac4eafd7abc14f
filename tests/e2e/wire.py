"""HTTP at the level of bytes: what is sent is exactly what the test says, and what comes back is parsed strictly."""

import json as json_module
import socket
from dataclasses import dataclass, field


class Closed(Exception):
    """The server closed the connection before a whole answer came."""


@dataclass
class Answer:
    status: int
    version: str
    headers: dict = field(default_factory=dict)  # lower-case name -> value
    body: bytes = b""

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json_module.loads(self.body)


class Wire:
    """One connection. Not thread-safe."""

    def __init__(self, host, port, timeout_s=20.0):
        self.socket = socket.create_connection((host, port), timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = f"{host}:{port}"
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed(f"closed after {self.buffer[:200]!r}")
        self.buffer += data

    def answer(self, to_head=False):
        """The next answer, informational ones (100) skipped."""
        while True:
            while b"\r\n\r\n" not in self.buffer:
                self._more()
            head, rest = self.buffer.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            version, status = lines[0].split(" ", 2)[:2]
            answer = Answer(int(status), version)
            for line in lines[1:]:
                name, value = line.split(":", 1)
                assert name.lower() not in answer.headers, f"header {name} twice in {head!r}"
                answer.headers[name.lower()] = value.strip()
            if answer.status // 100 == 1:
                self.buffer = rest
                continue
            length = 0 if to_head or answer.status in (204, 304) else int(answer.headers["content-length"])
            while len(rest) < length:
                self._more()
                rest = self.buffer.split(b"\r\n\r\n", 1)[1]
            answer.body, self.buffer = rest[:length], rest[length:]
            return answer

    def answers_until_closed(self):
        """Every answer the server gives before it closes."""
        answers = []
        while True:
            try:
                answers.append(self.answer())
            except Closed:
                assert not self.buffer, f"half an answer: {self.buffer!r}"
                return answers

    def is_closed(self):
        """Waits for the server to close; False if it sends something instead or the time-out passes."""
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def request(self, method, target, body=None, headers=(), version="1.1"):
        self.send(request_bytes(method, target, self.host, body, headers, version))
        return self.answer(to_head=method == "HEAD")

    def get(self, target, **more):
        return self.request("GET", target, **more)

    def post(self, target, body, **more):
        return self.request("POST", target, body=body, **more)


def request_bytes(method, target, host, body=None, headers=(), version="1.1"):
    """One request; bodies that are not bytes are sent as JSON. `headers`: pairs; a Host among them replaces ours."""
    headers = list(headers.items() if isinstance(headers, dict) else headers)
    if body is not None and not isinstance(body, bytes):
        body = body.encode() if isinstance(body, str) else json_module.dumps(body).encode()
    names = {name.lower() for name, _ in headers}
    if "host" not in names:
        headers.insert(0, ("Host", host))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        headers.append(("Content-Length", str(len(body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{method} {target} HTTP/{version}\r\n{head}\r\n".encode("latin-1") + (body or b"")


def chunked(*chunks):
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
