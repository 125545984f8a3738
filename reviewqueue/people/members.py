"""Who holds which role in which queue: the verbs that grant and revoke one.

A queue's document may name people who are not there yet; the role waits in it and is taken when they are added.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import orjson
import sqlalchemy as sa

from reviewqueue.audit.events import EventType
from reviewqueue.errors import NotFound
from reviewqueue.people.models import Membership, Person, Role, Team
from reviewqueue.transaction import Transaction

TEAM = "team:"

_QUEUES = sa.table(
    "queue", sa.column("id", sa.Integer), sa.column("name", sa.String), sa.column("document", sa.Text)
)


@dataclass(frozen=True, slots=True)
class QueueNamed:
    """A queue as people know it."""

    id: int
    name: str


def take_waiting_roles(tx: Transaction, person: Person) -> None:
    """Gives a person who was just added the roles that queues' documents have ready for that address."""
    holder = person.email
    naming = sa.select(_QUEUES).where(sa.func.lower(_QUEUES.c.document).contains(holder, autoescape=True))
    for queue in tx.session.execute(naming):
        document = orjson.loads(queue.document)
        for role, holders in (document.get("members") or {}).items():
            if holder in {name.lower() for name in holders}:
                grant(tx, QueueNamed(queue.id, queue.name), Role(role), holder, person)


def grant(tx: Transaction, queue: QueueNamed, role: Role, holder: str, found: Person | Team) -> bool:
    """Does nothing, and returns False, where the role is held already."""
    if tx.session.scalar(sa.select(Membership.id).where(*_held(queue, role, found))):
        return False
    person_id, team_id = _ids(found)
    tx.session.add(Membership(queue_id=queue.id, role=role, person_id=person_id, team_id=team_id))
    tx.session.flush()
    _record(tx, EventType.QUEUE_ROLE_GRANTED, queue, role, holder)
    return True


def revoke(tx: Transaction, queue: QueueNamed, role: Role, holder: str, found: Person | Team) -> bool:
    """Does nothing, and returns False, where the role is not held."""
    held = tx.session.scalars(sa.select(Membership).where(*_held(queue, role, found))).all()
    for membership in held:
        tx.session.delete(membership)
    if held:
        _record(tx, EventType.QUEUE_ROLE_REVOKED, queue, role, holder)
    return bool(held)


def find(tx: Transaction, holder: str) -> Person | Team:
    """The person or team that an email address or `team:<slug>` names.

    Raises NotFound.
    """
    if holder.startswith(TEAM):
        found: Person | Team | None = tx.session.scalar(
            sa.select(Team).where(Team.slug == holder.removeprefix(TEAM))
        )
    else:
        found = tx.session.scalar(sa.select(Person).where(Person.email == holder.lower()))
    if found is None:
        raise NotFound(f"There is neither a person nor a team {holder}.")
    return found


def queue_named(tx: Transaction, name: str) -> QueueNamed | None:
    row = tx.session.execute(
        sa.select(_QUEUES.c.id, _QUEUES.c.name).where(_QUEUES.c.name == name)
    ).one_or_none()
    return None if row is None else QueueNamed(row.id, row.name)


def _held(queue: QueueNamed, role: Role, found: Person | Team) -> tuple[sa.ColumnElement[bool], ...]:
    person_id, team_id = _ids(found)
    holds = Membership.person_id == person_id if person_id else Membership.team_id == team_id
    return Membership.queue_id == queue.id, Membership.role == role, holds


def _ids(found: Person | Team) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    return (found.id, None) if isinstance(found, Person) else (None, found.id)


def _record(tx: Transaction, type: EventType, queue: QueueNamed, role: Role, holder: str) -> None:
    tx.trail.append(type, {"role": role.value, "holder": holder}, queue=queue.name, queue_id=queue.id)
