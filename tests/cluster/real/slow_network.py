"""A network between clients and a broker that holds back what has been sent on some connections."""

import contextlib
import selectors
import socket
import threading


class SlowNetwork:
    """Listens on a port of its own, and passes everything on to `target`, both ways. What a client sends on a connection that is held
    is kept, also when the client is gone, until release(), which ends the connection. What is connected later is not held."""

    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._held = {}       # the client's socket -> bytes that are kept
        self._pairs = {}      # each end -> the other
        self._of_client = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(10)
        for end in [self._listener, *self._pairs]:
            end.close()

    def hold(self):
        with self._lock:
            self._held = {client: b"" for client in self._of_client}

    def held_bytes(self):
        with self._lock:
            return sum(map(len, self._held.values()))

    def release(self):
        with self._lock:
            for client, kept in self._held.items():
                self._send(self._pairs[client], kept)
                self._end(self._pairs[client])
            self._held = {}

    def _run(self):
        while not self._over.is_set():
            for key, _ in self._selector.select(0.1):
                with self._lock:
                    if key.fileobj is self._listener:
                        self._accept()
                    else:
                        self._pass_on(key.fileobj)

    def _accept(self):
        client, _ = self._listener.accept()
        broker = socket.create_connection(self._target)
        self._pairs |= {client: broker, broker: client}
        self._of_client.add(client)
        for end in (client, broker):
            self._selector.register(end, selectors.EVENT_READ)

    def _pass_on(self, end):
        try:
            data = end.recv(1 << 20)
        except ConnectionError:
            data = b""
        if not data:
            self._selector.unregister(end)
            if end not in self._held:
                self._end(self._pairs[end])
        elif end in self._held:
            self._held[end] += data
        else:
            self._send(self._pairs[end], data)

    @staticmethod
    def _send(end, data):
        with contextlib.suppress(OSError):  # it is gone, and its end is told by itself
            end.sendall(data)

    @staticmethod
    def _end(end):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_WR)
