"""A calendar by brute force: every minute of two years is asked for its wall time, and looked up in the week.

It shares nothing with the product but zoneinfo: no intervals, no offsets, no transitions, only minutes.
"""

from __future__ import annotations

import random
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

DAY = 1_440
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = {
    "Australia/Lord_Howe": 2026,  # half an hour of summer time
    "Pacific/Apia": 2011,  # 2011-12-30 was skipped
    "Africa/Cairo": 2023,  # summer time came back, changing at midnight
    "America/Santiago": 2026,  # changes at midnight
    "America/New_York": 2026,
    "Europe/Berlin": 2026,
    "Asia/Kathmandu": 2026,
    "Asia/Tehran": 2021,  # gave summer time up in 2022
    "Pacific/Chatham": 2026,
    "America/St_Johns": 2026,
    "Africa/Casablanca": 2025,  # goes back for the month of Ramadan
    "UTC": 2026,
}
"""Zones and the first of the two years that are counted in them."""


class Years:
    """Two years of a zone: the wall time of each of their minutes, as minutes since a local midnight before them."""

    def __init__(self, zone: str, year: int) -> None:
        self.zone = ZoneInfo(zone)
        self.begin, self.end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 2, 1, 1, tzinfo=UTC)
        self.length = int((self.end - self.begin).total_seconds()) // 60
        self.first_day = date(year, 1, 1) - timedelta(days=2)
        self.wall = self._wall_times()

    def _wall_times(self) -> list[int]:
        begin, zone, before = int(self.begin.timestamp()), self.zone, self.first_day.toordinal()
        found = []
        for minute in range(self.length):
            local = datetime.fromtimestamp(begin + 60 * minute, zone)
            found.append((local.toordinal() - before) * DAY + local.hour * 60 + local.minute)
        return found


@dataclass(frozen=True)
class Minutes:
    """Which minutes are open, by counting them."""

    years: Years
    open: bytes
    counted: array[int]
    """How many open minutes come before each."""

    @classmethod
    def of(cls, years: Years, document: dict[str, Any]) -> Minutes:
        days = years.length // DAY + 4
        by_wall_time = bytearray(days * DAY)
        exceptions = {one["date"]: one.get("open", []) for one in document.get("exceptions", [])}
        for number in range(days):
            day = years.first_day + timedelta(days=number)
            week = document["weekly"].get(WEEKDAYS[day.weekday()], [])
            for interval in exceptions.get(day.isoformat(), week):
                opens, closes = (int(at[:2]) * 60 + int(at[3:]) for at in interval.split("-"))
                by_wall_time[number * DAY + opens : number * DAY + closes] = b"\1" * (closes - opens)
        is_open = bytes(map(by_wall_time.__getitem__, years.wall))
        return cls(years, is_open, array("l", accumulate(is_open, initial=0)))

    def elapsed(self, start: datetime, end: datetime) -> int:
        """Open seconds between two times of the two years."""
        return self._before(end) - self._before(start)

    def add(self, start: datetime, seconds: int) -> datetime:
        """The earliest time after so many open seconds, of which the two years have that many left."""
        wanted = self._before(start) + seconds
        minute = bisect_left(self.counted, -(-wanted // 60)) - 1
        return self.years.begin + timedelta(seconds=60 * minute + wanted - 60 * self.counted[minute])

    def _before(self, at: datetime) -> int:
        minute, second = divmod(int((at - self.years.begin).total_seconds()), 60)
        return 60 * self.counted[minute] + (second if minute < self.years.length and self.open[minute] else 0)


def any_document(random: random.Random, years: Years) -> dict[str, Any]:
    """A calendar that somebody could write: office hours, nights, whole days, odd minutes, and days that differ."""
    weekly = {day: _any_intervals(random) for day in WEEKDAYS if random.random() < 0.8}
    if not any(weekly.values()):
        weekly["wed"] = ["00:00-24:00"]
    dates = random.sample(range(2, years.length // DAY), 30)
    exceptions = [
        {"date": day, "open": intervals}
        if (intervals := _any_intervals(random))
        else {"date": day, "closed": True}
        for day in ((years.first_day + timedelta(days=number)).isoformat() for number in dates)
    ]
    return {"zone": years.zone.key, "weekly": weekly, "exceptions": exceptions}


def _any_intervals(random: random.Random) -> list[str]:
    usual = [
        ["09:00-17:00"],
        ["08:30-12:00", "13:00-17:30"],
        ["00:00-24:00"],
        ["00:00-06:00", "22:00-24:00"],
        [],
    ]
    if random.random() < 0.6:
        return random.choice(usual)
    ends = sorted(random.sample(range(DAY + 1), 2 * random.randint(1, 4)))
    return [f"{_told(opens)}-{_told(closes)}" for opens, closes in zip(ends[::2], ends[1::2], strict=True)]


def _told(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
