"""Rotations: numbered versions that never change; the newest of a slug is in force."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from uuid_utils.compat import uuid7

from ..audit.guard import Audited
from ..db import Base, Json, JsonText, UtcDateTime


class RotationVersion(Audited, Base):
    __tablename__ = "rotation"

    id: Mapped[uuid.UUID] = mapped_column(sa.Uuid, primary_key=True, default=uuid7)
    slug: Mapped[str] = mapped_column(sa.String(64))
    version: Mapped[int] = mapped_column(sa.Integer)
    document: Mapped[Json] = mapped_column(JsonText)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_by: Mapped[str] = mapped_column(sa.String(120))

    __table_args__ = (sa.UniqueConstraint("slug", "version"),)
