"""The same act on many items at once: first what will happen to which, then one operation after the other.

Each item is asked for by its own queue's roles and carries the version that was seen, so that whatever changed since
is left alone and named.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import Database
from ..errors import Forbidden, Invalid, Refusal
from ..notifications import queries as notifications
from ..people.access import Access, Action, Caller, access_of
from ..queues.lanes import Lane
from ..queues.models import Queue
from ..queues.policies import policy_of, queue_named
from ..queues.policy_document import ReasonOption
from . import operations
from .assignees import desk_of
from .deciding import Fence, Judgement
from .loaded import reviewer_of
from .models import Item, Review
from .states import State, Verdict, words

MOST = 200


class Act(StrEnum):
    """What is done with many at once. An edit is made on one item, looking at it."""

    ACCEPT = "accept"
    REJECT = "reject"
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    SNOOZE = "snooze"

    @property
    def decides(self) -> bool:
        return self in (Act.ACCEPT, Act.REJECT)


NEEDED = {
    Act.ACCEPT: Action.BULK_DECIDE,
    Act.REJECT: Action.BULK_DECIDE,
    Act.ACKNOWLEDGE: Action.ACKNOWLEDGE,
    Act.ASSIGN: Action.ASSIGN,
    Act.SNOOZE: Action.SNOOZE,
}


@dataclass(frozen=True, slots=True)
class Reasons:
    """What to choose a reason from, in one queue."""

    queue: str
    title: str
    options: Sequence[ReasonOption]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the act would do, item by item."""

    act: Act
    ready: Sequence[Item]
    """As they were seen."""
    refused: Sequence[tuple[str, str]]
    """The titles of the others, and why."""
    reasons: Sequence[Reasons] = ()
    """Of the queues that offer any for this verdict."""
    assignees: Sequence[tuple[str, int]] = ()
    """Whom the items can be given to, and how many of them."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What goes with the act."""

    reasons: dict[str, str] = field(default_factory=dict)
    """By queue, of a verdict."""
    comment: str | None = None
    to: str | None = None
    snooze_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Done:
    done: int
    refused: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class About:
    queue: Queue
    may: frozenset[Action]


def about(db: Database, caller: Caller, queue: str) -> About:
    """The queue and what the caller may do in it. Raises NoSuchQueue."""
    with db.reading() as session:
        access = access_of(session, caller)
        desk = queue_named(session, queue)
        access.require(Action.SEE, desk.id, desk.name)
        return About(desk, frozenset(action for action in Action if access.may(action, desk.id)))


def preview(db: Database, caller: Caller, chosen: Sequence[tuple[uuid.UUID, int]], act: str) -> Preview:
    """Says what would happen to each chosen item, by the version that was seen.

    Raises Invalid for an act that is not done to many, Forbidden where the caller may do it to none of them.
    """
    if act not in set(Act):
        raise Invalid("Choose what to do with the items: an edit is made on one.")
    wanted, seen = Act(act), dict(chosen)
    with db.reading() as session:
        asked = _Asked(session, access_of(session, caller), db.clock.now(), wanted)
        items = session.scalars(sa.select(Item).where(Item.id.in_(seen)).order_by(Item.id)).all()
        visible = [item for item in items if asked.access.may(Action.SEE, item.queue_id)]
        asked.require_any(visible)
        why_not = {item.id: why for item in visible if (why := asked.why_not(item, seen[item.id]))}
        ready = [item for item in visible if item.id not in why_not]
        unknown = [f"…{item_id.hex[-8:]}" for item_id in seen.keys() - {item.id for item in visible}]
        return Preview(
            wanted,
            ready,
            [(item.title, why_not[item.id]) for item in visible if item.id in why_not]
            + [(title, "is no item that you can reach") for title in unknown],
            reasons=_reasons(session, ready, wanted) if wanted.decides else (),
            assignees=_assignees(session, ready) if wanted is Act.ASSIGN else (),
        )


