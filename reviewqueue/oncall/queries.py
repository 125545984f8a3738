"""The rotations in force, and who is on call in each now and next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..people.models import Person
from .document import RotationDocument
from .models import RotationVersion
from .rotation import Rotation, began, lasts, shifts

SHOWN_AHEAD = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Turn:
    """A shift as it really is, also where it reaches beyond the days that are shown."""

    person: str | None
    begins: datetime | None
    """None: over a year ago, or ever since."""
    ends: datetime | None
    """None: in over a year, or never."""


@dataclass(frozen=True, slots=True)
class StandIn:
    person: str
    begins: datetime
    ends: datetime
    by: str | None
    """Who put them in on the page; None: the rotation's file."""


@dataclass(frozen=True, slots=True)
class Board:
    """One rotation as the page shows it."""

    slug: str
    title: str
    zone: str
    version: int
    members: tuple[str, ...]
    """Everybody who is named in it, by email."""
    shifts: tuple[Turn, ...]
    """The present one first; those of the next two weeks."""
    names: dict[str, str]
    """Of those who can sign in, by email."""
    coming: tuple[StandIn, ...] = ()
    """Whoever stands in now or later on, as they are written."""

    def wall(self, at: datetime) -> str:
        """A time as the rotation's own zone says it."""
        return f"{at.astimezone(ZoneInfo(self.zone)):%a %Y-%m-%d %H:%M}"

    @property
    def now(self) -> Turn:
        return self.shifts[0]

    @property
    def next(self) -> Turn | None:
        return self.shifts[1] if len(self.shifts) > 1 else None

    @property
    def gaps(self) -> list[Turn]:
        """Shifts that nobody has, or somebody who is not here or disabled."""
        return [shift for shift in self.shifts if shift.person not in self.names]


def in_force(session: Session, slug: str) -> RotationVersion | None:
    """The newest version of that rotation."""
    return session.scalar(
        sa.select(RotationVersion)
        .where(RotationVersion.slug == slug)
        .order_by(RotationVersion.version.desc())
        .limit(1)
    )


def compiled(version: RotationVersion) -> Rotation:
    return document_of(version).compiled()


def document_of(version: RotationVersion) -> RotationDocument:
    return RotationDocument.model_validate(version.document)


def stand_ins(document: RotationDocument) -> list[StandIn]:
    """In the order of the document."""
    compiled = document.compiled().overrides
    return [
        StandIn(told.person, told.begins, told.ends, written.by)
        for told, written in zip(compiled, document.overrides, strict=True)
    ]


def boards(session: Session, now: datetime) -> list[Board]:
    """Every rotation, by its slug. Two queries."""
    newest = (
        sa.select(RotationVersion.slug, sa.func.max(RotationVersion.version).label("version"))
        .group_by(RotationVersion.slug)
        .subquery()
    )
    versions = session.scalars(
        sa.select(RotationVersion)
        .join(
            newest,
            sa.and_(RotationVersion.slug == newest.c.slug, RotationVersion.version == newest.c.version),
        )
        .order_by(RotationVersion.slug)
    ).all()
    documents = [document_of(version) for version in versions]
    names = names_of(session, {email for document in documents for email in document.people})
    return [
        Board(
            slug=version.slug,
            title=document.title or version.slug,
            zone=document.zone,
            version=version.version,
            members=tuple(document.people),
            shifts=tuple(_turns(document.compiled(), now)),
            names={email: names[email] for email in document.people if email in names},
            coming=tuple(one for one in stand_ins(document) if one.ends > now),
        )
        for version, document in zip(versions, documents, strict=True)
    ]


def _turns(rotation: Rotation, now: datetime) -> list[Turn]:
    found = shifts(rotation, now, now + SHOWN_AHEAD)
    turns = [Turn(shift.person, shift.begins, shift.ends) for shift in found]
    turns[0] = replace(turns[0], begins=began(rotation, found[0].begins))
    turns[-1] = replace(turns[-1], ends=lasts(rotation, found[-1].begins))
    return turns


def names_of(session: Session, emails: Sequence[str] | set[str]) -> dict[str, str]:
    """The names of those who are here and not disabled."""
    rows = session.execute(
        sa.select(Person.email, Person.name).where(
            Person.email.in_(sorted(emails)), Person.disabled_at.is_(None)
        )
    )
    return dict(rows.all())
