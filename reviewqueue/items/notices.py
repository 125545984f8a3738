"""What people are told of an item: the words of each notice, and whom it is for.

The words may leave the house by mail or chat. They hold no evidence, no reason of routing (which may repeat evidence)
and nothing that people wrote.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from ..notifications.audience import Audience, Found
from ..notifications.telling import BY_DEFAULT, IN_APP, Kind, Subject, others, tell
from ..queues.policy import Step
from ..transaction import Transaction
from .models import Item

Told = list[dict[str, Any]]
"""Whom, and through what, as an event keeps it: {person, through}, {channel}, or {note} about who was not reached."""

_MENTION = re.compile(r"(?<![\w.@+-])@([^\s@:,;<>()\"]{1,64}@[^\s@:,;<>()\"]{1,189})")


def tell_escalated(
    item: Item, tx: Transaction, audience: Audience, step: Step, number: int, occurrence: int
) -> Told:
    """By a step of the policy, or by its repeat."""
    why = f"Nobody has decided: escalated to level {item.level}."
    if occurrence:
        why = f"Still nobody has decided: reminder {occurrence} of {step.repeat_times} on level {number}."
    found = audience.find(item.queue_id, step.to)
    return tell(tx, audience, subject_of(item), Kind.ESCALATED, why, found, step.notify)


def tell_escalated_by_hand(
    item: Item, tx: Transaction, audience: Audience, to: str | None, step: Step | None
) -> Told:
    """To who is named, and to the targets of the step, which will not fire for them any more.

    Whose claim this ends is told in the app, whoever else is told: what they work on would only fail to be saved.
    """
    named = [to] if to is not None else []
    targets = dict.fromkeys([*named, *(step.to if step is not None else ())])
    found = others(audience.find(item.queue_id, tuple(targets)), tx.actor.id)
    why = f"{tx.actor.name} escalated it to level {item.level}."
    through = step.notify if step is not None else BY_DEFAULT
    told = tell(tx, audience, subject_of(item), Kind.ESCALATED, why, found, through)
    held = others(audience.concerned(item.queue_id, (), _holder(item, tx)), tx.actor.id)
    over = f"{tx.actor.name} escalated it to level {item.level}, which ended your claim."
    return told + tell(tx, audience, subject_of(item), Kind.TAKEN_BACK, over, held, (IN_APP,))


def tell_deescalated(item: Item, tx: Transaction, audience: Audience, before: str | None) -> Told:
    """In the app, to whom it is taken from, to whom it goes, and to who holds it and goes on."""
    targets = [name for name in dict.fromkeys((before, item.assigned_to)) if name is not None]
    found = others(audience.concerned(item.queue_id, targets, _holder(item, tx)), tx.actor.id)
    whose = f"it is with {item.assigned_to} now" if item.assigned_to else "it is nobody's in particular now"
    why = f"{tx.actor.name} took it back to level {item.level}: {whose}."
    return tell(tx, audience, subject_of(item), Kind.TAKEN_BACK, why, found, (IN_APP,))


def tell_expired(item: Item, tx: Transaction, audience: Audience, verdict: str) -> Told:
    """To the queue's owner."""
    why = f"The deadline passed and nobody had decided: the fallback was released ({verdict})."
    return tell(tx, audience, subject_of(item), Kind.EXPIRED, why, audience.owner(item.queue_id))


def tell_assigned(item: Item, tx: Transaction, audience: Audience, to: str | None) -> Told:
    if to is None:
        return []
    found = others(audience.find(item.queue_id, (to,)), tx.actor.id)
    why = f"{tx.actor.name} gave it to {to}."
    return tell(tx, audience, subject_of(item), Kind.ASSIGNED, why, found)


def tell_mentioned(item: Item, tx: Transaction, audience: Audience, text: str) -> Told:
    """To everybody whom a comment names as @their@address, and who may see the item."""
    named = [found.rstrip(".!?").lower() for found in _MENTION.findall(text)]
    if not named:
        return []
    found = others(Found(audience.named_in(item.queue_id, named)), tx.actor.id)
    return tell(
        tx, audience, subject_of(item), Kind.MENTIONED, f"{tx.actor.name} mentioned you in a comment.", found
    )


def tell_answered(item: Item, tx: Transaction, audience: Audience, email: str) -> Told:
    """To whoever snoozed the item until somebody replies."""
    found = Found(audience.named_in(item.queue_id, (email,)))
    why = f"{tx.actor.name} replied: the snooze is over."
    return tell(tx, audience, subject_of(item), Kind.ANSWERED, why, found)


def _holder(item: Item, tx: Transaction) -> uuid.UUID | None:
    return item.claim_by if item.claim_until is not None and item.claim_until > tx.now else None


def subject_of(item: Item) -> Subject:
    return Subject(item.id, item.queue_id, item.queue, item.title, item.due_at)
