"""Which timer is next, against a simulation that looks at the clock every minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reviewqueue.escalation.schedule import Facts, Timer, due_at, next_timer

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HORIZON = 120


@dataclass(frozen=True)
class Step:
    after: timedelta
    repeat_every: timedelta | None = None
    repeat_times: int = 0


@dataclass(frozen=True)
class Life:
    """What is going to happen around one item; whole minutes, all of it counted from its arrival."""

    steps: tuple[Step, ...]
    deadline: int | None
    snoozed_until: int | None
    down: frozenset[int]


STEPS = (
    Step(timedelta(hours=2)),
    Step(timedelta(hours=4), repeat_every=timedelta(hours=1), repeat_times=3),
)
FACTS = Facts(START, 0.0, None, None, steps_fired=0, repeats_fired=0, fired_at=None)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_steps_are_counted_from_arrival() -> None:
    assert next_timer(STEPS, FACTS, START) == Timer(at(120), "escalate", 1, 0)
    fired = replace(FACTS, steps_fired=1, fired_at=at(125))
    assert next_timer(STEPS, fired, at(125)) == Timer(at(240), "escalate", 2, 0)


def test_a_pause_pushes_the_steps_but_not_the_deadline() -> None:
    paused = replace(FACTS, paused_seconds=1800.0, deadline_at=at(600))
    assert next_timer(STEPS, paused, START) == Timer(at(150), "escalate", 1, 0)
    assert next_timer((), paused, START) == Timer(at(600), "deadline", 0, 0)


def test_repeats_are_counted_from_when_the_last_one_really_fired() -> None:
    late = replace(FACTS, steps_fired=2, fired_at=at(290))
    assert next_timer(STEPS, late, at(290)) == Timer(at(350), "repeat", 2, 1)
    again = replace(late, repeats_fired=2, fired_at=at(700))
    assert next_timer(STEPS, again, at(700)) == Timer(at(760), "repeat", 2, 3)


def test_repeats_end() -> None:
    done = replace(FACTS, steps_fired=2, repeats_fired=3, fired_at=at(420))
    assert next_timer(STEPS, done, at(420)) is None


def test_of_the_steps_missed_in_a_downtime_only_the_last_fires() -> None:
    assert next_timer(STEPS, FACTS, at(1000)) == Timer(at(240), "escalate", 2, 0)


def test_a_missed_step_takes_the_place_of_a_missed_repeat() -> None:
    steps = (Step(timedelta(hours=1), timedelta(minutes=10), 9), Step(timedelta(hours=2)))
    repeating = replace(FACTS, steps_fired=1, fired_at=at(60))
    assert next_timer(steps, repeating, at(60)) == Timer(at(70), "repeat", 1, 1)
    assert next_timer(steps, repeating, at(200)) == Timer(at(120), "escalate", 2, 0)


def test_a_snoozed_item_wakes_before_it_escalates() -> None:
    snoozed = replace(FACTS, snoozed_until=at(500))
    assert next_timer(STEPS, snoozed, at(300)) == Timer(at(500), "wake", 0, 0)


def test_the_deadline_does_not_wait_for_a_snoozed_item() -> None:
    snoozed = replace(FACTS, snoozed_until=at(500), deadline_at=at(400))
    assert next_timer(STEPS, snoozed, START) == Timer(at(400), "deadline", 0, 0)


def test_a_deadline_that_has_passed_ends_what_was_missed_before_it() -> None:
    missed = replace(FACTS, deadline_at=at(600))
    assert next_timer(STEPS, missed, at(599)) == Timer(at(240), "escalate", 2, 0)
    assert next_timer(STEPS, missed, at(600)) == Timer(at(600), "deadline", 0, 0)


def test_nothing_happens_by_itself_without_steps_or_a_deadline() -> None:
    assert next_timer((), FACTS, START) is None


@pytest.mark.parametrize(("after", "paused", "due"), [(60, 0.0, 60), (60, 90.0, 61.5), (None, 90.0, None)])
def test_the_due_time_is_pushed_by_pauses(after: int | None, paused: float, due: float | None) -> None:
    due_after = timedelta(minutes=after) if after is not None else None
    assert due_at(START, due_after, paused) == (at(due) if due is not None else None)


class OpenMinutes:
    """Hours as a set of minutes from the start: adding walks over them one by one."""

    def __init__(self, closed: frozenset[int]) -> None:
        self.closed = closed
        self._open_before = list(accumulate((m not in closed for m in range(HORIZON * 7)), initial=0))

    def add(self, start: datetime, business_seconds: float) -> datetime:
        minute, left = int((start - START) / MINUTE), int(business_seconds / 60)
        while left:
            left -= self.is_open(minute)
            minute += 1
        return at(minute)

    def is_open(self, minute: int) -> bool:
        return minute not in self.closed

    def between(self, start: int, end: int) -> int:
        return self._open_before[end] - self._open_before[start]


ROUND_THE_CLOCK = OpenMinutes(frozenset())


class Never:
    """Hours that are so few that no time is reached in them."""

    def add(self, start: datetime, business_seconds: float) -> datetime:
        raise OverflowError("thirty years are over")


def test_in_a_calendar_steps_repeats_and_due_time_count_its_open_time() -> None:
    lunch = OpenMinutes(frozenset(range(90, 150)))
    assert next_timer(STEPS, FACTS, START, lunch) == Timer(at(180), "escalate", 1, 0)
    assert due_at(START, timedelta(minutes=90), 0.0, lunch) == at(90)
    assert due_at(START, timedelta(minutes=90), 60.0, lunch) == at(151)
    fired = replace(FACTS, steps_fired=2, fired_at=at(60))
    assert next_timer(STEPS, fired, at(60), lunch) == Timer(at(180), "repeat", 2, 1)


def test_deadline_and_snooze_are_times_of_the_wall_clock_in_a_calendar_too() -> None:
    closed = OpenMinutes(frozenset(range(1000)))
    waiting = replace(FACTS, deadline_at=at(600), snoozed_until=at(300))
    assert next_timer(STEPS, waiting, START, closed) == Timer(at(300), "wake", 0, 0)
    assert next_timer(STEPS, replace(waiting, snoozed_until=None), START, closed) == Timer(
        at(600), "deadline", 0, 0
    )


def test_what_the_open_hours_never_reach_never_happens() -> None:
    assert next_timer(STEPS, FACTS, START, Never()) is None
    assert next_timer(STEPS, replace(FACTS, steps_fired=2, fired_at=START), START, Never()) is None
    assert due_at(START, timedelta(hours=1), 0.0, Never()) is None


minutes = st.integers(1, HORIZON)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    afters = sorted(draw(st.sets(minutes, max_size=4)))
    steps = [
        Step(after * MINUTE, every * MINUTE if every else None, draw(st.integers(1, 3)) if every else 0)
        for after in afters
        for every in [draw(st.none() | st.integers(1, 20))]
    ]
    outages = draw(st.lists(st.tuples(minutes, st.integers(1, 60)), max_size=3))
    down = frozenset(minute for begin, length in outages for minute in range(begin, begin + length))
    return Life(tuple(steps), draw(st.none() | minutes), draw(st.none() | minutes), down)


@given(lives())
@settings(max_examples=600, deadline=None)
def test_jumping_from_timer_to_timer_does_what_looking_every_minute_does(life: Life) -> None:
    assert jumping(life) == looking_every_minute(life)


closings = st.lists(st.tuples(st.integers(0, HORIZON), st.integers(1, 40)), max_size=4).map(
    lambda found: OpenMinutes(frozenset(m for begin, length in found for m in range(begin, begin + length)))
)


@given(lives(), closings)
@settings(max_examples=600, deadline=None)
def test_so_it_does_in_opening_hours(life: Life, hours: OpenMinutes) -> None:
    assert jumping(life, hours) == looking_every_minute(life, hours)


@given(minutes, st.lists(st.tuples(minutes, minutes), max_size=3), closings)
@settings(max_examples=600, deadline=None)
def test_a_snooze_keeps_what_is_left_in_open_minutes(
    after: int, snoozes: list[tuple[int, int]], hours: OpenMinutes
) -> None:
    """Against a stopwatch that runs while it is open and nobody has put the item aside."""
    paused, asleep = 0, set[int]()
    since = 0
    for wait, length in snoozes:
        begin = since + wait
        if hours.between(0, begin) - paused >= after:
            break  # due already: there is nothing left to be kept
        since = begin + length
        paused += hours.between(begin, since)
        asleep.update(range(begin, since))
    minute, left = 0, after
    while left:
        left -= hours.is_open(minute) and minute not in asleep
        minute += 1
    assert due_at(START, after * MINUTE, paused * 60.0, hours) == at(minute)


def jumping(life: Life, hours: OpenMinutes | None = None) -> list[tuple[int, str, int, int]]:
    """Sleeps until `next_timer` says or the worker is up again; then asks once more and lets that happen."""
    facts = Facts(START, 0.0, _at(life.deadline), _at(life.snoozed_until), 0, 0, None)
    happened: list[tuple[int, str, int, int]] = []
    minute = 0
    while timer := next_timer(life.steps, facts, at(minute), hours):
        minute = max(minute, int((timer.at - START) / MINUTE))
        while minute in life.down:
            minute += 1
        found = next_timer(life.steps, facts, at(minute), hours)
        assert found is not None
        assert found.at <= at(minute)
        happened.append((minute, found.kind, found.step, found.occurrence))
        if found.kind == "deadline":
            break
        if found.kind == "wake":
            facts = replace(facts, snoozed_until=None)
        else:
            facts = replace(
                facts, steps_fired=found.step, repeats_fired=found.occurrence, fired_at=at(minute)
            )
    return happened


def looking_every_minute(life: Life, hours: OpenMinutes = ROUND_THE_CLOCK) -> list[tuple[int, str, int, int]]:
    """The rules again, with no idea of a next timer: what is so at this minute?"""
    afters = [int(step.after / MINUTE) for step in life.steps]
    happened: list[tuple[int, str, int, int]] = []
    asleep, step, repeats, fired = life.snoozed_until is not None, 0, 0, 0
    for minute in _up(life.down):
        if life.deadline is not None and minute >= life.deadline:
            return [*happened, (minute, "deadline", 0, 0)]
        if asleep:
            if life.snoozed_until is None or minute < life.snoozed_until:
                continue
            asleep = False
            happened.append((minute, "wake", 0, 0))
        passed = sum(after <= hours.between(0, minute) for after in afters)
        if passed > step:
            step, repeats, fired = passed, 0, minute
            happened.append((minute, "escalate", step, 0))
        elif step and _repeats(life.steps[step - 1], repeats, hours.between(fired, minute)):
            repeats, fired = repeats + 1, minute
            happened.append((minute, "repeat", step, repeats))
    return happened


def _repeats(step: Step, repeats: int, minutes_ago: int) -> bool:
    return (
        step.repeat_every is not None
        and repeats < step.repeat_times
        and minutes_ago * MINUTE >= step.repeat_every
    )


def _up(down: frozenset[int]) -> Sequence[int]:
    """Every minute of a life and of its last repeats in which the worker runs."""
    return [minute for minute in range(HORIZON * 6) if minute not in down]


def _at(minute: int | None) -> datetime | None:
    return at(minute) if minute is not None else None
