"""What waits, and how late it is: exact counts by queue, read in one pass over the waiting items."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..items.models import Item, is_open
from ..queues.models import Queue

AT_RISK = timedelta(hours=4)
AGES = {"1h": timedelta(hours=1), "4h": timedelta(hours=4), "1d": timedelta(days=1), "7d": timedelta(days=7)}
"""Up to which age an item counts under that name; whatever is older is `older`."""
OLDER = "older"
MOST_ESCALATED = 50


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of waiting items."""

    waiting: int = 0
    overdue: int = 0
    """Past their due time."""
    escalated: int = 0
    """On level 1 or higher."""
    at_risk: int = 0
    """Not overdue, and due within four hours."""
    untended: int = 0
    """Escalated, and neither claimed by nor assigned to anybody."""
    oldest_created_at: datetime | None = None
    earliest_due_at: datetime | None = None
    """Of the overdue ones."""
    next_due_at: datetime | None = None
    """Of those at risk."""


@dataclass(frozen=True, slots=True)
class QueueBacklog:
    name: str
    title: str
    figures: Figures
    by_age: dict[str, int]
    """Waiting items by the time since they came; the parts make up the whole."""
    decided_today: int


@dataclass(frozen=True, slots=True)
class EscalatedItem:
    id: uuid.UUID
    queue: str
    queue_title: str
    external_id: str | None
    level: int
    priority: int
    reasons: list[dict[str, str]]
    created_at: datetime
    due_at: datetime | None
    claimed_by: str | None
    claimed_until: datetime | None
    assigned_to: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    timer_error: str | None

    @property
    def title(self) -> str:
        return self.external_id or f"…{self.id.hex[-8:]}"


@dataclass(frozen=True, slots=True)
class Backlog:
    as_of: datetime
    total: Figures
    queues: tuple[QueueBacklog, ...]
    escalated_items: tuple[EscalatedItem, ...]
    """The first 50: the highest level first, and within it the latest."""


def backlog(
    session: Session, now: datetime, queue_ids: Collection[int] | None, *, level_min: int = 1
) -> Backlog:
    """The backlog of these queues (None: of all); `level_min` narrows the escalated items alone."""
    names = _queues(session, queue_ids)
    counted = _counted(session, now, names)
    decided = _decided_since(session, start_of_day(now), names)
    queues = tuple(
        QueueBacklog(queue.name, queue.title, *counted.get(queue.id, _NOTHING), decided.get(queue.id, 0))
        for queue in names.values()
    )
    escalated = _escalated(session, now, names, level_min)
    return Backlog(now, _sum([queue.figures for queue in queues]), queues, escalated)


