"""Reading the trail: one item's events, and the feed of all events in commit order."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from .events import EventType
from .models import Event, EventContent, EventPosition

SAID_IN_REVIEWS = frozenset({EventType.ITEM_REVIEWED, EventType.ITEM_DISPUTED})

EventDict: TypeAlias = dict[str, Any]
"""An event as the contract writes it."""


@dataclass(frozen=True, slots=True)
class FeedPage:
    events: list[EventDict]
    next: int
    """What the reader sends as `after` next time."""


def trail_of(
    session: Session, item_id: uuid.UUID, *, after: int = 0, limit: int | None = None
) -> list[EventDict]:
    """The item's events behind the `after`th, oldest first; empty for an item that never was."""
    rows = session.execute(
        sa.select(EventPosition.position, EventContent.body, Event.hash)
        .select_from(Event)
        .join(EventContent, EventContent.event_id == Event.id)
        .outerjoin(EventPosition, EventPosition.event_id == Event.id)
        .where(Event.item_id == item_id, Event.item_seq > after)
        .order_by(Event.item_seq)
        .limit(limit)
    )
    return [event_dict(position, body, hash_) for position, body, hash_ in rows]


def blinded(events: list[EventDict], reader: str | None) -> list[EventDict]:
    """A trail without what others than the reader (an actor's id) said in their reviews."""
    return [
        {**event, "data": {"withheld": "until the item is decided"}}
        if event["type"] in SAID_IN_REVIEWS and event["actor"]["id"] != reader
        else event
        for event in events
    ]


def without_what_is_of_no_queue(events: list[EventDict]) -> list[EventDict]:
    """Events of which those of no queue tell no more than their place, type and time."""
    nobody = {"id": None, "name": ""}
    return [
        event
        if event["queue"] is not None
        else {
            **event,
            "actor": {**event["actor"], **nobody},
            "data": {"withheld": "from all but admins and auditors"},
            "request_id": None,
        }
        for event in events
    ]


def feed(
    session: Session,
    after: int,
    *,
    queue_ids: Collection[int] | None,
    of_no_queue: bool = False,
    types: Collection[str] = (),
    limit: int = 50,
) -> FeedPage:
    """The events behind `after`, of these queues (None: all) and, if asked for, of none, and types (none: all).

    Reading the end first makes `next` safe: nothing can appear at or before it later. Where the page is not full,
    `next` is that end, past whatever was filtered out, so that a reader of rare events does not search again.
    """
    end = last_position(session)
    query = (
        sa.select(EventPosition.position, EventContent.body, Event.hash)
        .select_from(EventPosition)
        .join(Event, Event.id == EventPosition.event_id)
        .join(EventContent, EventContent.event_id == Event.id)
        .where(EventPosition.position > after, EventPosition.position <= end)
        .order_by(EventPosition.position)
        .limit(limit)
    )
    if queue_ids is not None or not of_no_queue:
        query = query.where(_belongs(queue_ids, of_no_queue))
    if types:
        query = query.where(Event.type.in_(types))
    events = [event_dict(position, body, hash_) for position, body, hash_ in session.execute(query)]
    return FeedPage(events, events[-1]["position"] if len(events) == limit else max(after, end))


def _belongs(queue_ids: Collection[int] | None, of_no_queue: bool) -> sa.ColumnElement[bool]:
    of_these = Event.queue_id.is_not(None) if queue_ids is None else Event.queue_id.in_(queue_ids)
    return sa.or_(of_these, Event.queue_id.is_(None)) if of_no_queue else of_these


def last_position(session: Session) -> int:
    """The end of the feed; 0 before the first event."""
    return session.scalar(sa.select(sa.func.max(EventPosition.position))) or 0


def event_dict(position: int | None, body: str, hash_: bytes) -> EventDict:
    told: EventDict = orjson.loads(body)
    told.pop("previous", None)
    return {"position": position, **told, "hash": hash_.hex()}
