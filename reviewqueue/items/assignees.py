"""Whom an item can be given to: persons and teams that may decide in its queue, found from what a policy names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..notifications.audience import OWNERS_TOLD, Audience
from ..people.models import Membership, Person, Role, Team, TeamMember
from ..queues.models import Queue

DECIDING = (Role.REVIEWER, Role.LEAD, Role.MANAGER)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who may decide in one queue, as `Item.assigned_to` names them, and whom it calls its owners."""

    assignees: frozenset[str]
    owners: dict[str, str]


@dataclass(frozen=True, slots=True)
class Resolved:
    assignee: str | None
    """A person's email or `team:<slug>`; None when none of the targets can be given the item."""
    note: str | None
    """Why somebody who was named was not given it."""


class Assignees:
    """Finds assignees for the items of one transaction; each queue is looked up once."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self.audience = Audience(session, now)
        self._desks: dict[int, Desk] = {}

    def resolve(self, queue_id: int, targets: Sequence[str]) -> Resolved:
        """The first of the targets that may decide in the queue; an owner in the place of a gap in a rotation."""
        desk = self.desk(queue_id)
        refused: list[str] = []
        for target in targets:
            instead = OWNERS_TOLD if target.startswith("rotation:") else ()
            for name in (target, *instead):
                assignee = self._named(desk, name)
                if assignee in desk.assignees:
                    return Resolved(assignee, "; ".join(refused) or None)
                refused.append(_why_not(name, assignee))
        return Resolved(None, "; ".join(refused) or None)

    def _named(self, desk: Desk, target: str) -> str:
        """As `Item.assigned_to` would have it; empty where the target names nobody."""
        kind, _, name = target.partition(":")
        if kind == "owner":
            return desk.owners.get(name, "")
        if kind == "rotation":
            return self.audience.on_call(name) or ""
        return target

    def desk(self, queue_id: int) -> Desk:
        if queue_id not in self._desks:
            self._desks[queue_id] = desk_of(self._session, queue_id)
        return self._desks[queue_id]


def desk_of(session: Session, queue_id: int) -> Desk:
    """Reads who may decide in the queue: active persons with a role, their own or a team's, and their teams."""
    emails = session.scalars(_EMAILS, {"queue_id": queue_id})
    slugs = session.scalars(_SLUGS, {"queue_id": queue_id})
    document = session.scalar(_DOCUMENT, {"queue_id": queue_id}) or {}
    owners = {role: owner for role, owner in (document.get("owners") or {}).items() if owner}
    return Desk(frozenset(emails) | {f"team:{slug}" for slug in slugs}, owners)


# Made once: every batch of timers asks.
_QUEUE_ID = sa.bindparam("queue_id", type_=sa.Integer)
_DECIDERS = (
    sa.select(Person.id)
    .outerjoin(TeamMember, TeamMember.person_id == Person.id)
    .join(Membership, sa.or_(Membership.person_id == Person.id, Membership.team_id == TeamMember.team_id))
    .where(Membership.queue_id == _QUEUE_ID, Membership.role.in_(DECIDING), Person.disabled_at.is_(None))
    .distinct()
)
_EMAILS = sa.select(Person.email).where(Person.id.in_(_DECIDERS))
_SLUGS = (
    sa.select(Team.slug)
    .distinct()
    .join(TeamMember, TeamMember.team_id == Team.id)
    .where(TeamMember.person_id.in_(_DECIDERS))
)
_DOCUMENT = sa.select(Queue.document).where(Queue.id == _QUEUE_ID)


def _why_not(target: str, assignee: str) -> str:
    if target.startswith("rotation:") and not assignee:
        return f"{target}: nobody is on call"
    if target in {Role.LEAD, Role.MANAGER}:
        return f"{target}: a role is told, not given items"
    if not assignee:
        return f"{target}: the queue has no such owner"
    named = target if target == assignee else f"{target} ({assignee})"
    return f"{named}: holds no role in the queue that decides"
