"""The sequencer: gives committed events their gapless positions, in the order in which they were committed.

A writer leaves one row in `unordered_events` and waits for nobody. Whoever orders holds the one right to do so,
takes the rows that are committed by then and numbers their events on. A transaction that commits late is not in
that batch; it gets later positions, and no reader of the feed has passed them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..bulk import insert_rows
from ..db import Database
from ..transaction import SYSTEM, Transaction
from .models import EventPosition, UnorderedEvents

TRANSACTIONS_AT_ONCE = 500
EVENTS_AT_ONCE = 20_000
"""One batch of an app may have as many; others who read the feed wait for the sequencer."""
SEQUENCER_LOCK = 0x7271_5EC0
"""The key of PostgreSQL's advisory lock; on SQLite there is one writer anyway."""


def order_events(db: Database) -> int:
    """Orders everything that is committed now; returns how many events got their position."""
    ordered = 0
    while _something_to_order(db):
        with db.transaction(SYSTEM) as tx:
            ordered += _order_batch(tx)
    return ordered


def _something_to_order(db: Database) -> bool:
    """Looked up without the sequencer's right, since most of the time there is nothing."""
    with db.reading() as session:
        return bool(session.scalar(sa.select(sa.exists(sa.select(UnorderedEvents.n)))))


def _order_batch(tx: Transaction) -> int:
    if not tx.db.embedded:
        tx.session.execute(sa.select(sa.func.pg_advisory_xact_lock(SEQUENCER_LOCK)))
    ids = _take(tx.session)
    last = tx.session.scalar(sa.select(sa.func.max(EventPosition.position))) or 0
    insert_rows(
        tx.session,
        EventPosition.metadata.tables[EventPosition.__tablename__],
        [
            {"position": position, "event_id": event_id}
            for position, event_id in enumerate(ids, start=last + 1)
        ],
    )
    tx.after_commit(tx.db.bell.ring)
    return len(ids)


def _take(session: Session) -> list[uuid.UUID]:
    """Removes the oldest rows and returns their events, in the order of recording."""
    taken = session.execute(
        sa.delete(UnorderedEvents)
        .where(UnorderedEvents.n <= _last_to_take(session))
        .returning(UnorderedEvents.n, UnorderedEvents.event_ids)
        .execution_options(synchronize_session=False)
    )
    return [
        event_id for _, packed in sorted((n, packed) for n, packed in taken) for event_id in _unpacked(packed)
    ]


def _last_to_take(session: Session) -> int:
    """The row up to which there are about as many events as one transaction should order."""
    size = sa.func.length(UnorderedEvents.event_ids)
    oldest = sa.select(UnorderedEvents.n, size).order_by(UnorderedEvents.n).limit(TRANSACTIONS_AT_ONCE)
    total, last = 0, 0
    for n, length in session.execute(oldest):
        if total >= EVENTS_AT_ONCE * 16:
            break
        total, last = total + length, n
    return last


def _unpacked(packed: bytes) -> Iterable[uuid.UUID]:
    return (uuid.UUID(bytes=packed[start : start + 16]) for start in range(0, len(packed), 16))
