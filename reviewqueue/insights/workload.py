"""Who works on what: claims held now and reviews given today, by reviewer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..items.models import Item, Review
from ..people.models import Person
from .backlog import start_of_day


@dataclass(frozen=True, slots=True)
class Load:
    name: str
    holds: int
    reviews_today: int
    """Those taken back are not counted."""


def workload(session: Session, now: datetime, queue_ids: Collection[int] | None) -> tuple[Load, ...]:
    """Everybody who holds an item or reviewed one today in these queues (None: in all), the busiest first."""
    here = sa.true() if queue_ids is None else Item.queue_id.in_(queue_ids)
    one, none = sa.literal(1), sa.literal(0)
    held = sa.select(Item.claim_by.label("person_id"), one.label("held"), none.label("given"))
    given = sa.select(Review.person_id, none, one).join(Item, Item.id == Review.item_id)
    today = sa.and_(Review.at >= start_of_day(now), Review.undone_at.is_(None))
    each = sa.union_all(held.where(Item.claim_until > now, here), given.where(today, here)).subquery()
    rows = session.execute(
        sa.select(Person.name, sa.func.sum(each.c.held), sa.func.sum(each.c.given))
        .join(each, each.c.person_id == Person.id)
        .group_by(Person.id, Person.name)
        .order_by(sa.func.sum(each.c.given).desc(), Person.name)
    )
    return tuple(Load(name, int(held), int(reviews)) for name, held, reviews in rows)
