"""Taking the rows that something is due on, so that two workers never take the same."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..audit.models import Event
from ..db import Database
from ..transaction import Transaction
from .models import Item


def anything_due(db: Database, due: sa.orm.InstrumentedAttribute[Any]) -> bool:
    """Looked up first, without the right to write, since most of the time nothing is."""
    with db.asking() as connection:
        return bool(connection.scalar(sa.select(sa.exists().where(due <= db.clock.now()))))


def lock_due(tx: Transaction, due: sa.orm.InstrumentedAttribute[Any], limit: int) -> list[Item]:
    """Locks up to `limit` items whose `due` time has come, the longest overdue first.

    Rows that others hold are skipped: another worker has them, or a person is deciding. The hashes of the items'
    last events come along in one query.
    """
    items = list(
        tx.session.scalars(
            sa.select(Item).where(due <= tx.now).order_by(due).limit(limit).with_for_update(skip_locked=True)
        )
    )
    expect_events(tx, items)
    return items


def expect_events(tx: Transaction, items: list[Item]) -> None:
    """Reads the heads of the items' chains at once, where each would be read at its first event otherwise."""
    if not items:
        return
    heads = tx.session.execute(
        sa.select(Item.id, Event.hash)
        .join(Event, sa.and_(Item.id == Event.item_id, Item.event_seq == Event.item_seq))
        .where(Item.id.in_([item.id for item in items]))
    )
    for item_id, head in heads:
        tx.trail.continue_from(item_id, head)
