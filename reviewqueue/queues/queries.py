"""Reading queues: those that exist for a caller, one whole document, and the versions of its policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import Database
from ..errors import NotFound
from ..people.access import Access, Action, Caller, access_of
from ..people.actions import scope_for
from ..people.models import Membership, Person, Role, Team
from .document import assemble
from .members import named_in
from .models import PolicyVersion, Queue
from .policies import queue_named
from .untold import all_warnings

LATEST = 20
"""Versions that the queue's page lists."""

# Items lie above queues: here they are known by these columns alone, and those that wait as the partial index has it.
_ITEMS = sa.table("item", sa.column("queue_id", sa.Integer), sa.column("state", sa.String))
_WAITS = _ITEMS.c.state.in_([sa.literal_column("'pending'"), sa.literal_column("'disputed'")])


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A queue as lists show it."""

    name: str
    title: str
    purpose: str | None
    stage: str
    risk: str
    policy_version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a policy, without its text."""

    version: int
    published_at: datetime
    published_by: str
    in_force: bool


@dataclass(frozen=True, slots=True)
class VersionInFull:
    version: Version
    document: dict[str, Any]
    """The keys policy, output_schema and reasons."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who holds a role now, directly or as a team."""

    role: Role
    holder: str
    """An email or `team:<slug>`."""
    name: str


@dataclass(frozen=True, slots=True)
class QueueInFull:
    """All of a queue that its page shows."""

    row: QueueRow
    document: dict[str, Any]
    """With the policy in force, whatever version is shown."""
    shown: VersionInFull
    members: tuple[Member, ...]
    not_there_yet: tuple[Member, ...]
    """Named in the document, but nobody has that address."""
    versions: tuple[Version, ...]
    warnings: tuple[str, ...]
    """Of the version shown."""
    may_edit: bool


def list_queues(
    db: Database, caller: Caller, *, limit: int = 50, after: str = ""
) -> tuple[list[QueueRow], bool]:
    """The queues that exist for the caller, by name, from behind `after`; and whether there are more.

    Raises Forbidden for a key without items:read: an empty list would read as if there were none.
    """
    with db.reading() as session:
        access = access_of(session, caller)
        access.require_scope(scope_for(Action.SEE))
        ids = access.queue_ids_for(Action.SEE)
        query = sa.select(Queue).where(Queue.name > after).order_by(Queue.name).limit(limit + 1)
        if ids is not None:
            query = query.where(Queue.id.in_(ids))
        queues = session.scalars(query).all()
        return [_row(queue) for queue in queues[:limit]], len(queues) > limit


def queues_with_waiting(db: Database, caller: Caller) -> list[tuple[QueueRow, int]]:
    """Every queue that exists for the caller, by name, with how many of its items wait for people."""
    with db.reading() as session:
        ids = access_of(session, caller).queue_ids_for(Action.SEE)
        query = sa.select(Queue).order_by(Queue.name)
        if ids is not None:
            query = query.where(Queue.id.in_(ids))
        counted = sa.select(_ITEMS.c.queue_id, sa.func.count()).where(_WAITS).group_by(_ITEMS.c.queue_id)
        waiting: dict[int, int] = dict(session.execute(counted).all())
        return [(_row(queue), waiting.get(queue.id, 0)) for queue in session.scalars(query)]


def get_document(db: Database, caller: Caller, name: str) -> tuple[dict[str, Any], int]:
    """The queue's whole document, and the number of the policy version in it. Raises NoSuchQueue."""
    with db.reading() as session:
        queue, _ = _seen(session, caller, name)
        return _document(session, queue), queue.policy_version


def list_versions(
    db: Database, caller: Caller, name: str, *, limit: int = 50, before: int | None = None
) -> tuple[list[Version], bool]:
    """The versions of a queue's policy, the newest first; and whether there are older ones. Raises NoSuchQueue."""
    with db.reading() as session:
        queue, _ = _seen(session, caller, name)
        versions = _versions(session, queue, limit + 1, before)
        return versions[:limit], len(versions) > limit


