"""Whether the timers are well: what `/readyz`, the backlog page and `doctor` ask."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..items.models import Item

LATE_AFTER = timedelta(seconds=30)
NAMED = 5
"""How many items whose timer failed are named."""


@dataclass(frozen=True, slots=True)
class FailedTimer:
    item_id: uuid.UUID
    title: str
    """The item's."""
    error: str


@dataclass(frozen=True, slots=True)
class TimerHealth:
    late: int
    """Timers more than 30 s late: nobody fires them."""
    latest_by: timedelta
    failing: int
    """Timers that failed and will be tried again."""
    failed: tuple[FailedTimer, ...]
    """The first few of these."""


def timer_health(session: Session, now: datetime, queue_ids: Collection[int] | None = None) -> TimerHealth:
    """Of these queues (None: all). Reads the partial index of timers up to now, and that of failures.

    Neither grows with what waits.
    """
    # Not the bare column: SQLite would look through the queues.
    here = sa.true() if queue_ids is None else (Item.queue_id + 0).in_(queue_ids)
    late, oldest = session.execute(
        sa.select(sa.func.count(), sa.func.min(Item.timer_at)).where(Item.timer_at < now - LATE_AFTER, here)
    ).one()
    failing = session.scalar(
        sa.select(sa.func.count()).select_from(Item).where(Item.timer_error.is_not(None), here)
    )
    failed = _failed(session, here) if failing else ()
    return TimerHealth(late, now - oldest if oldest else timedelta(0), failing or 0, failed)


def _failed(session: Session, here: sa.ColumnElement[bool]) -> tuple[FailedTimer, ...]:
    items = session.scalars(
        sa.select(Item).where(Item.timer_error.is_not(None), here).order_by(Item.id).limit(NAMED)
    )
    return tuple(FailedTimer(item.id, item.title, item.timer_error or "") for item in items)
