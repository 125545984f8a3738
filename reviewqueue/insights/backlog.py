"""What waits, and how late it is: the figures by queue, and the escalated items."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..items.models import Item
from ..queues.models import Queue
from .escalated import EscalatedItem, Narrowed, escalated
from .tally import HOURS_AHEAD, Figures, Group, summed, summed_ages, tally


@dataclass(frozen=True, slots=True)
class QueueBacklog:
    id: int
    policy_id: uuid.UUID
    name: str
    title: str
    figures: Figures
    by_age: dict[str, int]
    """Waiting items by the time since they came; the parts make up the whole."""
    due_within: tuple[int, ...]
    """Not overdue, and due within 1, 2 … 8 hours."""
    decided_today: int


@dataclass(frozen=True, slots=True)
class Backlog:
    as_of: datetime
    """When what waits was counted: for very many items, some seconds ago."""
    total: Figures
    queues: tuple[QueueBacklog, ...]
    escalated_items: tuple[EscalatedItem, ...]
    """Up to 50: the highest level first, and within it the latest."""
    next: str | None
    """The cursor of the next page of them."""
    given: dict[str, int]
    """How many waiting items are given to whom, by email or `team:<slug>`."""
    departments: tuple[str, ...]
    """Of the waiting items in these queues."""


EVERYTHING = Narrowed()


def backlog(
    session: Session,
    now: datetime,
    queues: dict[int, Queue],
    narrowed: Narrowed = EVERYTHING,
    *,
    cursor: str | None = None,
    since: datetime | None = None,
) -> Backlog:
    """The backlog of these queues; what was decided counts since then, or since midnight UTC.

    The department narrows everything but what was decided, level and reviewer the escalated items alone.
    """
    counted = tally(session, now)
    here = [group for group in counted.groups if group.queue_id in queues]
    groups = [g for g in here if narrowed.department in (None, g.department)]
    decided = _decided_since(session, since or start_of_day(now), queues)
    items, following = escalated(session, now, queues, narrowed, cursor=cursor)
    return Backlog(
        as_of=counted.at,
        total=summed(groups),
        queues=tuple(_of_queue(queue, groups, decided.get(queue.id, 0)) for queue in queues.values()),
        escalated_items=items,
        next=following,
        given=_given(groups),
        departments=tuple(sorted({group.department for group in here if group.department})),
    )


def start_of_day(now: datetime, zone: tzinfo = UTC) -> datetime:
    """Midnight in that zone: when `today` began for whoever looks."""
    local = now.astimezone(zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def queues_of(session: Session, queue_ids: Collection[int] | None) -> dict[int, Queue]:
    """The queues of these ids (None: all), by name."""
    query = sa.select(Queue).order_by(Queue.name)
    if queue_ids is not None:
        query = query.where(Queue.id.in_(queue_ids))
    return {queue.id: queue for queue in session.scalars(query)}


def _of_queue(queue: Queue, groups: Collection[Group], decided_today: int) -> QueueBacklog:
    own = [group for group in groups if group.queue_id == queue.id]
    due_within = tuple(map(sum, zip(*(group.due_within for group in own), strict=True)))
    return QueueBacklog(
        id=queue.id,
        policy_id=queue.policy_id,
        name=queue.name,
        title=queue.title,
        figures=summed(own),
        by_age=summed_ages(own),
        due_within=due_within or (0,) * HOURS_AHEAD,
        decided_today=decided_today,
    )


def _given(groups: Collection[Group]) -> dict[str, int]:
    given: dict[str, int] = {}
    for group in groups:
        if group.assigned_to is not None:
            given[group.assigned_to] = given.get(group.assigned_to, 0) + group.figures.waiting
    return given


def _decided_since(session: Session, since: datetime, queue_ids: Collection[int]) -> dict[int, int]:
    rows = session.execute(
        sa.select(Item.queue_id, sa.func.count())
        .where(Item.queue_id.in_(queue_ids), Item.decided_at >= since)
        .group_by(Item.queue_id)
    )
    return dict(rows.all())
