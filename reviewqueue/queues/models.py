"""Queues and their policies: a queue changes, a policy never does; it is followed by the next version."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from ..audit.guard import Audited
from ..db import Base, Json, JsonText, UtcDateTime


class Queue(Audited, Base):
    __tablename__ = "queue"

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(sa.String(64), unique=True)
    document: Mapped[Json] = mapped_column(JsonText)
    """The queue's own part of the document: title, purpose, owners, stage, risk, guidance, members."""
    stage: Mapped[str] = mapped_column(sa.String(10))
    policy_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid)
    """The policy in force. Not a foreign key: the two rows name each other and are written together."""
    policy_version: Mapped[int] = mapped_column(sa.Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)

    @property
    def title(self) -> str:
        return str(self.document["title"])


class PolicyVersion(Audited, Base):
    """A numbered version of a queue's policy, with the output schema and the reasons that belong to it."""

    __tablename__ = "policy"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    queue_id: Mapped[int] = mapped_column(sa.Integer, sa.ForeignKey("queue.id"))
    version: Mapped[int] = mapped_column(sa.Integer)
    document: Mapped[Json] = mapped_column(JsonText)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_by: Mapped[str] = mapped_column(sa.String(120))

    __table_args__ = (sa.UniqueConstraint("queue_id", "version"),)
