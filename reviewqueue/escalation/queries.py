"""Whether the timers are well: what `/readyz`, the backlog page and `doctor` ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..items.models import Item

LATE_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class TimerHealth:
    late: int
    """Timers more than 30 s late: nobody fires them."""
    latest_by: timedelta
    failing: int
    """Timers that failed and will be tried again."""
    last_error: str | None


def timer_health(session: Session, now: datetime) -> TimerHealth:
    """Reads the partial index of timers up to now, and that of failures: neither grows with what waits."""
    late, oldest = session.execute(
        sa.select(sa.func.count(), sa.func.min(Item.timer_at)).where(Item.timer_at < now - LATE_AFTER)
    ).one()
    failing, error = session.execute(
        sa.select(sa.func.count(), sa.func.max(Item.timer_error)).where(Item.timer_error.is_not(None))
    ).one()
    return TimerHealth(late, now - oldest if oldest else timedelta(0), failing, error)
