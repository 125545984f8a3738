"""Links that let somebody in once: the first run's, an invitation, a reset."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Conflict, Forbidden, Invalid, NotFound
from reviewqueue.people import links, operations, sessions
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.callers import Caller
from reviewqueue.people.forms import FirstAdmin, NewPerson
from reviewqueue.people.signing_in import Arrival

PASSWORD = "correct horse battery"
HERE = Arrival("192.0.2.1", timedelta(hours=12))
FIRST = FirstAdmin(email="ada@example.org", name="Ada", password=PASSWORD)


def invite(db: Database, email: str = "bo@example.org") -> str:
    token = operations.add_person(db, SYSTEM_CALLER, NewPerson(email=email, name="Bo"))
    assert token is not None
    return token


def signed_in(db: Database, session_id: str) -> Caller:
    with db.reading() as session:
        viewer = sessions.viewer_of(session, session_id, db.clock.now())
    assert viewer is not None
    return viewer.caller


def test_the_first_run_makes_an_admin_and_then_never_again(db: Database) -> None:
    token = links.first_run_link(db)
    assert token is not None
    assert links.look_up(db, token).makes_first_admin
    caller = signed_in(db, links.make_first_admin(db, token, FIRST, HERE))
    assert (caller.email, caller.is_admin) == ("ada@example.org", True)
    assert links.first_run_link(db) is None
    with pytest.raises(NotFound):
        links.make_first_admin(db, token, FIRST, HERE)


def test_a_first_run_link_is_dead_once_there_is_a_person(db: Database) -> None:
    token = links.first_run_link(db)
    assert token is not None
    invite(db)
    with pytest.raises(NotFound):
        links.look_up(db, token)
    with pytest.raises(NotFound):
        links.make_first_admin(db, token, FIRST, HERE)


def test_a_newer_first_run_link_replaces_the_older(db: Database) -> None:
    older, newer = links.first_run_link(db), links.first_run_link(db)
    assert older is not None
    assert newer is not None
    with pytest.raises(NotFound):
        links.look_up(db, older)
    assert links.look_up(db, newer).makes_first_admin


def test_an_invitation_sets_the_password_and_signs_in_once(db: Database) -> None:
    token = invite(db)
    found = links.look_up(db, token)
    assert (found.email, found.makes_first_admin) == ("bo@example.org", False)
    assert links.look_up(db, token) == found, "looking at it does not use it up"
    assert signed_in(db, links.choose_password(db, token, PASSWORD, HERE)).email == "bo@example.org"
    with pytest.raises(NotFound):
        links.choose_password(db, token, PASSWORD, HERE)


def test_a_bad_password_leaves_the_link_usable(db: Database) -> None:
    token = invite(db)
    with pytest.raises(Invalid):
        links.choose_password(db, token, "short", HERE)
    links.choose_password(db, token, PASSWORD, HERE)


def test_a_link_expires(db: Database, clock: MovableClock) -> None:
    token = invite(db)
    clock.move(hours=72)
    with pytest.raises(NotFound):
        links.look_up(db, token)


def test_a_new_link_replaces_the_old_and_a_reset_ends_old_sessions(db: Database) -> None:
    first = invite(db)
    second = links.make_link(db, SYSTEM_CALLER, "bo@example.org")
    with pytest.raises(NotFound):
        links.look_up(db, first)
    before = links.choose_password(db, second, PASSWORD, HERE)
    reset = links.make_link(db, SYSTEM_CALLER, "bo@example.org")
    links.choose_password(db, reset, "another good sentence", HERE)
    with db.reading() as session:
        assert sessions.viewer_of(session, before, db.clock.now()) is None


def test_a_disabled_person_gets_no_link_and_uses_none(db: Database) -> None:
    token = invite(db)
    operations.disable_person(db, SYSTEM_CALLER, "bo@example.org")
    with pytest.raises(NotFound):
        links.look_up(db, token)
    with pytest.raises(Conflict):
        links.make_link(db, SYSTEM_CALLER, "bo@example.org")


def test_only_an_admin_makes_links(db: Database) -> None:
    caller = signed_in(db, links.choose_password(db, invite(db), PASSWORD, HERE))
    with pytest.raises(Forbidden):
        links.make_link(db, caller, "bo@example.org")


def test_tokens_are_kept_as_hashes_alone(db: Database) -> None:
    token = invite(db)
    with db.reading() as session:
        rows = session.execute(sa.text("SELECT hash FROM sign_in_link")).all()
        bodies = session.scalars(sa.text("SELECT body FROM event_content")).all()
    assert token not in repr(rows) + repr(bodies)
