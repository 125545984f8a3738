"""Which timer is next: pure functions from a policy's steps and an item's plain values to a time.

An item has one timer at a time, the earliest thing that may happen to it by itself. Due time, steps and their repeats
count in the open hours of the policy's calendar, or round the clock where it has none; the deadline and the end of a
snooze are times of the wall clock, since the app and the person who snoozed wait by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

Kind = Literal["escalate", "repeat", "deadline", "wake"]


class Step(Protocol):
    """One escalation step: how long after arrival it fires, and how often it then repeats."""

    @property
    def after(self) -> timedelta: ...
    @property
    def repeat_every(self) -> timedelta | None: ...
    @property
    def repeat_times(self) -> int: ...


class Hours(Protocol):
    """The part of a calendar that is needed here."""

    def add(self, start: datetime, business_seconds: float) -> datetime:
        """Raises OverflowError where so much business time lies too far ahead to matter."""
        ...


@dataclass(frozen=True, slots=True)
class Timer:
    at: datetime
    """As planned. A timer that is found late keeps its planned time."""
    kind: Kind
    step: int
    """Of an escalation or its repeat, counted from 1; else 0."""
    occurrence: int
    """0, then 1, 2 … for the repeats of a step."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the timers of a waiting item depend on."""

    waiting_since: datetime
    paused_seconds: float
    """How long snoozes lasted, in business seconds of the policy's calendar."""
    deadline_at: datetime | None
    snoozed_until: datetime | None
    steps_fired: int
    repeats_fired: int
    fired_at: datetime | None


def next_timer(
    steps: Sequence[Step], facts: Facts, now: datetime, hours: Hours | None = None
) -> Timer | None:
    """The earliest thing that may happen to the item by itself, or None when nothing will.

    `steps` come in the order of their `after`. A deadline that has passed ends everything else. While the
    item is snoozed, waking and the deadline alone count. Of several steps that were missed only the last is
    left, and it takes the place of a missed repeat of an earlier one.
    """
    if facts.deadline_at is not None and facts.deadline_at <= now:
        return _deadline(facts.deadline_at)
    if facts.snoozed_until is not None:
        happening: Timer | None = Timer(facts.snoozed_until, "wake", 0, 0)
    else:
        happening = _next_escalation(steps, facts, now, hours)
    if facts.deadline_at is not None and (happening is None or facts.deadline_at <= happening.at):
        return _deadline(facts.deadline_at)
    return happening


def due_at(
    waiting_since: datetime, due_after: timedelta | None, paused_seconds: float, hours: Hours | None = None
) -> datetime | None:
    """By when a human should have decided. Pauses push it back by business seconds, so that the rest is kept."""
    if due_after is None:
        return None
    return _after(waiting_since, due_after.total_seconds() + paused_seconds, hours)


def _next_escalation(steps: Sequence[Step], facts: Facts, now: datetime, hours: Hours | None) -> Timer | None:
    coming = list(_coming(steps, facts, hours))
    if missed := [timer for timer in coming if timer.at <= now]:
        return missed[-1]
    repeat = _next_repeat(steps, facts, hours)
    if repeat is None or (coming and coming[0].at <= repeat.at):
        return coming[0] if coming else None
    return repeat


def _coming(steps: Sequence[Step], facts: Facts, hours: Hours | None) -> Iterator[Timer]:
    """The steps that have not fired, in their order."""
    for number, step in enumerate(steps[facts.steps_fired :], start=facts.steps_fired + 1):
        at = _after(facts.waiting_since, step.after.total_seconds() + facts.paused_seconds, hours)
        if at is None:
            return
        yield Timer(at, "escalate", number, 0)


def _next_repeat(steps: Sequence[Step], facts: Facts, hours: Hours | None) -> Timer | None:
    """The next repeat of the step that fired last, counted from when it really fired."""
    if facts.fired_at is None or not 1 <= facts.steps_fired <= len(steps):
        return None
    step = steps[facts.steps_fired - 1]
    if step.repeat_every is None or facts.repeats_fired >= step.repeat_times:
        return None
    at = _after(facts.fired_at, step.repeat_every.total_seconds(), hours)
    return Timer(at, "repeat", facts.steps_fired, facts.repeats_fired + 1) if at else None


def _deadline(at: datetime) -> Timer:
    return Timer(at, "deadline", 0, 0)


def _after(start: datetime, seconds: float, hours: Hours | None) -> datetime | None:
    """None where it lies too far ahead to be told, which is never."""
    try:
        return start + timedelta(seconds=seconds) if hours is None else hours.add(start, seconds)
    except OverflowError:
        return None
