"""Who works on what: claims held now, items given to them, and reviews given today, by reviewer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..items.models import Item, Review
from ..people.models import Person


@dataclass(frozen=True, slots=True)
class Load:
    who: str
    """An email, or `team:<slug>`."""
    name: str
    holds: int
    given: int
    """Waiting items that are theirs to do, held or not."""
    reviews_today: int
    """Those taken back are not counted."""


def workload(
    session: Session,
    now: datetime,
    queue_ids: Collection[int] | None,
    given: Mapping[str, int],
    since: datetime,
) -> tuple[Load, ...]:
    """Everybody who holds an item, was given one, or reviewed one since then in these queues (None: in all).

    The busiest first, then the others, teams last.
    """
    # Not the bare column: SQLite would begin with all items of the queues.
    here = sa.true() if queue_ids is None else (Item.queue_id + 0).in_(queue_ids)
    one, none = sa.literal(1), sa.literal(0)
    held = sa.select(Item.claim_by.label("person_id"), one.label("held"), none.label("reviewed"))
    # From person to person, since reviews are indexed by them: else every review ever given would be read.
    today = sa.and_(Review.at >= since, Review.undone_at.is_(None))
    theirs = sa.select(Person.id, none, one).join(Review, sa.and_(Review.person_id == Person.id, today))
    reviewed = theirs.join(Item, Item.id == Review.item_id)
    named = sa.select(Person.id, none, none).where(Person.email.in_(given))
    each = sa.union_all(held.where(Item.claim_until > now, here), reviewed.where(here), named).subquery()
    rows = session.execute(
        sa.select(Person.email, Person.name, sa.func.sum(each.c.held), sa.func.sum(each.c.reviewed))
        .join(each, each.c.person_id == Person.id)
        .group_by(Person.id, Person.email, Person.name)
        .order_by(sa.func.sum(each.c.reviewed).desc(), Person.name)
    )
    persons = tuple(
        Load(who, name, int(holds), given.get(who, 0), int(reviews)) for who, name, holds, reviews in rows
    )
    teams = sorted(who for who in given if who.startswith("team:"))
    return (*persons, *(Load(who, who, 0, given[who], 0) for who in teams))
