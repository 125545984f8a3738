"""What callers do with an item: load it, ask whether they may, call one verb, inside one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..db import Database
from ..errors import Fault, Invalid
from ..people.access import Action, Caller, access_of
from ..queues.policies import desk_named, policy_of
from ..transaction import Transaction
from . import acknowledging, claiming, deciding, escalating, handling, loaded, notices, queries, reopening
from .deciding import Fence, Judgement
from .enqueueing import Enqueued, Taken, enqueue, enqueue_batch
from .loaded import Claimed, no_such_item
from .models import Draft
from .reading import get_item, list_items, mark_delivered, wait_for_outcome
from .views import Shown

__all__ = [
    "Claimed",
    "Enqueued",
    "Fence",
    "Judgement",
    "Taken",
    "enqueue",
    "enqueue_batch",
    "get_item",
    "list_items",
    "mark_delivered",
    "no_such_item",
    "queries",
    "wait_for_outcome",
]


def claim_next(
    db: Database,
    caller: Caller,
    queue: str,
    *,
    skip: Collection[uuid.UUID] = (),
    request_id: str | None = None,
) -> Claimed | None:
    """Claims the next item of a queue for the caller; None when nothing is left for them."""
    with db.transaction(caller.actor, request_id) as tx:
        access = access_of(tx.session, caller)
        desk = desk_named(tx.session, queue)
        access.require(Action.CLAIM, desk.id, desk.name)
        policy = policy_of(tx.session, desk.policy_id)
        reviewer = loaded.reviewer_of(access, desk.id, policy)
        found = claiming.claim_next(tx, desk.id, reviewer, policy.lease, skip)
        if found is None:
            return None
        item, evidence = found
        return loaded.claimed(tx, item, evidence)


def claim(db: Database, caller: Caller, item_id: uuid.UUID, *, request_id: str | None = None) -> Claimed:
    """Claims this item. Raises ClaimedByAnother, GivenToAnother, AlreadyReviewed or WrongState."""
    with loaded.handling(db, caller, item_id, Action.CLAIM, request_id) as on:
        claiming.claim(on.item, on.tx, on.reviewer, on.policy.lease)
        return loaded.claimed(on.tx, on.item, loaded.evidence_of(on.tx, on.item))


def renew_claim(
    db: Database, caller: Caller, item_id: uuid.UUID, token: str | None, *, request_id: str | None = None
) -> Claimed:
    """Prolongs the caller's claim. Raises ClaimLost or ClaimedByAnother."""
    with loaded.handling(db, caller, item_id, Action.CLAIM, request_id) as on:
        claiming.renew(on.item, on.tx, on.reviewer, token, on.policy.lease)
        return loaded.claimed(on.tx, on.item, loaded.evidence_of(on.tx, on.item))


def release_claim(
    db: Database,
    caller: Caller,
    item_id: uuid.UUID,
    token: str | None,
    *,
    skipped: bool = False,
    request_id: str | None = None,
) -> None:
    """Gives an item back: one's own by its token, another's as a lead, without."""
    with loaded.handling(db, caller, item_id, Action.CLAIM, request_id) as on:
        others = token is None and on.item.claim_by is not None and on.item.claim_by != caller.person_id
        if others:
            on.access.require(Action.RELEASE_OTHERS_CLAIM, on.item.queue_id, on.item.queue)
        else:
            claiming.require_token(on.item, on.reviewer, token, on.tx.now)
        claiming.release(on.item, on.tx, skipped=skipped)


def decide(
    db: Database,
    caller: Caller,
    item_id: uuid.UUID,
    said: Judgement,
    fence: Fence,
    *,
    request_id: str | None = None,
) -> Shown:
    """Gives the caller's verdict; see deciding.decide for what is refused."""
    with loaded.handling(db, caller, item_id, Action.REVIEW, request_id) as on:
        evidence = loaded.evidence_of(on.tx, on.item)
        draft = on.tx.session.get(Draft, (item_id, on.reviewer.id))
        if draft is not None:
            said = replace(said, draft_edits=draft.edits, answered_json=draft.answered_json)
            on.tx.session.delete(draft)
        deciding.decide(on.item, on.tx, on.reviewer, on.policy, evidence, said, fence)
        return loaded.shown(on.tx, on.item)


