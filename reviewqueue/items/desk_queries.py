"""What the desk shows a person: their queues, what they hold, their drafts and their last decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ..db import Database
from ..people.access import Action, Caller, access_of
from ..queues.models import Queue
from . import page_queries, queries
from .models import Draft, Item, Review
from .reopening import UNDO_SECONDS


@dataclass(frozen=True, slots=True)
class DeskRow:
    queue: Queue
    waiting: int
    due_soon: int
    overdue: int
    escalated: int
    mine: int
    """Given to the person, or to a team of theirs."""
    with_others: int
    """Given to somebody else, and so not offered to the person."""
    may_review: bool


@dataclass(frozen=True, slots=True)
class Desk:
    rows: Sequence[DeskRow]
    held: Sequence[Item]
    drafts: Sequence[tuple[Draft, Item]]
    decisions: Sequence[tuple[Review, Item]]
    now: datetime

    def undo_until(self, review: Review) -> datetime | None:
        """While a decision of the person can still be taken back."""
        until = review.at + timedelta(seconds=UNDO_SECONDS)
        return until if until > self.now else None


def desk(db: Database, caller: Caller) -> Desk:
    """The desk of whoever calls, with the queues that they may see."""
    now = db.clock.now()
    with db.reading() as session:
        access = access_of(session, caller)
        ids = access.queue_ids_for(Action.SEE)
        found = sa.select(Queue).order_by(Queue.name)
        queues = session.scalars(found if ids is None else found.where(Queue.id.in_(ids))).all()
        counts = page_queries.waiting_by_queue(session, [queue.id for queue in queues], access.assignees, now)
        me = access.person_id
        return Desk(
            rows=[
                DeskRow(
                    queue,
                    *counts.get(queue.id, (0, 0, 0, 0, 0, 0)),
                    access.may(Action.REVIEW, queue.id),
                )
                for queue in queues
            ],
            held=queries.held_by(session, me, now) if me else (),
            drafts=queries.drafts_of(session, me) if me else (),
            decisions=queries.last_reviews_of(session, me) if me else (),
            now=now,
        )
