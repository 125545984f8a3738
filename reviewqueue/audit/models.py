"""The tables of the trail: events that never change, their erasable content, and their order.

An event is two rows. `event` is what queries need and what stays for good; `event_content` holds the exact bytes
that the hash commits to, with the salt, in a row that erasure may delete without breaking any hash.
`unordered_events` is one row a transaction: the sequencer turns these into gapless positions in commit order.
"""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..db import Base, UtcDateTime

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Event(Base):
    __tablename__ = "event"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True)
    type: Mapped[str] = mapped_column(sa.String(40))
    queue_id: Mapped[int | None] = mapped_column(sa.Integer)
    item_id: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid)
    item_seq: Mapped[int | None] = mapped_column(sa.Integer)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_kind: Mapped[str] = mapped_column(sa.String(10))
    actor_id: Mapped[str | None] = mapped_column(sa.String(64))
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))

    __table_args__ = (
        # An item's trail in order (audit.queries.trail_of), and no two events in one place of a chain.
        sa.Index(
            "uq_event_item_id_item_seq",
            "item_id",
            "item_seq",
            unique=True,
            postgresql_where=sa.text("item_id IS NOT NULL"),
            sqlite_where=sa.text("item_id IS NOT NULL"),
        ),
        # What one person did lately (items.queries.decided_today, the desk's last decisions).
        sa.Index(
            "ix_event_actor_id_at",
            "actor_id",
            "at",
            postgresql_where=sa.text("actor_kind = 'person'"),
            sqlite_where=sa.text("actor_kind = 'person'"),
        ),
    )


class EventContent(Base):
    __tablename__ = "event_content"

    event_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True)
    """No foreign key: PostgreSQL locks the row that one points to, which takes the right to change events."""
    salt: Mapped[bytes] = mapped_column(sa.LargeBinary(16))
    body: Mapped[str] = mapped_column(sa.Text)
    """The event's JSON exactly as hashed: hash = HMAC-SHA256(salt, body). It holds the previous event's hash."""


class UnorderedEvents(Base):
    """The events of one committed transaction, in the order of recording, that have no position yet."""

    __tablename__ = "unordered_events"

    n: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    event_ids: Mapped[bytes] = mapped_column(sa.LargeBinary)
    """16 bytes an event."""

    __table_args__ = {"sqlite_autoincrement": True}


class EventPosition(Base):
    """The order of all events: gapless from 1, in commit order. The feed's cursor, later the Merkle tree's leaf."""

    __tablename__ = "event_position"

    position: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    event_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, unique=True)


class Lease(Base):
    """A right that one process holds for a while, such as being SQLite's one ticker or the sequencer."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(64))
    until: Mapped[datetime] = mapped_column(UtcDateTime)
