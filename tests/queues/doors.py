"""Ways in for tests of the queues' doors: a key for the API, and a browser that is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from reviewqueue.audit.events import EventType
from reviewqueue.db import Database
from reviewqueue.people import sessions
from reviewqueue.people.keys import hash_of, new_secret
from reviewqueue.people.models import Key, Person, Scope
from reviewqueue.transaction import SYSTEM
from reviewqueue.web.requests import SESSION_ID


def key_headers(
    db: Database,
    scopes: Sequence[Scope] = tuple(Scope),
    queues: list[str] | None = None,
    person: Person | None = None,
) -> dict[str, str]:
    """A new key, as the header that its owner sends."""
    secret = new_secret()
    with db.transaction(SYSTEM) as tx:
        key = Key(
            name="test key",
            hash=hash_of(secret),
            hint=secret[:9],
            scopes=[scope.value for scope in scopes],
            queues=queues,
            person_id=person.id if person else None,
            created_at=tx.now,
            created_by="test",
        )
        tx.session.add(key)
        tx.trail.record(key, EventType.KEY_CREATED, {"name": key.name})
    return {"Authorization": f"Bearer {secret}"}


def sign_in(client: FlaskClient, db: Database, person: Person) -> None:
    with db.transaction(SYSTEM) as tx:
        session_id = sessions.begin(tx, person, timedelta(hours=1))
    with client.session_transaction() as cookie:
        cookie[SESSION_ID] = session_id


def session_cookie(app: Flask, db: Database, person: Person) -> tuple[str, str]:
    """Name and value of a signed-in browser's cookie."""
    client = app.test_client()
    sign_in(client, db, person)
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    return cookie.key, cookie.value
