"""What pages and commands show of people, teams and keys: frozen rows."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from reviewqueue.errors import NotFound
from reviewqueue.people.access import QUEUES
from reviewqueue.people.models import Key, Membership, Person, Team, TeamMember


@dataclass(frozen=True, slots=True)
class RoleRow:
    queue: str
    role: str
    through: str | None = None
    """The team's slug, where the role comes from a team."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    id: uuid.UUID
    email: str
    name: str
    is_admin: bool
    is_auditor: bool
    disabled_at: datetime | None
    has_password: bool
    roles: tuple[RoleRow, ...]
    teams: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TeamRow:
    slug: str
    name: str
    members: tuple[str, ...]
    """Email addresses."""
    roles: tuple[RoleRow, ...]


@dataclass(frozen=True, slots=True)
class KeyRow:
    id: uuid.UUID
    name: str
    hint: str
    scopes: tuple[str, ...]
    queues: tuple[str, ...] | None
    person: str | None
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    last_used_at: datetime | None


def anybody(session: Session) -> bool:
    """Whether there is any person at all: false on a first run."""
    return bool(session.scalar(sa.select(sa.exists(sa.select(Person.id)))))


def people(session: Session) -> list[PersonRow]:
    """Everybody, by email, with the roles they hold themselves and through teams. Four queries."""
    direct, by_team, in_team = _direct_roles(session), _team_roles(session), _memberships(session)
    rows = session.execute(sa.select(Person).order_by(Person.email)).scalars()
    return [_person_row(person, direct[person.id], in_team[person.id], by_team) for person in rows]


def person(session: Session, email: str) -> PersonRow:
    """Raises NotFound."""
    found = next((row for row in people(session) if row.email == email.lower()), None)
    if found is None:
        raise NotFound(f"There is no person with the address {email}.")
    return found


def teams(session: Session) -> list[TeamRow]:
    """All teams, by slug. Three queries."""
    roles = _team_roles(session)
    members: dict[uuid.UUID, list[str]] = defaultdict(list)
    joined = sa.select(TeamMember.team_id, Person.email).join(Person, Person.id == TeamMember.person_id)
    for team_id, email in session.execute(joined.order_by(Person.email)):
        members[team_id].append(email)
    return [
        TeamRow(team.slug, team.name, tuple(members[team.id]), tuple(roles[team.slug]))
        for team in session.scalars(sa.select(Team).order_by(Team.slug))
    ]


def all_keys(session: Session) -> list[KeyRow]:
    """All keys, the newest first."""
    statement = (
        sa.select(Key, Person.email).join_from(Key, Person, isouter=True).order_by(Key.created_at.desc())
    )
    return [
        KeyRow(
            key.id,
            key.name,
            key.hint,
            tuple(key.scopes),
            None if key.queues is None else tuple(key.queues),
            email,
            key.created_at,
            key.created_by,
            key.revoked_at,
            key.last_used_at,
        )
        for key, email in session.execute(statement)
    ]


def queue_names(session: Session) -> list[str]:
    return list(session.scalars(sa.select(QUEUES.c.name).order_by(QUEUES.c.name)))


def _person_row(
    person: Person, direct: list[RoleRow], teams: list[str], by_team: dict[str, list[RoleRow]]
) -> PersonRow:
    through = [RoleRow(role.queue, role.role, slug) for slug in teams for role in by_team[slug]]
    return PersonRow(
        person.id,
        person.email,
        person.name,
        person.is_admin,
        person.is_auditor,
        person.disabled_at,
        person.password_hash is not None,
        (*direct, *through),
        tuple(teams),
    )


def _direct_roles(session: Session) -> dict[uuid.UUID, list[RoleRow]]:
    found: dict[uuid.UUID, list[RoleRow]] = defaultdict(list)
    held = sa.select(Membership.person_id, QUEUES.c.name, Membership.role).join(
        QUEUES, QUEUES.c.id == Membership.queue_id
    )
    for person_id, queue, role in session.execute(held.where(Membership.person_id.is_not(None))):
        found[person_id].append(RoleRow(queue, role))
    return found


def _team_roles(session: Session) -> dict[str, list[RoleRow]]:
    found: dict[str, list[RoleRow]] = defaultdict(list)
    held = (
        sa.select(Team.slug, QUEUES.c.name, Membership.role)
        .join(Membership, Membership.team_id == Team.id)
        .join(QUEUES, QUEUES.c.id == Membership.queue_id)
    )
    for slug, queue, role in session.execute(held):
        found[slug].append(RoleRow(queue, role))
    return found


def _memberships(session: Session) -> dict[uuid.UUID, list[str]]:
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    joined = sa.select(TeamMember.person_id, Team.slug).join(Team, Team.id == TeamMember.team_id)
    for person_id, slug in session.execute(joined.order_by(Team.slug)):
        found[person_id].append(slug)
    return found
