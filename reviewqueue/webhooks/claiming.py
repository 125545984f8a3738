"""Taking deliveries that are due, with a lease.

What leaves is at least once: who dies between sending and settling leaves a lease that runs out, and the same bytes
are sent again under the same id.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ..audit.events import EventType
from ..audit.models import Event
from ..db import Database
from ..items.reading import note_delivered
from ..transaction import SYSTEM, Transaction
from .models import Announcement, Delivery, Subscription
from .outbox import DECISIONS

AT_ONCE = 4
"""Batches of one subscription that are on their way at once, in all processes together."""
BATCH = 20
"""Deliveries in one batch, sent one after the other over one connection; one while the receiver fails."""
LEASE = timedelta(seconds=60)
"""Longer than a batch is worked on: BATCH_SECONDS and one delivery's whole time."""
BATCH_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery, claimed by us."""

    id: uuid.UUID
    event_id: uuid.UUID
    type: str
    body: bytes
    is_complete: bool
    """Else the body is not for sending yet: see completing."""
    attempts: int
    """Made before."""
    planned_at: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries to one subscription, claimed by us."""

    subscription_id: uuid.UUID
    url: str
    secrets: tuple[str, ...]
    """Sealed; the newest first."""
    lease: str
    deliveries: tuple[Due, ...]

    def __repr__(self) -> str:
        return f"Batch({self.subscription_id}, {len(self.deliveries)} deliveries)"


Found = list[tuple[Delivery, Announcement]]


def with_work(db: Database) -> list[tuple[uuid.UUID, int]]:
    """The subscriptions that have anything due, those that work first, and how many batches each may have."""
    due = sa.exists().where(
        is_waiting(), Delivery.subscription_id == Subscription.id, Delivery.next_at <= db.clock.now()
    )
    failing = Subscription.failing_since.is_not(None)
    with db.reading() as session:
        rows = session.execute(
            sa.select(Subscription.id, failing)
            .where(Subscription.state == "active", due)
            .order_by(failing, Subscription.id)
        )
        return [(row[0], 1 if row[1] else AT_ONCE) for row in rows]


def claim(db: Database, subscription_id: uuid.UUID, only: uuid.UUID | None = None) -> Batch | None:
    """Takes what is due to the subscription, oldest first; None when there is nothing, or enough is on its way.

    `only` takes that one delivery, also of a subscription that is not active.
    """
    with db.transaction(SYSTEM) as tx:
        return claim_in(tx, subscription_id, only)


def claim_in(tx: Transaction, subscription_id: uuid.UUID, only: uuid.UUID | None = None) -> Batch | None:
    to = locked(tx, subscription_id)
    if to is None or (to.state != "active" and only is None) or to.state == "revoked":
        return None
    if only is None and _under_way(tx, subscription_id) >= (1 if to.failing_since else AT_ONCE):
        return None
    due = _without_undone(tx, _due(tx, subscription_id, 1 if to.failing_since else BATCH, only))
    if not due:
        return None
    lease = secrets.token_hex(16)
    tx.session.execute(
        sa.update(Delivery)
        .where(Delivery.id.in_([delivery.id for delivery, _ in due]))
        .values(lease=lease, next_at=tx.now + LEASE)
        .execution_options(synchronize_session=False)
    )
    return Batch(subscription_id, to.url, _secrets(to, tx.now), lease, tuple(_told(d, a) for d, a in due))


def locked(tx: Transaction, subscription_id: uuid.UUID) -> Subscription | None:
    """The subscription, for us alone; who stages deliveries to it does not wait."""
    return tx.session.get(
        Subscription, subscription_id, with_for_update={"key_share": True}, populate_existing=True
    )


def _under_way(tx: Transaction, subscription_id: uuid.UUID) -> int:
    found = sa.select(sa.func.count(Delivery.lease.distinct())).where(
        is_waiting(),
        Delivery.subscription_id == subscription_id,
        Delivery.lease.is_not(None),
        _is_leased(tx.now),
    )
    return tx.session.scalar(found) or 0


def _due(tx: Transaction, subscription_id: uuid.UUID, most: int, only: uuid.UUID | None) -> Found:
    whose = Delivery.subscription_id == subscription_id if only is None else Delivery.id == only
    rows = tx.session.execute(
        sa.select(Delivery, Announcement)
        .join(Announcement, Announcement.event_id == Delivery.event_id)
        .where(is_waiting(), whose, Delivery.next_at <= tx.now)
        .order_by(Delivery.next_at, Delivery.id)
        .limit(most)
        .with_for_update(of=Delivery, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return [(row[0], row[1]) for row in rows]


def _without_undone(tx: Transaction, due: Found) -> Found:
    """What may leave. A decision that is on its way can no longer be undone; one that was undone stays here."""
    decided = [
        announced
        for delivery, announced in due
        if announced.type in DECISIONS and delivery.attempts == 0 and announced.item_id is not None
    ]
    if not decided:
        return due
    note_delivered(tx, [announced.item_id for announced in decided if announced.item_id is not None])
    undone = _undone(tx, decided)
    taken_back = [delivery.id for delivery, announced in due if announced.event_id in undone]
    _set(tx, taken_back, state="undone", lease=None)
    return [(delivery, announced) for delivery, announced in due if delivery.id not in taken_back]


def _undone(tx: Transaction, decided: Sequence[Announcement]) -> set[uuid.UUID]:
    """The events of those decisions that were taken back by an undo: it came before any reopening."""
    types = (EventType.ITEM_UNDONE, EventType.ITEM_REOPENED, EventType.ITEM_RECALLED)
    later = tx.session.execute(
        sa.select(Event.item_id, Event.item_seq, Event.type)
        .where(Event.item_id.in_({announced.item_id for announced in decided}), Event.type.in_(types))
        .order_by(Event.item_seq)
    ).all()
    found = set()
    for announced in decided:
        seq = announced.item_seq or 0
        following = (row.type for row in later if row.item_id == announced.item_id and row.item_seq > seq)
        if next(following, None) == EventType.ITEM_UNDONE:
            found.add(announced.event_id)
    return found


def _told(delivery: Delivery, announced: Announcement) -> Due:
    return Due(
        delivery.id,
        delivery.event_id,
        announced.type,
        announced.body.encode(),
        announced.is_complete,
        delivery.attempts,
        delivery.planned_at,
    )


def _secrets(to: Subscription, now: datetime) -> tuple[str, ...]:
    if to.old_secret is not None and to.old_secret_until is not None and now < to.old_secret_until:
        return to.secret, to.old_secret
    return (to.secret,)


def _set(tx: Transaction, delivery_ids: Sequence[uuid.UUID], **values: object) -> None:
    if delivery_ids:
        tx.session.execute(
            sa.update(Delivery)
            .where(Delivery.id.in_(delivery_ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _is_leased(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(Delivery.next_at > now, Delivery.next_at <= now + LEASE)


def is_waiting() -> sa.ColumnElement[bool]:
    """Spelt into the statement: a bound value would hide the partial index."""
    return Delivery.state == sa.literal_column("'waiting'")
