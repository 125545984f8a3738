"""Which of the demo's model outputs arrived when: most before the start, thicker towards now, the rest after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import orjson

DATA = Path(__file__).parent / "data"

Body = dict[str, Any]
"""A body for `POST /api/v1/items`."""


@dataclass(frozen=True, slots=True)
class Source:
    """One queue's outputs: how many are there at the start, and how long ago the first of them came."""

    file: str
    at_start: int
    since: timedelta


# Each reaches back just past the last step of its queue's escalation, so that the backlog shows every level.
SOURCES = (
    Source("receipts.jsonl", at_start=130, since=timedelta(hours=13)),
    Source("files.jsonl", at_start=780, since=timedelta(hours=26)),
    Source("replies.jsonl", at_start=44, since=timedelta(hours=2)),
)
COARSE, FINE = timedelta(minutes=15), timedelta(minutes=5)
"""Between two moments. Every duration in the demo's policies is a multiple of both, so that timers fire in time."""
FINE_SINCE = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment of the past, and what arrived since the one before."""

    at: datetime
    bodies: tuple[Body, ...]


def before(now: datetime) -> Iterator[Tick]:
    """The moments from the first arrival up to now, oldest first; some bring nothing but the time."""
    waiting = sorted(
        ((now - age, index, body) for index, (age, body) in enumerate(_aged())),
        key=lambda arrival: arrival[:2],
    )
    for at in _moments(now):
        arrived = [body for time, _, body in waiting if time <= at]
        waiting = waiting[len(arrived) :]
        yield Tick(at, tuple(arrived))


def after() -> Iterator[Body]:
    """What the running app sends, without end: the rest of each file in turn, then everything again as new items."""
    rests = [read(source.file)[source.at_start :] for source in SOURCES]
    yield from _in_turn(rests)
    for again in count(2):
        for body in _in_turn([read(source.file) for source in SOURCES]):
            yield {**body, "external_id": f"{body['external_id']}-{again}"}


@cache
def read(file: str) -> tuple[Body, ...]:
    """All bodies of one of the data files, in its order."""
    return tuple(orjson.loads(line) for line in (DATA / file).read_bytes().splitlines())


def _aged() -> Iterator[tuple[timedelta, Body]]:
    for source in SOURCES:
        for index, body in enumerate(read(source.file)[: source.at_start]):
            # Squared: half of them came in the last quarter of the time.
            yield source.since * (1 - index / source.at_start) ** 2, body


def _moments(now: datetime) -> Iterator[datetime]:
    left = max(source.since for source in SOURCES)
    while left > timedelta(0):
        left -= COARSE if left > FINE_SINCE else FINE
        yield now - left


def _in_turn(parts: list[tuple[Body, ...]]) -> Iterator[Body]:
    """Merges the parts so that each is spread evenly over the whole."""
    placed = [
        ((position + 0.5) / len(part), number, body)
        for number, part in enumerate(parts)
        for position, body in enumerate(part)
    ]
    return (body for _, _, body in sorted(placed, key=lambda entry: entry[:2]))
