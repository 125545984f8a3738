"""Who is on call, against an oracle that walks minute by minute with the zone's clock in its hand."""

# ruff: noqa: DTZ001 - local times without a zone are what this is about
from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from reviewqueue.oncall.rotation import (
    Handover,
    Hours,
    Layer,
    Override,
    Rotation,
    began,
    first_instant,
    lasts,
    on_call,
    shifts,
)

MINUTE = timedelta(minutes=1)
WEEKDAYS = frozenset(range(5))
AROUND_CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 27, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 23, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 6, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 3, tzinfo=UTC)),  # set back at midnight: a date comes twice
    ("Africa/Cairo", datetime(2026, 4, 22, tzinfo=UTC)),  # set forward at midnight
    ("Australia/Lord_Howe", datetime(2026, 4, 3, tzinfo=UTC)),  # by half an hour
    ("Pacific/Apia", datetime(2011, 12, 28, tzinfo=UTC)),  # a day that never was
    ("Asia/Kolkata", datetime(2026, 3, 1, tzinfo=UTC)),
]


def expected(rotation: Rotation, since: datetime, until: datetime) -> Iterator[tuple[datetime, str | None]]:
    """Who is on call at each minute. What is set for a local time happens once the clock has reached it."""
    zone = ZoneInfo(rotation.zone)
    at = since - timedelta(days=2)
    reached = at.astimezone(zone).replace(tzinfo=None)
    while at < until:
        reached = max(reached, at.astimezone(zone).replace(tzinfo=None))
        if at >= since:
            yield at, _person(rotation, at, reached)
        at += MINUTE


def _person(rotation: Rotation, at: datetime, reached: datetime) -> str | None:
    found: str | None = None
    for layer in rotation.layers:
        if layer.members and (not layer.hours or any(_open(hours, reached) for hours in layer.hours)):
            turns, day = -1, datetime.combine(layer.handover.first, layer.handover.at)
            while day <= reached:
                turns, day = turns + 1, day + timedelta(days=layer.handover.every_days)
            found = layer.members[turns % len(layer.members)] if turns >= 0 else found
    for override in rotation.overrides:
        if override.begins <= at < override.ends:
            found = override.person
    return found


def _open(hours: Hours, reached: datetime) -> bool:
    for back in range(3):
        day = datetime.combine(reached.date() - timedelta(days=back), time())
        ends = hours.ends if hours.ends > hours.begins else hours.ends + 1440
        if day.weekday() in hours.days and day + hours.begins * MINUTE <= reached < day + ends * MINUTE:
            return True
    return False


def random_rotation(dice: random.Random, zone: str, around: datetime) -> Rotation:
    def handover() -> Handover:
        first = around.date() - timedelta(days=dice.randrange(-2, 40))
        return Handover(
            first, time(dice.randrange(24), dice.choice([0, 15, 30, 59])), dice.choice([1, 2, 7, 14])
        )

    def hours() -> Hours:
        days = frozenset(dice.sample(range(7), dice.randrange(1, 8)))
        return Hours(days, dice.randrange(0, 1440, 30), dice.randrange(30, 1441, 30))

    names = [f"{letter}@example.org" for letter in "abcde"]
    base = Layer(tuple(dice.sample(names, dice.randrange(0, 4))), handover())
    above = [
        Layer(
            tuple(dice.sample(names, dice.randrange(1, 3))),
            handover(),
            tuple(hours() for _ in range(dice.randrange(3))),
        )
        for _ in range(dice.randrange(3))
    ]
    overrides = []
    for _ in range(dice.randrange(3)):
        begins = around + dice.randrange(4 * 1440) * MINUTE
        overrides.append(Override(begins, begins + dice.randrange(1, 1440) * MINUTE, "stand-in@example.org"))
    return Rotation(zone, (base, *above), tuple(overrides))


