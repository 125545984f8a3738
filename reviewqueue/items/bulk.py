"""Decisions on many items at once, by a lead: first what will happen, then one decision after the other."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from ..db import Database
from ..errors import Fault, Invalid, Refusal
from ..people.access import Action, Caller, access_of
from ..queues.lanes import Lane
from ..queues.models import Queue
from ..queues.policies import policy_of, queue_named
from ..queues.policy_document import ReasonOption
from .deciding import Fence, Judgement
from .models import Item
from .operations import decide
from .states import Verdict

MOST = 200
ALLOWED = (Verdict.ACCEPT, Verdict.REJECT)
"""An edit is made on one item, looking at it."""


@dataclass(frozen=True, slots=True)
class About:
    queue: Queue
    may: frozenset[Action]


@dataclass(frozen=True, slots=True)
class Preview:
    """What deciding would do, item by item."""

    about: About
    verdict: Verdict
    reason: str | None
    reasons: Sequence[ReasonOption]
    ready: Sequence[tuple[Item, int]]
    """The items that would be decided, with the version that was seen."""
    refused: Sequence[tuple[str, str]]
    """The titles of the others, and why."""


@dataclass(frozen=True, slots=True)
class Done:
    decided: Sequence[uuid.UUID]
    refused: Sequence[tuple[str, str]]


def about(db: Database, caller: Caller, queue: str) -> About:
    """The queue and what the caller may do in it. Raises NoSuchQueue."""
    with db.reading() as session:
        access = access_of(session, caller)
        desk = queue_named(session, queue)
        access.require(Action.SEE, desk.id, desk.name)
        return About(desk, frozenset(action for action in Action if access.may(action, desk.id)))


def preview(
    db: Database,
    caller: Caller,
    queue: str,
    chosen: Sequence[tuple[uuid.UUID, int]],
    verdict: str,
    reason: str | None,
) -> Preview:
    """Raises Forbidden for who may not bulk-decide, Invalid for a verdict that is not given to many."""
    if verdict not in ALLOWED:
        raise Invalid(
            "Many items are accepted or rejected at once; an edit is made on one.",
            faults=[Fault("/verdict", verdict)],
        )
    now = db.clock.now()
    with db.reading() as session:
        access = access_of(session, caller)
        desk = queue_named(session, queue)
        access.require(Action.BULK_DECIDE, desk.id, desk.name)
        seen = dict(chosen)
        items = session.scalars(
            sa.select(Item).where(Item.id.in_(list(seen)), Item.queue_id == desk.id)
        ).all()
        policy = policy_of(session, desk.policy_id)
        refusals = {
            item.id: why for item in items if (why := _why_not(item, seen[item.id], verdict, now, caller))
        }
        return Preview(
            about=About(desk, frozenset(action for action in Action if access.may(action, desk.id))),
            verdict=Verdict(verdict),
            reason=reason,
            reasons=[option for option in policy.reasons if verdict in option.verdicts],
            ready=[(item, seen[item.id]) for item in items if item.id not in refusals],
            refused=[(item.title, refusals[item.id]) for item in items if item.id in refusals],
        )


def decide_all(
    db: Database, caller: Caller, plan: Preview, *, comment: str | None, request_id: str | None
) -> Done:
    """Each item is a decision of its own, with its own event; what meanwhile changed is left alone and named."""
    decided: list[uuid.UUID] = []
    refused = list(plan.refused)
    judgement = Judgement(plan.verdict, reason=plan.reason, comment=comment)
    for item, version in plan.ready:
        try:
            decide(db, caller, item.id, judgement, Fence(version=version), request_id=request_id)
            decided.append(item.id)
        except Refusal as refusal:
            refused.append((item.title, refusal.detail))
    return Done(decided, refused)


def _why_not(item: Item, version: int, verdict: str, now: datetime, caller: Caller) -> str | None:
    if not item.is_open:
        return f"is {item.state.replace('_', ' ')} already"
    if item.version != version:
        return "has changed since you saw the list"
    if item.claim_until is not None and item.claim_until > now and item.claim_by != caller.person_id:
        return f"is held by {item.claim_name}"
    if item.lane == Lane.STEP_ASIDE and verdict == Verdict.ACCEPT:
        return "is to be answered before the suggestion is seen"
    return None
