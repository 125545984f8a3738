"""What happens to a person: the verbs that operations share, each with its event in the next line."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reviewqueue.audit.events import EventType
from reviewqueue.errors import Conflict, NotFound
from reviewqueue.people import members, sessions
from reviewqueue.people.models import Person
from reviewqueue.transaction import Transaction


def add(
    tx: Transaction, *, email: str, name: str, is_admin: bool = False, is_auditor: bool = False
) -> Person:
    """A new person, who at once holds the roles that queues' documents have ready for that address.

    Raises Conflict when the address is somebody's already.
    """
    if tx.session.scalar(sa.select(Person.id).where(Person.email == email)):
        raise Conflict(f"There is a person with the address {email} already.")
    person = Person(email=email, name=name, is_admin=is_admin, is_auditor=is_auditor, created_at=tx.now)
    tx.session.add(person)
    tx.session.flush()
    _record(tx, person, EventType.PERSON_ADDED, name=name, is_admin=is_admin, is_auditor=is_auditor)
    members.take_waiting_roles(tx, person)
    return person


def set_password(tx: Transaction, person: Person, password_hash: str, *, keep: bytes | None = None) -> None:
    """Sets the password and ends every session that began with the old one, but for the one that is kept."""
    person.password_hash = password_hash
    _record(tx, person, EventType.PERSON_PASSWORD_SET)
    sessions.end_all(tx, person.id, but=keep)


def disable(tx: Transaction, person: Person) -> None:
    """Signs the person out everywhere and keeps them and their keys out.

    Raises Conflict for the last admin: nobody could let anybody in again.
    """
    if person.disabled_at is not None:
        return
    others = sa.select(sa.func.count()).where(
        Person.is_admin, Person.disabled_at.is_(None), Person.id != person.id
    )
    if person.is_admin and not tx.session.scalar(others):
        raise Conflict(f"{person.email} is the last admin. Make another one first.")
    person.disabled_at = tx.now
    _record(tx, person, EventType.PERSON_DISABLED)
    sessions.end_all(tx, person.id)


def enable(tx: Transaction, person: Person) -> None:
    if person.disabled_at is not None:
        person.disabled_at = None
        _record(tx, person, EventType.PERSON_ENABLED)


def change(tx: Transaction, person: Person, **changes: object) -> None:
    """Sets the named fields of the person, such as preferences or is_admin."""
    for field, value in changes.items():
        setattr(person, field, value)
    _record(tx, person, EventType.PERSON_CHANGED, **changes)


def by_email(session: Session, email: str) -> Person:
    """Raises NotFound when there is nobody of that address."""
    person = session.scalar(sa.select(Person).where(Person.email == email.strip().lower()))
    if person is None:
        raise NotFound(f"There is no person with the address {email}.")
    return person


def by_id(session: Session, person_id: uuid.UUID) -> Person:
    """Raises NotFound when there is nobody of that id."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("There is no such person.")
    return person


def _record(tx: Transaction, person: Person, type: EventType, **data: object) -> None:
    tx.trail.record(person, type, {"person_id": str(person.id), "email": person.email, **data})
