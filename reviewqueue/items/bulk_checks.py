"""What is known to be in the way of doing one act to many items, and what they look like in short."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import Json
from ..errors import Forbidden
from ..people.access import Access, Action
from ..queues.lanes import Lane
from ..queues.policies import policy_of
from . import page_queries
from .acknowledging import concerns
from .loaded import reviewer_of
from .models import Evidence, Item, Review
from .reviewing import what_is_wrong
from .states import State, words

LINE = 160
"""Characters that say of an output what it is about."""


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


@dataclass(slots=True)
class Checks:
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

    def outputs(self, items: Sequence[Item]) -> dict[uuid.UUID, Json]:
        """What the items suggest; not of those whose suggestion is to be seen after the answer."""
        shown = [item.id for item in items if item.lane != Lane.STEP_ASIDE or item.state == State.DISPUTED]
        rows = self.session.execute(
            sa.select(Evidence.item_id, Evidence.output_json).where(Evidence.item_id.in_(shown))
        )
        return {item_id: orjson.loads(output) for item_id, output in rows}

    def doubt(self, item: Item, output: Json) -> str | None:
        """What the review page, too, asks about once more before it is released."""
        if self.act is not Act.ACCEPT:
            return None
        policy, schema = (
            policy_of(self.session, item.policy_id),
            page_queries.schema_of(self.session, item.policy_id),
        )
        return what_is_wrong(policy, output, schema) or None

    def _held_by_another(self, item: Item) -> bool:
        held = item.claim_until is not None and item.claim_until > self.now
        return held and item.claim_by != self.access.person_id

    def _not_acknowledged(self, item: Item) -> str | None:
        if item.level == 0:
            return "has not escalated"
        if item.acknowledged_at is not None:
            return f"was acknowledged by {item.acknowledged_name} already"
        if not concerns(self.session, item, self.access, self.now):
            return "was neither told nor given to you, and you do not hold it"
        return None

    def _not_decided(self, item: Item) -> str | None:
        if self.act is Act.ACCEPT and any(reason["code"] == "no-output" for reason in item.reasons):
            return "has no output that could be accepted"
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


def in_short(output: Json) -> str:
    """An output in one line, cut: its members by name, a text by its beginning."""
    if isinstance(output, dict):
        # A page of 200 items must not write out a long document to cut it to one line.
        told = " · ".join(f"{name}: {_value(value)}" for name, value in islice(output.items(), 12))
    else:
        told = _value(output)
    return told if len(told) <= LINE else told[: LINE - 1].rstrip() + "…"


def _value(value: Json) -> str:
    if isinstance(value, str):
        return " ".join(value[: 4 * LINE].split())
    return "nothing" if value is None else orjson.dumps(value).decode()