def undo(db: Database, caller: Caller, item_id: uuid.UUID, *, request_id: str | None = None) -> Claimed:
    """Takes back the caller's last review of the item within 30 s; the item is theirs again."""
    with loaded.handling(db, caller, item_id, Action.REVIEW, request_id) as on:
        review = reopening.undo(on.item, on.tx, on.reviewer, on.policy)
        claimed = loaded.claimed(on.tx, on.item, loaded.evidence_of(on.tx, on.item))
        kept = on.tx.session.get(Draft, (item_id, on.reviewer.id))
        content = {**_as_draft(review), **({"text": kept.content.get("text")} if kept else {})}
        if any(content.values()):
            _keep_draft(on.tx, item_id, on.reviewer.id, content)
        return claimed


def reopen(
    db: Database, caller: Caller, item_id: uuid.UUID, reason: str, *, request_id: str | None = None
) -> Shown:
    with loaded.handling(db, caller, item_id, Action.REOPEN, request_id) as on:
        reopening.reopen(on.item, on.tx, on.policy, reason)
        return loaded.shown(on.tx, on.item)


def recall(
    db: Database, caller: Caller, item_id: uuid.UUID, reason: str, *, request_id: str | None = None
) -> Shown:
    with loaded.handling(db, caller, item_id, Action.RECALL, request_id) as on:
        reopening.recall(on.item, on.tx, on.policy, reason)
        return loaded.shown(on.tx, on.item)


def withdraw(
    db: Database,
    caller: Caller,
    item_id: uuid.UUID,
    reason: str | None = None,
    *,
    request_id: str | None = None,
) -> Shown:
    with loaded.handling(db, caller, item_id, Action.WITHDRAW, request_id) as on:
        handling.withdraw(on.item, on.tx, on.policy, reason)
        return loaded.shown(on.tx, on.item)


def snooze(
    db: Database,
    caller: Caller,
    item_id: uuid.UUID,
    until: datetime,
    reason: str | None = None,
    *,
    until_reply: bool = False,
    version: int | None = None,
    request_id: str | None = None,
) -> Shown:
    """Puts the item aside until a time; with `until_reply`, or until a comment by anybody but the caller."""
    with loaded.handling(db, caller, item_id, Action.SNOOZE, request_id, version) as on:
        claiming.require_not_held_by_another(on.item, on.reviewer, on.tx.now)
        claiming.require_not_given_to_another(on.item, on.reviewer, on.tx.now)
        who = caller.email if until_reply else None
        handling.snooze(on.item, on.tx, on.policy, until, reason, until_reply_to=who)
        return loaded.shown(on.tx, on.item)


def escalate(
    db: Database,
    caller: Caller,
    item_id: uuid.UUID,
    reason: str,
    to: str | None = None,
    *,
    request_id: str | None = None,
) -> Shown:
    """Raises the item's level by one, to whom the policy's step of that level names, or to whom a lead says.

    Raises ClaimedByAnother where somebody else holds the item, unless a lead asks, and Forbidden for a `to` of who
    may assign nothing: else escalating would be a way to take an item from whoever works on it.
    """
    with loaded.handling(db, caller, item_id, Action.ESCALATE, request_id) as on:
        if not on.access.may(Action.RELEASE_OTHERS_CLAIM, on.item.queue_id):
            claiming.require_not_held_by_another(on.item, on.reviewer, on.tx.now)
        if to is not None:
            on.access.require(Action.ASSIGN, on.item.queue_id, on.item.queue)
        escalating.escalate_by_hand(on.item, on.tx, on.policy, on.assignees, reason=reason, to=to)
        return loaded.shown(on.tx, on.item)


