"""A queue's figures: what waits, what was decided today, and how all its items stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..items.models import Item, Outcome
from ..items.states import State
from ..queues.lanes import Lane
from ..queues.models import Queue
from .backlog import QueueBacklog, backlog

VERDICTS = ("accept", "edit", "reject", "withdrawn")


@dataclass(frozen=True, slots=True)
class QueueStats:
    as_of: datetime
    now: QueueBacklog
    by_state: dict[str, int]
    by_lane: dict[str, int]
    by_verdict: dict[str, int]
    """Of the outcomes that stand, whoever gave them."""


def queue_stats(session: Session, now: datetime, queue: Queue) -> QueueStats:
    """Exact counts over all items of the queue."""
    [waiting] = backlog(session, now, {queue.id: queue}).queues
    return QueueStats(
        as_of=now,
        now=waiting,
        by_state=_counts(session, queue, Item.state, [state.value for state in State]),
        by_lane=_counts(session, queue, Item.lane, [lane.value for lane in Lane]),
        by_verdict=_verdicts(session, queue),
    )


def _counts(session: Session, queue: Queue, column: Any, names: list[str]) -> dict[str, int]:
    rows = session.execute(
        sa.select(column, sa.func.count()).where(Item.queue_id == queue.id).group_by(column)
    )
    return {**dict.fromkeys(names, 0), **dict(rows.all())}


def _verdicts(session: Session, queue: Queue) -> dict[str, int]:
    rows = session.execute(
        sa.select(Outcome.verdict, sa.func.count())
        .join(Item, sa.and_(Item.id == Outcome.item_id, Item.revision == Outcome.revision))
        .where(Item.queue_id == queue.id, Item.has_outcome)
        .group_by(Outcome.verdict)
    )
    return {**dict.fromkeys(VERDICTS, 0), **dict(rows.all())}
