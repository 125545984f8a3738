"""What will be overdue in the hours to come, if people go on as they did: a pure function of few numbers.

An hour's capacity is the queue's decisions of the last 24 hours, spread over the open hours among them, times the open
hours to come. Of what is overdue or falls due by a time, the part beyond the capacity up to then is overdue at that
time. That takes the earliest due to be decided first, and counts nothing that has yet to arrive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

DAY = timedelta(days=1)


class Hours(Protocol):
    """The part of a calendar that is needed here."""

    def elapsed(self, start: datetime, end: datetime) -> float: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a queue's people are."""

    decided_last_day: int
    hours: Hours | None
    """The calendar of its policy; None: round the clock."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """A time to come."""

    at: datetime
    falls_due: int
    """Not overdue now, and due by then."""
    overdue: int
    """Expected to be undecided and past their due time then."""


def forecast(now: datetime, overdue: int, due_within: Sequence[int], pace: Pace) -> tuple[Ahead, ...]:
    """One entry for each coming hour; `due_within` counts what falls due within 1, 2 … hours."""
    rate = pace.decided_last_day / worked if (worked := _open(pace.hours, now - DAY, now)) else 0.0
    found = []
    for number, falls_due in enumerate(due_within, start=1):
        at = now + timedelta(hours=number)
        capacity = int(rate * _open(pace.hours, now, at) + 1e-6)
        found.append(Ahead(at, falls_due, max(0, overdue + falls_due - capacity)))
    return tuple(found)


def added(parts: Sequence[Sequence[Ahead]]) -> tuple[Ahead, ...]:
    """The forecasts of several queues as one: nobody is taken to help out in another queue."""
    return tuple(
        Ahead(at[0].at, sum(one.falls_due for one in at), sum(one.overdue for one in at))
        for at in zip(*parts, strict=True)
    )


def _open(hours: Hours | None, start: datetime, end: datetime) -> float:
    """Open seconds between the two."""
    return (end - start).total_seconds() if hours is None else hours.elapsed(start, end)
