"""The backlog against what it was: the same time yesterday and a week ago, arrivals and decisions, due times kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .models import Sample
from .sampling import quarter_of

DAY, WEEK = timedelta(days=1), timedelta(days=7)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Then:
    """What the four figures were at another time."""

    at: datetime
    waiting: int
    overdue: int
    escalated: int
    at_risk: int


@dataclass(frozen=True, slots=True)
class Trend:
    """None: no worker wrote the figures down at that time."""

    day: Then | None
    week: Then | None


@dataclass(frozen=True, slots=True)
class Hour:
    """What came and went in one hour."""

    at: datetime
    arrived: int
    decided: int


@dataclass(frozen=True, slots=True)
class Attainment:
    """How many of the items with a due time were decided by then."""

    in_time: int = 0
    late: int = 0

    @property
    def share(self) -> float | None:
        whole = self.in_time + self.late
        return self.in_time / whole if whole else None


@dataclass(frozen=True, slots=True)
class Lately:
    """How a queue has done."""

    decided_last_day: int = 0
    """In the last 24 hours, to the quarter of an hour."""
    attainment: Attainment = Attainment()
    """Of the last seven days."""


def trend(session: Session, now: datetime, queue_ids: Collection[int]) -> Trend:
    """The figures of these queues at the quarters of an hour that lie a day and a week back. One query.

    A queue that did not exist then counts as nothing.
    """
    times = [quarter_of(now - DAY), quarter_of(now - WEEK)]
    columns = (Sample.waiting, Sample.overdue, Sample.escalated, Sample.at_risk)
    here = Sample.queue_id.in_(queue_ids)
    sums: list[sa.ColumnElement[Any]] = [
        sa.func.coalesce(sa.func.sum(column).filter(here), 0) for column in columns
    ]
    rows = session.execute(
        sa.select(Sample.at, *sums)
        .where(Sample.at.in_(times), Sample.waiting.is_not(None))
        .group_by(Sample.at)
    )
    found = {at: Then(at, *counts) for at, *counts in rows}
    return Trend(*(found.get(at) for at in times))


def by_hour(session: Session, now: datetime, queue_ids: Collection[int]) -> tuple[Hour, ...]:
    """Arrivals and decisions of the last 24 hours, the present one included, hour by hour."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    first = this_hour - 23 * HOUR
    rows = session.execute(
        sa.select(Sample.at, sa.func.sum(Sample.arrived), sa.func.sum(Sample.decided))
        .where(Sample.at >= first, Sample.queue_id.in_(queue_ids))
        .group_by(Sample.at)
    ).all()
    hours = {first + number * HOUR: [0, 0] for number in range(24)}
    for at, arrived, decided in rows:
        counted = hours.get(at.replace(minute=0))
        if counted is not None:
            counted[0] += int(arrived)
            counted[1] += int(decided)
    return tuple(Hour(at, *counted) for at, counted in hours.items())


def lately(session: Session, now: datetime, queue_ids: Collection[int]) -> dict[int, Lately]:
    """By queue, for those that have samples of the last seven days. One query."""
    last_day = Sample.at > quarter_of(now - DAY)
    rows = session.execute(
        sa.select(
            Sample.queue_id,
            sa.func.coalesce(sa.func.sum(Sample.decided).filter(last_day), 0),
            sa.func.sum(Sample.in_time),
            sa.func.sum(Sample.late),
        )
        .where(Sample.at >= quarter_of(now - WEEK), Sample.queue_id.in_(queue_ids))
        .group_by(Sample.queue_id)
    )
    return {
        queue_id: Lately(int(decided), Attainment(int(in_time), int(late)))
        for queue_id, decided, in_time, late in rows
    }
