"""Signing in and out by password, throttled, and without telling whether an address is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from reviewqueue.audit.events import EventType
from reviewqueue.db import Database
from reviewqueue.errors import Unauthenticated
from reviewqueue.people import passwords, sessions, throttle
from reviewqueue.people.models import BrowserSession, Person
from reviewqueue.people.sessions import Viewer
from reviewqueue.transaction import SYSTEM, Actor, Transaction

PER_EMAIL, PER_NETWORK = 10, 50
"""Failed sign-ins in a window, for one address of mail and for one of the network."""


class SignInFailed(Unauthenticated):
    slug, title = "sign-in-failed", "The sign-in failed"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where a sign-in comes from and how long it lasts."""

    address: str | None
    lifetime: timedelta
    request_id: str | None = None


def sign_in(db: Database, email: str, password: str, arrival: Arrival) -> str:
    """Checks the password and begins a session; returns its id, for the cookie.

    Raises SignInFailed, in the same words and after the same time whether the address is known or not, and
    TooManyRequests. The attempt is counted before the password is checked, so that many at once gain nothing.
    """
    email = email.strip().lower()[:254]
    with db.transaction(SYSTEM, arrival.request_id) as tx:
        count_attempt(tx, email, arrival)
    with db.reading() as session:
        person = session.scalar(sa.select(Person).where(Person.email == email, Person.disabled_at.is_(None)))
    # Outside any transaction: it takes long on purpose.
    if not passwords.matches(password, person.password_hash if person else None) or person is None:
        _record_failure(db, person, arrival)
        raise SignInFailed("The email address or the password is wrong.")
    return _begin(db, person, password, arrival)


def sign_out(db: Database, viewer: Viewer, request_id: str | None = None) -> None:
    with db.transaction(viewer.caller.actor, request_id) as tx:
        sessions.end(tx, viewer.session_hash)
        tx.trail.append(
            EventType.PERSON_SIGNED_OUT, {"person_id": str(viewer.person_id), "everywhere": False}
        )


def sign_out_everywhere(db: Database, viewer: Viewer, request_id: str | None = None) -> None:
    """Ends all sessions of the person, this one too."""
    with db.transaction(viewer.caller.actor, request_id) as tx:
        sessions.end_all(tx, viewer.person_id)
        tx.trail.append(EventType.PERSON_SIGNED_OUT, {"person_id": str(viewer.person_id), "everywhere": True})


def count_attempt(tx: Transaction, email: str, arrival: Arrival) -> None:
    """A verb: one more try for that person from that network. Raises TooManyRequests."""
    network = throttle.network_of(arrival.address)
    throttle.count(tx, {_of_email(email): PER_EMAIL, _of_network(network): PER_NETWORK})


def forget_attempts(tx: Transaction, email: str, arrival: Arrival) -> None:
    """A verb: the person has shown who they are."""
    throttle.forget(tx, _of_email(email))
    throttle.give_back(tx, _of_network(throttle.network_of(arrival.address)))


def begin_session(tx: Transaction, person: Person, arrival: Arrival, how: str) -> str:
    """A verb: a session of a person who has shown who they are, and the end of those that have expired."""
    tx.session.execute(sa.delete(BrowserSession).where(BrowserSession.expires_at < tx.now))
    session_id = sessions.begin(tx, person, arrival.lifetime)
    actor = Actor("person", str(person.id), person.name)
    data = {"person_id": str(person.id), "by": how, "network": throttle.network_of(arrival.address)}
    tx.trail.append(EventType.PERSON_SIGNED_IN, data, actor=actor)
    return session_id


def _begin(db: Database, person: Person, password: str, arrival: Arrival) -> str:
    outdated = person.password_hash is not None and passwords.is_outdated(person.password_hash)
    renewed = passwords.hash_of(password) if outdated else None
    with db.transaction(Actor("person", str(person.id), person.name), arrival.request_id) as tx:
        forget_attempts(tx, person.email, arrival)
        if renewed is not None:
            known = tx.session.get_one(Person, person.id)
            known.password_hash = renewed
            tx.trail.record(
                known, EventType.PERSON_PASSWORD_SET, {"person_id": str(person.id), "rehashed": True}
            )
        return begin_session(tx, person, arrival, "password")


def _record_failure(db: Database, person: Person | None, arrival: Arrival) -> None:
    # An unknown address is not kept: people type passwords into the wrong field.
    network = throttle.network_of(arrival.address)
    data = {"person_id": str(person.id) if person else None, "network": network}
    with db.transaction(SYSTEM, arrival.request_id) as tx:
        tx.trail.append(EventType.PERSON_SIGN_IN_FAILED, data)


def _of_email(email: str) -> str:
    return f"sign-in:email:{email}"


def _of_network(network: str) -> str:
    return f"sign-in:network:{network}"
