"""Whether the timers are well: what `/readyz`, the backlog and `doctor` ask."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..items.models import Item
from .retrying import LATE_AFTER, LATE_FAILURES, tried_for

NAMED = 5
"""How many items whose timer failed are named."""


@dataclass(frozen=True, slots=True)
class FailedTimer:
    item_id: uuid.UUID
    title: str
    """The item's."""
    queue: str
    error: str


@dataclass(frozen=True, slots=True)
class TimerHealth:
    late: int
    """Timers more than 30 s past their time, those that failed over and over among them."""
    latest_by: timedelta
    failing: int
    """Timers that failed and will be tried again."""
    failing_late: int
    """Those of them that are late by now, though their next try lies ahead."""
    failed: tuple[FailedTimer, ...]
    """The first of those that failed."""

    @property
    def unfired(self) -> int:
        """Late, and nobody tries them."""
        return self.late - self.failing_late


def timer_health(session: Session, now: datetime, queue_ids: Collection[int] | None = None) -> TimerHealth:
    """Of some queues, or of all. Reads the partial index of timers up to now, and that of failures: neither grows
    with what waits.
    """
    # Not the bare column: SQLite would look through the queues.
    here = [] if queue_ids is None else [(Item.queue_id + 0).in_(queue_ids)]
    behind = now - LATE_AFTER
    late, oldest = session.execute(
        sa.select(sa.func.count(), sa.func.min(Item.timer_at)).where(Item.timer_at < behind, *here)
    ).one()
    over_and_over = sa.and_(Item.timer_failures >= LATE_FAILURES, Item.timer_at >= behind)
    failing, failing_late, most = session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(sa.case((over_and_over, 1))),
            sa.func.max(sa.case((over_and_over, Item.timer_failures))),
        ).where(Item.timer_error.is_not(None), *here)
    ).one()
    return TimerHealth(
        late=late + failing_late,
        latest_by=max(now - oldest if oldest else timedelta(0), tried_for(most or 0)),
        failing=failing,
        failing_late=failing_late,
        failed=_failed(session, here) if failing else (),
    )


def _failed(session: Session, here: Sequence[sa.ColumnElement[bool]]) -> tuple[FailedTimer, ...]:
    items = session.scalars(
        sa.select(Item).where(Item.timer_error.is_not(None), *here).order_by(Item.id).limit(NAMED)
    )
    return tuple(FailedTimer(item.id, item.title, item.queue, item.timer_error or "") for item in items)
