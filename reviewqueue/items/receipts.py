"""The receipts of outcomes: signed when an outcome is shown or sent, so that no arrival and no decision waits for it.

The claims are made of what the outcome's row keeps, and the signature is deterministic: each reading gives the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from ..canonical import sha256_of
from ..config import Settings
from ..db import Database, table_of
from ..receipts.signing import Signer, signer_for
from .models import Evidence
from .views import Shown

INPUTS_AT_ONCE = 20
"""An input may be a megabyte of pictures: never all of a page's are held."""


@dataclass(frozen=True, slots=True)
class Receipts:
    """Gives receipts in the name of one installation."""

    db: Database
    signer: Signer
    base_url: str

    def of(self, shown: Shown) -> str | None:
        """The receipt of the outcome; None where there is none yet, and while it may be taken back."""
        return self.of_all([shown]).get(shown.item["id"])

    def of_all(self, shown: Iterable[Shown]) -> dict[uuid.UUID, str | None]:
        """The receipts by item. Reads the inputs that are not at hand."""
        now = self.db.clock.now()
        final = [one for one in shown if one.outcome is not None and not one.may_be_undone(now)]
        hashes = self._input_hashes(final)
        return {one.item["id"]: self._sign(one, hashes[one.item["id"]]) for one in final}

    def _sign(self, shown: Shown, input_hash: str) -> str | None:
        item, outcome = shown.item, shown.outcome or {}
        claims: dict[str, Any] = {
            "iss": self.base_url,
            "sub": str(item["id"]),
            "queue": item["queue"],
            "revision": outcome["revision"],
            "verdict": outcome["verdict"],
            "by": outcome["by"],
            "output_sha256": sha256_of(shown.output).hex(),
            "input_sha256": input_hash,
            "policy_version": item["policy_version"],
            "iat": _seconds(outcome["decided_at"]),
        }
        expiry = self.signer.expiry(outcome["decided_at"], item["valid_until"])
        if expiry is not None:
            claims["exp"] = _seconds(expiry)
        return self.signer.sign(claims)

    def _input_hashes(self, shown: Sequence[Shown]) -> dict[uuid.UUID, str]:
        hashes = {one.item["id"]: _hash_of(one.input_json) for one in shown if one.input_json is not None}
        missing = [one.item["id"] for one in shown if one.input_json is None]
        for start in range(0, len(missing), INPUTS_AT_ONCE):
            with self.db.asking() as connection:
                rows = connection.execute(_INPUTS, {"ids": missing[start : start + INPUTS_AT_ONCE]})
                hashes.update({item_id: _hash_of(text) for item_id, text in rows})
        return hashes


def receipts_of(settings: Settings, db: Database) -> Receipts | None:
    """Away from any request. None without an address of its own: a receipt names the installation."""
    base_url = settings.base_url.rstrip("/")
    return Receipts(db, signer_for(settings, db), base_url) if base_url else None


_EVIDENCE = table_of(Evidence).c
_INPUTS = sa.select(_EVIDENCE.item_id, _EVIDENCE.input_json).where(
    _EVIDENCE.item_id.in_(sa.bindparam("ids", expanding=True))
)


def _hash_of(text: str) -> str:
    return sha256_of(orjson.loads(text)).hex()


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
