"""Business time: how much of it lies between two times, and when a given amount of it has passed.

A calendar is a set of instants: those whose local wall time lies in an interval of their local date. So in the hour
that a clock runs through twice both passes count, and a wall time or a date that a clock skips counts nothing.
All intervals are half-open. Everything is computed in whole microseconds of UTC, and nothing here reads a clock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

from .offsets import BLOCK, DAY, EPOCH, pieces

Walls: TypeAlias = tuple[tuple[int, int], ...]
"""The intervals of one date, in order, in seconds of its wall clock; 86,400 is 24:00."""

MICRO = 1_000_000
HORIZON = 30 * 13 + 1
"""How many blocks, about thirty years, are searched or summed before it is taken to be never."""


class TooFar(OverflowError):
    """What was asked for lies more than thirty years away."""


@dataclass(frozen=True, slots=True)
class OpenDay:
    """One local date as a page shows it."""

    date: date
    walls: Walls
    title: str | None
    """Of the holiday or the exception."""
    seconds: int
    """How long it is really open: less or more than the intervals say where the clock is changed."""
    exists: bool
    """False for a date that the zone skipped, as Apia did 2011-12-30."""


@dataclass(frozen=True, slots=True)
class _Block:
    """The open intervals of one block, in microseconds since the epoch."""

    starts: list[int]
    ends: list[int]
    before: list[int]
    """Open time of the block before each interval."""
    total: int

    def open_until(self, at: int) -> int:
        """Open time from the block's beginning until `at`, which lies in it."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0
        return self.before[index] + min(at, self.ends[index]) - self.starts[index]


class Calendar:
    """Opening hours of one zone: a week, and single dates that differ from it.

    Blocks of 28 days are compiled when they are first needed and kept, so that a call costs some microseconds.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        weekly: Sequence[Walls],
        special: Mapping[date, Walls],
        titles: Mapping[date, str] | None = None,
    ) -> None:
        """`weekly` is Monday to Sunday; `special` takes the place of the week on its dates."""
        self.zone = zone
        self._weekly = tuple(weekly)
        self._special = {_number(day): walls for day, walls in special.items()}
        self._titles = dict(titles or {})
        self._blocks: dict[int, _Block] = {}

    def add(self, start: datetime, business_seconds: float) -> datetime:
        """The earliest time, in UTC, at which so many open seconds have passed since `start`.

        An end of business is earlier than the next beginning: 17:00, not 09:00. Nothing added is `start` itself,
        open or not. Raises ValueError for a negative number or a time without zone, TooFar after thirty years.
        """
        at, left = _micros(start), round(business_seconds * MICRO)
        if left < 0:
            raise ValueError("business time is added, never taken away")
        if left == 0:
            return start.astimezone(UTC)
        first = at // (BLOCK * MICRO)
        left += self._block(first).open_until(at)
        for number in range(first, first + HORIZON):
            block = self._block(number)
            if left <= block.total:
                index = bisect_left(block.before, left) - 1
                return _time(block.starts[index] + left - block.before[index])
            left -= block.total
        raise TooFar(f"{business_seconds:g} open seconds take more than thirty years")

    def elapsed(self, start: datetime, end: datetime) -> float:
        """Open seconds from `start` (inclusive) until `end` (exclusive); negative when `end` is earlier.

        `elapsed(s, add(s, n)) == n` for whole microseconds. Raises ValueError for a time without zone, TooFar when
        the two are more than thirty years apart.
        """
        since, until = _micros(start), _micros(end)
        if until < since:
            return -self.elapsed(end, start)
        first, last = since // (BLOCK * MICRO), until // (BLOCK * MICRO)
        if last - first > HORIZON:
            raise TooFar("the two times are more than thirty years apart")
        whole = sum(self._block(number).total for number in range(first, last))
        return (whole + self._block(last).open_until(until) - self._block(first).open_until(since)) / MICRO

    def next_open(self, at: datetime) -> datetime:
        """The earliest open time that is not before `at`, in UTC. Raises TooFar when there is none for long."""
        micros = _micros(at)
        first = micros // (BLOCK * MICRO)
        for number in range(first, first + HORIZON):
            block = self._block(number)
            index = bisect_right(block.ends, micros)
            if index < len(block.ends):
                return _time(max(micros, block.starts[index]))
        raise TooFar("it does not open in thirty years")

    def is_open(self, at: datetime) -> bool:
        return self.next_open(at) == at.astimezone(UTC)

    def open_hours(self, since: datetime, days: int = 14) -> list[OpenDay]:
        """The local dates from that of `since` on."""
        first = since.astimezone(self.zone).date()
        return [self._open_day(first + timedelta(days=offset)) for offset in range(days)]

    def intervals(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The open intervals between two times, in UTC; one that goes on from block to block is told whole."""
        begin, end = _micros(since), _micros(until)
        pending: tuple[int, int] | None = None
        for number in range(begin // (BLOCK * MICRO), end // (BLOCK * MICRO) + 1):
            block = self._block(number)
            for opens, closes in zip(block.starts, block.ends, strict=True):
                start, stop = max(begin, opens), min(end, closes)
                if start >= stop:
                    continue
                if pending is not None and pending[1] == start:
                    pending = (pending[0], stop)
                    continue
                if pending is not None:
                    yield _time(pending[0]), _time(pending[1])
                pending = (start, stop)
        if pending is not None:
            yield _time(pending[0]), _time(pending[1])

    def _block(self, number: int) -> _Block:
        block = self._blocks.get(number)
        if block is None:
            block = self._blocks[number] = self._compiled(number)
        return block

    def _compiled(self, number: int) -> _Block:
        starts: list[int] = []
        ends: list[int] = []
        for begin, end, offset in pieces(self.zone, number):
            for day in range((begin + offset) // DAY, (end + offset - 1) // DAY + 1):
                for opens, closes in self._walls(day):
                    start = max(begin, day * DAY + opens - offset) * MICRO
                    stop = min(end, day * DAY + closes - offset) * MICRO
                    if start >= stop:
                        continue
                    if ends and ends[-1] == start:
                        ends[-1] = stop
                    else:
                        starts.append(start)
                        ends.append(stop)
        before, total = [], 0
        for start, stop in zip(starts, ends, strict=True):
            before.append(total)
            total += stop - start
        return _Block(starts, ends, before, total)

    def _walls(self, day: int) -> Walls:
        """The intervals of a date, counted in days since the epoch, which was a Thursday."""
        special = self._special.get(day)
        return self._weekly[(day + 3) % 7] if special is None else special

    def _open_day(self, day: date) -> OpenDay:
        number = _number(day)
        walls = self._walls(number)
        seconds = sum(self._seconds_of(number, opens, closes) for opens, closes in walls)
        exists = self._seconds_of(number, 0, DAY) > 0
        return OpenDay(day, walls, self._titles.get(day), seconds, exists)

    def _seconds_of(self, day: int, opens: int, closes: int) -> int:
        """How many real seconds show a wall time of that date between the two."""
        first, last = (day - 2) * DAY // BLOCK, (day + 2) * DAY // BLOCK
        return sum(
            max(0, min(end, day * DAY + closes - offset) - max(begin, day * DAY + opens - offset))
            for block in range(first, last + 1)
            for begin, end, offset in pieces(self.zone, block)
        )


def _number(day: date) -> int:
    return day.toordinal() - EPOCH.toordinal()


def _micros(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError("a time without a zone has no place in a calendar")
    since = at - EPOCH
    return (since.days * DAY + since.seconds) * MICRO + since.microseconds


def _time(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)
