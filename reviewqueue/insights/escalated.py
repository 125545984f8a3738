"""The escalated items, a page at a time: the highest level first, and within it the one that is late the longest."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..errors import Invalid
from ..items.handling import ends_before
from ..items.models import Item, is_open
from ..people.models import Person
from ..queues.models import Queue
from ..web.cursors import decode, encode
from .tally import DEPARTMENT

PAGE = 50


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which of the escalated items are shown."""

    department: str | None = None
    level_min: int = 1
    reviewer: str | None = None
    """Held by this person, or given to them or to this `team:<slug>`."""


@dataclass(frozen=True, slots=True)
class EscalatedItem:
    id: uuid.UUID
    version: int
    queue: str
    queue_title: str
    external_id: str | None
    level: int
    priority: int
    reasons: list[dict[str, str]]
    created_at: datetime
    waiting_since: datetime
    due_at: datetime | None
    claimed_by: str | None
    claimed_by_id: uuid.UUID | None
    claimed_until: datetime | None
    snoozed_until: datetime | None
    assigned_to: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    snooze_before: datetime | None
    """The app's deadline, which no snooze may reach; None: there is none."""

    @property
    def title(self) -> str:
        return self.external_id or f"…{self.id.hex[-8:]}"


def escalated(
    session: Session,
    now: datetime,
    queues: dict[int, Queue],
    narrowed: Narrowed,
    *,
    cursor: str | None = None,
    limit: int = PAGE,
) -> tuple[tuple[EscalatedItem, ...], str | None]:
    """A page by keyset, and the cursor of the next. Raises Invalid for a cursor that is not ours."""
    query = (
        sa.select(Item)
        .where(is_open(Item), Item.level > sa.literal_column("0"), Item.level >= narrowed.level_min)
        .where((Item.queue_id + 0).in_(queues))  # not the bare column: SQLite would look through the queues
        .order_by(Item.level.desc(), Item.due_at, Item.id)
        .limit(limit + 1)
    )
    if narrowed.department is not None:
        query = query.where(Item.tags[DEPARTMENT].as_string() == narrowed.department)
    if narrowed.reviewer is not None:
        query = query.where(_with(narrowed.reviewer, now))
    if cursor is not None:
        query = query.where(_behind(cursor))
    items = session.scalars(query).all()
    shown = tuple(_shown(item, queues[item.queue_id].title, now) for item in items[:limit])
    return shown, _cursor(items[limit - 1]) if len(items) > limit else None


def _with(reviewer: str, now: datetime) -> sa.ColumnElement[bool]:
    person = sa.select(Person.id).where(Person.email == reviewer).scalar_subquery()
    return sa.or_(Item.assigned_to == reviewer, sa.and_(Item.claim_until > now, Item.claim_by == person))


def _behind(cursor: str) -> sa.ColumnElement[bool]:
    match decode(cursor):
        case [int(level), str() | None as due, str(last)]:
            try:
                after = sa.literal(datetime.fromisoformat(due) if due else None, Item.due_at.type)
                last_id = uuid.UUID(last)
            except ValueError:
                raise Invalid("The cursor is not one of ours; begin without one.") from None
        case _:
            raise Invalid("The cursor is not one of ours; begin without one.")
    same_level = sa.or_(Item.due_at > after, sa.and_(Item.due_at == after, Item.id > last_id))
    return sa.or_(Item.level < level, sa.and_(Item.level == level, same_level))


def _cursor(last: Item) -> str:
    values: list[Any] = [last.level, last.due_at.isoformat() if last.due_at else None, last.id.hex]
    return encode(values)


def _shown(item: Item, queue_title: str, now: datetime) -> EscalatedItem:
    held = item.claim_until is not None and item.claim_until > now
    return EscalatedItem(
        id=item.id,
        version=item.version,
        queue=item.queue,
        queue_title=queue_title,
        external_id=item.external_id,
        level=item.level,
        priority=item.priority,
        reasons=item.reasons,
        created_at=item.created_at,
        waiting_since=item.waiting_since,
        due_at=item.due_at,
        claimed_by=item.claim_name if held else None,
        claimed_by_id=item.claim_by if held else None,
        claimed_until=item.claim_until if held else None,
        snoozed_until=item.snoozed_until if item.snoozed_until and item.snoozed_until > now else None,
        assigned_to=item.assigned_to,
        acknowledged_by=item.acknowledged_name,
        acknowledged_at=item.acknowledged_at,
        snooze_before=ends_before(item),
    )
