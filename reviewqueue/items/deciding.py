"""Verdicts: a review is checked and kept, and once enough of them agree, or an adjudicator speaks, it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from ..audit.events import EventType
from ..canonical import sha256_of
from ..db import Json
from ..errors import AlreadyDecided, Fault, Invalid, PreconditionRequired, Stale, WrongState
from ..queues.lanes import Purpose
from ..queues.routing import Policy
from ..queues.schemas import faults_of
from ..transaction import Transaction
from .changing import become, drop_claim, issue_outcome, retime
from .claiming import (
    Reviewer,
    require_not_given_to_another,
    require_not_held_by_another,
    require_not_reviewed,
    require_token,
)
from .differences import patch
from .models import Evidence, Item, Review
from .states import DECIDED, DECIDED_BY_VERDICT, State, Verdict, words

DECISION_EVENTS = {
    State.ACCEPTED: EventType.ITEM_ACCEPTED,
    State.EDITED: EventType.ITEM_EDITED,
    State.REJECTED: EventType.ITEM_REJECTED,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a reviewer says about an item, and what was on their screen."""

    verdict: Verdict
    output: Json = None
    """The whole output as it should be; of an edit alone."""
    reason: str | None = None
    comment: str | None = None
    suggestion_visible: bool = True
    draft_edits: int = 0
    answered_json: str | None = None
    """In step_aside: the first answer, given before the suggestion was seen."""
    despite_schema: bool = False
    """Said on purpose: release the suggestion although it is missing or breaks the queue's schema."""


@dataclass(frozen=True, slots=True)
class Fence:
    """What proves that the reviewer saw the item as it is: the claim's token, or the version."""

    token: str | None = None
    version: int | None = None


def decide(
    item: Item,
    tx: Transaction,
    reviewer: Reviewer,
    policy: Policy,
    evidence: Evidence,
    said: Judgement,
    fence: Fence,
) -> Review:
    """Keeps the review, and decides the item where it settles it.

    Raises PreconditionRequired, Stale, ClaimLost, ClaimedByAnother, GivenToAnother, AlreadyDecided, WrongState,
    AlreadyReviewed, or Invalid when the judgement breaks the queue's rules.
    """
    require_decidable(item, tx, reviewer, fence)
    require_valid(said, policy, evidence)
    review = _review(item, tx, reviewer, evidence, said)
    drop_claim(item)
    if review.adjudication or policy.reviews_needed == 1:
        _settle(item, tx, policy, review)
    elif item.reviews_in < policy.reviews_needed:
        item.version += 1
        retime(item, policy, tx.now)
    elif _agree(reviews := _round(tx, item)):
        _settle(item, tx, policy, review)
    else:
        become(item, tx, State.DISPUTED, EventType.ITEM_DISPUTED, verdicts=[r.verdict for r in reviews])
        retime(item, policy, tx.now)
    return review


def require_decidable(item: Item, tx: Transaction, reviewer: Reviewer, fence: Fence) -> None:
    """Raises unless the reviewer may decide now what they saw."""
    if fence.token is None and fence.version is None:
        raise PreconditionRequired(
            "send the claim's token as `claim_token`, or the version you saw as If-Match"
        )
    if item.state in DECIDED or item.state == State.EXPIRED:
        raise AlreadyDecided(f"the item is {words(State(item.state))} already; a lead can reopen it")
    if not item.is_open:
        raise WrongState(f"the item is {words(State(item.state))}; nobody is asked about it")
    if fence.token is not None:
        require_token(item, reviewer, fence.token, tx.now)
    else:
        require_not_held_by_another(item, reviewer, tx.now)
        require_not_given_to_another(item, reviewer, tx.now)
    if fence.version is not None and fence.version != item.version:
        raise Stale(f"the item is at version {item.version}; look at it again and decide on that")
    if item.state == State.DISPUTED and not reviewer.adjudicates:
        raise WrongState("the reviews of this item disagree; it waits for an adjudicator")
    require_not_reviewed(item, tx, reviewer)


def require_valid(said: Judgement, policy: Policy, evidence: Evidence) -> None:
    """Raises Invalid when an output breaks the schema, or a reason is unknown or missing.

    Where the queue has reasons for a reject, a reject needs one; an edit shows by itself what was wrong.
    """
    faults: list[Fault] = []
    if said.verdict is Verdict.EDIT and policy.validator is not None:
        faults.extend(faults_of(policy.validator, said.output))
    known = policy.reason_codes_for(said.verdict)
    if said.reason is not None and policy.reasons and said.reason not in known:
        faults.append(
            Fault("/reason", f"is not a reason for {said.verdict}; there are: {', '.join(known) or 'none'}")
        )
    if said.reason is None and said.verdict is Verdict.REJECT and known:
        faults.append(Fault("/reason", f"is required to reject; one of: {', '.join(known)}"))
    if faults:
        raise Invalid("The decision does not fit the queue's rules.", faults=faults)
    if (
        said.verdict is Verdict.ACCEPT
        and not said.despite_schema
        and (unfit := unfit_to_accept(evidence.output, policy))
    ):
        raise Invalid(
            "The suggestion is missing or breaks the queue's schema: edit or reject it, or say `despite_schema` to "
            "release it as it is.",
            faults=unfit,
        )


