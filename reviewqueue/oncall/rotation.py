"""Who is on call at a moment: a pure function of a rotation, exact over changes of daylight saving time.

A handover, and the hours of a layer, happen at the first moment at which the zone's clocks show that local time or a
later one: a time that the clocks skip happens at the skip, and one that they show twice happens once, the first time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
REACHES = (timedelta(days=31), timedelta(days=366))
"""How far is looked for a shift's beginning or end: most are near, and a year costs more."""


@dataclass(frozen=True, slots=True)
class Handover:
    """When the next member takes over."""

    first: date
    """The local date on which the first member's first turn begins."""
    at: time
    every_days: int


@dataclass(frozen=True, slots=True)
class Hours:
    """Local hours on some days of the week, half-open. They end the next day if not after they begin."""

    days: frozenset[int]
    """Monday is 0."""
    begins: int
    """Minutes after midnight."""
    ends: int
    """Minutes after midnight; 1440 is 24:00."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Members who take turns: always, or within the hours alone."""

    members: tuple[str, ...]
    """Email addresses, in the order of their turns."""
    handover: Handover
    hours: tuple[Hours, ...] = ()
    """Empty: all the time."""


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody stands in, from a moment until before another."""

    begins: datetime
    ends: datetime
    person: str


@dataclass(frozen=True, slots=True)
class Rotation:
    zone: str
    layers: tuple[Layer, ...]
    """A later one goes before an earlier one within its hours."""
    overrides: tuple[Override, ...] = ()
    """They go before every layer, and a later one before an earlier one."""


@dataclass(frozen=True, slots=True)
class Shift:
    begins: datetime
    ends: datetime
    person: str | None
    """None: a gap, in which nobody is on call."""


def on_call(rotation: Rotation, at: datetime) -> str | None:
    """The email address of whoever is on call at that moment; None in a gap."""
    for override in reversed(rotation.overrides):
        if override.begins <= at < override.ends:
            return override.person
    zone = ZoneInfo(rotation.zone)
    for layer in reversed(rotation.layers):
        if _within(layer.hours, at, zone) and (person := _whose_turn(layer, at, zone)) is not None:
            return person
    return None


def shifts(rotation: Rotation, since: datetime, until: datetime) -> list[Shift]:
    """Who is on call from one moment until before another, shift by shift, gaps included."""
    found: list[Shift] = []
    ends = sorted(
        {moment for moment in _boundaries(rotation, since, until) if since < moment < until} | {until}
    )
    begins = since
    for end in ends:
        person = on_call(rotation, begins)
        if found and found[-1].person == person:
            found[-1] = Shift(found[-1].begins, end, person)
        else:
            found.append(Shift(begins, end, person))
        begins = end
    return found


def began(rotation: Rotation, at: datetime) -> datetime | None:
    """Since when whoever is on call then has been so; None: for over a year, or ever since."""
    for back in REACHES:
        past = shifts(rotation, at - back, at + timedelta(microseconds=1))
        if len(past) > 1:
            return past[-1].begins
    return None


def lasts(rotation: Rotation, at: datetime) -> datetime | None:
    """Until when whoever is on call then will be so; None: for over a year, or for good."""
    for ahead in REACHES:
        coming = shifts(rotation, at, at + ahead)
        if len(coming) > 1:
            return coming[0].ends
    return None


@lru_cache(maxsize=8192)
def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which the zone's clocks show that local time or a later one."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    # The clocks skip it. Read with the offset after the skip it is too early, with the one before it too late.
    too_early, found = local.replace(tzinfo=zone, fold=1).astimezone(UTC), moment
    while found - too_early > timedelta(seconds=1):
        middle = too_early + timedelta(seconds=int((found - too_early).total_seconds()) // 2)
        if middle.astimezone(zone).replace(tzinfo=None) < local:
            too_early = middle
        else:
            found = middle
    return found


def _whose_turn(layer: Layer, at: datetime, zone: ZoneInfo) -> str | None:
    turn = _turn(layer.handover, at, zone)
    return layer.members[turn % len(layer.members)] if layer.members and turn >= 0 else None


def _turn(handover: Handover, at: datetime, zone: ZoneInfo) -> int:
    """How many handovers there were since the first; negative before it."""
    # A day off is as much as the clocks can be: they may just have been set back over midnight.
    turn = (at.astimezone(zone).date() - handover.first).days // handover.every_days + 1
    while _handed_over(handover, turn, zone) > at:
        turn -= 1
    return turn


def _handed_over(handover: Handover, turn: int, zone: ZoneInfo) -> datetime:
    day = handover.first + timedelta(days=turn * handover.every_days)
    return first_instant(datetime.combine(day, handover.at), zone)


def _within(hours: tuple[Hours, ...], at: datetime, zone: ZoneInfo) -> bool:
    if not hours:
        return True
    today = at.astimezone(zone).date()
    days = (today - DAY, today, today + DAY)
    return any(begins <= at < ends for begins, ends in _openings(hours, days, zone))


def _openings(
    hours: tuple[Hours, ...], days: tuple[date, ...], zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    for day in days:
        midnight = datetime.combine(day, time())
        for each in hours:
            if day.weekday() in each.days:
                length = each.ends + (0 if each.ends > each.begins else 1440)
                yield (
                    first_instant(midnight + timedelta(minutes=each.begins), zone),
                    first_instant(midnight + timedelta(minutes=length), zone),
                )


def _boundaries(rotation: Rotation, since: datetime, until: datetime) -> Iterator[datetime]:
    """All moments at which somebody else may be on call."""
    for override in rotation.overrides:
        yield override.begins
        yield override.ends
    zone = ZoneInfo(rotation.zone)
    first = since.astimezone(zone).date() - DAY
    days = tuple(first + n * DAY for n in range((until - since).days + 4))
    for layer in rotation.layers:
        turn = _turn(layer.handover, since, zone)
        while (moment := _handed_over(layer.handover, turn, zone)) < until:
            yield moment
            turn += 1
        for opening in _openings(layer.hours, days, zone):
            yield from opening
