"""Calls that an app may repeat without a second effect: the header Idempotency-Key."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..errors import IdempotencyKeyReused
from ..people.access import Access
from ..transaction import Transaction
from .models import IdempotencyKey


@dataclass(frozen=True, slots=True)
class Repeat:
    """One call under a key: the first takes the key, and its equals wait for it and learn what it made."""

    tx: Transaction
    access: Access
    key: str
    body_hash: bytes

    def begin(self) -> uuid.UUID | None:
        """Takes the key, or tells the item that it made before. Raises IdempotencyKeyReused for another body."""
        if self._take():
            return None
        kept = self.tx.session.execute(
            sa.select(IdempotencyKey.body_hash, IdempotencyKey.item_id).where(*self._this())
        ).one()
        if kept.body_hash != self.body_hash:
            raise IdempotencyKeyReused(
                "This Idempotency-Key came before with another body; use a new key for new content."
            )
        item_id: uuid.UUID | None = kept.item_id
        return item_id

    def made(self, item_id: uuid.UUID) -> None:
        """Notes what the call made, or found made."""
        self.tx.session.execute(sa.update(IdempotencyKey).where(*self._this()).values(item_id=item_id))

    def _take(self) -> bool:
        insert: Any = sqlite.insert if self.tx.db.embedded else postgresql.insert
        statement = insert(IdempotencyKey).on_conflict_do_nothing().returning(IdempotencyKey.key)
        row = {
            "scope": self._scope,
            "key": self.key,
            "body_hash": self.body_hash,
            "item_id": None,
            "created_at": self.tx.now,
        }
        return self.tx.session.execute(statement, row).first() is not None

    def _this(self) -> tuple[sa.ColumnElement[bool], ...]:
        return IdempotencyKey.scope == self._scope, IdempotencyKey.key == self.key

    @property
    def _scope(self) -> str:
        """Whose key it is: keys of two apps never meet."""
        return str(self.access.caller.key_id or self.access.person_id or "system")
