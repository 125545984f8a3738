"""The only source of time.

On PostgreSQL the database's clock counts, since many processes share it; each process asks for it about once
a second and carries on from there by its monotonic clock, so that no statement pays a round trip for the time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

REFRESH_SECONDS = 1.0


class Clock(Protocol):
    """What tells the time: an aware datetime in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class DatabaseClock:
    """A remote clock, read by `read` at most once a second and continued by the monotonic clock."""

    def __init__(self, read: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._read, self._monotonic = read, monotonic
        self._lock = threading.Lock()
        self._told: datetime | None = None
        self._told_at = 0.0

    def now(self) -> datetime:
        with self._lock:
            if self._told is None or self._monotonic() - self._told_at > REFRESH_SECONDS:
                self._told, self._told_at = self._read().astimezone(UTC), self._monotonic()
            return self._told + timedelta(seconds=self._monotonic() - self._told_at)


class ContinuedClock:
    """A time that was told once, continued by the monotonic clock: nobody can move it."""

    def __init__(self, told: datetime, told_at: float, monotonic: Callable[[], float]) -> None:
        self._told, self._told_at, self._monotonic = told, told_at, monotonic

    def now(self) -> datetime:
        return self._told + timedelta(seconds=self._monotonic() - self._told_at)


class MovableClock:
    """A clock that stands still until it is moved: what tests and the demo's history run on."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def move(self, **by: float) -> datetime:
        """Moves by the given timedelta arguments (`hours=2`) and returns the new time."""
        self._now += timedelta(**by)
        return self._now

    def set(self, to: datetime) -> None:
        self._now = to.astimezone(UTC)
