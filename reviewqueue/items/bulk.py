"""The same act on many items at once: first what will happen to which, then one operation after the other.

Each item is asked for by its own queue's roles and carries the version that was seen, so that whatever changed since
is left alone and named.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import Database
from ..errors import Invalid, Refusal
from ..people.access import Action, Caller, access_of
from ..queues.models import Queue
from ..queues.policies import policy_of, queue_named
from ..queues.policy_document import ReasonOption
from . import operations
from .assignees import desk_of
from .bulk_checks import Act, Checks, in_short
from .deciding import Fence, Judgement
from .models import Item
from .states import Verdict

MOST = 200


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
    doubted: Sequence[tuple[Item, str]] = ()
    """Left alone too, unless they are asked for once more: what speaks against releasing them unread."""
    sure: Collection[uuid.UUID] = ()
    """Of the ready, those that are released although the same speaks against it."""
    outputs: Mapping[uuid.UUID, str] = field(default_factory=dict)
    """What is decided on, in short; not of an item whose suggestion is to be seen after the answer."""
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


def preview(
    db: Database,
    caller: Caller,
    chosen: Sequence[tuple[uuid.UUID, int]],
    act: str,
    sure: Collection[uuid.UUID] = (),
) -> Preview:
    """Says what would happen to each chosen item, by the version that was seen; `sure` are those asked for once more.

    Raises Invalid for an act that is not done to many, Forbidden where the caller may do it to none of them.
    """
    if act not in set(Act):
        raise Invalid("Choose what to do with the items: an edit is made on one.")
    wanted, seen = Act(act), dict(chosen)
    with db.reading() as session:
        checks = Checks(session, access_of(session, caller), db.clock.now(), wanted)
        items = session.scalars(sa.select(Item).where(Item.id.in_(seen)).order_by(Item.id)).all()
        visible = [item for item in items if checks.access.may(Action.SEE, item.queue_id)]
        checks.require_any(visible)
        why_not = {item.id: why for item in visible if (why := checks.why_not(item, seen[item.id]))}
        possible = [item for item in visible if item.id not in why_not]
        outputs = checks.outputs(possible) if wanted.decides else {}
        doubted = {item.id: doubt for item in possible if (doubt := checks.doubt(item, outputs.get(item.id)))}
        doubts = {item_id: doubt for item_id, doubt in doubted.items() if item_id not in sure}
        unknown = [f"…{item_id.hex[-8:]}" for item_id in seen.keys() - {item.id for item in visible}]
        return Preview(
            wanted,
            [item for item in possible if item.id not in doubts],
            [(item.title, why_not[item.id]) for item in visible if item.id in why_not]
            + [(title, "is no item that you can reach") for title in unknown],
            sure=doubted.keys() - doubts.keys(),
            doubted=[(item, doubts[item.id]) for item in possible if item.id in doubts],
            outputs={item_id: in_short(output) for item_id, output in outputs.items()},
            reasons=_reasons(session, possible, wanted) if wanted.decides else (),
            assignees=_assignees(session, possible) if wanted is Act.ASSIGN else (),
        )


def carry_out(db: Database, caller: Caller, plan: Preview, orders: Orders, *, request_id: str | None) -> Done:
    """Each item by an operation of its own, with its own event; what changed meanwhile is left alone and named."""
    done, refused = 0, list(plan.refused)
    for item in plan.ready:
        try:
            _do(db, caller, item, plan, orders, request_id)
            done += 1
        except Refusal as refusal:
            refused.append((item.title, refusal.detail))
    return Done(done, refused)


def _do(
    db: Database, caller: Caller, item: Item, plan: Preview, orders: Orders, request_id: str | None
) -> None:
    version, act = item.version, plan.act
    if act.decides:
        said = Judgement(
            Verdict(act),
            reason=orders.reasons.get(item.queue),
            comment=orders.comment,
            suggestion_visible=item.id in plan.outputs,
            despite_schema=item.id in plan.sure,
        )
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
