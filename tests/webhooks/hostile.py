"""Receivers that mean no good, each on a raw socket: what a sender has to survive."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\n"
CHUNK = b"x" * 65536


def never_answers(connection: socket.socket, stopped: threading.Event) -> None:
    stopped.wait(60)


def a_byte_at_a_time(connection: socket.socket, stopped: threading.Event) -> None:
    for byte in b"HTTP/1.1 500 Slow\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000:
        connection.send(bytes([byte]))
        if stopped.wait(0.1):
            return


def endless_body(connection: socket.socket, stopped: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 500 Endless\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not stopped.is_set():
        connection.sendall(b"10000\r\n" + CHUNK + b"\r\n")


def gzip_bomb(connection: socket.socket, stopped: threading.Event) -> None:
    bomb = _BOMB
    head = b"HTTP/1.1 500 Boom\r\nContent-Encoding: gzip\r\nContent-Length: " + str(len(bomb)).encode()
    connection.sendall(head + b"\r\n\r\n" + bomb)


def redirect_inward(connection: socket.socket, stopped: threading.Event) -> None:
    where = f"http://127.0.0.9:{FORBIDDEN_PORT}/inner".encode()
    connection.sendall(
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: " + where + b"\r\nContent-Length: 0\r\n\r\n"
    )


def reset_after_reading(connection: socket.socket, stopped: threading.Event) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def endless_headers(connection: socket.socket, stopped: threading.Event) -> None:
    connection.sendall(OK)
    while not stopped.is_set():
        connection.sendall(b"X-More: " + b"y" * 8000 + b"\r\n")


FORBIDDEN_PORT = 9
KINDS: tuple[Callable[[socket.socket, threading.Event], None], ...] = (
    never_answers,
    a_byte_at_a_time,
    endless_body,
    gzip_bomb,
    redirect_inward,
    reset_after_reading,
    endless_headers,
)
_BOMB = gzip.compress(bytes(100 * 1024 * 1024))
"""100 MiB of zeros in 100 KiB."""


@contextmanager
def hostile(kind: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """One receiver of that kind; its URL."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:

        def serve() -> None:
            while not stopped.is_set():
                with suppress(OSError):
                    connection, _ = server.accept()
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        def talk(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                connection.settimeout(30)
                _read_request(connection)
                kind(connection, stopped)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        finally:
            stopped.set()
            with suppress(OSError):  # wakes whoever accepts
                socket.create_connection(server.getsockname(), 1).close()
            thread.join()


@contextmanager
def twenty_hostile() -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [stack.enter_context(hostile(KINDS[number % len(KINDS)])) for number in range(20)]


def _read_request(connection: socket.socket) -> None:
    got, end = b"", time.monotonic() + 5
    while b"\r\n\r\n" not in got and time.monotonic() < end:
        if not (more := connection.recv(65536)):
            raise ConnectionError
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length and (more := connection.recv(65536)):
        body += more