def get_version(db: Database, caller: Caller, name: str, number: int) -> VersionInFull:
    """Raises NoSuchQueue, or NotFound for a version that was never published."""
    with db.reading() as session:
        queue, _ = _seen(session, caller, name)
        return _version(session, queue, number)


def get_queue(db: Database, caller: Caller, name: str, version: int | None = None) -> QueueInFull:
    """All of a queue, with its latest versions and one of them in full: the one in force unless another is asked for.

    Raises NoSuchQueue, or NotFound for a version that was never published.
    """
    with db.reading() as session:
        queue, access = _seen(session, caller, name)
        members = _members(session, queue)
        shown = _version(session, queue, version or queue.policy_version)
        return QueueInFull(
            row=_row(queue),
            document=_document(session, queue),
            shown=shown,
            members=members,
            not_there_yet=_named_in_vain(queue, members),
            versions=tuple(_versions(session, queue, LATEST)),
            warnings=tuple(all_warnings(session, queue, shown.document, db.clock.now())),
            may_edit=access.may(Action.EDIT_POLICY, queue.id),
        )


def _seen(session: Session, caller: Caller, name: str) -> tuple[Queue, Access]:
    queue, access = queue_named(session, name), access_of(session, caller)
    access.require(Action.SEE, queue.id, name)
    return queue, access


def _row(queue: Queue) -> QueueRow:
    document = queue.document
    return QueueRow(
        name=queue.name,
        title=document["title"],
        purpose=document.get("purpose"),
        stage=queue.stage,
        risk=document["risk"],
        policy_version=queue.policy_version,
        created_at=queue.created_at,
    )


def _document(session: Session, queue: Queue) -> dict[str, Any]:
    policy = session.scalars(
        sa.select(PolicyVersion.document).where(PolicyVersion.id == queue.policy_id)
    ).one()
    return assemble(queue.document, policy)


def _version(session: Session, queue: Queue, number: int) -> VersionInFull:
    row = session.scalar(
        sa.select(PolicyVersion).where(PolicyVersion.queue_id == queue.id, PolicyVersion.version == number)
    )
    if row is None:
        raise NotFound(
            f"The queue {queue.name} has no policy version {number}; the newest is {queue.policy_version}."
        )
    version = Version(row.version, row.published_at, row.published_by, row.id == queue.policy_id)
    return VersionInFull(version, row.document)


def _versions(session: Session, queue: Queue, limit: int, before: int | None = None) -> list[Version]:
    query = (
        sa.select(
            PolicyVersion.id, PolicyVersion.version, PolicyVersion.published_at, PolicyVersion.published_by
        )
        .where(PolicyVersion.queue_id == queue.id)
        .order_by(PolicyVersion.version.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(PolicyVersion.version < before)
    return [
        Version(row.version, row.published_at, row.published_by, row.id == queue.policy_id)
        for row in session.execute(query)
    ]


def _members(session: Session, queue: Queue) -> tuple[Member, ...]:
    rows = session.execute(
        sa.select(Membership.role, Person.email, Person.name, Team.slug, Team.name.label("team"))
        .outerjoin(Person, Person.id == Membership.person_id)
        .outerjoin(Team, Team.id == Membership.team_id)
        .where(Membership.queue_id == queue.id)
    )
    members = [
        Member(Role(role), email or f"team:{slug}", name or team) for role, email, name, slug, team in rows
    ]
    order = {role: number for number, role in enumerate(Role)}
    return tuple(sorted(members, key=lambda member: (order[member.role], member.holder)))


def _named_in_vain(queue: Queue, members: tuple[Member, ...]) -> tuple[Member, ...]:
    there = {(member.role, member.holder) for member in members}
    return tuple(
        Member(role, holder, "") for role, holder in named_in(queue.document) if (role, holder) not in there
    )
