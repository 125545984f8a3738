"""Links that let somebody in once, to choose a password: an invitation, a reset, and the first run's."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reviewqueue.audit.events import EventType
from reviewqueue.db import Database
from reviewqueue.errors import Conflict, NotFound
from reviewqueue.people import passwords, persons
from reviewqueue.people.access import access_of
from reviewqueue.people.callers import Caller
from reviewqueue.people.forms import FirstAdmin
from reviewqueue.people.models import Person, SignInLink
from reviewqueue.people.signing_in import Arrival, begin_session
from reviewqueue.transaction import SYSTEM, Actor, Transaction

VALID_FOR = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that can be used: for whom, or for nobody yet when it is the first run's."""

    email: str | None
    name: str | None

    @property
    def makes_first_admin(self) -> bool:
        return self.email is None


def path_of(token: str) -> str:
    return f"/link/{token}"


def make_link(db: Database, caller: Caller, email: str, request_id: str | None = None) -> str:
    """A new link for a person; earlier ones stop working. Returns its token, which is kept nowhere.

    Raises Forbidden, NotFound, and Conflict for a disabled person.
    """
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        person = persons.by_email(tx.session, email)
        if person.disabled_at is not None:
            raise Conflict(f"{email} is disabled. Enable the person first.")
        return new_link(tx, person)


def new_link(tx: Transaction, person: Person) -> str:
    """A verb: the link itself."""
    tx.session.execute(sa.delete(SignInLink).where(SignInLink.person_id == person.id))
    tx.trail.append(EventType.PERSON_LINK_MADE, {"person_id": str(person.id), "email": person.email})
    return _add(tx, person)


def first_run_link(db: Database) -> str | None:
    """The token of a link that makes the first admin; None once there is a person. Earlier ones stop working."""
    with db.transaction(SYSTEM) as tx:
        if tx.session.scalar(sa.select(sa.exists(sa.select(Person.id)))):
            return None
        tx.session.execute(sa.delete(SignInLink).where(SignInLink.person_id.is_(None)))
        tx.trail.append(EventType.PERSON_LINK_MADE, {"person_id": None})
        return _add(tx, None)


def look_up(db: Database, token: str) -> OpenLink:
    """What the link is for, without using it: mail scanners open links too.

    Raises NotFound when it is unknown, used or expired.
    """
    with db.reading() as session:
        link = _usable(session, token, db)
        person = session.get(Person, link.person_id) if link.person_id else None
    return OpenLink(person.email if person else None, person.name if person else None)


def choose_password(db: Database, token: str, password: str, arrival: Arrival) -> str:
    """Sets the password of the link's person, uses the link up, and signs in; returns the session's id.

    Raises NotFound and Invalid.
    """
    email = look_up(db, token).email
    if email is None:
        raise NotFound("This link makes the first admin; it sets no password.")
    password_hash = passwords.hash_of(password, email=email)
    with db.transaction(SYSTEM, arrival.request_id) as tx:
        link = _usable(tx.session, token, db)
        person = persons.by_email(tx.session, email)
        tx.trail.actor = Actor("person", str(person.id), person.name)
        link.used_at = tx.now
        persons.set_password(tx, person, password_hash)
        return begin_session(tx, person, arrival, "link")


def make_first_admin(db: Database, token: str, form: FirstAdmin, arrival: Arrival) -> str:
    """Makes the first admin from the first run's link and signs them in; returns the session's id.

    Raises NotFound once there is a person, and Invalid.
    """
    password_hash = passwords.hash_of(form.password, email=form.email)
    with db.transaction(SYSTEM, arrival.request_id) as tx:
        link = _usable(tx.session, token, db)
        if link.person_id is not None:
            raise _no_such_link()
        link.used_at = tx.now
        person = persons.add(tx, email=form.email, name=form.name, is_admin=True)
        persons.set_password(tx, person, password_hash)
        return begin_session(tx, person, arrival, "link")


def _add(tx: Transaction, person: Person | None) -> str:
    token = secrets.token_urlsafe(32)
    tx.session.add(
        SignInLink(
            hash=_hash(token),
            person_id=person.id if person else None,
            expires_at=tx.now + VALID_FOR,
            used_at=None,
        )
    )
    return token


def _usable(session: Session, token: str, db: Database) -> SignInLink:
    statement = sa.select(SignInLink).where(SignInLink.hash == _hash(token)).with_for_update()
    link = session.scalar(statement)
    if link is None or link.used_at is not None or link.expires_at <= db.clock.now():
        raise _no_such_link()
    if link.person_id is None:
        # Makes the first admin, and so is over once there is anybody.
        if session.scalar(sa.select(sa.exists(sa.select(Person.id)))):
            raise _no_such_link()
    elif session.get_one(Person, link.person_id).disabled_at is not None:
        raise _no_such_link()
    return link


def _no_such_link() -> NotFound:
    return NotFound("This link is unknown, was used already, or has expired. Ask an admin for a new one.")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
