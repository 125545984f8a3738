"""What people and apps do with a waiting item besides deciding it: withdraw, snooze, escalate, assign, comment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from ..audit.events import EventType
from ..audit.trail import rfc3339
from ..errors import Invalid, WrongState
from ..queues.routing import Policy
from ..transaction import Transaction
from .changing import become, drop_claim, issue_outcome, retime, set_due
from .models import Item
from .states import State, words

LONGEST_SNOOZE = timedelta(days=366)


def withdraw(
    item: Item, tx: Transaction, policy: Policy, reason: str | None, *, superseded_by: str | None = None
) -> None:
    """The app no longer needs it. Raises AlreadyDecided or WrongState when nobody is asked any more."""
    outcome = None
    if item.is_open:
        outcome = issue_outcome(item, tx, verdict="withdrawn", by="app", comment=reason)
    told = {"superseded_by": superseded_by} if superseded_by else {}
    become(
        item,
        tx,
        State.WITHDRAWN,
        EventType.ITEM_WITHDRAWN,
        reason=reason,
        outcome=outcome,
        claim=None,
        **told,
    )
    drop_claim(item)
    retime(item, policy, tx.now)


def snooze(
    item: Item,
    tx: Transaction,
    policy: Policy,
    until: datetime,
    reason: str | None,
    *,
    until_reply_to: str | None = None,
) -> None:
    """Puts the item aside until a time. The deadline does not wait; due time and escalation do.

    They keep what is left of them in open hours: a night's snooze in which nobody works pushes them back by nothing.
    """
    require_open(item, "snoozed")
    if until <= tx.now:
        raise Invalid("That time is over: snooze until a time to come.")
    end = ends_before(item)
    if end is not None and until >= end:
        raise Invalid(f"the deadline is {end:%Y-%m-%d %H:%M} UTC; snooze until a time before it")
    if until > tx.now + LONGEST_SNOOZE:
        raise Invalid(f"a snooze lasts {LONGEST_SNOOZE.days} days at most; snooze until an earlier time")
    begins = item.snoozed_until if item.snoozed_until and item.snoozed_until > tx.now else tx.now
    item.paused_seconds += _open_seconds(policy, begins, until)
    item.snoozed_until, item.snoozed_by = until, until_reply_to
    drop_claim(item)
    set_due(item, policy)
    item.version += 1
    due = rfc3339(item.due_at) if item.due_at else None
    told = {"until_reply_to": until_reply_to} if until_reply_to else {}
    tx.record(
        item, EventType.ITEM_SNOOZED, until=rfc3339(until), reason=reason, due_at=due, claim=None, **told
    )
    retime(item, policy, tx.now)


def ends_before(item: Item) -> datetime | None:
    """When a snooze must be over: at the app's deadline, while the app has no outcome to act on."""
    return None if item.has_outcome else item.deadline_at


def wake_by_reply(item: Item, tx: Transaction, policy: Policy, told: Sequence[dict[str, Any]]) -> None:
    """Somebody replied before the snooze was over: what is left of the pause is given back."""
    if item.snoozed_until is not None and item.snoozed_until > tx.now:
        item.paused_seconds -= _open_seconds(policy, tx.now, item.snoozed_until)
    item.snoozed_until = item.snoozed_by = None
    if item.timer_fired_at is not None:
        item.timer_fired_at = tx.now
    set_due(item, policy)
    item.version += 1
    due = rfc3339(item.due_at) if item.due_at else None
    tx.record(item, EventType.ITEM_WOKEN, replied=True, due_at=due, told=list(told))
    retime(item, policy, tx.now)


def _open_seconds(policy: Policy, since: datetime, until: datetime) -> float:
    return policy.calendar.elapsed(since, until) if policy.calendar else (until - since).total_seconds()


def assign(
    item: Item,
    tx: Transaction,
    policy: Policy,
    to: str | None,
    reason: str | None,
    *,
    told: Sequence[dict[str, Any]] = (),
) -> None:
    """Gives the item to a person or a team, or to nobody in particular; another's claim ends."""
    require_open(item, "assigned")
    before, item.assigned_to = item.assigned_to, to
    drop_claim(item)
    item.version += 1
    tx.record(item, EventType.ITEM_ASSIGNED, to=to, before=before, reason=reason, claim=None, told=list(told))
    retime(item, policy, tx.now)


def comment(item: Item, tx: Transaction, text: str, *, told: Sequence[dict[str, Any]] = ()) -> None:
    """`told`: who was told, since the text mentions them."""
    tx.record(item, EventType.ITEM_COMMENTED, text=text, **({"told": list(told)} if told else {}))


def require_open(item: Item, what: str) -> None:
    if not item.is_open:
        raise WrongState(
            f"the item is {words(State(item.state))}; only pending and disputed items can be {what}"
        )
