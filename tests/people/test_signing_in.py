"""Signing in by password: throttled, silent about who exists, and on the trail."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Invalid, TooManyRequests
from reviewqueue.people import operations, passwords, sessions, signing_in, throttle
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewPassword, NewPerson
from reviewqueue.people.models import BrowserSession, Person
from reviewqueue.people.sessions import Viewer
from reviewqueue.people.signing_in import PER_EMAIL, PER_NETWORK, Arrival, SignInFailed

PASSWORD = "correct horse battery"
HOURS = timedelta(hours=12)
HERE = Arrival("192.0.2.1", HOURS)


@pytest.fixture(autouse=True)
def ada(db: Database) -> str:
    operations.add_person(
        db, SYSTEM_CALLER, NewPerson(email="ada@example.org", name="Ada"), password=PASSWORD
    )
    return "ada@example.org"


def sign_in(
    db: Database, password: str = PASSWORD, email: str = "ada@example.org", from_: str = "192.0.2.1"
) -> str:
    return signing_in.sign_in(db, email, password, Arrival(from_, HOURS))


def viewer(db: Database, session_id: str) -> Viewer | None:
    with db.reading() as session:
        return sessions.viewer_of(session, session_id, db.clock.now())


def types(db: Database) -> list[str]:
    with db.reading() as session:
        return list(session.scalars(sa.text("SELECT type FROM event ORDER BY id")))


def test_the_right_password_begins_a_session(db: Database) -> None:
    seen = viewer(db, sign_in(db, email=" Ada@Example.org "))
    assert seen is not None
    assert (seen.email, seen.caller.actor.kind, seen.caller.scopes) == ("ada@example.org", "person", None)
    assert types(db)[-1] == "person.signed_in"


def test_the_session_id_is_kept_as_a_hash_alone(db: Database) -> None:
    session_id = sign_in(db)
    with db.reading() as session:
        kept = session.scalars(sa.select(BrowserSession.id_hash)).all()
    assert kept == [sessions.hash_of(session_id)]
    assert viewer(db, session_id + "x") is None


@pytest.mark.parametrize("email", ["ada@example.org", "nobody@example.org", "", "' OR 1=1 --"])
def test_a_failure_says_the_same_whoever_it_was(db: Database, email: str) -> None:
    with pytest.raises(SignInFailed) as refused:
        sign_in(db, "a wrong password", email)
    assert refused.value.detail == "The email address or the password is wrong."
    assert types(db)[-1] == "person.sign_in_failed"


def test_an_unknown_address_costs_a_hash_as_well(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str | None] = []

    def matches(password: str, kept: str | None) -> bool:
        checked.append(kept)
        return False

    monkeypatch.setattr(passwords, "matches", matches)
    for email in ("ada@example.org", "nobody@example.org"):
        with pytest.raises(SignInFailed):
            sign_in(db, email=email)
    assert len(checked) == 2
    assert checked[1] is None


def test_what_was_typed_into_the_wrong_field_is_not_kept(db: Database) -> None:
    with pytest.raises(SignInFailed):
        sign_in(db, email="my secret password")
    with db.reading() as session:
        assert "my secret password" not in repr(
            session.scalars(sa.text("SELECT body FROM event_content")).all()
        )


def test_a_disabled_person_does_not_get_in(db: Database) -> None:
    session_id = sign_in(db)
    operations.disable_person(db, SYSTEM_CALLER, "ada@example.org")
    assert viewer(db, session_id) is None
    with pytest.raises(SignInFailed):
        sign_in(db)


def test_guessing_one_persons_password_is_throttled_from_wherever(db: Database, clock: MovableClock) -> None:
    for n in range(PER_EMAIL):
        with pytest.raises(SignInFailed):
            sign_in(db, "wrong wrong wrong", from_=f"192.0.2.{n}")
    with pytest.raises(TooManyRequests) as refused:
        sign_in(db, from_="192.0.2.99")
    wait = refused.value.extra["retry_after"]
    assert 0 < wait <= throttle.WINDOW.total_seconds() + 1
    clock.move(seconds=wait)
    assert sign_in(db)


def test_guessing_many_persons_from_one_network_is_throttled(db: Database) -> None:
    for n in range(PER_NETWORK):
        with pytest.raises(SignInFailed):
            sign_in(db, "wrong wrong wrong", f"{n}@example.org", from_=f"2001:db8::{n:x}")
    with pytest.raises(TooManyRequests):
        sign_in(db, from_="2001:db8::ffff")
    assert sign_in(db, from_="2001:db8:1::1")


def test_signing_in_clears_the_count_and_costs_the_office_nothing(db: Database) -> None:
    for _ in range(PER_NETWORK + 5):
        sign_in(db)
    for _ in range(PER_EMAIL - 1):
        with pytest.raises(SignInFailed):
            sign_in(db, "wrong wrong wrong")
    sign_in(db)
    with pytest.raises(SignInFailed):
        sign_in(db, "wrong wrong wrong")


def test_a_session_ends_some_hours_after_its_last_use(db: Database, clock: MovableClock) -> None:
    session_id = sign_in(db)
    for _ in range(3):
        clock.move(hours=11)
        seen = viewer(db, session_id)
        assert seen is not None
        sessions.keep_alive(db, seen, HOURS)
    clock.move(hours=12)
    assert viewer(db, session_id) is None


def test_a_page_that_polls_writes_once_a_minute(db: Database, clock: MovableClock) -> None:
    session_id = sign_in(db)
    clock.move(seconds=30)
    seen = viewer(db, session_id)
    assert seen is not None
    sessions.keep_alive(db, seen, HOURS)
    again = viewer(db, session_id)
    assert again is not None
    assert again.seen_at == seen.seen_at


def test_signing_out_ends_one_session_and_everywhere_all(db: Database) -> None:
    first, second, third = sign_in(db), sign_in(db), sign_in(db)
    one, two = viewer(db, first), viewer(db, second)
    assert one is not None
    assert two is not None
    signing_in.sign_out(db, one)
    assert [viewer(db, s) is not None for s in (first, second, third)] == [False, True, True]
    signing_in.sign_out_everywhere(db, two)
    assert [viewer(db, s) for s in (second, third)] == [None, None]


def test_changing_the_password_keeps_this_browser_alone(db: Database) -> None:
    here, elsewhere = sign_in(db), sign_in(db)
    seen = viewer(db, here)
    assert seen is not None
    form = NewPassword(current=PASSWORD, password="another good sentence")
    operations.change_password(db, seen, form, HERE)
    assert viewer(db, here) is not None
    assert viewer(db, elsewhere) is None
    with pytest.raises(SignInFailed):
        sign_in(db)
    assert sign_in(db, "another good sentence")


def test_an_open_browser_is_no_place_to_try_passwords(db: Database) -> None:
    seen = viewer(db, sign_in(db))
    assert seen is not None
    form = NewPassword(current="a guess, a guess", password="another good sentence")
    for _ in range(PER_EMAIL):
        with pytest.raises(Invalid):
            operations.change_password(db, seen, form, HERE)
    with pytest.raises(TooManyRequests):
        operations.change_password(db, seen, form, HERE)


def test_a_weak_hash_is_renewed_at_the_next_sign_in(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "is_outdated", lambda kept: True)
    with db.reading() as session:
        before = session.scalar(sa.select(Person.password_hash))
    sign_in(db)
    with db.reading() as session:
        after = session.scalar(sa.select(Person.password_hash))
    assert after != before
    assert passwords.matches(PASSWORD, after)
    assert types(db)[-2:] == ["person.password_set", "person.signed_in"]
