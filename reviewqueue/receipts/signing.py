"""The one who signs: has the key in force at hand, and makes the first one when it is needed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from ..config import Settings
from ..db import Database
from ..sealing import CannotOpen
from .keys import OpenKey, opened
from .operations import ensure_key
from .queries import key_in_force, signing_keys

log = structlog.get_logger(__name__)

LOOKS_EVERY = timedelta(seconds=10)
"""How soon a process follows a rotation that another one made."""


@dataclass(slots=True)
class Signer:
    """One for each process. Never asked inside a transaction: making the first key is one of its own."""

    db: Database
    secret_key: str = field(repr=False)
    lifetime: timedelta | None
    """How long a receipt is an order; None: without end."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _key: OpenKey | None = None
    _looked_at: datetime | None = None

    def sign(self, claims: dict[str, Any]) -> str | None:
        """A compact JWS; None where the key cannot be opened, so that nobody acts until somebody rotates it."""
        key = self._key_now()
        return None if key is None else key.compact_jws(claims)

    def expiry(self, decided_at: datetime, valid_until: datetime | None) -> datetime | None:
        """Until when an outcome is an order: whichever of the two comes first."""
        by_age = decided_at + self.lifetime if self.lifetime else None
        ends = [end for end in (by_age, valid_until) if end is not None]
        return min(ends, default=None)

    def _key_now(self) -> OpenKey | None:
        with self._lock:
            now = self.db.clock.now()
            if self._looked_at is None or not timedelta(0) <= now - self._looked_at < LOOKS_EVERY:
                self._key, self._looked_at = self._look(now), now
            return self._key

    def _look(self, now: datetime) -> OpenKey | None:
        with self.db.reading() as session:
            found, any_made = key_in_force(session, now), bool(signing_keys(session))
        if found is None and not any_made:
            ensure_key(self.db, self.secret_key)
            with self.db.reading() as session:
                found = key_in_force(session, self.db.clock.now())
        if found is None:
            return None
        if self._key is not None and self._key.kid == found.kid:
            return self._key
        try:
            return opened(found, self.secret_key)
        except CannotOpen:
            log.exception(
                "receipts cannot be signed; run: reviewqueue signing-key rotate --now", kid=found.kid
            )
            return None


def signer_for(settings: Settings, db: Database) -> Signer:
    lifetime = timedelta(hours=settings.receipt_hours) if settings.receipt_hours else None
    return Signer(db, settings.secret_key, lifetime)
