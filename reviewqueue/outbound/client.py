"""An HTTP client that goes nowhere but where the guard says: no proxy, no redirect, no answer without an end.

It is httpx's own transport, httpcore, with a network of ours below it. Nothing above it could follow a redirect or
unpack what was compressed.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpcore
from httpcore import NetworkBackend, NetworkStream

from .guard import Guard, Unreachable


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, and how much, a receiver may take."""

    connect: float = 5.0
    """Seconds to resolve, to connect and to agree on TLS."""
    total: float = 15.0
    """Seconds in all."""
    answer: int = 64 * 1024
    """Bytes of the answer's body that are read."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes
    """Its beginning, as it came over the wire."""


class NoAnswer(Exception):
    """Nothing that could be called an answer came back. The sentence may be shown."""


@dataclass(slots=True)
class Deadline:
    """Until when the present request may take."""

    at: float = 0.0

    def start(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def left(self, most: float | None = None) -> float:
        """Seconds. Raises TimeoutError when there are none."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left if most is None else min(left, most)


class Client:
    """One receiver's connection. Used by one thread at a time; several requests share the connection."""

    def __init__(self, guard: Guard, limits: Limits | None = None) -> None:
        self._limits, self._deadline = limits or Limits(), Deadline()
        self._network = _GuardedNetwork(guard, self._limits, self._deadline)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusting_the_system(),
            max_connections=1,
            keepalive_expiry=5.0,
            network_backend=self._network,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """`url` has passed the guard's `require_url` once. Raises NoAnswer."""
        if not url.isascii():
            raise NoAnswer("it is no URL")
        self._deadline.start(self._limits.total)
        self._network.plain = not url.startswith("https://")
        # Without it receivers may compress, and something small unpack to something endless.
        sent = {**headers, "Accept-Encoding": "identity", "Content-Length": str(len(body))}
        try:
            with self._pool.stream("POST", url, headers=list(sent.items()), content=body) as response:
                told = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in response.headers
                }
                return Answer(response.status, told, self._beginning(response))
        except Unreachable as error:
            raise NoAnswer(str(error)) from None
        except (httpcore.TimeoutException, TimeoutError):
            raise NoAnswer("no answer in time") from None
        except (
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            OSError,
        ) as error:
            raise NoAnswer(_in_words(error)) from None

    def _beginning(self, response: httpcore.Response) -> bytes:
        """As much of the body as is wanted. The status is told by then, so a body that breaks off changes nothing."""
        found = bytearray()
        with suppress(
            httpcore.TimeoutException, TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, OSError
        ):
            for part in response.iter_stream():
                found += part[: self._limits.answer - len(found)]
                if len(found) >= self._limits.answer:
                    break
        return bytes(found)


@dataclass(slots=True)
class _GuardedNetwork(NetworkBackend):
    """Connects to exactly the address that was checked."""

    guard: Guard
    limits: Limits
    deadline: Deadline
    plain: bool = False
    """The present request is without TLS."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> NetworkStream:
        end = Deadline(min(self.deadline.at, time.monotonic() + self.limits.connect))
        address = self.guard.address_of(host, port, end.left(), plain=self.plain)
        connection = socket.socket(
            socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM
        )
        try:
            connection.settimeout(end.left())
            connection.connect((str(address), port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            connection.close()
            raise
        return _Stream(connection, self.deadline, end)


@dataclass(slots=True)
class _Stream(NetworkStream):
    """A connection whose every wait ends with the request's time, however slowly the bytes come and go."""

    connection: socket.socket
    deadline: Deadline
    connecting: Deadline = field(default_factory=Deadline)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.connection.settimeout(self.deadline.left(timeout))
        return self.connection.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        while rest:
            self.connection.settimeout(self.deadline.left(timeout))
            rest = rest[self.connection.send(rest) :]

    def close(self) -> None:
        self.connection.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> NetworkStream:
        try:
            self.connection.settimeout(self.connecting.left(timeout))
            wrapped = ssl_context.wrap_socket(self.connection, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return _Stream(wrapped, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return _is_readable(self.connection)
        return self.connection if info == "socket" else None


def _is_readable(connection: socket.socket) -> bool:
    """Of an idle connection: that it was closed at the other end."""
    import select

    if connection.fileno() < 0:
        return True
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([connection], [], [], 0)[0])


@cache
def _trusting_the_system() -> ssl.SSLContext:
    """Made once: reading all the authorities takes as long as a hundred requests."""
    return ssl.create_default_context()


def _in_words(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, ConnectionError | httpcore.NetworkError | httpcore.RemoteProtocolError):
        return "the connection broke off"
    return f"it cannot be reached ({type(error).__name__})"
