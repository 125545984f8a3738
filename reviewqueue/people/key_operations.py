"""Making and revoking the keys of apps."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from reviewqueue.audit.events import EventType
from reviewqueue.db import Database
from reviewqueue.errors import Conflict, NotFound
from reviewqueue.people import keys, persons
from reviewqueue.people.access import access_of
from reviewqueue.people.callers import Caller
from reviewqueue.people.forms import NewKey
from reviewqueue.people.models import Key
from reviewqueue.transaction import Transaction


def create_key(db: Database, caller: Caller, form: NewKey, request_id: str | None = None) -> str:
    """Makes a key and returns it: the only time that it can be seen.

    Without a person, `decisions:write` gives nothing: decisions are refused when they are tried. Raises Forbidden,
    and NotFound for a person who is not there.
    """
    secret = keys.new_secret()
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        person = persons.by_email(tx.session, form.person) if form.person else None
        key = Key(
            name=form.name,
            hash=keys.hash_of(secret),
            hint=secret[: keys.HINT_LENGTH],
            scopes=sorted({scope.value for scope in form.scopes}),
            queues=sorted(set(form.queues)) if form.queues else None,
            person_id=person.id if person else None,
            created_at=tx.now,
            created_by=caller.actor.name,
        )
        tx.session.add(key)
        tx.session.flush()
        _record(tx, key, EventType.KEY_CREATED, scopes=key.scopes, queues=key.queues, person=form.person)
    return secret


def revoke_key(db: Database, caller: Caller, wanted: str, request_id: str | None = None) -> str:
    """Revokes the key of that id or name, at once and for good; returns its name.

    Raises Forbidden, NotFound, and Conflict when the name fits several.
    """
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        key = _find(tx, wanted)
        if key.revoked_at is None:
            key.revoked_at = tx.now
            _record(tx, key, EventType.KEY_REVOKED)
        return key.name


def _find(tx: Transaction, wanted: str) -> Key:
    try:
        by_id = tx.session.get(Key, uuid.UUID(wanted))
    except ValueError:
        by_id = None
    if by_id is not None:
        return by_id
    named = tx.session.scalars(sa.select(Key).where(Key.name == wanted, Key.revoked_at.is_(None))).all()
    if not named:
        raise NotFound(f"There is no key {wanted!r} that could be revoked.")
    if len(named) > 1:
        raise Conflict(f"{len(named)} keys are named {wanted!r}. Name the id, which `key list` shows.")
    return named[0]


def _record(tx: Transaction, key: Key, type: EventType, **data: object) -> None:
    tx.trail.record(key, type, {"key_id": str(key.id), "name": key.name, **data})
