"""Taking a decision back: undo by the decider at once, reopening and recall by a lead with a reason."""

from __future__ import annotations

import secrets
from datetime import timedelta

import sqlalchemy as sa

from ..audit.events import EventType
from ..audit.trail import rfc3339
from ..errors import TooLateToUndo, WrongState
from ..queues.lanes import Purpose
from ..queues.routing import Policy
from ..transaction import Transaction
from .changing import become, drop_claim, retime, start_clock
from .claiming import Reviewer, is_held
from .models import Item, Outcome, Review
from .states import DECIDED, State, words

UNDO_SECONDS = 30


def undo(item: Item, tx: Transaction, reviewer: Reviewer, policy: Policy) -> Review:
    """Takes back the reviewer's own last review, and the decision that it led to; the item is theirs again.

    Raises TooLateToUndo after 30 s, when an app has the outcome already, or when others went on from there.
    """
    review = _undoable(item, tx, reviewer)
    review.undone_at = tx.now
    restored = _take_back_outcome(item, tx)
    if not review.adjudication:
        item.reviews_in -= 1
    back_to = State.DISPUTED if review.adjudication else State.PENDING
    item.decided_at = item.decided_by = None
    item.claim_token, item.claim_by, item.claim_name = secrets.token_urlsafe(24), reviewer.id, reviewer.name
    item.claim_since, item.claim_until = tx.now, tx.now + policy.lease
    claim = {"by": str(reviewer.id), "name": reviewer.name, "until": rfc3339(item.claim_until)}
    told = {"review": str(review.id), "outcome": restored, "claim": claim}
    if item.state == back_to:
        tx.record(item, EventType.ITEM_UNDONE, state=back_to, **told)
        item.version += 1
    else:
        become(item, tx, back_to, EventType.ITEM_UNDONE, **told)
    retime(item, policy, tx.now)
    return review


def reopen(item: Item, tx: Transaction, policy: Policy, reason: str) -> None:
    """Asks people again about a decided or expired item; its outcome stands no longer. Raises WrongState."""
    if item.state not in DECIDED and item.state != State.EXPIRED:
        raise WrongState(
            f"the item is {words(State(item.state))}; only decided and expired items are reopened"
        )
    _ask_again(item, tx, policy, EventType.ITEM_REOPENED, reason)


def recall(item: Item, tx: Transaction, policy: Policy, reason: str) -> None:
    """Asks people about an item that policy released; its outcome stands no longer. Raises WrongState."""
    if item.state != State.AUTO_ACCEPTED:
        raise WrongState(f"the item is {words(State(item.state))}; only auto-accepted items are recalled")
    _ask_again(item, tx, policy, EventType.ITEM_RECALLED, reason)


def _undoable(item: Item, tx: Transaction, reviewer: Reviewer) -> Review:
    last = tx.session.scalar(
        sa.select(Review)
        .where(Review.item_id == item.id, Review.round == item.round, Review.undone_at.is_(None))
        .order_by(Review.id.desc())
        .limit(1)
    )
    if last is None or last.person_id != reviewer.id:
        raise TooLateToUndo("you have no review here that is the last one")
    if tx.now - last.at > timedelta(seconds=UNDO_SECONDS):
        raise TooLateToUndo(f"more than {UNDO_SECONDS} seconds have passed; a lead can reopen the item")
    if item.state in (State.EXPIRED, State.WITHDRAWN):
        raise TooLateToUndo(f"the item is {words(State(item.state))}")
    if is_held(item, tx.now) and item.claim_by != reviewer.id:
        raise TooLateToUndo(f"{item.claim_name} works on the item already")
    return last


def _take_back_outcome(item: Item, tx: Transaction) -> dict[str, object] | None:
    """Removes the outcome that the review led to, if any; returns the one that stands again, as events tell it."""
    # Locked, so that a delivery which begins just now either is seen here, or finds the decision gone.
    key = (item.id, item.revision)
    outcome = tx.session.get(Outcome, key, with_for_update=True) if item.revision else None
    if item.state in DECIDED and outcome is not None and outcome.by == "person":
        if outcome.delivered_at is not None:
            raise TooLateToUndo("an app has the outcome already; a lead can reopen the item")
        tx.session.delete(outcome)
        item.revision -= 1
        released = item.purpose == Purpose.AUDIT and item.round == 1 and item.revision == 1
        item.has_outcome = released
    if not item.has_outcome:
        return None
    return {"verdict": "accept", "by": "policy", "reason": None, "revision": item.revision}


def _ask_again(item: Item, tx: Transaction, policy: Policy, event: EventType, reason: str) -> None:
    drop_claim(item)
    item.has_outcome = False
    item.round += 1
    item.reviews_in, item.level = 0, 0
    item.decided_at = item.decided_by = None
    item.snoozed_until = item.snoozed_by = None
    become(item, tx, State.PENDING, event, reason=reason, outcome=None, level=0, claim=None)
    start_clock(item, policy, tx.now)
