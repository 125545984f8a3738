"""Who is told: from what a policy names to persons who may see the queue's items. Nobody is told of anything else."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..oncall import queries as oncall
from ..oncall.rotation import on_call
from ..people.models import Person, Role, Team, TeamMember
from ..people.onlookers import ONLOOKERS, QUEUE_ID
from ..queues.models import Queue
from .models import Channel
from .wishes import Wishes

OWNERS_TOLD = ("owner:escalation", "owner:business")
"""Who is told of a deadline, and where nobody else can be told: the first of them that is somebody."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A person who can be told."""

    id: uuid.UUID
    email: str
    name: str
    wishes: Wishes


@dataclass(frozen=True, slots=True)
class Found:
    listeners: tuple[Listener, ...]
    notes: tuple[str, ...] = ()
    """Why somebody who was named is not told."""


@dataclass(slots=True)
class Hall:
    """One queue: what it is called, who owns it, and who may see its items."""

    title: str
    owners: dict[str, str]
    listeners: dict[str, Listener] = field(default_factory=dict)
    """By email."""
    roles: dict[str, set[str]] = field(default_factory=dict)
    """Emails, by role."""


class Audience:
    """Finds listeners for the items of one transaction; each queue, team and rotation is looked up once."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session, self._now = session, now
        self._halls: dict[int, Hall] = {}
        self._teams: dict[str, tuple[str, ...]] = {}
        self._on_call: dict[str, str | None] = {}
        self._channels: frozenset[str] | None = None

    def find(self, queue_id: int, targets: Sequence[str]) -> Found:
        """Everybody whom the targets name. Where that is nobody, the queue's owner, and then its managers."""
        listeners, notes = self._all(queue_id, targets)
        if not listeners:
            listeners, more = self._fall_back(queue_id)
            notes = [*notes, *more]
        return Found(tuple(listeners.values()), tuple(notes))

    def concerned(self, queue_id: int, targets: Sequence[str], *persons: uuid.UUID | None) -> Found:
        """Whom the targets name, and those persons, as far as they may see the queue; nobody in their place."""
        listeners, notes = self._all(queue_id, targets)
        for listener in self.hall(queue_id).listeners.values():
            if listener.id in persons:
                listeners[listener.email] = listener
        return Found(tuple(listeners.values()), tuple(notes))

    def owner(self, queue_id: int) -> Found:
        """The queue's escalation owner, else its business owner, else its managers."""
        listeners, notes = self._fall_back(queue_id)
        return Found(tuple(listeners.values()), tuple(notes))

    def named_in(self, queue_id: int, emails: Iterable[str]) -> tuple[Listener, ...]:
        """Those of the addresses whose persons may see the queue."""
        present = self.hall(queue_id).listeners
        return tuple(present[email] for email in dict.fromkeys(emails) if email in present)

    def on_call(self, slug: str) -> str | None:
        """The email of whoever is on call in that rotation; None in a gap, and where there is no such rotation."""
        if slug not in self._on_call:
            version = oncall.in_force(self._session, slug)
            self._on_call[slug] = on_call(oncall.compiled(version), self._now) if version else None
        return self._on_call[slug]

    def channels(self) -> frozenset[str]:
        """The names of the channels that are set up."""
        if self._channels is None:
            self._channels = frozenset(self._session.scalars(sa.select(Channel.name)))
        return self._channels

    def hall(self, queue_id: int) -> Hall:
        if queue_id not in self._halls:
            self._halls[queue_id] = _hall_of(self._session, queue_id)
        return self._halls[queue_id]

    def _all(self, queue_id: int, targets: Sequence[str]) -> tuple[dict[str, Listener], list[str]]:
        hall = self.hall(queue_id)
        listeners: dict[str, Listener] = {}
        notes: list[str] = []
        for target in targets:
            emails, note = self._emails(hall, target)
            present = [email for email in emails if email in hall.listeners]
            listeners.update((email, hall.listeners[email]) for email in present)
            if not present:
                notes.append(f"{target}: {note or 'nobody there may see the queue'}")
                if target.startswith("rotation:"):
                    instead, more = self._fall_back(queue_id)
                    listeners.update(instead)
                    notes += more
        return listeners, notes

    def _fall_back(self, queue_id: int) -> tuple[dict[str, Listener], list[str]]:
        hall = self.hall(queue_id)
        notes: list[str] = []
        for target in (*OWNERS_TOLD, Role.MANAGER.value):
            emails, note = self._emails(hall, target)
            if present := [email for email in emails if email in hall.listeners]:
                return {email: hall.listeners[email] for email in present}, notes
            if note is None or target == Role.MANAGER:
                notes.append(f"{target}: {note or 'nobody there may see the queue'}")
        return {}, notes

    def _emails(self, hall: Hall, target: str) -> tuple[Sequence[str], str | None]:
        """Whom a target names, or why nobody."""
        kind, _, name = target.partition(":")
        if kind == "owner":
            owner = hall.owners.get(name)
            return self._emails(hall, owner) if owner else ((), "the queue has no such owner")
        if kind == "team":
            return self._team(name), None
        if kind == "rotation":
            email = self.on_call(name)
            return ((email,), None) if email else ((), "nobody is on call")
        if target in {Role.LEAD, Role.MANAGER}:
            emails = sorted(hall.roles.get(target, ()))
            return emails, None if emails else "the queue has none"
        return (target.lower(),), None

    def _team(self, slug: str) -> tuple[str, ...]:
        if slug not in self._teams:
            members = sa.select(Person.email).join(TeamMember, TeamMember.person_id == Person.id)
            of_team = members.join(Team, Team.id == TeamMember.team_id).where(Team.slug == slug)
            self._teams[slug] = tuple(self._session.scalars(of_team.order_by(Person.email)))
        return self._teams[slug]


def admins(session: Session) -> list[Listener]:
    """Everybody who keeps the installation."""
    rows = session.execute(
        sa.select(Person.id, Person.email, Person.name, Person.preferences)
        .where(Person.is_admin, Person.disabled_at.is_(None))
        .order_by(Person.email)
    )
    return [Listener(row.id, row.email, row.name, Wishes.of(row.preferences)) for row in rows]


def _hall_of(session: Session, queue_id: int) -> Hall:
    document = session.scalar(_DOCUMENT, {"queue_id": queue_id}) or {}
    owners = {role: owner for role, owner in (document.get("owners") or {}).items() if owner}
    hall = Hall(str(document.get("title", "")), owners)
    for row in session.execute(ONLOOKERS, {"queue_id": queue_id}):
        hall.listeners.setdefault(
            row.email, Listener(row.id, row.email, row.name, Wishes.of(row.preferences))
        )
        if row.role:
            hall.roles.setdefault(row.role, set()).add(row.email)
    return hall


_DOCUMENT = sa.select(Queue.document).where(Queue.id == QUEUE_ID)
