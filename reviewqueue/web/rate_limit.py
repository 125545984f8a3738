"""How often a key may call: counted in this process's memory, told in the headers of each answer, refused beyond.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10. Only calls with a good key are counted: a key cannot
be guessed, and what is open to everybody is cheap.
"""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, g
from werkzeug.wrappers import Response

from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.errors import RateLimited

WINDOW = 60
"""Seconds."""
POLICY = '"per-key"'


@dataclass(frozen=True, slots=True)
class Standing:
    """How a key stands after one more call."""

    left: int
    """Calls until the window ends; negative: this one was too many."""
    seconds: int
    """Until the window ends."""


class Windows:
    """Counts each key's calls in windows of its own, the first of which begins with its first call.

    Not aligned to the clock, so that the apps that wait do not all come back in the same second.
    """

    def __init__(self, most: int, now: Callable[[], datetime]) -> None:
        self._most, self._now = most, now
        # One small entry for each key that has called: never more than there are keys.
        self._windows: dict[uuid.UUID, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def count(self, key_id: uuid.UUID) -> Standing:
        at = self._now().timestamp()
        with self._lock:
            began, used = self._windows.get(key_id, (at, 0))
            # Also when the clock was set back, which must not make anybody wait for longer.
            if not began <= at < began + WINDOW:
                began, used = at, 0
            self._windows[key_id] = began, used + 1
        return Standing(self._most - used - 1, math.ceil(began + WINDOW - at))


def register(app: Flask, settings: Settings, db: Database) -> None:
    """Costs nothing where the operator sets no limit."""
    if not settings.rate_limit:
        return
    windows = Windows(settings.rate_limit, db.clock.now)

    def count() -> None:
        caller = g.get("caller")
        if caller is None or caller.key_id is None:
            return
        g.standing = standing = windows.count(caller.key_id)
        if standing.left < 0:
            raise RateLimited(
                f"This key may call {settings.rate_limit:,} times a minute. Go on in {standing.seconds} seconds.",
                retry_after=standing.seconds,
            )

    def tell(response: Response) -> Response:
        standing: Standing | None = g.get("standing")
        if standing is not None:
            response.headers["RateLimit-Policy"] = f"{POLICY};q={settings.rate_limit};w={WINDOW}"
            response.headers["RateLimit"] = f"{POLICY};r={max(standing.left, 0)};t={standing.seconds}"
        return response

    app.before_request(count)
    app.after_request(tell)