def carry_out(db: Database, caller: Caller, plan: Preview, orders: Orders, *, request_id: str | None) -> Done:
    """Each item by an operation of its own, with its own event; what changed meanwhile is left alone and named."""
    done, refused = 0, list(plan.refused)
    for item in plan.ready:
        try:
            _do(db, caller, item, plan.act, orders, request_id)
            done += 1
        except Refusal as refusal:
            refused.append((item.title, refusal.detail))
    return Done(done, refused)


def _do(db: Database, caller: Caller, item: Item, act: Act, orders: Orders, request_id: str | None) -> None:
    version = item.version
    if act.decides:
        said = Judgement(Verdict(act), reason=orders.reasons.get(item.queue), comment=orders.comment)
        operations.decide(db, caller, item.id, said, Fence(version=version), request_id=request_id)
    elif act is Act.ACKNOWLEDGE:
        operations.acknowledge(db, caller, item.id, version=version, request_id=request_id)
    elif act is Act.ASSIGN:
        operations.assign(
            db, caller, item.id, orders.to, orders.comment, version=version, request_id=request_id
        )
    else:
        if orders.snooze_for is None:
            raise Invalid("Choose for how long.")
        until = db.clock.now() + orders.snooze_for
        operations.snooze(db, caller, item.id, until, orders.comment, version=version, request_id=request_id)


@dataclass(slots=True)
class _Asked:
    """What deciding about the chosen items needs to know."""

    session: Session
    access: Access
    now: datetime
    act: Act

    def require_any(self, items: Sequence[Item]) -> None:
        needed = NEEDED[self.act]
        if items and not any(self.access.may(needed, item.queue_id) for item in items):
            raise Forbidden(f"Your role does not allow you to {needed.value} in any of these queues.")

    def why_not(self, item: Item, version: int) -> str | None:
        """Why it would not be done; None where nothing is known to be in its way."""
        if not self.access.may(NEEDED[self.act], item.queue_id):
            return f"is in {item.queue}, where your role does not allow it"
        if not item.is_open:
            return f"is {words(State(item.state))} already"
        if item.version != version:
            return "has changed since you saw the list"
        if self.act is Act.ACKNOWLEDGE:
            return self._not_acknowledged(item)
        if self._held_by_another(item):
            return f"is held by {item.claim_name}"
        return self._not_decided(item) if self.act.decides else None

    def _held_by_another(self, item: Item) -> bool:
        held = item.claim_until is not None and item.claim_until > self.now
        return held and item.claim_by != self.access.person_id

    def _not_acknowledged(self, item: Item) -> str | None:
        me = self.access.person_id
        if item.level == 0:
            return "has not escalated"
        if item.acknowledged_at is not None:
            return f"was acknowledged by {item.acknowledged_name} already"
        if me is None or not notifications.was_told(self.session, item.id, me, item.waiting_since):
            return "was not told to you, and only who was told acknowledges"
        return None

    def _not_decided(self, item: Item) -> str | None:
        if item.lane == Lane.STEP_ASIDE and self.act is Act.ACCEPT:
            return "is to be answered before the suggestion is seen"
        reviewer = reviewer_of(self.access, item.queue_id, policy_of(self.session, item.policy_id))
        if item.state == State.DISPUTED and not reviewer.adjudicates:
            return "waits for an adjudicator"
        mine = sa.exists().where(
            Review.item_id == item.id, Review.round == item.round, Review.person_id == reviewer.id,
            Review.undone_at.is_(None),
        )  # fmt: skip
        if item.reviews_in and self.session.scalar(sa.select(mine)):
            return "has your review already; another person's is needed"
        return None


def _reasons(session: Session, items: Sequence[Item], act: Act) -> list[Reasons]:
    queues = session.scalars(
        sa.select(Queue).where(Queue.id.in_({item.queue_id for item in items})).order_by(Queue.name)
    )
    found = []
    for queue in queues:
        options = [o for o in policy_of(session, queue.policy_id).reasons if act.value in o.verdicts]
        if options:
            found.append(Reasons(queue.name, str(queue.document["title"]), options))
    return found


def _assignees(session: Session, items: Sequence[Item]) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    for queue_id, items_there in Counter(item.queue_id for item in items).items():
        counts.update(dict.fromkeys(desk_of(session, queue_id).assignees, items_there))
    return sorted(counts.items())
