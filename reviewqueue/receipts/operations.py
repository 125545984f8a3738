"""What happens to the keys that sign receipts: the first one, the next one, and the end of an old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from ..audit.events import EventType
from ..audit.trail import rfc3339
from ..db import Database
from ..errors import Conflict
from ..people.access import Caller, access_of
from ..transaction import SYSTEM, Transaction
from .keys import new_key
from .models import SigningKey
from .queries import signing_keys

OVERLAP = timedelta(hours=1)
"""How long the next key is published before it signs: whoever caches the keys has it by then."""
DESTROYED_AFTER = timedelta(hours=1)
"""The private part, once retired: a process that looked a moment ago may still sign with it."""


@dataclass(frozen=True, slots=True)
class Rotated:
    kid: str
    signs_from: datetime
    revoked: tuple[str, ...]
    """The keys that nobody is to believe any more."""


def ensure_key(db: Database, secret_key: str) -> None:
    """Makes the first key, unless there is one that signs."""
    try:
        with db.transaction(SYSTEM) as tx:
            keys = signing_keys(tx.session)
            if not any(key.signs(tx.now) for key in keys):
                _make(tx, keys, secret_key, tx.now)
    except IntegrityError:
        return  # Another process made it meanwhile.


def rotate(
    db: Database,
    caller: Caller,
    secret_key: str,
    *,
    at_once: bool = False,
    compromised: bool = False,
    request_id: str | None = None,
) -> Rotated:
    """Makes the next key, which signs after an overlap, or at once. What the present one signed stays valid.

    At once, a key that waits to take over does so now, and none is made.

    `compromised`: revokes every key whose private part is still there, so that nothing they signed is believed; apps
    get receipts by the new key when they read their outcomes again. Raises Forbidden, and Conflict while a key waits
    to take over, unless `at_once`.
    """
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        keys = signing_keys(tx.session)
        revoked = tuple(_revoke(tx, key) for key in keys if compromised and key.sealed_private_key)
        waiting = next((key for key in keys if key.signs_from > tx.now and key.revoked_at is None), None)
        if waiting is not None and not at_once:
            raise Conflict(
                f"The key {waiting.kid} takes over at {rfc3339(waiting.signs_from)}; rotate again after that, or at "
                "once with --now."
            )
        signing = next((key for key in keys if key.signs(tx.now)), None)
        takes_over = tx.now if signing is None or at_once or compromised else tx.now + OVERLAP
        if signing is not None:
            signing.retired_at = takes_over
            _record(tx, signing, EventType.SIGNING_KEY_RETIRED, retired_at=rfc3339(takes_over))
        if waiting is not None:
            waiting.signs_from = takes_over
            _record(tx, waiting, EventType.SIGNING_KEY_BROUGHT_FORWARD, signs_from=rfc3339(takes_over))
            return Rotated(waiting.kid, takes_over, revoked)
        made = _make(tx, keys, secret_key, takes_over)
        return Rotated(made.kid, takes_over, revoked)


def destroy_retired(db: Database) -> int:
    """Destroys the private parts of keys that have retired; returns of how many."""
    with db.reading() as session:
        if not any(_is_over(key, db.clock.now()) for key in signing_keys(session)):
            return 0
    with db.transaction(SYSTEM) as tx:
        over = [key for key in signing_keys(tx.session) if _is_over(key, tx.now)]
        for key in over:
            key.sealed_private_key = None
            _record(tx, key, EventType.SIGNING_KEY_DESTROYED)
        return len(over)


def _make(tx: Transaction, keys: Sequence[SigningKey], secret_key: str, signs_from: datetime) -> SigningKey:
    """`keys` are those that the decision to make one was taken by: who took it at the same time is refused."""
    key = new_key(keys[0].number + 1 if keys else 1, secret_key, tx.now, signs_from)
    tx.session.add(key)
    tx.session.flush()
    _record(tx, key, EventType.SIGNING_KEY_MADE, number=key.number, signs_from=rfc3339(signs_from))
    return key


def _revoke(tx: Transaction, key: SigningKey) -> str:
    key.revoked_at, key.sealed_private_key = tx.now, None
    _record(tx, key, EventType.SIGNING_KEY_REVOKED)
    return key.kid


def _is_over(key: SigningKey, now: datetime) -> bool:
    retired = key.retired_at is not None and key.retired_at + DESTROYED_AFTER <= now
    return retired and key.sealed_private_key is not None


def _record(tx: Transaction, key: SigningKey, type: EventType, **data: object) -> None:
    tx.trail.record(key, type, {"kid": key.kid, **data})