def deescalate(
    db: Database, caller: Caller, item_id: uuid.UUID, reason: str, *, request_id: str | None = None
) -> Shown:
    """Takes the item back by one level. Raises WrongState on level 0."""
    with loaded.handling(db, caller, item_id, Action.DEESCALATE, request_id) as on:
        escalating.deescalate(on.item, on.tx, on.policy, on.assignees, reason=reason)
        return loaded.shown(on.tx, on.item)


def acknowledge(
    db: Database,
    caller: Caller,
    item_id: uuid.UUID,
    *,
    version: int | None = None,
    request_id: str | None = None,
) -> Shown:
    """Says that the caller, who was told or has the item, is on it: stops the reminders of the present step."""
    with loaded.handling(db, caller, item_id, Action.ACKNOWLEDGE, request_id, version) as on:
        acknowledging.acknowledge(on.item, on.tx, on.policy, on.access)
        return loaded.shown(on.tx, on.item)


def assign(
    db: Database,
    caller: Caller,
    item_id: uuid.UUID,
    to: str | None,
    reason: str | None = None,
    *,
    version: int | None = None,
    request_id: str | None = None,
) -> Shown:
    """Gives the item to a person or team with a role in the queue. Raises Invalid for anybody else."""
    with loaded.handling(db, caller, item_id, Action.ASSIGN, request_id, version) as on:
        if to is not None:
            _require_assignee(on, to)
        told = notices.tell_assigned(on.item, on.tx, on.assignees.audience, to)
        handling.assign(on.item, on.tx, on.policy, to, reason, told=told)
        return loaded.shown(on.tx, on.item)


def comment(
    db: Database, caller: Caller, item_id: uuid.UUID, text: str, *, request_id: str | None = None
) -> Shown:
    with loaded.handling(db, caller, item_id, Action.COMMENT, request_id) as on:
        audience = on.assignees.audience
        handling.comment(on.item, on.tx, text, told=notices.tell_mentioned(on.item, on.tx, audience, text))
        waiting = on.item.snoozed_by
        if waiting is not None and on.item.is_open and waiting != caller.email:
            told = notices.tell_answered(on.item, on.tx, audience, waiting)
            handling.wake_by_reply(on.item, on.tx, on.policy, told)
        return loaded.shown(on.tx, on.item)


def save_draft(
    db: Database, caller: Caller, item_id: uuid.UUID, content: dict[str, Any], *, answered: str | None = None
) -> None:
    """Keeps what the caller typed. Needs no claim: typed work outlives it. `answered`: in step_aside, as JSON."""
    with loaded.handling(db, caller, item_id, Action.REVIEW, None) as on:
        _keep_draft(on.tx, item_id, on.reviewer.id, content, answered=answered)


def drop_draft(db: Database, caller: Caller, item_id: uuid.UUID) -> None:
    """Forgets what the caller typed, as it says nothing any more. In step_aside, who has answered stays so."""
    with loaded.handling(db, caller, item_id, Action.REVIEW, None) as on:
        draft = on.tx.session.get(Draft, (item_id, on.reviewer.id))
        if draft is not None and draft.answered_at is None:
            on.tx.session.delete(draft)


def _require_assignee(on: loaded.Handling, to: str) -> None:
    resolved = on.assignees.resolve(on.item.queue_id, (to,))
    if resolved.assignee is None:
        raise Invalid("The item cannot be given to them.", faults=[Fault("/to", resolved.note or to)])


def _keep_draft(
    tx: Transaction,
    item_id: uuid.UUID,
    person_id: uuid.UUID,
    content: dict[str, Any],
    *,
    answered: str | None = None,
) -> None:
    draft = tx.session.get(Draft, (item_id, person_id))
    if draft is None:
        draft = Draft(item_id=item_id, person_id=person_id, content=content, edits=1, updated_at=tx.now)
        tx.session.add(draft)
    if draft.content != content:
        draft.content, draft.edits = content, draft.edits + 1
    if answered is not None:
        draft.answered_at = tx.now
        draft.answered_json = draft.answered_json or answered
    draft.updated_at = tx.now


def _as_draft(review: Any) -> dict[str, Any]:
    return {"reason": review.reason, "comment": review.comment, "output_json": review.output_json}
