"""What callers do with a shared calendar: apply its document, which publishes its next version."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..audit.events import EventType
from ..db import Database
from ..errors import Forbidden
from ..people.access import Access, Action, Caller, access_of
from ..people.models import Scope
from ..queues.difference import diff
from ..queues.models import PolicyVersion, Queue
from ..queues.operations import document_hash
from ..transaction import Transaction
from .calendars import CalendarDocument, FrozenCalendar, freeze, parse_calendar
from .models import CalendarVersion

MOST_RIVALS = 10


@dataclass(frozen=True, slots=True)
class AppliedCalendar:
    """What came of applying a calendar's document."""

    calendar: str
    created: bool
    version: int
    changes: list[str]
    """In words, one line each; empty: nothing changed, and no version was published."""
    document: dict[str, Any]
    behind: list[str]
    """Queues, of those the caller sees, whose policy in force counts in an older version."""


def apply_calendar(
    db: Database,
    caller: Caller,
    source: CalendarDocument | dict[str, Any] | str | bytes,
    *,
    calendar: str | None = None,
    request_id: str | None = None,
) -> AppliedCalendar:
    """Publish the calendar's next version, unless nothing differs from the newest one.

    `calendar` is the name that the caller knows already, as from a URL. Holidays are looked up anew each time, so
    that applying the same document in another year brings another span of them. No queue changes by it: a queue
    follows the version that was the newest when its own document was applied. Raises InvalidCalendar or Forbidden.
    """
    document = source if isinstance(source, CalendarDocument) else parse_calendar(source, calendar)
    for _ in range(MOST_RIVALS):
        # Where somebody publishes the same version in the same moment, it is there to be compared with next time.
        with suppress(IntegrityError):
            return _apply(db, caller, document, request_id)
    return _apply(db, caller, document, request_id)


def _apply(
    db: Database, caller: Caller, document: CalendarDocument, request_id: str | None
) -> AppliedCalendar:
    with db.transaction(caller.actor, request_id) as tx:
        access = access_of(tx.session, caller)
        _require_manager(access)
        newest = newest_version(tx.session, document.calendar)
        number = newest.version + 1 if newest else 1
        frozen = freeze(document.hours(), tx.now, document.calendar, number)
        changes = diff({**newest.frozen, "version": number}, frozen.as_dict()) if newest else []
        if newest is None or changes:
            _publish(tx, frozen, changes)
        else:
            number = newest.version
        followed = queues_of(tx.session, access, document.calendar)
        behind = [queue for queue, version in followed if version < number]
        return AppliedCalendar(document.calendar, newest is None, number, changes, document.as_dict(), behind)


def _require_manager(access: Access) -> None:
    access.require_scope(Scope.QUEUES_WRITE)
    if not may_publish(access):
        raise Forbidden("Calendars are published by managers of a queue and by admins.")


def may_publish(access: Access) -> bool:
    """Calendars are shared, so whoever edits the policy of any queue may publish them, and so may an admin.

    It reaches no other manager's queue: those go on in the version that they have.
    """
    by_scope = access.caller.scopes is None or Scope.QUEUES_WRITE in access.caller.scopes
    return by_scope and (access.is_admin or access.queue_ids_for(Action.EDIT_POLICY) != frozenset())


def newest_version(session: Session, name: str) -> CalendarVersion | None:
    versions = sa.select(CalendarVersion).where(CalendarVersion.name == name)
    return session.scalar(versions.order_by(CalendarVersion.version.desc()).limit(1))


def _publish(tx: Transaction, frozen: FrozenCalendar, changes: list[str]) -> None:
    version = CalendarVersion(
        name=frozen.name,
        version=frozen.version,
        frozen=frozen.as_dict(),
        published_at=tx.now,
        published_by=(tx.actor.name or tx.actor.kind)[:120],
    )
    tx.session.add(version)
    told = {
        "calendar": frozen.name,
        "version": frozen.version,
        "sha256": document_hash(version.frozen),
        "changes": changes,
    }
    tx.trail.record(version, EventType.CALENDAR_PUBLISHED, told)
    tx.session.flush()


def queues_of(session: Session, access: Access, name: str) -> list[tuple[str, int]]:
    """The queues that the caller sees whose policy in force counts in the calendar, and in which version of it."""
    query = sa.select(Queue.name, PolicyVersion.document).join(
        PolicyVersion, PolicyVersion.id == Queue.policy_id
    )
    ids = access.queue_ids_for(Action.SEE)
    if ids is not None:
        query = query.where(Queue.id.in_(ids))
    found = []
    for queue, document in session.execute(query.order_by(Queue.name)):
        calendar = document.get("calendar")
        if calendar is not None and calendar.get("name") == name:
            found.append((queue, calendar["version"]))
    return found
