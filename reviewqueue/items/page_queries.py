"""What the pages ask beyond the item itself: what its confidence has meant here, precedents, counts, names."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from ..audit.events import EventType
from ..audit.models import Event
from ..people.models import Person
from ..queues.models import PolicyVersion
from .differences import Change, changes
from .models import Draft, Evidence, Item, Outcome, Review, is_open
from .reopening import UNDO_SECONDS
from .states import DECIDED, State

DECIDING = frozenset(
    {
        EventType.ITEM_REVIEWED, EventType.ITEM_DISPUTED, EventType.ITEM_ACCEPTED, EventType.ITEM_EDITED,
        EventType.ITEM_REJECTED, EventType.ITEM_CORRECTED,
    }
)  # fmt: skip
"""What a decision leaves in the trail, last."""
BANDS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
MEMORY = timedelta(days=90)
COUNTED_AT_MOST = 1_000
MEANS_SOMETHING = 5
"""Decisions below which a share would say more than is known."""
LOOKED_THROUGH = 120
"""Latest decisions among which the ones most alike are sought: bounded, so that the page stays fast."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What people did with items of the same queue and band of confidence."""

    low: float
    high: float
    changed: int
    decided: int

    @property
    def says_something(self) -> bool:
        return self.decided >= MEANS_SOMETHING

    @property
    def share(self) -> float:
        return self.changed / self.decided


@dataclass(frozen=True, slots=True)
class Precedent:
    """A decision on an item that is much alike."""

    item_id: uuid.UUID
    title: str
    state: str
    by: str
    at: datetime
    changes: tuple[Change, ...]
    reason: str | None


def meaning_of_confidence(session: Session, item: Item, now: datetime) -> Meaning | None:
    """None without a confidence, or where people have decided nothing in its band for 90 days."""
    if item.confidence is None:
        return None
    low, high = band_of(item.confidence)
    upper = Item.confidence <= high if high == 1.0 else Item.confidence < high
    changed = sa.func.sum(sa.case((Item.state != State.ACCEPTED, 1), else_=0))
    row = session.execute(
        sa.select(sa.func.count(), changed).where(
            Item.queue_id == item.queue_id,
            Item.decided_at > now - MEMORY,
            Item.state.in_(DECIDED),
            Item.confidence >= low,
            upper,
            Item.id != item.id,
        )
    ).one()
    return Meaning(low, high, int(row[1]), row[0]) if row[0] else None


def band_of(confidence: float) -> tuple[float, float]:
    """The band that a confidence lies in: half-open, but for the last."""
    index = max(i for i, edge in enumerate(BANDS[:-1]) if confidence >= edge)
    return BANDS[index], BANDS[index + 1]


def precedents(session: Session, item: Item, evidence: Evidence, limit: int = 3) -> list[Precedent]:
    """The latest decisions by people on the items most alike: in words of the evidence, flags and tags."""
    theirs = aliased(Evidence)
    words = sa.func.substr(theirs.search_text, 1, 400)
    latest = (
        sa.select(Item.id, Item.flags, Item.tags, words.label("words"))
        .join(theirs, theirs.item_id == Item.id)
        .where(Item.queue_id == item.queue_id, Item.decided_at.is_not(None), Item.state.in_(DECIDED))
        .where(Item.id != item.id)
        .order_by(Item.decided_at.desc())
        .limit(LOOKED_THROUGH)
    )
    own = _features(evidence.search_text[:400], item.flags, item.tags)
    scored = [
        (_alike(own, _features(row.words, row.flags, row.tags)), row.id) for row in session.execute(latest)
    ]
    best = [item_id for score, item_id in sorted(scored, key=lambda found: -found[0])[:limit] if score > 0]
    return _told(session, best) if best else []


def open_counts(session: Session, queue_id: int) -> dict[str | None, int]:
    """How many items of a queue wait for people, by whom they are given to, if to anybody.

    Counted to a thousand: the page must not pay for a million.
    """
    some = (
        sa.select(Item.assigned_to)
        .where(Item.queue_id == queue_id, is_open(Item))
        .limit(COUNTED_AT_MOST)
        .subquery()
    )
    rows = session.execute(sa.select(some.c.assigned_to, sa.func.count()).group_by(some.c.assigned_to))
    return {row[0]: row[1] for row in rows}


