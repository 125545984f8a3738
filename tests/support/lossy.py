"""A connection that loses answers: the server has done what was asked, and the app never hears of it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Lossy(ThreadingHTTPServer):
    """Forwards to a server of this machine. Every so-and-so-many-th answer is cut off, before it or in its middle."""

    daemon_threads = True

    def __init__(self, upstream: str, drop_every: int) -> None:
        super().__init__(("127.0.0.1", 0), _Forwarding)
        self.upstream = urlsplit(upstream).netloc
        self.answered = itertools.count(1)
        self.drop_every = drop_every
        self.lost = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Forwarding(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Lossy

    def setup(self) -> None:
        super().setup()
        self.behind = HTTPConnection(self.server.upstream)

    def finish(self) -> None:
        self.behind.close()
        super().finish()

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.behind.request(self.command, self.path, body, dict(self.headers))
        reply = self.behind.getresponse()
        content = reply.read()
        if next(self.server.answered) % self.server.drop_every == 0:
            self.server.lost += 1
            self.close_connection = True
            if self.server.lost % 2:
                return
            content, promised = content[: len(content) // 2], len(content)
        else:
            promised = len(content)
        self.send_response(reply.status)
        for name in ("Content-Type", "ETag", "X-Request-Id", "Retry-After"):
            if (value := reply.getheader(name)) is not None:
                self.send_header(name, value)
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _forward  # noqa: N815  the names that the base class calls

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def lossy(upstream: str, drop_every: int) -> Iterator[Lossy]:
    with Lossy(upstream, drop_every) as between:
        threading.Thread(target=between.serve_forever, args=(0.01,), daemon=True).start()
        yield between
        between.shutdown()
