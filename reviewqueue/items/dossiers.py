"""Reads all that a page shows of one item, for one viewer, in one session."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.orm import Session

from ..audit.queries import trail_of
from ..db import Database, Json
from ..notifications import queries as notifications
from ..people.access import Access, Action, Caller, access_of
from ..people.models import Role
from ..queues.lanes import Lane
from ..queues.models import Queue
from ..queues.policies import policy_of
from ..queues.routing import Policy, Routing
from . import page_queries
from .acknowledging import concerns
from .handling import ends_before
from .loaded import no_such_item
from .models import Draft, Evidence, Item, Outcome, Review
from .page_queries import Meaning, Precedent
from .queries import reviews_of
from .reopening import UNDO_SECONDS
from .rerouting import rerouted
from .snoozing import Choice, choices
from .states import State
from .telling import Told, tell_all
from .whys import Why, whys


@dataclass(frozen=True, slots=True)
class Dossier:
    """One item as one person may see it."""

    item: Item
    queue: Queue
    policy: Policy
    schema: dict[str, Any] | None
    evidence: Evidence
    outcome: Outcome | None
    reviews: Sequence[Review]
    names: dict[uuid.UUID, str]
    trail: list[Told]
    draft: Draft | None
    meaning: Meaning | None
    precedents: list[Precedent]
    may: frozenset[Action]
    reached: Sequence[notifications.Told]
    """Who was told of it, and whether it arrived; the newest first."""
    can_acknowledge: bool
    """Whether there is an escalation for the viewer to acknowledge, and nobody has."""
    in_force: Policy
    """Another than the item's, where one was published since."""
    blind: bool
    """Others' reviews are kept from this viewer until the item is decided."""
    now: datetime

    @property
    def hides_suggestion(self) -> bool:
        """In `step_aside` a reviewer answers first and sees the suggestion after."""
        return (
            self.item.lane == Lane.STEP_ASIDE
            and self.item.state == State.PENDING
            and self.evidence.output is not None
            and Action.REVIEW in self.may
            and not (self.draft and self.draft.answered_at)
        )

    @property
    def output(self) -> Json:
        """What the app may act on, where there is an outcome with one."""
        if self.outcome is None:
            return None
        own = self.evidence.output_json if self.outcome.verdict == "accept" else self.outcome.output_json
        return None if own is None else orjson.loads(own)

    @property
    def snoozes(self) -> list[Choice]:
        return choices(ends_before(self.item), self.now)

    @property
    def today(self) -> Routing:
        """Where the policy in force would send it, if it came now."""
        return rerouted(self.in_force, self.queue, self.item, self.evidence)

    @property
    def comments(self) -> list[Told]:
        return [told for told in self.trail if told.type == "item.commented"]

    @property
    def whys(self) -> list[Why]:
        return whys(self.item.reasons, self.item.flags)

    def reasons_for(self, verdict: str) -> list[Any]:
        return [reason for reason in self.policy.reasons if verdict in reason.verdicts]

    def can_undo(self, person_id: uuid.UUID | None) -> bool:
        standing = [review for review in self.reviews if review.undone_at is None]
        if not standing or standing[-1].person_id != person_id:
            return False
        return (self.now - standing[-1].at).total_seconds() <= UNDO_SECONDS


def dossier(db: Database, caller: Caller, item_id: uuid.UUID) -> Dossier:
    """Raises NoSuchItem for one that is not there or out of the caller's reach."""
    with db.reading() as session:
        item = session.get(Item, item_id)
        access = access_of(session, caller)
        if item is None or not access.may(Action.SEE, item.queue_id):
            raise no_such_item(item_id)
        return _read(session, access, item, db.clock.now())


def _read(session: Session, access: Access, item: Item, now: datetime) -> Dossier:
    evidence, queue = session.get_one(Evidence, item.id), session.get_one(Queue, item.queue_id)
    policy = policy_of(session, item.policy_id)
    me = access.person_id
    blind = policy.blind and item.is_open and access.role_in(item.queue_id) is Role.REVIEWER
    reviews = reviews_of(session, item.id) if item.reviews_in or item.round > 1 or not item.is_open else ()
    seen = [review for review in reviews if not blind or review.person_id == me]
    return Dossier(
        item=item,
        queue=queue,
        policy=policy,
        schema=page_queries.schema_of(session, item.policy_id),
        evidence=evidence,
        outcome=session.get(Outcome, (item.id, item.revision)) if item.has_outcome else None,
        reviews=seen,
        names=page_queries.names_of(session, {review.person_id for review in seen}) if seen else {},
        trail=tell_all(trail_of(session, item.id), str(me) if me else None, blind_to_others=blind),
        draft=page_queries.draft_of(session, item.id, me) if me else None,
        meaning=page_queries.meaning_of_confidence(session, item, now),
        precedents=page_queries.precedents(session, item, evidence),
        reached=notifications.told_about(session, [item.id]).get(item.id, ()),
        can_acknowledge=_can_acknowledge(session, item, access, now),
        may=frozenset(action for action in Action if access.may(action, item.queue_id)),
        in_force=policy_of(session, queue.policy_id),
        blind=blind,
        now=now,
    )


def _can_acknowledge(session: Session, item: Item, access: Access, now: datetime) -> bool:
    if not item.is_open or item.level == 0 or item.acknowledged_at is not None:
        return False
    return concerns(session, item, access, now)
