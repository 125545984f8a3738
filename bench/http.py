"""A closed-loop HTTP client that costs little itself: what the client burns flatters the slower server."""

from __future__ import annotations

import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson


class Unexpected(RuntimeError):
    """The server answered with a status that the benchmark did not ask for."""


class Connection:
    """One keep-alive connection."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        given = {"Host": f"127.0.0.1:{port}", "Content-Type": "application/json", **(headers or {})}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in given.items())

    def request(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """Sends one request and returns status, headers (names in lower case) and body."""
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}Content-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)
        status = int(self._file.readline().split(None, 2)[1])
        headers: dict[str, str] = {}
        while (line := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self._body(headers, status)

    def json(self, method: str, path: str, body: Any = None, *, expect: int) -> Any:
        """Sends JSON and returns the answer's JSON.

        Raises Unexpected when the status is not the one that was expected.
        """
        data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        status, _, answer = self.request(method, path, data)
        if status != expect:
            raise Unexpected(
                f"{method} {path} answered {status} instead of {expect}: {answer[:500].decode()}"
            )
        return orjson.loads(answer) if answer else None

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _body(self, headers: Mapping[str, str], status: int) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            parts: list[bytes] = []
            while size := int(self._file.readline(), 16):
                parts.append(self._file.read(size))
                self._file.readline()
            self._file.readline()
            return b"".join(parts)
        return b"" if status == 204 else self._file.read(int(headers.get("content-length", 0)))


@dataclass
class Slot:
    """What one slot measured: how many journeys, in how many seconds, and the seconds of each named request."""

    seconds: float
    journeys: int
    timings: dict[str, list[float]] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.journeys / self.seconds


Journey = Callable[[Connection, Callable[[str, float], None]], None]
"""Does one round of work on a connection and tells the seconds of each request by name."""


def closed_loop(
    port: int, journey: Journey, *, connections: int, seconds: float, headers: Mapping[str, str] | None = None
) -> Slot:
    """Repeats the journey on every connection, each starting the next when the last is done."""
    timings: dict[str, list[float]] = defaultdict(list)
    journeys = [0] * connections
    failures: list[BaseException] = []
    end = time.perf_counter() + seconds

    def run(worker: int) -> None:
        connection = Connection(port, headers)
        try:
            while time.perf_counter() < end and not failures:
                journey(connection, lambda name, took: timings[name].append(took))
                journeys[worker] += 1
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    began = time.perf_counter()
    threads = [threading.Thread(target=run, args=(n,)) for n in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Slot(time.perf_counter() - began, sum(journeys), dict(timings))
