"""What time does to a waiting item: it escalates, its deadline passes, it wakes. And escalation by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from ..audit.events import EventType
from ..audit.trail import rfc3339
from ..errors import Invalid, WrongState
from ..escalation.schedule import Timer
from ..queues.policy import Fallback, Policy, Step
from ..transaction import Transaction
from .assignees import Assignees
from .changing import become, drop_acknowledgement, drop_claim, issue_outcome, retime
from .handling import require_open
from .models import Item
from .notices import tell_deescalated, tell_escalated, tell_escalated_by_hand, tell_expired
from .states import State

UNFIT = frozenset({"no-output", "model-error", "schema-broken"})
"""Reasons of routing that say that the output is none, or none to act on."""


def escalate(item: Item, tx: Transaction, policy: Policy, timer: Timer, assignees: Assignees) -> None:
    """Does what the policy's step says, or says it again: the timer has come.

    A claim goes on, and its holder may still decide: they are the one who is working on it.
    """
    step = policy.steps[timer.step - 1]
    raised = _raise_to(item, timer.step, step, assignees)
    item.timer_step, item.timer_repeats, item.timer_fired_at = timer.step, timer.occurrence, tx.now
    drop_acknowledgement(item)
    tx.record(
        item,
        EventType.ITEM_ESCALATED,
        step=timer.step,
        occurrence=timer.occurrence,
        planned_at=rfc3339(timer.at),
        told=tell_escalated(item, tx, assignees.audience, step, timer.step, timer.occurrence),
        **raised,
    )
    retime(item, policy, tx.now)


def escalate_by_hand(
    item: Item, tx: Transaction, policy: Policy, assignees: Assignees, *, reason: str, to: str | None = None
) -> None:
    """Raises the item by one level, for whoever is named or whom the policy's step of that level names.

    That step then counts as fired, so its targets are told whoever is named. Whoever escalates gives the item up.
    Raises WrongState, or Invalid when `to` may not decide in the queue.
    """
    require_open(item, "escalated")
    level = item.level + 1
    step = policy.steps[level - 1] if level <= len(policy.steps) else None
    raised = _raise_to(item, level, step, assignees, to)
    if step is not None and level > item.timer_step:
        item.timer_step, item.timer_repeats, item.timer_fired_at = level, 0, tx.now
    told = tell_escalated_by_hand(item, tx, assignees.audience, to, step)  # while it is known who holds it
    drop_claim(item)
    drop_acknowledgement(item)
    tx.record(item, EventType.ITEM_ESCALATED, reason=reason, claim=None, told=told, **raised)
    retime(item, policy, tx.now)


def deescalate(item: Item, tx: Transaction, policy: Policy, assignees: Assignees, *, reason: str) -> None:
    """Takes the item back by one level, to whom the policy's step of that level names; on level 0, to everybody.

    No step fires a second time for it, the present one repeats no more, and the priority stays as it is. Who holds it
    is told and goes on, as with an escalation. Raises WrongState.
    """
    require_open(item, "de-escalated")
    if item.level == 0:
        raise WrongState("the item has not escalated")
    before, given_to = item.level, item.assigned_to
    item.level -= 1
    steps = policy.steps[item.level - 1 : item.level] if item.level else ()
    item.assigned_to = assignees.resolve(item.queue_id, steps[0].to).assignee if steps else None
    item.timer_fired_at = None
    drop_acknowledgement(item)
    item.version += 1
    tx.record(
        item,
        EventType.ITEM_DEESCALATED,
        reason=reason,
        level=item.level,
        assigned_to=item.assigned_to,
        told=tell_deescalated(item, tx, assignees.audience, given_to),
        **{"from": before},
    )
    retime(item, policy, tx.now)


def expire(item: Item, tx: Transaction, policy: Policy, planned_at: datetime, assignees: Assignees) -> None:
    """The deadline has passed: the app gets the fallback, and whoever held the item can no longer decide."""
    if policy.fallback is None:
        raise LookupError(f"policy version {policy.version} has a deadline and no fallback")
    fallback = _safe(policy.fallback, item)
    instead = {} if fallback is policy.fallback else {"instead_of": policy.fallback.verdict}
    outcome = issue_outcome(
        item,
        tx,
        verdict=fallback.verdict,
        by="fallback",
        output=orjson.dumps(fallback.output) if fallback.verdict == "edit" else None,
        reason=fallback.reason,
        comment=fallback.comment,
    )
    drop_claim(item)
    item.snoozed_until = item.snoozed_by = None
    become(
        item,
        tx,
        State.EXPIRED,
        EventType.ITEM_EXPIRED,
        planned_at=rfc3339(planned_at),
        outcome=outcome,
        claim=None,
        told=tell_expired(item, tx, assignees.audience, fallback.verdict),
        **instead,
    )
    retime(item, policy, tx.now)


def _safe(fallback: Fallback, item: Item) -> Fallback:
    """What is released. An accept needs something that can be accepted: else it would be a guess, and is a reject."""
    if fallback.verdict != "accept":
        return fallback
    unfit = [reason["detail"] for reason in item.reasons if reason["code"] in UNFIT]
    if not unfit:
        return fallback
    comment = f"The fallback is to accept, but there is nothing to accept: {'; '.join(unfit)}."
    return Fallback("reject", "nothing-to-accept", None, comment[:2000])


def wake(item: Item, tx: Transaction, policy: Policy, planned_at: datetime) -> None:
    """The snooze is over. Repeats of an escalation begin to count anew, as the pause was no time of theirs."""
    item.snoozed_until = item.snoozed_by = None
    if item.timer_fired_at is not None:
        item.timer_fired_at = tx.now
    tx.record(item, EventType.ITEM_WOKEN, planned_at=rfc3339(planned_at))
    retime(item, policy, tx.now)


def _raise_to(
    item: Item, level: int, step: Step | None, assignees: Assignees, to: str | None = None
) -> dict[str, Any]:
    """Sets level, priority and assignee, none of them ever lower than before; returns what the event tells."""
    before = (item.level, item.priority, item.assigned_to)
    targets = (to,) if to is not None else step.to if step is not None else ()
    resolved = assignees.resolve(item.queue_id, targets)
    if to is not None and resolved.assignee is None:
        raise Invalid(f"The item cannot be given to {resolved.note}.")
    item.level = max(item.level, level)
    if step is not None and step.priority is not None:
        item.priority = max(item.priority, step.priority)
    if resolved.assignee is not None:
        item.assigned_to = resolved.assignee
    if (item.level, item.priority, item.assigned_to) != before:
        item.version += 1
    return {
        "level": item.level,
        "from": before[0],
        "priority": item.priority,
        "to": list(targets),
        "assigned_to": item.assigned_to,
        "note": resolved.note,
    }
