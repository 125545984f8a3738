"""Claims: a reviewer's lease on an item. The token fences; the lease runs out by comparison with the clock."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.dml import ReturningUpdate

from ..audit.events import EventType
from ..audit.guard import SetBased, set_based
from ..audit.models import Event
from ..audit.trail import rfc3339
from ..db import UtcDateTime
from ..errors import AlreadyReviewed, ClaimedByAnother, ClaimLost, GivenToAnother, WrongState
from ..transaction import Transaction
from .changing import drop_claim
from .models import Evidence, Item, Review, is_open
from .states import State, words


@dataclass(frozen=True, slots=True)
class Reviewer:
    """The person who claims or decides, with what the rules ask about them."""

    id: uuid.UUID
    name: str
    role: str
    assignees: tuple[str, ...]
    adjudicates: bool
    assigns: bool
    """May give items to people, and so may take one that is given to another."""


def claim_next(
    tx: Transaction, queue_id: int, reviewer: Reviewer, lease: timedelta, skip: Collection[uuid.UUID] = ()
) -> tuple[Item, Evidence] | None:
    """Claims the next item in one statement: highest level, then priority, then earliest due, then oldest."""
    token = secrets.token_urlsafe(24)
    asked = {
        "in_queue": queue_id, "person": reviewer.id, "person_name": reviewer.name, "assignees": reviewer.assignees,
        "skipped": list(skip), "token": token, "now": tx.now, "until": tx.now + lease,
    }  # fmt: skip
    item = tx.session.scalars(_claiming(reviewer.adjudicates, bool(skip)), asked).one_or_none()
    if item is None:
        return None
    first_new = item.event_seq - (1 if item.claim_lapsed else 0)
    evidence, head = tx.session.execute(_SHOWN_TO_CLAIMER, {"id": item.id, "last_seq": first_new - 1}).one()
    _tell_claimed(tx, item, first_new, head)
    return item, evidence


def claim(item: Item, tx: Transaction, reviewer: Reviewer, lease: timedelta) -> None:
    """Claims this item; who holds it already keeps the same token for another lease.

    Raises ClaimedByAnother, GivenToAnother, AlreadyReviewed, or WrongState when nobody is asked about it.
    """
    require_claimable(item, tx, reviewer)
    if item.claim_by == reviewer.id and is_held(item, tx.now):
        extend(item, tx, lease)
        return
    _record_lapse(item, tx)
    item.claim_token = secrets.token_urlsafe(24)
    item.claim_by, item.claim_name = reviewer.id, reviewer.name
    item.claim_since, item.claim_until = tx.now, tx.now + lease
    tx.record(item, EventType.ITEM_CLAIMED, **_claimed(item))


def renew(item: Item, tx: Transaction, reviewer: Reviewer, token: str | None, lease: timedelta) -> None:
    """Prolongs a claim, or takes up one that lapsed while nobody else wanted the item."""
    require_token(item, reviewer, token, tx.now)
    if not item.is_open:
        raise WrongState(f"the item is {words(State(item.state))}; nothing is left to hold")
    if item.claim_until is None:
        item.claim_until = tx.now + lease
        tx.record(item, EventType.ITEM_CLAIMED, **_claimed(item), resumed=True)
    else:
        extend(item, tx, lease)


def release(item: Item, tx: Transaction, *, skipped: bool = False) -> None:
    """Gives the item back to the queue."""
    drop_claim(item)
    tx.record(item, EventType.ITEM_CLAIM_RELEASED, claim=None, skipped=skipped)


def extend(item: Item, tx: Transaction, lease: timedelta) -> None:
    """Moves the lease's end and nothing else, which is no event."""
    until = tx.now + lease
    tx.session.execute(
        sa.update(Item)
        .where(Item.id == item.id)
        .values(claim_until=until)
        .execution_options(synchronize_session=False, **set_based(SetBased.RENEW_CLAIM))
    )
    set_committed_value(item, "claim_until", until)


def is_held(item: Item, now: datetime) -> bool:
    return item.claim_until is not None and item.claim_until > now


def require_claimable(item: Item, tx: Transaction, reviewer: Reviewer) -> None:
    """Raises the reason why this reviewer cannot have this item now."""
    if not item.is_open:
        raise WrongState(
            f"the item is {words(State(item.state))}; only pending and disputed items are claimed"
        )
    require_not_held_by_another(item, reviewer, tx.now)
    require_not_given_to_another(item, reviewer, tx.now)
    if item.state == State.DISPUTED and not reviewer.adjudicates:
        raise WrongState("the reviews of this item disagree; it waits for an adjudicator")
    require_not_reviewed(item, tx, reviewer)


def require_not_held_by_another(item: Item, reviewer: Reviewer, now: datetime) -> None:
    if is_held(item, now) and item.claim_by != reviewer.id:
        until = rfc3339(item.claim_until) if item.claim_until else None
        raise ClaimedByAnother(f"{item.claim_name} holds the item until {until}", until=until)


