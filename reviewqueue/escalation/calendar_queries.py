"""Reading calendars: those there are, one whole document, and what its hours are just now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from ..db import Database
from ..errors import Forbidden, NotFound
from ..people.access import Access, Action, Caller, access_of
from .calendar_operations import may_publish, queues_of
from .calendars import Calendar, OpenDay, compile_calendar, document_of
from .models import CalendarVersion

SHOWN_DAYS = 14
AHEAD = timedelta(hours=4)
MOST_SHOWN = 200
LATEST = 20
"""Versions that the calendar's page lists."""


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A version of a calendar as lists show it."""

    name: str
    version: int
    title: str | None
    zone: str
    published_at: datetime
    published_by: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a calendar's hours mean at one moment. All times are in the calendar's zone."""

    now: datetime
    is_open: bool
    next_open: datetime
    ahead: datetime
    """When `AHEAD` of open time will have passed."""
    days: Sequence[OpenDay]


@dataclass(frozen=True, slots=True)
class CalendarInFull:
    """All of a calendar that its page shows."""

    row: CalendarRow
    newest: int
    document: dict[str, Any]
    holidays: dict[str, Any] | None
    """As frozen: first_year, last_year, source, dates."""
    outlook: Outlook
    versions: Sequence[CalendarRow]
    queues: Sequence[tuple[str, int]]
    """Those that the caller sees and that count in it, each with the version it follows."""
    may_publish: bool


def list_calendars(
    db: Database, caller: Caller, *, limit: int = 50, after: str = ""
) -> tuple[list[CalendarRow], bool]:
    """The newest version of each calendar, by name, from behind `after`; and whether there are more."""
    with db.reading() as session:
        _seen(session, caller)
        versions = _newest(session, after, limit + 1)
        return [_row(version) for version in versions[:limit]], len(versions) > limit


def outlooks(db: Database, caller: Caller) -> list[tuple[CalendarRow, Outlook]]:
    """Each calendar, up to MOST_SHOWN of them, with what its hours are now."""
    now = db.clock.now()
    with db.reading() as session:
        _seen(session, caller)
        versions = _newest(session, "", MOST_SHOWN)
        return [(_row(version), outlook(compile_calendar(version.frozen), now)) for version in versions]


def get_document(db: Database, caller: Caller, name: str) -> tuple[dict[str, Any], int]:
    """The calendar's newest document, and its version. Raises NotFound."""
    with db.reading() as session:
        _seen(session, caller)
        found = _version(session, name, None)
        return document_of(name, found.frozen["hours"]), found.version


def get_calendar(db: Database, caller: Caller, name: str, number: int | None = None) -> CalendarInFull:
    """All of a calendar, in its newest version unless another is asked for. Raises NotFound."""
    now = db.clock.now()
    with db.reading() as session:
        access = _seen(session, caller)
        found = _version(session, name, number)
        versions = _versions(session, name)
        return CalendarInFull(
            row=_row(found),
            newest=versions[0].version,
            document=document_of(name, found.frozen["hours"]),
            holidays=found.frozen["holidays"],
            outlook=outlook(compile_calendar(found.frozen), now),
            versions=versions,
            queues=queues_of(session, access, name),
            may_publish=may_publish(access),
        )


def outlook(calendar: Calendar, now: datetime) -> Outlook:
    opens = calendar.next_open(now)
    return Outlook(
        now=now.astimezone(calendar.zone),
        is_open=opens == now,
        next_open=opens.astimezone(calendar.zone),
        ahead=calendar.add(now, AHEAD.total_seconds()).astimezone(calendar.zone),
        days=calendar.open_hours(now, SHOWN_DAYS),
    )


def _seen(session: Session, caller: Caller) -> Access:
    """Calendars are for whoever has a queue: hours are no secret among those who work by them."""
    access = access_of(session, caller)
    if not access.is_admin and access.queue_ids_for(Action.SEE) == frozenset():
        raise Forbidden("Calendars are shown to those who have a role in a queue.")
    return access


def _newest(session: Session, after: str, limit: int) -> Sequence[CalendarVersion]:
    """The newest version of each calendar whose name comes behind `after`."""
    later = aliased(CalendarVersion)
    is_newest = ~sa.exists().where(
        later.name == CalendarVersion.name, later.version > CalendarVersion.version
    )
    query = sa.select(CalendarVersion).where(CalendarVersion.name > after, is_newest)
    return session.scalars(query.order_by(CalendarVersion.name).limit(limit)).all()


def _version(session: Session, name: str, number: int | None) -> CalendarVersion:
    query = sa.select(CalendarVersion).where(CalendarVersion.name == name)
    if number is not None:
        query = query.where(CalendarVersion.version == number)
    found = session.scalar(query.order_by(CalendarVersion.version.desc()).limit(1))
    if found is None:
        what = f"calendar {name!r}" if number is None else f"version {number} of a calendar {name!r}"
        raise NotFound(f"There is no {what}.")
    return found


def _versions(session: Session, name: str) -> list[CalendarRow]:
    query = sa.select(CalendarVersion).where(CalendarVersion.name == name)
    found = session.scalars(query.order_by(CalendarVersion.version.desc()).limit(LATEST))
    return [_row(version) for version in found]


def _row(version: CalendarVersion) -> CalendarRow:
    hours = version.frozen["hours"]
    return CalendarRow(
        name=version.name,
        version=version.version,
        title=hours.get("title"),
        zone=hours["zone"],
        published_at=version.published_at,
        published_by=version.published_by,
    )