def waiting_by_queue(
    session: Session, queue_ids: Collection[int], assignees: Collection[str], now: datetime
) -> dict[int, tuple[int, int, int, int, int, int]]:
    """For each queue with open items: waiting, due within the hour, overdue, escalated, given to these, to others."""
    marks = (
        sa.and_(Item.due_at > now, Item.due_at <= now + timedelta(hours=1)),
        Item.due_at <= now,
        Item.level > 0,
        Item.assigned_to.in_(assignees),
        Item.assigned_to.not_in(assignees),
    )
    rows = session.execute(
        sa.select(
            Item.queue_id, sa.func.count(), *(sa.func.sum(sa.case((mark, 1), else_=0)) for mark in marks)
        )
        .where(Item.queue_id.in_(queue_ids), is_open(Item))
        .group_by(Item.queue_id)
    )
    return {row[0]: (row[1], *(int(row[n]) for n in range(2, 7))) for row in rows}


def draft_of(session: Session, item_id: uuid.UUID, person_id: uuid.UUID) -> Draft | None:
    return session.get(Draft, (item_id, person_id))


def undoable(session: Session, person_id: uuid.UUID, now: datetime) -> tuple[Review, Item] | None:
    """The person's last review, while it may still be taken back and nothing else was done since.

    After a snooze or an undo, one more undo would silently take back what nobody is thinking of any more.
    """
    since = now - timedelta(seconds=UNDO_SECONDS)
    row = session.execute(
        sa.select(Review, Item)
        .join(Item, Item.id == Review.item_id)
        .where(Review.person_id == person_id, Review.undone_at.is_(None), Review.at >= since)
        .order_by(Review.at.desc(), Review.id.desc())
        .limit(1)
    ).first()
    if row is None or _last_act(session, person_id, since) != row[1].id:
        return None
    return row[0], row[1]


def _last_act(session: Session, person_id: uuid.UUID, since: datetime) -> uuid.UUID | None:
    """The item that the person decided, if that was the last thing they did; the claim of the next one is no act."""
    last = session.execute(
        sa.select(Event.item_id, Event.type)
        .where(Event.actor_kind == "person", Event.actor_id == str(person_id), Event.at >= since)
        .where(Event.item_id.is_not(None), Event.type != EventType.ITEM_CLAIMED)
        .order_by(Event.at.desc(), Event.id.desc())
        .limit(1)
    ).first()
    return last.item_id if last and last.type in DECIDING else None


def names_of(session: Session, person_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = session.execute(sa.select(Person.id, Person.name).where(Person.id.in_(person_ids)))
    return {row.id: row.name for row in rows}


_schemas: dict[uuid.UUID, dict[str, Any] | None] = {}
_schemas_lock = Lock()


def schema_of(session: Session, policy_id: uuid.UUID) -> dict[str, Any] | None:
    """The output schema of a policy version as it was written; kept, since versions never change."""
    if policy_id not in _schemas:
        document = session.execute(
            sa.select(PolicyVersion.document).where(PolicyVersion.id == policy_id)
        ).scalar_one()
        with _schemas_lock:
            if len(_schemas) > 2_000:
                _schemas.clear()
            _schemas[policy_id] = document.get("output_schema")
            return _schemas[policy_id]
    return _schemas[policy_id]


@lru_cache(maxsize=1)
def _word() -> re.Pattern[str]:
    return re.compile(r"\w{2,}")


def _features(words: str, flags: Any, tags: Any) -> frozenset[str]:
    named = {f"flag:{flag}" for flag in flags or ()} | {
        f"tag:{key}={value}" for key, value in (tags or {}).items()
    }
    return frozenset(_word().findall(words)) | named


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard's index of what the two have in common."""
    return len(one & other) / len(one | other) if one or other else 0.0


def _told(session: Session, item_ids: list[uuid.UUID]) -> list[Precedent]:
    standing = sa.and_(Outcome.item_id == Item.id, Outcome.revision == Item.revision)
    rows = session.execute(
        sa.select(Item, Outcome, Evidence.output_json, Person.name)
        .join(Outcome, standing)
        .join(Evidence, Evidence.item_id == Item.id)
        .outerjoin(Person, Person.id == Item.decided_by)
        .where(Item.id.in_(item_ids))
    )
    by_id = {row[0].id: _precedent(*row) for row in rows}
    return [by_id[item_id] for item_id in item_ids if item_id in by_id]


def _precedent(item: Item, outcome: Outcome, suggested: str, by: str | None) -> Precedent:
    edited = item.state == State.EDITED and outcome.output_json is not None
    found = changes(orjson.loads(suggested), orjson.loads(outcome.output_json or "null")) if edited else []
    return Precedent(
        item.id,
        item.title,
        item.state,
        by or "a person",
        item.decided_at or outcome.decided_at,
        tuple(found),
        outcome.reason,
    )
