"""A proxy before the NameNode's HTTP that counts what it is asked. Redirects lead around it, to the DataNode."""

import collections
import http.client
import http.server
import threading
import urllib.parse


class CountingProxy:
    def __init__(self, target):
        self.calls = collections.Counter()
        counted = self.calls

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                operation = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)["op"][0]
                counted[operation] += 1
                upstream = http.client.HTTPConnection(target, timeout=60)
                try:
                    upstream.request(self.command, self.path)
                    answer = upstream.getresponse()
                    body = answer.read()
                finally:
                    upstream.close()
                self.send_response_only(answer.status)
                for name in ("Date", "Location", "Content-Type"):
                    if answer.getheader(name):
                        self.send_header(name, answer.getheader(name))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_DELETE = forward

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def count(self, action):
        """How many requests it took, those to DataNodes with them, and of which kind."""
        before = self.calls.copy()
        action()
        made = self.calls - before
        redirected = sum(made[operation] for operation in ("CREATE", "OPEN", "GETFILECHECKSUM"))
        return sum(made.values()) + redirected, dict(made)