def start_of_day(now: datetime) -> datetime:
    """Midnight, in UTC: what `today` means for everybody who looks."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _queues(session: Session, queue_ids: Collection[int] | None) -> dict[int, Queue]:
    query = sa.select(Queue).order_by(Queue.name)
    if queue_ids is not None:
        query = query.where(Queue.id.in_(queue_ids))
    return {queue.id: queue for queue in session.scalars(query)}


def _counted(
    session: Session, now: datetime, queue_ids: Collection[int]
) -> dict[int, tuple[Figures, dict[str, int]]]:
    item = _waiting(queue_ids).c
    overdue = item.due_at <= now
    at_risk = sa.and_(item.due_at > now, item.due_at <= now + AT_RISK)
    escalated = item.level > 0
    held = sa.and_(item.claim_until.is_not(None), item.claim_until > now)
    untended = sa.and_(escalated, ~held, item.assigned_to.is_(None))
    rows = session.execute(
        sa.select(
            item.queue_id,
            sa.func.count().label("waiting"),
            _count(overdue, "overdue"),
            _count(escalated, "escalated"),
            _count(at_risk, "at_risk"),
            _count(untended, "untended"),
            sa.func.min(item.created_at).label("oldest_created_at"),
            sa.func.min(item.due_at).filter(overdue).label("earliest_due_at"),
            sa.func.min(item.due_at).filter(at_risk).label("next_due_at"),
            *(_count(came, name) for name, came in _by_age(item.created_at, now).items()),
        ).group_by(item.queue_id)
    ).mappings()
    return {row["queue_id"]: (_figures(row), {name: row[name] for name in (*AGES, OLDER)}) for row in rows}


def _waiting(queue_ids: Collection[int]) -> sa.Subquery:
    """The open items as two sets, each of which has a partial index: that of `claim next`, and the snoozed."""
    columns = (
        Item.queue_id, Item.level, Item.due_at, Item.created_at, Item.claim_until, Item.assigned_to
    )  # fmt: skip
    open_ones = sa.select(*columns).where(is_open(Item), Item.queue_id.in_(queue_ids))
    awake = open_ones.where(Item.snoozed_until.is_(None))
    snoozed = open_ones.where(Item.snoozed_until.is_not(None))
    return sa.union_all(awake, snoozed).subquery("waiting")


def _by_age(created_at: sa.ColumnElement[datetime], now: datetime) -> dict[str, sa.ColumnElement[bool]]:
    bounds = [now - age for age in AGES.values()]
    parts = {
        name: sa.and_(created_at > bound, *([created_at <= newer] if newer else []))
        for name, bound, newer in zip(AGES, bounds, [None, *bounds], strict=False)
    }
    return {**parts, OLDER: created_at <= bounds[-1]}


def _count(condition: sa.ColumnElement[bool], name: str) -> sa.Label[int]:
    return sa.func.count().filter(condition).label(name)


def _figures(row: Any) -> Figures:
    return Figures(**{field.name: row[field.name] for field in fields(Figures)})


def _decided_since(session: Session, since: datetime, queue_ids: Collection[int]) -> dict[int, int]:
    rows = session.execute(
        sa.select(Item.queue_id, sa.func.count())
        .where(Item.queue_id.in_(queue_ids), Item.decided_at >= since)
        .group_by(Item.queue_id)
    )
    return dict(rows.all())


def _escalated(
    session: Session, now: datetime, queues: dict[int, Queue], level_min: int
) -> tuple[EscalatedItem, ...]:
    items = session.scalars(
        sa.select(Item)
        .where(is_open(Item), Item.level > sa.literal_column("0"), Item.level >= level_min)
        .where(Item.queue_id.in_(queues))
        .order_by(Item.level.desc(), Item.due_at, Item.id)
        .limit(MOST_ESCALATED)
    )
    return tuple(_escalated_item(item, queues[item.queue_id].title, now) for item in items)


def _escalated_item(item: Item, queue_title: str, now: datetime) -> EscalatedItem:
    held = item.claim_until is not None and item.claim_until > now
    return EscalatedItem(
        id=item.id,
        queue=item.queue,
        queue_title=queue_title,
        external_id=item.external_id,
        level=item.level,
        priority=item.priority,
        reasons=item.reasons,
        created_at=item.created_at,
        due_at=item.due_at,
        claimed_by=item.claim_name if held else None,
        claimed_until=item.claim_until if held else None,
        assigned_to=item.assigned_to,
        acknowledged_by=item.acknowledged_name,
        acknowledged_at=item.acknowledged_at,
        timer_error=item.timer_error,
    )


def _sum(parts: Sequence[Figures]) -> Figures:
    def earliest(name: str) -> datetime | None:
        return min((at for part in parts if (at := getattr(part, name)) is not None), default=None)

    return Figures(
        waiting=sum(part.waiting for part in parts),
        overdue=sum(part.overdue for part in parts),
        escalated=sum(part.escalated for part in parts),
        at_risk=sum(part.at_risk for part in parts),
        untended=sum(part.untended for part in parts),
        oldest_created_at=earliest("oldest_created_at"),
        earliest_due_at=earliest("earliest_due_at"),
        next_due_at=earliest("next_due_at"),
    )


_NOTHING: tuple[Figures, dict[str, int]] = (Figures(), dict.fromkeys((*AGES, OLDER), 0))
