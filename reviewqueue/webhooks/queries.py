"""Reading subscriptions, their deliveries and attempts; and how they do, for whoever watches the installation."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import Database
from ..errors import NotFound
from ..items import deliveries as deliveries_of_items
from ..people.access import Caller
from ..web.cursors import decode_id, encode_id
from .models import Announcement, Delivery, DeliveryAttempt, Subscription
from .operations import access_to_subscriptions

STATES = ("waiting", "arrived", "failed", "undone")
OVERDUE = timedelta(minutes=1)
"""A delivery that nobody has tried by then: no worker runs, or it cannot keep up."""


MOST_OF_ITEM = 100


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A subscription, and what became of what was sent to it within the days that deliveries are kept."""

    subscription: Subscription
    counts: dict[str, int]
    """Deliveries by state."""

    @property
    def is_failing(self) -> bool:
        return self.subscription.state == "active" and self.subscription.failing_since is not None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries to show. Empty: all."""

    state: str | None = None
    type: str | None = None
    q: str | None = None
    """Part of what people call the item; or the whole id of an item, an event or a delivery."""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    delivery: Delivery
    announcement: Announcement
    attempts: tuple[DeliveryAttempt, ...]
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[DeliveryRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """How all subscriptions do."""

    failing: int
    disabled: int
    waiting: int
    """Deliveries to active subscriptions."""
    overdue: int
    """Of these, those that nobody has tried in time."""


def subscriptions(db: Database, caller: Caller) -> list[SubscriptionRow]:
    """All of them, those that were revoked last. Raises Forbidden."""
    with db.reading() as session:
        access_to_subscriptions(session, caller)
        counts = _counts(session)
        found = session.scalars(
            sa.select(Subscription).order_by(
                Subscription.state == "revoked", Subscription.name, Subscription.id
            )
        )
        return [SubscriptionRow(one, counts[one.id]) for one in found]


def subscription(db: Database, caller: Caller, subscription_id: uuid.UUID) -> SubscriptionRow:
    """Raises Forbidden and NotFound."""
    with db.reading() as session:
        access_to_subscriptions(session, caller)
        found = session.get(Subscription, subscription_id)
        if found is None:
            raise NotFound("There is no such subscription.")
        return SubscriptionRow(found, _counts(session, subscription_id)[subscription_id])


def deliveries(
    db: Database,
    caller: Caller,
    subscription_id: uuid.UUID,
    wanted: Wanted,
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """A page of a subscription's deliveries with their attempts, the newest first. Raises Forbidden, Invalid."""
    query = (
        sa.select(Delivery, Announcement)
        .join(Announcement, Announcement.event_id == Delivery.event_id)
        .where(Delivery.subscription_id == subscription_id, *_conditions(wanted))
        .order_by(Delivery.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(Delivery.id < decode_id(cursor))
    with db.reading() as session:
        access_to_subscriptions(session, caller)
        rows = session.execute(query).all()
        attempts = _attempts(session, [row[0].id for row in rows[:limit]])
        shown = tuple(DeliveryRow(row[0], row[1], tuple(attempts[row[0].id])) for row in rows[:limit])
    more = len(rows) > limit
    return Page(shown, encode_id(shown[-1].delivery.id) if more else None)


def delivery(db: Database, caller: Caller, subscription_id: uuid.UUID, delivery_id: uuid.UUID) -> DeliveryRow:
    """Raises Forbidden and NotFound."""
    with db.reading() as session:
        access_to_subscriptions(session, caller)
        row = session.execute(
            sa.select(Delivery, Announcement)
            .join(Announcement, Announcement.event_id == Delivery.event_id)
            .where(Delivery.id == delivery_id, Delivery.subscription_id == subscription_id)
        ).first()
        if row is None:
            raise NotFound("There is no such delivery; they are kept for 30 days.")
        return DeliveryRow(row[0], row[1], tuple(_attempts(session, [delivery_id])[delivery_id]))


def of_item(db: Database, item_id: uuid.UUID) -> list[deliveries_of_items.Delivery]:
    """What became of the item's outcomes, oldest first; whether one may see the item is for the caller to ask."""
    query = (
        sa.select(Delivery, Announcement.type, Subscription.name)
        .join(Announcement, Announcement.event_id == Delivery.event_id)
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(Announcement.item_id == item_id, Announcement.type.in_(deliveries_of_items.ISSUING))
        .order_by(Delivery.id)
        .limit(MOST_OF_ITEM)
    )
    with db.reading() as session:
        rows = session.execute(query).all()
        attempts = _attempts(session, [row[0].id for row in rows]) if rows else {}
    return [_of_item(one, event_type, name, attempts[one.id]) for one, event_type, name in rows]


def _of_item(
    one: Delivery, event_type: str, name: str, attempts: Sequence[DeliveryAttempt]
) -> deliveries_of_items.Delivery:
    waits = one.state == "waiting"
    return deliveries_of_items.Delivery(
        event=one.event_id,
        type=event_type,
        to=name,
        state=one.state,
        at=one.planned_at if waits else one.arrived_at or one.created_at,
        attempts=tuple(deliveries_of_items.Attempt(a.started_at, a.status, a.error) for a in attempts),
        page=f"/admin/subscriptions/{one.subscription_id}/deliveries/{one.id}",
    )


def health(session: Session, now: datetime) -> Health:
    failing = sa.and_(Subscription.state == "active", Subscription.failing_since.is_not(None))
    ill = sa.select(
        sa.func.count(sa.case((failing, 1))), sa.func.count(sa.case((Subscription.state == "disabled", 1)))
    )
    waiting = (
        sa.select(sa.func.count(), sa.func.count(sa.case((Delivery.next_at <= now - OVERDUE, 1))))
        .join(Subscription, Subscription.id == Delivery.subscription_id)
        .where(Delivery.state == sa.literal_column("'waiting'"), Subscription.state == "active")
    )
    return Health(*session.execute(ill).one(), *session.execute(waiting).one())


def _counts(session: Session, of: uuid.UUID | None = None) -> dict[uuid.UUID, dict[str, int]]:
    query = sa.select(Delivery.subscription_id, Delivery.state, sa.func.count()).group_by(
        Delivery.subscription_id, Delivery.state
    )
    if of is not None:
        query = query.where(Delivery.subscription_id == of)
    found: dict[uuid.UUID, dict[str, int]] = defaultdict(lambda: dict.fromkeys(STATES, 0))
    for subscription_id, state, count in session.execute(query):
        found[subscription_id][state] = count
    return found


def _attempts(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[DeliveryAttempt]]:
    found: dict[uuid.UUID, list[DeliveryAttempt]] = defaultdict(list)
    made = sa.select(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_(ids)).order_by(DeliveryAttempt.id)
    for attempt in session.scalars(made):
        found[attempt.delivery_id].append(attempt)
    return found


def _conditions(wanted: Wanted) -> list[Any]:
    conditions: list[Any] = []
    if "\0" in f"{wanted.type}{wanted.q}":
        return [sa.false()]  # no text of the database holds one, and PostgreSQL takes none
    if wanted.state:
        conditions.append(Delivery.state == wanted.state)
    if wanted.type:
        conditions.append(Announcement.type == wanted.type)
    if wanted.since:
        conditions.append(Delivery.created_at >= wanted.since)
    if wanted.until:
        conditions.append(Delivery.created_at < wanted.until)
    if wanted.q:
        named = sa.func.lower(Announcement.title).contains(wanted.q.strip().lower(), autoescape=True)
        conditions.append(sa.or_(named, *_by_id(wanted.q)))
    return conditions


def _by_id(text: str) -> list[sa.ColumnElement[bool]]:
    try:
        wanted = uuid.UUID(text.strip())
    except ValueError:
        return []
    return [Announcement.item_id == wanted, Announcement.event_id == wanted, Delivery.id == wanted]
