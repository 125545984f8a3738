"""The real server, waitress, in a thread of the test's own process: what browsers and HTTP clients are pointed at."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from flask import Flask
from waitress import create_server


class LiveServer:
    """Serves an app on a free port of this machine for the length of a `with` block."""

    def __init__(self, app: Flask, threads: int = 4) -> None:
        self.app = app
        self._server: Any = create_server(
            app, host="127.0.0.1", port=0, threads=threads, clear_untrusted_proxy_headers=True
        )
        self._stopping = threading.Event()
        self._loop = threading.Thread(target=self._serve, name="live-server", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.effective_port}"

    def __enter__(self) -> Self:
        self._loop.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.pull_trigger()
        self._loop.join(timeout=10)
        self._server.task_dispatcher.shutdown()
        self._server.asyncore.close_all(self._server._map)

    def _serve(self) -> None:
        # waitress's own run() ends on a signal only, which a thread never gets.
        while not self._stopping.is_set():
            self._server.asyncore.loop(timeout=1, map=self._server._map, count=1)
