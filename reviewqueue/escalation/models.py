"""Firings of timers, which make a second firing of the same step impossible; and the versions of calendars."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from ..audit.guard import Audited
from ..db import Base, Json, JsonText, UtcDateTime


class Firing(Base):
    __tablename__ = "firing"

    item_id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, sa.ForeignKey("item.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    step: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    """The escalation step, from 1; 0 for a wake, -1 for the deadline."""
    occurrence: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    """0, then 1, 2 … for repeats."""
    kind: Mapped[str] = mapped_column(sa.String(8))
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    fired_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CalendarVersion(Audited, Base):
    """A numbered version of a shared calendar, which never changes. Policies keep copies, so no key points here."""

    __tablename__ = "calendar"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(sa.String(64))
    version: Mapped[int] = mapped_column(sa.Integer)
    frozen: Mapped[Json] = mapped_column(JsonText)
    """Name, version, the hours as written, and the holidays as they were looked up: `FrozenCalendar.as_dict()`."""
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_by: Mapped[str] = mapped_column(sa.String(120))

    __table_args__ = (sa.UniqueConstraint("name", "version"),)
