"""What is allowed in a policy and yet hardly meant: told to whoever publishes it, and on the queue's page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ..escalation.calendars import Calendar, TooFar, compile_calendar
from .durations import parse_duration
from .policy_document import Deadline, PolicyRules, PublishedPolicy

LOOKED_AHEAD, EVERY = timedelta(days=14), timedelta(hours=2)
"""From which arrivals the longest wait in a calendar's open hours is found."""


def warnings_of(policy_part: dict[str, Any], now: datetime, *, calendar_is_there: bool = False) -> list[str]:
    """A line for each, beginning with the key. Takes what a policy version keeps.

    `calendar_is_there`: the calendar that was missing when the version was published has been published since.
    """
    part = PublishedPolicy.model_validate(policy_part)
    calendar = None if part.calendar is None else compile_calendar(part.calendar.as_dict())
    return [*_missing_calendar(part, calendar_is_there), *_deadline(part.policy, calendar, now)]


def _missing_calendar(part: PublishedPolicy, is_there: bool) -> Iterator[str]:
    name = part.policy.due.calendar if part.policy.due else None
    if name is None or part.calendar is not None:
        return
    if is_there:
        yield (
            f"policy.due.calendar: the calendar {name} came after this policy, so times count round the clock; "
            "apply this document again (reviewqueue queue apply)"
        )
    else:
        yield (
            f"policy.due.calendar: there is no calendar {name} yet, so times count round the clock; "
            "publish it (reviewqueue calendar apply) and apply this document again"
        )


def _deadline(rules: PolicyRules, calendar: Calendar | None, now: datetime) -> Iterator[str]:
    deadline = rules.deadline
    if deadline is None:
        yield "policy.deadline: there is none, so an app waits without end for an item that nobody decides"
        return
    if deadline.fallback.verdict == "accept":
        yield (
            "policy.deadline.fallback: accept releases what the policy held back for people, unseen and at any "
            "confidence; reject it, or edit it to an output that does no harm"
        )
    if rules.due is not None:
        yield from _too_early(deadline, "policy.due.after", "the item is due", rules.due.after, calendar, now)
    if rules.escalation:
        last = len(rules.escalation) - 1
        where, what = f"policy.escalation[{last}].after", "this step comes"
        yield from _too_early(deadline, where, what, rules.escalation[last].after, calendar, now)


def _too_early(
    deadline: Deadline, where: str, what: str, after: str, calendar: Calendar | None, now: datetime
) -> Iterator[str]:
    """Whether the deadline, which runs by the clock on the wall, comes before what counts in open hours."""
    limit, wait = parse_duration(deadline.after), parse_duration(after)
    if wait >= limit:
        yield f"{where}: the deadline ({deadline.after}) passes before {what} ({after})"
    elif calendar is not None and _longest(wait, calendar, now) >= limit:
        yield (
            f"{where}: after some arrivals the deadline ({deadline.after}) passes before {what}, "
            f"since {after} of open hours take longer then"
        )


def _longest(wait: timedelta, calendar: Calendar, now: datetime) -> timedelta:
    """The longest that so many open hours take, from any arrival of the next two weeks."""
    starts = (now + number * EVERY for number in range(LOOKED_AHEAD // EVERY))
    try:
        return max(calendar.add(start, wait.total_seconds()) - start for start in starts)
    except TooFar:
        return timedelta.max
