"""What the backlog was like: a row for each queue and quarter of an hour, kept for the trends and the charts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..audit.models import BigId
from ..db import Base, UtcDateTime


class Sample(Base):
    """One queue in one quarter of an hour: what waited when it began, and what came and went in it."""

    __tablename__ = "backlog_sample"

    at: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    """When the quarter of an hour begins. First in the key, since all queues of a time are read at once."""
    queue_id: Mapped[int] = mapped_column(
        sa.Integer, sa.ForeignKey("queue.id"), primary_key=True, autoincrement=False
    )
    waiting: Mapped[int | None] = mapped_column(sa.Integer)
    """This and the next three, as counted within minutes of `at`. Null: no worker ran then."""
    overdue: Mapped[int | None] = mapped_column(sa.Integer)
    escalated: Mapped[int | None] = mapped_column(sa.Integer)
    at_risk: Mapped[int | None] = mapped_column(sa.Integer)
    arrived: Mapped[int] = mapped_column(sa.Integer, default=0, server_default="0")
    """Items that came to people: enqueued, recalled or reopened."""
    decided: Mapped[int] = mapped_column(sa.Integer, default=0, server_default="0")
    in_time: Mapped[int] = mapped_column(sa.Integer, default=0, server_default="0")
    """Of those decided, which had a due time and kept it."""
    late: Mapped[int] = mapped_column(sa.Integer, default=0, server_default="0")
    """Decided after their due time, or expired undecided."""


class SampledUpTo(Base):
    """How far the samples have read the order of all events: each is counted once."""

    __tablename__ = "backlog_sampled_up_to"

    id: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    """Always 1."""
    position: Mapped[int] = mapped_column(BigId)
