"""Keys: shown once, kept hashed, and worthless as soon as they are revoked."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
import sqlalchemy as sa

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Conflict, Forbidden, NotFound, Unauthenticated
from reviewqueue.people import key_operations, keys, operations
from reviewqueue.people.access import SYSTEM_CALLER, Action, access_of
from reviewqueue.people.callers import Caller
from reviewqueue.people.forms import NewKey
from reviewqueue.people.models import Key, Scope
from reviewqueue.transaction import Actor
from tests.support.making import make_person


def make_key(db: Database, **more: object) -> str:
    form = NewKey.model_validate({"name": "app", "scopes": ["items:write", "items:read"], **more})
    return key_operations.create_key(db, SYSTEM_CALLER, form)


def authenticate(db: Database, secret: str) -> Caller:
    with db.reading() as session:
        return keys.authenticate(session, secret)


def last_used(db: Database) -> datetime | None:
    with db.reading() as session:
        return session.scalar(sa.select(Key.last_used_at))


def test_a_key_is_random_and_its_secret_is_kept_nowhere(db: Database) -> None:
    first, second = make_key(db), make_key(db, name="other")
    assert re.fullmatch(r"rq_[A-Za-z0-9_-]{43}", first)
    assert first != second
    with db.reading() as session:
        for table in ("key", "event_content"):
            rows = session.execute(sa.text(f'SELECT * FROM "{table}"')).all()
            assert rows
            assert first not in repr(rows)


def test_an_apps_key_is_the_app(db: Database) -> None:
    caller = authenticate(db, make_key(db, queues=["receipts"]))
    assert (caller.actor.kind, caller.actor.name, caller.person_id) == ("app", "app", None)
    assert caller.scopes == frozenset({Scope.ITEMS_WRITE, Scope.ITEMS_READ})
    assert caller.queues == frozenset({"receipts"})
    assert caller.is_app


def test_a_persons_key_is_the_person(db: Database) -> None:
    ada = make_person(db, "ada@example.org")
    caller = authenticate(db, make_key(db, person="Ada@example.org", scopes=["decisions:write"]))
    assert (caller.actor, caller.person_id) == (Actor("person", str(ada.id), "ada"), ada.id)
    assert (caller.email, caller.queues, caller.is_app) == ("ada@example.org", None, False)


@pytest.mark.parametrize("wrong", ["", "rq_", "rq_" + "x" * 43, "x" * 46, "rq_" + "é" * 43, "rq_" + "x" * 44])
def test_an_unknown_key_is_nobody(db: Database, wrong: str) -> None:
    make_key(db)
    with pytest.raises(Unauthenticated):
        authenticate(db, wrong)


def test_a_revoked_key_is_nobody_at_once(db: Database) -> None:
    secret = make_key(db)
    assert key_operations.revoke_key(db, SYSTEM_CALLER, "app") == "app"
    with pytest.raises(Unauthenticated):
        authenticate(db, secret)


def test_a_disabled_persons_key_is_nobody_until_they_are_enabled(db: Database) -> None:
    make_person(db, "ada@example.org")
    secret = make_key(db, person="ada@example.org")
    operations.disable_person(db, SYSTEM_CALLER, "ada@example.org")
    with pytest.raises(Unauthenticated):
        authenticate(db, secret)
    operations.enable_person(db, SYSTEM_CALLER, "ada@example.org")
    assert authenticate(db, secret).email == "ada@example.org"


def test_a_key_that_decides_needs_a_person(db: Database) -> None:
    nobodys = authenticate(db, make_key(db, scopes=["decisions:write"]))
    with db.reading() as session:
        assert not access_of(session, nobodys).may(Action.REVIEW, 1)
    with pytest.raises(NotFound):
        make_key(db, person="nobody@example.org")


def test_a_name_that_several_keys_have_is_not_revoked_by_chance(db: Database) -> None:
    make_key(db)
    make_key(db)
    with pytest.raises(Conflict, match="2 keys"):
        key_operations.revoke_key(db, SYSTEM_CALLER, "app")
    with db.reading() as session:
        one = session.scalars(sa.select(Key.id)).first()
    key_operations.revoke_key(db, SYSTEM_CALLER, str(one))
    key_operations.revoke_key(db, SYSTEM_CALLER, "app")
    with pytest.raises(NotFound):
        key_operations.revoke_key(db, SYSTEM_CALLER, "app")


def test_a_key_makes_no_keys(db: Database) -> None:
    app = authenticate(db, make_key(db))
    with pytest.raises(Forbidden):
        key_operations.create_key(db, app, NewKey(name="more", scopes=[Scope.ITEMS_READ]))


def test_keys_are_on_the_trail(db: Database) -> None:
    make_key(db)
    key_operations.revoke_key(db, SYSTEM_CALLER, "app")
    with db.reading() as session:
        assert session.scalars(sa.text("SELECT type FROM event ORDER BY id")).all() == [
            "key.created",
            "key.revoked",
        ]


def test_the_last_use_is_noted_once_a_minute(db: Database, clock: MovableClock) -> None:
    key_id = authenticate(db, make_key(db)).key_id
    assert key_id is not None
    use = keys.UseOfKeys(db)
    use.note(key_id)
    first = clock.now()
    clock.move(seconds=59)
    use.note(key_id)
    assert last_used(db) == first
    clock.move(seconds=2)
    use.note(key_id)
    assert last_used(db) == clock.now()


def test_a_key_is_found_in_one_query(db: Database) -> None:
    secret = make_key(db)
    asked: list[str] = []
    with db.reading() as session:
        session.connection()
        sa.event.listen(db.engine, "before_cursor_execute", lambda _c, _cur, sql, *_: asked.append(sql))
        keys.authenticate(session, secret)
    assert len(asked) == 1
