"""Keys of apps: made once, shown once, kept as a hash, and turned into a caller at each request."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import uuid
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reviewqueue.audit.guard import SetBased, set_based
from reviewqueue.db import Database
from reviewqueue.errors import Unauthenticated
from reviewqueue.people.callers import Caller
from reviewqueue.people.models import Key, Person, Scope
from reviewqueue.transaction import SYSTEM, Actor

PREFIX = "rq_"
HINT_LENGTH = 9
NOTED_EVERY = timedelta(minutes=1)

_SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_BY_HASH = (
    sa.select(
        Key.id,
        Key.name,
        Key.scopes,
        Key.queues,
        Key.revoked_at,
        Person.id.label("person_id"),
        Person.email,
        Person.name.label("person_name"),
        Person.is_admin,
        Person.is_auditor,
        Person.disabled_at,
    )
    .join_from(Key, Person, isouter=True)
    .where(Key.hash == sa.bindparam("hash"))
)


def new_secret() -> str:
    """A new key: `rq_` and 256 random bits in 43 characters."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def authenticate(session: Session | sa.Connection, secret: str) -> Caller:
    """Whoever the key belongs to: a person, or an app of its own. One query.

    Raises Unauthenticated for a key that is unknown or revoked, or whose person is disabled.
    """
    row = None
    if _SHAPE.fullmatch(secret):
        row = session.execute(_BY_HASH, {"hash": hash_of(secret)}).one_or_none()
    if row is None or row.revoked_at is not None or row.disabled_at is not None:
        raise Unauthenticated(
            "The key is unknown, revoked, or its person is disabled. Ask an admin for a new one."
        )
    scopes = frozenset(Scope(scope) for scope in row.scopes)
    queues = None if row.queues is None else frozenset(row.queues)
    if row.person_id is None:
        return Caller(Actor("app", str(row.id), row.name), scopes=scopes, queues=queues, key_id=row.id)
    return Caller(
        Actor("person", str(row.person_id), row.person_name),
        person_id=row.person_id,
        email=row.email,
        is_admin=row.is_admin,
        is_auditor=row.is_auditor,
        scopes=scopes,
        queues=queues,
        key_id=row.id,
    )


class UseOfKeys:
    """Notes when keys were last used, at most once a minute for each, so that requests do not pay for it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._noted: dict[uuid.UUID, float] = {}
        self._lock = threading.Lock()

    def note(self, key_id: uuid.UUID) -> None:
        now = self._db.clock.now()
        with self._lock:
            if now.timestamp() - self._noted.get(key_id, 0.0) < NOTED_EVERY.total_seconds():
                return
            self._noted[key_id] = now.timestamp()
        with self._db.transaction(SYSTEM) as tx:
            tx.session.execute(
                sa.update(Key)
                .where(
                    Key.id == key_id, sa.or_(Key.last_used_at.is_(None), Key.last_used_at < now - NOTED_EVERY)
                )
                .values(last_used_at=now),
                execution_options=set_based(SetBased.KEY_LAST_USED) | {"synchronize_session": False},
            )
