"""What should happen to an item, foretold by brute force: it shares nothing with the product but the policy's numbers.

Open hours are counted minute by minute (calendars/minutes.py). A snooze is time that is left out of the count, where
the product pushes its times back; and a whole life is foretold at once, where the product goes from timer to timer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from .calendars.minutes import Minutes


@dataclass(frozen=True)
class Step:
    """All in open seconds."""

    after: int
    every: int = 0
    times: int = 0


@dataclass(frozen=True)
class Plan:
    """A queue's policy."""

    hours: Minutes
    steps: tuple[Step, ...]
    deadline: timedelta


@dataclass(frozen=True)
class Life:
    """What people do with an item from its arrival, or its reopening, on."""

    begins: datetime
    snoozed: tuple[datetime, datetime] | None = None
    decided: datetime | None = None


@dataclass(frozen=True)
class Happening:
    at: datetime
    event: str
    step: int | None = None
    occurrence: int | None = None


def happenings(life: Life, plan: Plan) -> list[Happening]:
    """Every event of a life, in order. Of what falls on the same second, timers go before people."""
    deadline = life.begins + plan.deadline
    end = life.decided or deadline
    found = [one for one in _escalations(life, plan) if one.at < deadline and one.at <= end]
    if life.snoozed is not None:
        found += [
            Happening(life.snoozed[0], "item.snoozed"),
            Happening(life.snoozed[1], "item.woken"),
        ]
    found.sort(key=lambda one: one.at)
    if life.decided is None:
        return [*found, Happening(deadline, "item.expired")]
    return [*found, Happening(end, "item.reviewed"), Happening(end, "item.accepted")]


def _escalations(life: Life, plan: Plan) -> Iterator[Happening]:
    fires = [_after_work(plan.hours, life.begins, step.after, life.snoozed) for step in plan.steps]
    for number, (at, following) in enumerate(pairwise([*fires, None]), start=1):
        assert at is not None
        yield Happening(at, "item.escalated", number, 0)
        step, base = plan.steps[number - 1], at
        for occurrence in range(1, step.times + 1):
            again = plan.hours.add(base, step.every)
            if life.snoozed is not None and base <= life.snoozed[0] < again:
                again = plan.hours.add(life.snoozed[1], step.every)  # reminders are counted anew
            if following is not None and following <= again:
                break
            yield Happening(again, "item.escalated", number, occurrence)
            base = again


def _after_work(
    hours: Minutes, since: datetime, seconds: int, left_out: tuple[datetime, datetime] | None
) -> datetime:
    """When so many open seconds have gone by, those within `left_out` not counted."""
    if left_out is None:
        return hours.add(since, seconds)
    before = hours.elapsed(since, left_out[0])
    return hours.add(since, seconds) if seconds <= before else hours.add(left_out[1], seconds - before)
