"""Reading the keys that sign receipts. They are few: one a rotation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from .models import SigningKey


def signing_keys(session: Session) -> Sequence[SigningKey]:
    """All of them, the newest first."""
    return session.scalars(sa.select(SigningKey).order_by(SigningKey.number.desc())).all()


def key_in_force(session: Session, now: datetime) -> SigningKey | None:
    """The key that signs now."""
    return next((key for key in signing_keys(session) if key.signs(now)), None)