def unfit_to_accept(suggested: Json, policy: Policy) -> tuple[Fault, ...]:
    """What speaks against releasing a suggestion: it breaks the queue's schema, or is none where none would do."""
    if policy.validator is not None:
        return faults_of(policy.validator, suggested)
    return (Fault("/output", "is missing: the model gave none"),) if suggested is None else ()


def _review(item: Item, tx: Transaction, reviewer: Reviewer, evidence: Evidence, said: Judgement) -> Review:
    edited = said.verdict is Verdict.EDIT
    stands_for = said.output if edited else evidence.output
    review = Review(
        id=uuid7(),
        item_id=item.id,
        round=item.round,
        person_id=reviewer.id,
        role=reviewer.role,
        adjudication=item.state == State.DISPUTED,
        verdict=said.verdict.value,
        output_json=orjson.dumps(said.output).decode() if edited else None,
        output_hash=None if said.verdict is Verdict.REJECT else sha256_of(stands_for),
        reason=said.reason,
        comment=said.comment,
        seconds=(tx.now - item.claim_since).total_seconds() if item.claim_since else None,
        draft_edits=said.draft_edits,
        suggestion_visible=said.suggestion_visible,
        at=tx.now,
    )
    if not review.adjudication:
        item.reviews_in += 1
    tx.session.add(review)
    tx.record(item, EventType.ITEM_REVIEWED, **_told(item, review, evidence, said))
    return review


def _told(item: Item, review: Review, evidence: Evidence, said: Judgement) -> dict[str, Any]:
    told: dict[str, Any] = {
        "review": str(review.id),
        "round": review.round,
        "role": review.role,
        "adjudication": review.adjudication,
        "verdict": review.verdict,
        "reason": review.reason,
        "comment": review.comment,
        "seconds": review.seconds,
        "draft_edits": review.draft_edits,
        "seen": {"evidence_hash": item.evidence_hash.hex(), "suggestion_visible": review.suggestion_visible},
        "output_hash": review.output_hash.hex() if review.output_hash else None,
        "claim": None,
    }
    if said.answered_json is not None:
        told["answered_first"] = _answered_first(orjson.loads(said.answered_json), evidence.output)
    if said.despite_schema:
        told["despite_schema"] = True
    if said.verdict is Verdict.EDIT:
        told["difference"] = patch(evidence.output, said.output)
    return told


def _answered_first(answer: Json, suggested: Json) -> dict[str, Any]:
    """What tells whether seeing the suggestion changed the person's mind. The content is told as an edit's is."""
    difference = patch(suggested, answer)
    told = {"output_hash": sha256_of(answer).hex(), "equals_suggestion": not difference}
    return told | ({"difference": difference} if difference else {})


def _round(tx: Transaction, item: Item) -> Sequence[Review]:
    return tx.session.scalars(
        sa.select(Review)
        .where(
            Review.item_id == item.id,
            Review.round == item.round,
            Review.undone_at.is_(None),
            Review.adjudication.is_(False),
        )
        .order_by(Review.id)
    ).all()


def _agree(reviews: Sequence[Review]) -> bool:
    """Whether all stand for the same output, or all reject."""
    return len({r.output_hash for r in reviews}) == 1


def _settle(item: Item, tx: Transaction, policy: Policy, review: Review) -> None:
    """The review's verdict becomes the item's decision."""
    verdict = Verdict(review.verdict)
    item.decided_at, item.decided_by = tx.now, review.person_id
    item.snoozed_until = item.snoozed_by = None
    outcome = None
    corrected = item.revision > 0
    if not (item.purpose == Purpose.AUDIT and item.has_outcome and verdict is Verdict.ACCEPT):
        outcome = issue_outcome(
            item,
            tx,
            verdict=verdict,
            by="person",
            output=review.output_json.encode() if review.output_json is not None else None,
            reason=review.reason,
            comment=review.comment,
        )
    told = {"outcome": outcome} if outcome else {}
    state = DECIDED_BY_VERDICT[verdict]
    become(item, tx, state, DECISION_EVENTS[state], verdict=verdict, reason=review.reason, claim=None, **told)
    if outcome and corrected:
        tx.record(item, EventType.ITEM_CORRECTED, outcome=outcome)
    retime(item, policy, tx.now)
