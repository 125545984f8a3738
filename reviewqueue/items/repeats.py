"""Calls that an app may repeat without a second effect: the header Idempotency-Key."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..errors import IdempotencyKeyReused
from ..people.access import Caller
from ..transaction import Transaction
from .models import IdempotencyKey


@dataclass(frozen=True, slots=True)
class Repeat:
    """One call under a key: the first takes the key, and its equals wait for it and learn what it made."""

    tx: Transaction
    caller: Caller
    key: str
    body_hash: bytes

    def begin(self) -> uuid.UUID | None:
        """Takes the key, or tells the item that it made before. Raises IdempotencyKeyReused for another body."""
        kept = self._take_or_kept()
        item_id: uuid.UUID | None = kept.item_id if kept else None
        return item_id

    def begin_batch(self) -> str | None:
        """The same for a batch: takes the key, or tells what was answered before."""
        kept = self._take_or_kept()
        answer: str | None = kept.answer if kept else None
        return answer

    def made(self, item_id: uuid.UUID) -> None:
        """Notes what the call made, or found made."""
        self._note(item_id=item_id)

    def answered(self, answer: str) -> None:
        """Notes what the batch is answered with."""
        self._note(answer=answer)

    def _take_or_kept(self) -> Any:
        if self._take():
            return None
        kept: Any = self.tx.session.execute(
            sa.select(IdempotencyKey.body_hash, IdempotencyKey.item_id, IdempotencyKey.answer).where(
                *self._this()
            )
        ).one()
        if kept.body_hash != self.body_hash:
            raise IdempotencyKeyReused(
                "This Idempotency-Key came before with another body; use a new key for new content."
            )
        return kept

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

    def _note(self, **values: Any) -> None:
        self.tx.session.execute(sa.update(IdempotencyKey).where(*self._this()).values(**values))

    def _this(self) -> tuple[sa.ColumnElement[bool], ...]:
        return IdempotencyKey.scope == self._scope, IdempotencyKey.key == self.key

    @property
    def _scope(self) -> str:
        """Whose key it is: keys of two apps never meet."""
        return str(self.caller.key_id or self.caller.person_id or "system")


@dataclass(slots=True)
class OneBatch:
    """A batch under a key: the first call is carried out and its answer kept, its equals are given that answer."""

    key: str
    body_hash: bytes
    tell: Callable[[Any], dict[str, Any]]
    """From what became of each body to the answer."""
    replayed: bool = False
    answer: dict[str, Any] | None = None
    _repeat: Repeat | None = None

    def was_answered(self, tx: Transaction, caller: Caller) -> bool:
        """Raises IdempotencyKeyReused for another body."""
        self._repeat = Repeat(tx, caller, self.key, self.body_hash)
        kept = self._repeat.begin_batch()
        if kept is not None:
            self.replayed, self.answer = True, orjson.loads(kept)
        return self.replayed

    def keep(self, results: Any) -> None:
        self.answer = self.tell(results)
        if self._repeat is not None:
            self._repeat.answered(orjson.dumps(self.answer).decode())
