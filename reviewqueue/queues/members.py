"""Keeps the roles in a queue in step with the `members` of its document.

The document says who should hold which role; Membership rows say who does. A team that is named first here is
created, empty. A person who has no account yet stays named in the document and takes the role when they are added
(people.members.take_waiting_roles). A role that was granted in another way (`person add --role`) and that the
document never named is left alone; one that the document ceases to name ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from ..audit.events import EventType
from ..people.members import TEAM, QueueNamed, grant, revoke
from ..people.models import Person, Role, Team
from ..transaction import Transaction
from .models import Queue


def keep_in_step(tx: Transaction, queue: Queue, before: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Grants and ends roles so that they are what the queue's document says, where `before` was its document.

    Returns a line for whatever changed, and one for each person who is named and not there yet.
    """
    named, was_named = named_in(queue.document), named_in(before)
    holders = _Holders(tx, {holder for _, holder in [*named, *was_named]})
    place = QueueNamed(queue.id, queue.name)
    lines: list[str] = []
    absent: list[str] = []
    for role, holder in was_named:
        found = holders.find(holder)
        if (role, holder) not in named and found is not None and revoke(tx, place, role, holder, found):
            lines.append(f"members.{role}: {holder} no longer holds the role")
    for role, holder in named:
        found = holders.find_or_make_team(holder)
        if found is None:
            absent.append(
                f"members.{role}: nobody has the address {holder} yet; add the person to give the role"
            )
        elif grant(tx, place, role, holder, found):
            lines.append(f"members.{role}: {holder} now holds the role")
    return lines, absent


def named_in(document: Mapping[str, Any]) -> list[tuple[Role, str]]:
    """Each role with each holder that the document gives it, an email or `team:<slug>`."""
    members = document.get("members") or {}
    return [(role, holder) for role in Role for holder in members.get(role.value, ())]


class _Holders:
    """The persons and teams that one document names, found in two queries."""

    def __init__(self, tx: Transaction, names: Iterable[str]) -> None:
        self._tx = tx
        slugs = {name.removeprefix(TEAM) for name in names if name.startswith(TEAM)}
        emails = {name for name in names if not name.startswith(TEAM)}
        teams = tx.session.scalars(sa.select(Team).where(Team.slug.in_(slugs))) if slugs else ()
        persons = tx.session.scalars(sa.select(Person).where(Person.email.in_(emails))) if emails else ()
        self._found: dict[str, Person | Team] = {f"{TEAM}{team.slug}": team for team in teams}
        self._found.update({person.email: person for person in persons})

    def find(self, name: str) -> Person | Team | None:
        return self._found.get(name)

    def find_or_make_team(self, name: str) -> Person | Team | None:
        if name.startswith(TEAM) and name not in self._found:
            self._found[name] = self._new_team(name.removeprefix(TEAM))
        return self._found.get(name)

    def _new_team(self, slug: str) -> Team:
        team = Team(
            slug=slug, name=slug.replace("-", " ").strip().capitalize() or slug, created_at=self._tx.now
        )
        self._tx.session.add(team)
        self._tx.session.flush()
        self._tx.trail.record(team, EventType.TEAM_CREATED, {"team": slug, "name": team.name})
        return team
