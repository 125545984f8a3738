"""Subscriptions, and the outbox of what is on its way to them, as rows.

The body of an event is stored once, whoever gets it. A delivery and its body are written in the transaction of their
event, so that nothing is told that did not happen, and nothing happens untold.
"""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from ..audit.guard import Audited
from ..db import Base, Json, JsonText, UtcDateTime

IS_WAITING = sa.text("state = 'waiting'")


class Subscription(Audited, Base):
    """Where events of some types and queues are sent."""

    __tablename__ = "subscription"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(sa.String(120))
    url: Mapped[str] = mapped_column(sa.Text)
    queues: Mapped[Json] = mapped_column(JsonText)
    """Names; null: all queues, and what belongs to none."""
    types: Mapped[Json] = mapped_column(JsonText)
    """Names of event types, or of kinds such as `item.*`."""
    waits_for_undo: Mapped[bool] = mapped_column(default=False)
    """Whether a person's decision is sent only once it can no longer be undone."""
    secret: Mapped[str] = mapped_column(sa.Text)
    """Sealed: see signing. Empty once it was revoked."""
    old_secret: Mapped[str | None] = mapped_column(sa.Text)
    """The one before a rotation, which signs too until `old_secret_until`."""
    old_secret_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(sa.String(8), default="active")
    """active, paused (deliveries wait), disabled (they fail, and are replayed by hand) or revoked (for good)."""
    why: Mapped[str | None] = mapped_column(sa.String(300))
    """It is disabled."""
    version: Mapped[int] = mapped_column(sa.Integer, default=1)
    """Counts the changes of what is sent where; the sum over all tells every process whether it knows them still."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(sa.String(120))

    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The first failure after the last success."""
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    arrived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When anything last arrived."""


class Announcement(Base):
    """What is said of one event to whoever subscribed to it: the exact bytes, the same at each attempt."""

    __tablename__ = "announcement"

    event_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True)
    type: Mapped[str] = mapped_column(sa.String(40))
    item_id: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid)
    item_seq: Mapped[int | None] = mapped_column(sa.Integer)
    title: Mapped[str] = mapped_column(sa.String(255))
    """What people call the item: what the page's search finds."""
    body: Mapped[str] = mapped_column(sa.Text)
    is_complete: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    """Else the outcome's receipt is added just before it first leaves: see completing."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        # pruning: the oldest.
        sa.Index("ix_announcement_created_at", "created_at"),
        # queries.of_item: what became of an item's events.
        sa.Index("ix_announcement_item_id", "item_id"),
    )


class Delivery(Base):
    """One event on its way to one subscription."""

    __tablename__ = "delivery"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    subscription_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("subscription.id"))
    event_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("announcement.event_id"))
    state: Mapped[str] = mapped_column(sa.String(8))
    """waiting, arrived, failed, or undone: a decision that was taken back before it was sent."""
    attempts: Mapped[int] = mapped_column(sa.SmallInteger)
    """Since it was staged, or replayed."""
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the next attempt is to be made."""
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """The same; while somebody sends it, when their lease ends."""
    lease: Mapped[str | None] = mapped_column(sa.String(32))
    """The token of whoever is sending it: nobody else may say what became of it."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    arrived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        sa.UniqueConstraint("event_id", "subscription_id"),
        # claiming: what is due, of one subscription.
        sa.Index(
            "ix_delivery_due",
            "subscription_id",
            "next_at",
            postgresql_where=IS_WAITING,
            sqlite_where=IS_WAITING,
        ),
        # queries.deliveries: a subscription's page, the newest first.
        sa.Index("ix_delivery_subscription_id_id", "subscription_id", "id"),
        # pruning: the oldest.
        sa.Index("ix_delivery_created_at", "created_at"),
    )


class DeliveryAttempt(Base):
    """One attempt at a delivery, and what came of it."""

    __tablename__ = "delivery_attempt"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    delivery_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("delivery.id"))
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seconds: Mapped[float] = mapped_column(sa.Double)
    status: Mapped[int | None] = mapped_column(sa.SmallInteger)
    """Of the answer; null: there was none."""
    error: Mapped[str | None] = mapped_column(sa.String(300))
    answer: Mapped[str] = mapped_column(sa.Text)
    """The beginning of what the receiver said. Hostile: shown as text alone."""

    __table_args__ = (
        # queries.attempts: of the deliveries of a page.
        sa.Index("ix_delivery_attempt_delivery_id", "delivery_id"),
    )
