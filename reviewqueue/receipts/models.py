"""The keys that sign receipts, as rows."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..audit.guard import Audited
from ..db import Base, UtcDateTime


class SigningKey(Audited, Base):
    """An Ed25519 key pair. It signs from `signs_from` until `retired_at`, and is believed for longer than that."""

    __tablename__ = "signing_key"

    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True, autoincrement=False)
    """1, 2, 3 …: of two processes that make the next one at once, the second is refused."""
    kid: Mapped[str] = mapped_column(sa.String(43), unique=True)
    """The public key's thumbprint (RFC 7638)."""
    public_key: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    sealed_private_key: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    """Null once it was destroyed: a retired key has nothing left to sign."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signs_from: Mapped[datetime] = mapped_column(UtcDateTime)
    retired_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the next one takes over; ahead of us while the two overlap."""
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when nothing that it signed is believed."""

    def is_published(self, now: datetime, lifetime: timedelta | None) -> bool:
        """Whether verifiers are told of it: as long as a receipt may be valid that it signed or will sign.

        A receipt ends `lifetime` after its decision, None: never; and no decision is later than the key's retirement.
        """
        if self.revoked_at is not None:
            return False
        return self.retired_at is None or lifetime is None or now < self.retired_at + lifetime

    def signs(self, now: datetime) -> bool:
        is_retired = self.retired_at is not None and self.retired_at <= now
        return self.revoked_at is None and self.signs_from <= now and not is_retired
