"""What of a policy goes nowhere as things are now: steps that tell nobody, channels and calendars that are not there.

No errors: a team may get its members tomorrow. Until then the queue's owner or a manager is told instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..people.models import Person, Team, TeamMember
from ..people.onlookers import ONLOOKERS
from .models import Queue
from .opening_hours import missing_calendar_is_there
from .policy_document import PublishedPolicy
from .warnings import warnings_of

# Rotations and channels lie above queues: here they are known by their names alone.
ROTATIONS = sa.table("rotation", sa.column("slug"))
CHANNELS = sa.table("channel", sa.column("name"))
BUILT_IN = {"in-app", "mail"}
ROLES = {"lead", "manager"}


def all_warnings(session: Session, queue: Queue, policy_part: dict[str, Any], now: datetime) -> list[str]:
    """What is hardly meant in one version of a queue's policy, and what goes nowhere: a line for each."""
    owners = queue.document.get("owners") or {}
    there = missing_calendar_is_there(session, policy_part)
    return [
        *warnings_of(policy_part, now, calendar_is_there=there),
        *untold(session, queue.id, owners, policy_part),
    ]


def untold(
    session: Session, queue_id: int, owners: Mapping[str, str | None], policy_part: dict[str, Any]
) -> list[str]:
    """A line for each target that names nobody who may see the queue, and each channel that is not set up."""
    steps = PublishedPolicy.model_validate(policy_part).policy.escalation
    if not steps:
        return []
    reach = _Reach(session, queue_id, owners)
    lines = []
    for number, step in enumerate(steps):
        where = f"policy.escalation[{number}]"
        lines += [f"{where}.to: {target}: {why}" for target in step.to for why in reach.obstacles(target)]
        lines += [
            f"{where}.notify: there is no channel {name} yet; an admin sets it up at /admin/channels"
            for name in step.notify
            if name not in reach.channels
        ]
    return lines


class _Reach:
    """Whom and what a policy's targets can name now."""

    def __init__(self, session: Session, queue_id: int, owners: Mapping[str, str | None]) -> None:
        self._session, self._owners = session, owners
        rows = session.execute(ONLOOKERS, {"queue_id": queue_id}).all()
        self._emails = {row.email for row in rows}
        self._roles = {row.role for row in rows}
        self.channels = BUILT_IN | set(session.scalars(sa.select(CHANNELS.c.name)))

    def obstacles(self, target: str) -> Iterator[str]:
        """Why the target is nobody; nothing when it is somebody."""
        kind, _, name = target.partition(":")
        if kind == "owner":
            owner = self._owners.get(name)
            yield from self.obstacles(owner) if owner else ["the queue has no such owner"]
        elif kind == "rotation":
            if not self._session.scalar(sa.select(ROTATIONS.c.slug).where(ROTATIONS.c.slug == name).limit(1)):
                yield "there is no such rotation yet"
        elif kind == "team":
            if not self._emails.intersection(self._team(name)):
                yield "nobody in this team may see the queue"
        elif target in ROLES:
            if target not in self._roles:
                yield f"the queue has no {target}"
        elif target.lower() not in self._emails:
            yield "nobody of that address may see the queue"

    def _team(self, slug: str) -> set[str]:
        members = sa.select(Person.email).join(TeamMember, TeamMember.person_id == Person.id)
        return set(
            self._session.scalars(members.join(Team, Team.id == TeamMember.team_id).where(Team.slug == slug))
        )
