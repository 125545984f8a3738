"""Sign-ins of browsers: a random id in a signed cookie, its hash in a row that can be revoked at any time."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reviewqueue.db import Database, Json
from reviewqueue.people.callers import Caller
from reviewqueue.people.models import BrowserSession, Person
from reviewqueue.transaction import SYSTEM, Actor, Transaction

SEEN_EVERY = timedelta(minutes=1)
"""How exact the last use is kept: a page that polls must not write at each poll."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person who looks at a page, as the page needs them."""

    caller: Caller
    person_id: uuid.UUID
    name: str
    email: str
    preferences: dict[str, Json]
    session_hash: bytes
    data: dict[str, Json]
    """What the pages remember for this browser."""
    seen_at: datetime


_BY_HASH = (
    sa.select(
        BrowserSession.data,
        BrowserSession.seen_at,
        Person.id,
        Person.email,
        Person.name,
        Person.is_admin,
        Person.is_auditor,
        Person.preferences,
    )
    .join_from(BrowserSession, Person)
    .where(
        BrowserSession.id_hash == sa.bindparam("id_hash"),
        BrowserSession.expires_at > sa.bindparam("now", type_=BrowserSession.expires_at.type),
        Person.disabled_at.is_(None),
    )
)


def hash_of(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()


def begin(tx: Transaction, person: Person, lifetime: timedelta) -> str:
    """A new session of that person; the id goes into the cookie and is kept nowhere else."""
    session_id = secrets.token_urlsafe(32)
    tx.session.add(
        BrowserSession(
            id_hash=hash_of(session_id),
            person_id=person.id,
            created_at=tx.now,
            seen_at=tx.now,
            expires_at=tx.now + lifetime,
            data={},
        )
    )
    return session_id


def viewer_of(session: Session | sa.Connection, session_id: str, now: datetime) -> Viewer | None:
    """Whoever is signed in with that id; None when it is unknown, ended or expired, or its person disabled."""
    id_hash = hash_of(session_id)
    row = session.execute(_BY_HASH, {"id_hash": id_hash, "now": now}).one_or_none()
    if row is None:
        return None
    caller = Caller(
        Actor("person", str(row.id), row.name),
        person_id=row.id,
        email=row.email,
        is_admin=row.is_admin,
        is_auditor=row.is_auditor,
    )
    return Viewer(caller, row.id, row.name, row.email, row.preferences, id_hash, row.data, row.seen_at)


def keep_alive(db: Database, viewer: Viewer, lifetime: timedelta) -> None:
    """Moves the expiry on, at most once a minute."""
    if db.clock.now() - viewer.seen_at < SEEN_EVERY:
        return
    with db.transaction(SYSTEM) as tx:
        tx.session.execute(
            sa.update(BrowserSession)
            .where(BrowserSession.id_hash == viewer.session_hash)
            .values(seen_at=tx.now, expires_at=tx.now + lifetime)
        )


def remember(db: Database, viewer: Viewer, data: dict[str, Json]) -> None:
    """Replaces what the pages remember for this browser."""
    with db.transaction(SYSTEM) as tx:
        tx.session.execute(
            sa.update(BrowserSession).where(BrowserSession.id_hash == viewer.session_hash).values(data=data)
        )


def end(tx: Transaction, id_hash: bytes) -> None:
    tx.session.execute(sa.delete(BrowserSession).where(BrowserSession.id_hash == id_hash))


def end_all(tx: Transaction, person_id: uuid.UUID, *, but: bytes | None = None) -> None:
    """Signs the person out everywhere, or everywhere but in one browser."""
    statement = sa.delete(BrowserSession).where(BrowserSession.person_id == person_id)
    if but is not None:
        statement = statement.where(BrowserSession.id_hash != but)
    tx.session.execute(statement)
