"""A bell that wakes this process's waiting requests when something was committed that they may wait for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

MOST_WAITING = 16
"""Requests that may wait in one process at once; `serve` has threads beyond them, so that people are never kept out."""
RECHECK_SECONDS = 1.0
"""How long another process's commit may go unnoticed: there the bell does not ring."""


class Bell:
    """Rung after each commit that somebody may wait for; whoever waits looks again."""

    def __init__(self, places: int = MOST_WAITING) -> None:
        self._condition = threading.Condition()
        self._rings = 0
        self._places = threading.BoundedSemaphore(places)

    def ring(self) -> None:
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait_for(self, look: Callable[[], T], *, done: Callable[[T], bool], seconds: float) -> T:
        """Calls `look` until `done` of it or the time is up, and returns what it saw last.

        Nothing is held while waiting, no database connection above all. Where as many as may are waiting already, one
        look has to do: the caller asks again.
        """
        seen = look()
        if done(seen) or seconds <= 0 or not self._places.acquire(blocking=False):
            return seen
        try:
            return self._wait_for(look, done, seconds)
        finally:
            self._places.release()

    def _wait_for(self, look: Callable[[], T], done: Callable[[T], bool], seconds: float) -> T:
        end = time.monotonic() + seconds
        while True:
            rings = self._rings
            seen = look()
            left = end - time.monotonic()
            if done(seen) or left <= 0:
                return seen
            with self._condition:
                if self._rings == rings:
                    self._condition.wait(min(left, RECHECK_SECONDS))
