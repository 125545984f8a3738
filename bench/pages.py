"""The server's time for the pages that people look at all day, signed in, one request after the other."""

from __future__ import annotations

import statistics
import time
from typing import Any
from urllib.parse import urlencode

from .content import QUEUE
from .http import Connection, Journey, Unexpected, closed_loop
from .pairs import percentile
from .report import Report
from .servers import PASSWORD, REVIEWER

PAGES = {"review page": f"/queues/{QUEUE}/review", "items page": f"/queues/{QUEUE}/items", "desk": "/"}


def server_time(report: Report, port: int, *, seconds: float) -> None:
    """Median and p99 of each page, with its size."""
    report.columns("median", "p99", "KiB")
    headers = {"Cookie": _signed_in(port)}
    for name, path in PAGES.items():
        size = len(_get(Connection(port, headers), path))
        slot = closed_loop(port, _journey(path), connections=1, seconds=seconds, headers=headers)
        times = slot.timings["page"]
        report.line(
            name,
            f"{statistics.median(times) * 1_000:,.1f} ms",
            f"{percentile(times, 0.99) * 1_000:,.1f} ms",
            value=size / 1024,
        )


def _journey(path: str) -> Journey:
    def journey(connection: Connection, tell: Any) -> None:
        began = time.perf_counter()
        _get(connection, path)
        tell("page", time.perf_counter() - began)

    return journey


def _get(connection: Connection, path: str) -> bytes:
    status, _, body = connection.request("GET", path)
    if status != 200:
        raise Unexpected(f"GET {path} answered {status}: {body[:300].decode()}")
    return body


def _signed_in(port: int) -> str:
    """The cookie of a signed-in reviewer."""
    connection = Connection(
        port, {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/x-www-form-urlencoded"}
    )
    form = urlencode({"email": REVIEWER, "password": PASSWORD}).encode()
    status, headers, body = connection.request("POST", "/sign-in", form)
    connection.close()
    if status != 303 or "set-cookie" not in headers:
        raise Unexpected(f"signing in answered {status}: {body[:300].decode()}")
    return headers["set-cookie"].partition(";")[0]
