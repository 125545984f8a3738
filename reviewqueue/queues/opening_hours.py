"""Which opening hours a policy version counts in: looked up when it is published, and frozen into it.

So an item that follows its policy version follows these very hours. A later version of a shared calendar takes effect
in a queue when the queue's document is applied again, which makes a new version of its policy.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import JsonText
from ..escalation.calendars import InvalidCalendar, OpeningHours, TooFar, compile_calendar, freeze
from .document import QueueDocument
from .durations import parse_duration
from .invalid import InvalidDocument
from .policy_document import PolicyRules

# Escalation, where calendars are published, lies above queues: here they are known by these columns alone.
CALENDARS = sa.table("calendar", sa.column("name"), sa.column("version"), sa.column("frozen", JsonText))
DUE = "/policy/due"
LONGEST_WAIT = timedelta(days=3_653)


def policy_part_with_hours(session: Session, document: QueueDocument, now: datetime) -> dict[str, Any]:
    """What a policy version keeps. Raises InvalidDocument for own hours that are refused, and for times that so few
    open hours would not reach in ten years. With a calendar that is not there, all times count round the clock.
    """
    part, due = document.policy_part(), document.policy.due
    if due is None:
        return part
    frozen = _newest(session, due.calendar) if due.calendar is not None else None
    if due.hours is not None:
        frozen = _own(due.hours, now)
    if frozen is not None:
        _refuse_what_takes_too_long(document.policy, frozen, now)
        part["calendar"] = frozen
    return part


def missing_calendar_is_there(session: Session, policy_part: dict[str, Any]) -> bool:
    """Whether the calendar that a version named in vain has been published since."""
    name = (policy_part["policy"].get("due") or {}).get("calendar")
    return name is not None and "calendar" not in policy_part and _newest(session, name) is not None


def _newest(session: Session, name: str) -> dict[str, Any] | None:
    newest = (
        sa.select(CALENDARS.c.frozen).where(CALENDARS.c.name == name).order_by(CALENDARS.c.version.desc())
    )
    frozen: dict[str, Any] | None = session.scalar(newest.limit(1))
    return frozen


def _own(hours: OpeningHours, now: datetime) -> dict[str, Any]:
    try:
        return freeze(hours, now).as_dict()
    except InvalidCalendar as error:
        raise InvalidDocument([(f"{DUE}/hours{where}", what) for where, what in error.errors]) from None


def _refuse_what_takes_too_long(rules: PolicyRules, frozen: dict[str, Any], now: datetime) -> None:
    durations = [(f"{DUE}/after", rules.due.after)] if rules.due else []
    durations += [(f"/policy/escalation/{n}/after", step.after) for n, step in enumerate(rules.escalation)]
    calendar = compile_calendar(frozen)
    for pointer, after in durations:
        try:
            reached = calendar.add(now, parse_duration(after).total_seconds())
        except TooFar:
            reached = None
        if reached is None or reached - now > LONGEST_WAIT:
            raise InvalidDocument(
                [(pointer, f"takes more than ten years in the calendar's open hours: {after}")]
            )
