"""Notices that the clock was moved: the wall clock went another way than the monotonic one."""

from __future__ import annotations

from datetime import datetime

LARGEST_STEP = 30.0
"""Seconds by which the two may drift apart between two looks."""
HOLD = 60.0
"""Seconds of the monotonic clock for which timers are held after a step: it may be put right again."""


class ClockWatch:
    """Compares the clock with the monotonic one at every look."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None
        self._held_until = float("-inf")

    def look(self, now: datetime, monotonic: float) -> float | None:
        """By how many seconds the clock jumped since the last look, if it did: positive is forward."""
        last, self._last = self._last, (now, monotonic)
        if last is None:
            return None
        step = (now - last[0]).total_seconds() - (monotonic - last[1])
        if abs(step) <= LARGEST_STEP:
            return None
        self._held_until = monotonic + HOLD
        return step

    def holds(self, monotonic: float) -> bool:
        """Whether timers wait, as the clock was moved a moment ago."""
        return monotonic < self._held_until
