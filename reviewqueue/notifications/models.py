"""What people are told, as rows: a notice, whom it was for, and the messages that carry it out of the house.

All three are written in the transaction of what they tell of, so that nothing is told that did not happen, and
nothing happens that is not told.
"""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship
from uuid_utils.compat import uuid7

from ..audit.guard import Audited
from ..db import Base, UtcDateTime

IS_WAITING = sa.text("state = 'waiting'")
IS_UNREAD = sa.text("in_app AND read_at IS NULL")
IS_UNREAD_SQLITE = sa.text("in_app = 1 AND read_at IS NULL")


class Notice(Base):
    """What happened to an item, in words that may leave the house: never its evidence, nor what people wrote."""

    __tablename__ = "notice"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    item_id: Mapped[uuid.UUID | None] = mapped_column(sa.Uuid, sa.ForeignKey("item.id"))
    """Null: it is about no item, and `path` says which page to look at."""
    path: Mapped[str | None] = mapped_column(sa.String(200))
    queue: Mapped[str] = mapped_column(sa.String(64))
    queue_title: Mapped[str] = mapped_column(sa.String(200))
    title: Mapped[str] = mapped_column(sa.String(255))
    """The item's."""
    kind: Mapped[str] = mapped_column(sa.String(10))
    why: Mapped[str] = mapped_column(sa.String(400))
    late_by: Mapped[float | None] = mapped_column(sa.Double)
    """Seconds past the due time, when it was told; null: not late."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        # queries.told_about, the item's page and the backlog's column.
        sa.Index("ix_notice_item_id", "item_id"),
        # pruning: the oldest.
        sa.Index("ix_notice_created_at", "created_at"),
    )


class Notification(Base):
    """A notice, told to one person."""

    __tablename__ = "notification"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    notice_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("notice.id"))
    person_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("person.id"))
    in_app: Mapped[bool]
    """Whether it shows behind the bell; else it went through other channels alone."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    notice: Mapped[Notice] = relationship(lazy="raise")

    __table_args__ = (
        # queries.unread: the bell.
        sa.Index(
            "ix_notification_unread", "person_id", postgresql_where=IS_UNREAD, sqlite_where=IS_UNREAD_SQLITE
        ),
        # queries.inbox: the page, newest first.
        sa.Index("ix_notification_person_id_id", "person_id", "id"),
        # queries.told_about.
        sa.Index("ix_notification_notice_id", "notice_id"),
    )


class Message(Base):
    """A notice on its way through one channel to one receiver. The outbox: a worker sends what is due."""

    __tablename__ = "message"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    notice_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("notice.id"))
    channel: Mapped[str] = mapped_column(sa.String(64))
    """`mail`, or the name of a configured channel."""
    receiver: Mapped[str] = mapped_column(sa.String(254))
    """A person's address, or the channel's name."""
    state: Mapped[str] = mapped_column(sa.String(8), default="waiting")
    """waiting, sent or failed."""
    attempts: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it is tried next; while somebody sends it, when their lease ends."""
    lease: Mapped[str | None] = mapped_column(sa.String(32))
    """The token of whoever is sending it: nobody else may say what became of it."""
    error: Mapped[str | None] = mapped_column(sa.String(300))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    notice: Mapped[Notice] = relationship(lazy="raise")

    __table_args__ = (
        # outbox.claim: what is due.
        sa.Index("ix_message_due", "next_at", postgresql_where=IS_WAITING, sqlite_where=IS_WAITING),
        # outbox.claim: what the same receiver waits for, or got within the minute.
        sa.Index("ix_message_channel_receiver_sent_at", "channel", "receiver", "sent_at"),
        # queries.told_about.
        sa.Index("ix_message_notice_id", "notice_id"),
    )


class Channel(Audited, Base):
    """A way out of the house that an admin set up, such as a team's chat."""

    __tablename__ = "channel"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(sa.String(64), unique=True)
    scheme: Mapped[str] = mapped_column(sa.String(20))
    address: Mapped[str] = mapped_column(sa.Text)
    """Apprise's URL. It holds the service's password, so it is shown to nobody and named in no log and no event."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(sa.String(120))