@pytest.mark.parametrize(
    ("zone", "around"), AROUND_CHANGES, ids=[f"{z}-{a:%Y-%m}" for z, a in AROUND_CHANGES]
)
def test_every_minute_around_a_change_of_clocks_is_as_the_oracle_says(zone: str, around: datetime) -> None:
    dice = random.Random(f"{zone}{around}")
    until = around + timedelta(days=4)
    for _ in range(3):
        rotation = random_rotation(dice, zone, around)
        told = shifts(rotation, around, until)
        assert (told[0].begins, told[-1].ends) == (around, until)
        assert all(one.ends == following.begins for one, following in pairwise(told))
        position = 0
        for at, person in expected(rotation, around, until):
            while told[position].ends <= at:
                position += 1
            assert told[position].person == person, (rotation, at)
        for _ in range(200):
            at = around + dice.randrange(4 * 1440) * MINUTE
            assert on_call(rotation, at) == next(s.person for s in told if s.begins <= at < s.ends)


def test_a_week_goes_over_at_nine_local_time_in_winter_and_in_summer() -> None:
    weekly = Layer(("a", "b"), Handover(date(2026, 3, 23), time(9), 7))
    berlin = Rotation("Europe/Berlin", (weekly,))
    [one, two] = shifts(berlin, datetime(2026, 3, 23, 8, tzinfo=UTC), datetime(2026, 4, 6, 7, tzinfo=UTC))
    assert (one.person, two.person) == ("a", "b")
    assert one.ends == datetime(2026, 3, 30, 7, tzinfo=UTC), "an hour earlier: it is summer by then"


def test_a_time_that_the_clocks_skip_comes_at_the_skip() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert first_instant(datetime(2026, 3, 29, 2, 30), berlin) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert first_instant(datetime(2026, 10, 25, 2, 30), berlin) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_before_the_start_and_without_members_there_is_a_gap() -> None:
    later = Layer(("a",), Handover(date(2026, 5, 4), time(9), 7))
    rotation = Rotation("UTC", (later,))
    assert on_call(rotation, datetime(2026, 5, 4, 8, 59, tzinfo=UTC)) is None
    assert on_call(rotation, datetime(2026, 5, 4, 9, 0, tzinfo=UTC)) == "a"
    assert on_call(Rotation("UTC", (Layer((), later.handover),)), datetime(2026, 6, 1, tzinfo=UTC)) is None


def test_a_layer_goes_before_the_base_within_its_hours_alone() -> None:
    always = Handover(date(2024, 1, 1), time(0), 7)
    nights = Layer(("night",), always, (Hours(WEEKDAYS, 22 * 60, 6 * 60),))
    rotation = Rotation("UTC", (Layer(("day",), always), nights))
    friday = datetime(2026, 3, 6, tzinfo=UTC)
    assert on_call(rotation, friday.replace(hour=21, minute=59)) == "day"
    assert on_call(rotation, friday.replace(hour=22)) == "night"
    assert on_call(rotation, friday + timedelta(days=1, hours=5, minutes=59)) == "night"
    assert on_call(rotation, friday + timedelta(days=1, hours=6)) == "day"
    assert on_call(rotation, friday + timedelta(days=1, hours=23)) == "day", "Saturday is no day of the layer"


def test_a_turn_is_known_beyond_the_days_that_are_looked_at() -> None:
    monthly = Layer(("a", "b"), Handover(date(2026, 1, 5), time(9), 70))
    berlin = Rotation("Europe/Berlin", (monthly,))
    now = datetime(2026, 4, 1, tzinfo=UTC)
    assert began(berlin, now) == datetime(2026, 3, 16, 8, tzinfo=UTC)
    assert lasts(berlin, now) == datetime(2026, 5, 25, 7, tzinfo=UTC)


def test_who_never_hands_over_has_neither_beginning_nor_end() -> None:
    alone = Rotation("Europe/Berlin", (Layer(("a",), Handover(date(2020, 1, 6), time(9), 7)),))
    now = datetime(2026, 4, 1, tzinfo=UTC)
    assert (began(alone, now), lasts(alone, now)) == (None, None)