def require_not_given_to_another(item: Item, reviewer: Reviewer, now: datetime) -> None:
    """Who holds the item when it escalates goes on with it."""
    if item.assigned_to is None or item.assigned_to in reviewer.assignees or reviewer.assigns:
        return
    if item.claim_by != reviewer.id or not is_held(item, now):
        raise GivenToAnother(f"The item is given to {item.assigned_to}.", assigned_to=item.assigned_to)


def require_not_reviewed(item: Item, tx: Transaction, reviewer: Reviewer) -> None:
    if item.reviews_in and tx.session.scalar(sa.select(_reviewed_by(reviewer.id, item.id, item.round))):
        raise AlreadyReviewed("you have given your review of this item; another person's is needed")


def require_token(item: Item, reviewer: Reviewer, token: str | None, now: datetime) -> None:
    """Raises ClaimedByAnother when the item was re-claimed, ClaimLost when the token is not the item's."""
    if token is not None and item.claim_token == token and item.claim_by == reviewer.id:
        return
    require_not_held_by_another(item, reviewer, now)
    if item.claim_by is None:
        raise ClaimLost("Nobody holds the item: it was released, or has changed since; claim it again")
    raise ClaimLost("the claim is gone: it was released, or the item has changed since; claim the item again")


@lru_cache
def _claiming(adjudicates: bool, skips: bool) -> ReturningUpdate[Item]:
    """The statement of `claim_next`, made once: making it costs as much as running it."""
    now, until = sa.bindparam("now", type_=UtcDateTime), sa.bindparam("until", type_=UtcDateTime)
    person = sa.bindparam("person", type_=sa.Uuid)
    lapsed = Item.claim_until.is_not(None)
    return (
        sa.update(Item)
        .where(Item.id == _next_id(adjudicates, skips, now, person).scalar_subquery())
        .values(
            claim_token=sa.bindparam("token", type_=sa.String),
            claim_by=person,
            claim_name=sa.bindparam("person_name", type_=sa.String),
            claim_since=now,
            claim_until=until,
            claim_lapsed=sa.case((lapsed, Item.claim_name)),
            event_seq=Item.event_seq + sa.case((lapsed, 2), else_=1),
        )
        .returning(Item)
        .execution_options(synchronize_session=False, **set_based(SetBased.CLAIM_NEXT))
    )


def _next_id(
    adjudicates: bool, skips: bool, now: sa.BindParameter[datetime], person: sa.BindParameter[uuid.UUID]
) -> sa.Select[uuid.UUID]:
    candidate = aliased(Item)
    query = (
        sa.select(candidate.id)
        .where(
            candidate.queue_id == sa.bindparam("in_queue"),
            is_open(candidate),
            candidate.snoozed_until.is_(None),
            sa.or_(candidate.claim_until.is_(None), candidate.claim_until <= now),
            sa.or_(
                candidate.assigned_to.is_(None),
                candidate.assigned_to.in_(sa.bindparam("assignees", expanding=True)),
            ),
            sa.or_(candidate.reviews_in == 0, ~_reviewed_by(person, candidate.id, candidate.round)),
        )
        .order_by(candidate.level.desc(), candidate.priority.desc(), candidate.due_at, candidate.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if not adjudicates:
        query = query.where(candidate.state == State.PENDING)
    if skips:
        query = query.where(candidate.id.not_in(_any_of("skipped")))
    return query


def _any_of(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, expanding=True)


_SHOWN_TO_CLAIMER = (
    sa.select(Evidence, Event.hash)
    .outerjoin(Event, sa.and_(Event.item_id == Evidence.item_id, Event.item_seq == sa.bindparam("last_seq")))
    .where(Evidence.item_id == sa.bindparam("id"))
)
"""The evidence, and the hash that the claim's event continues from."""


def _reviewed_by(person_id: Any, item_id: Any, round: Any) -> sa.Exists:
    return (
        sa.exists()
        .where(
            Review.item_id == item_id,
            Review.round == round,
            Review.person_id == person_id,
            Review.undone_at.is_(None),
        )
        .correlate_except(Review)
    )


def _tell_claimed(tx: Transaction, item: Item, seq: int, head: bytes | None) -> None:
    """Records the claim that the statement made, and before it the lapse of the lease that it took over."""
    where: dict[str, Any] = {"queue": item.queue, "queue_id": item.queue_id, "item_id": item.id}
    if item.claim_lapsed:
        lapse = tx.trail.append(
            EventType.ITEM_CLAIM_EXPIRED,
            {"claim": None, "of": item.claim_lapsed},
            item_seq=seq,
            previous=head,
            **where,
        )
        head, seq = lapse.hash, seq + 1
    tx.trail.append(EventType.ITEM_CLAIMED, _claimed(item), item_seq=seq, previous=head, **where)


def _record_lapse(item: Item, tx: Transaction) -> None:
    if item.claim_until is not None:
        item.claim_until = None
        tx.record(item, EventType.ITEM_CLAIM_EXPIRED, claim=None, of=item.claim_name)


def _claimed(item: Item) -> dict[str, Any]:
    return {"claim": {"by": str(item.claim_by), "name": item.claim_name, "until": rfc3339(item.claim_until)}}  # type: ignore[arg-type]
