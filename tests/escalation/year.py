"""A queue's year before it begins: its rules, who is on call, when items arrive, and what people will do with them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from .calendars.minutes import WEEKDAYS, Minutes, Years
from .lives import Life, Plan, Step

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = 3_600
BOSS = "boss@example.org"
GROUPS = (15, 10)
"""Of the 25 items that arrive together in each of the two queues, so many share what people do with them."""

CALENDARS: dict[str, dict[str, Any]] = {
    "office": {
        "zone": "America/New_York",
        "weekly": {day: ["09:00-12:30", "13:30-17:00"] for day in WEEKDAYS[:5]},
        "exceptions": [{"date": "2026-01-19", "closed": True}, {"date": "2026-07-03", "open": ["09:00-12:00"]}],
    },
    "shop": {
        "zone": "Australia/Lord_Howe",
        "weekly": {day: ["22:00-24:00", "00:00-06:45"] for day in WEEKDAYS[1:]},
        "exceptions": [{"date": "2026-01-11", "open": ["10:00-11:00"]}, {"date": "2026-04-05", "closed": True}],
    },
}  # fmt: skip
STEPS = {
    "office": (Step(2 * HOUR), Step(5 * HOUR), Step(9 * HOUR, every=3 * HOUR, times=2)),
    "shop": (Step(HOUR), Step(4 * HOUR, every=2 * HOUR, times=1), Step(12 * HOUR)),
}
DEADLINE = {"office": timedelta(hours=96), "shop": timedelta(hours=60)}
TO = ("team:leads", "rotation:desk", "owner:escalation")
LEADS = ["lead-1@example.org", "lead-2@example.org"]

ROTATION: dict[str, Any] = {
    "rotation": "desk",
    "zone": "Europe/Berlin",
    "layers": [
        {
            "members": ["ann@example.org", "bob@example.org"],
            "handover": {"day": "mon", "at": "09:00", "every": "1 week", "starts": "2025-12-01"},
            "hours": [{"days": ["mon", "tue", "wed", "thu"], "from": "00:00", "to": "24:00"}],
        },
        {"members": ["eve@example.org"], "hours": [{"days": ["sat"], "from": "00:00", "to": "24:00"}]},
    ],
    "overrides": [{"from": "2026-01-14T12:00", "to": "2026-01-16T12:00", "person": "eve@example.org"}],
}
"""Fridays and Sundays are gaps."""


def policy(queue: str) -> dict[str, Any]:
    def written(step: Step, to: str) -> dict[str, Any]:
        repeat = {"repeat": {"every": f"{step.every}s", "times": step.times}} if step.times else {}
        return {"after": f"{step.after}s", "to": to, **repeat}

    return {
        "due": {"after": "1h", "calendar": queue},
        "escalation": [written(step, to) for step, to in zip(STEPS[queue], TO, strict=True)],
        "deadline": {
            "after": f"{DEADLINE[queue] // timedelta(hours=1)}h",
            "fallback": {"verdict": "reject", "reason": "nobody-decided"},
        },
    }


@cache
def plan(queue: str, days: int) -> Plan:
    """By a count of the minutes of so many days and what comes after them."""
    document = CALENDARS[queue]
    return Plan(Minutes.of(_Span(document["zone"], days + 60), document), STEPS[queue], DEADLINE[queue])


def on_call(at: datetime) -> str | None:
    """Read off a wall calendar in Berlin."""
    local = at.astimezone(ZoneInfo("Europe/Berlin"))
    if "2026-01-14T12:00" <= local.isoformat() < "2026-01-16T12:00" or local.weekday() == 5:
        return "eve@example.org"
    if local.weekday() in (4, 6):
        return None
    weeks, day = divmod((local.date() - date(2025, 12, 1)).days, 7)
    before_nine_on_monday = day == 0 and local.hour < 9
    return ("ann@example.org", "bob@example.org")[(weeks - before_nine_on_monday) % 2]


@dataclass(frozen=True)
class Script:
    """Some items of a queue, and their lives; each but the last ends with a decision or expires, and is reopened."""

    queue: str
    count: int
    lives: tuple[Life, ...]


def arrivals(days: int, seed: int) -> Iterator[list[Script]]:
    """50 items a day; those of a list arrive together."""
    draw = random.Random(seed)
    for day in range(days):
        for queue in CALENDARS:
            begins = START + timedelta(days=day, seconds=draw.randrange(86_400))
            yield [Script(queue, count, tuple(_lives(draw, begins, DEADLINE[queue]))) for count in GROUPS]


def _lives(draw: random.Random, begins: datetime, deadline: timedelta) -> Iterator[Life]:
    life = _life(draw, begins, deadline)
    yield life
    if draw.random() < 0.15:
        ended = life.decided or begins + deadline
        yield _life(draw, ended + timedelta(seconds=draw.randrange(60, 72 * HOUR)), deadline)


def _life(draw: random.Random, begins: datetime, deadline: timedelta) -> Life:
    since, snoozed = begins, None
    if draw.random() < 0.2:
        since = begins + timedelta(seconds=draw.randrange(60, 30 * HOUR))
        snoozed = since, since + timedelta(seconds=draw.randrange(60, 24 * HOUR))
        since = snoozed[1]
    left = int((begins + deadline - since).total_seconds())
    decided = None
    if draw.random() < 0.8:
        decided = since + timedelta(
            seconds=draw.randrange(1, min(left, draw.choice((HOUR, 4 * HOUR, 24 * HOUR, left))))
        )
    return Life(begins, snoozed, decided)


class _Span(Years):
    """As many days from the start on, where two years are more than is asked for."""

    def __init__(self, zone: str, days: int) -> None:
        self.zone = ZoneInfo(zone)
        self.begin, self.length = START, days * 1_440
        self.end = START + timedelta(days=days)
        self.first_day = date(2026, 1, 1) - timedelta(days=2)
        self.wall = self._wall_times()
