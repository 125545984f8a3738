"""The outbox: each transaction stages, with its events, a delivery to everybody who subscribed to them.

The transaction calls it, and only where there are subscriptions. A process remembers them, and learns from the version
that comes back with each write when they have changed: no event is missed, and no look-up is made for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from ..audit.events import EventType
from ..audit.queries import event_dict
from ..audit.trail import Recorded, rfc3339
from ..bulk import insert_rows
from ..db import table_of
from ..items.queries import all_shown
from ..items.reopening import UNDO_SECONDS
from ..items.views import Shown
from ..queues.models import Queue
from .models import Announcement, Delivery, Subscription

if TYPE_CHECKING:
    from ..transaction import Transaction

AT_ONCE = 500
"""Items read by one statement."""
KNOWN = "subscriptions"
DECISIONS = frozenset(
    {EventType.ITEM_ACCEPTED, EventType.ITEM_EDITED, EventType.ITEM_REJECTED, EventType.ITEM_CORRECTED}
)
"""What can be undone for a while."""
UNDO = timedelta(seconds=UNDO_SECONDS)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """What is sent to one subscription."""

    id: uuid.UUID
    queue_ids: frozenset[int] | None
    """None: those of all queues and of none."""
    types: frozenset[str]
    waits_for_undo: bool
    is_disabled: bool

    def wants(self, event: Recorded) -> bool:
        if event.type is EventType.SUBSCRIPTION_TESTED and _subject(event) == str(self.id):
            return True
        if event.type.value not in self.types:
            return False
        return self.queue_ids is None or event.queue_id in self.queue_ids


def stage_deliveries(tx: Transaction, version: int) -> None:
    """Stages a delivery of each of the transaction's events to each subscription that wants it."""
    subscribers = _known(tx, version)
    wanted = [(event, [s for s in subscribers if s.wants(event)]) for event in tx.trail.events]
    wanted = [(event, by) for event, by in wanted if by]
    if wanted:
        _announce(tx, [event for event, _ in wanted])
        deliveries = [_delivery(tx, event, to) for event, by in wanted for to in by]
        insert_rows(tx.session, table_of(Delivery), deliveries)
        tx.after_commit(tx.db.to_send.set)


def _announce(tx: Transaction, events: Sequence[Recorded]) -> None:
    """Keeps what is sent of these events, with their items as they are at the transaction's end."""
    items = _items(tx.session, {event.item_id for event in events if event.item_id is not None})
    insert_rows(tx.session, table_of(Announcement), [_announcement(tx, event, items) for event in events])


def expanded(names: Sequence[str]) -> frozenset[str]:
    """The event types that these names stand for, `item.*` being all of that kind."""
    return frozenset(
        known.value
        for known in EventType
        if any(known == name or (name.endswith(".*") and known.startswith(name[:-1])) for name in names)
    )


def _subject(event: Recorded) -> str:
    """Which subscription a test is of."""
    return str(orjson.loads(event.body)["data"]["subscription"])


def _known(tx: Transaction, version: int) -> Sequence[Subscriber]:
    remembered: tuple[int, Sequence[Subscriber]] | None = tx.db.known.get(KNOWN)
    if remembered is None or remembered[0] != version:
        remembered = tx.db.known[KNOWN] = _load(tx.session)
    return remembered[1]


def _load(session: Session) -> tuple[int, Sequence[Subscriber]]:
    """The subscriptions with the version that they have together."""
    rows = session.execute(
        sa.select(*_TABLE.c["id", "queues", "types", "waits_for_undo", "state", "version"])
    ).all()
    queue_ids = {name: queue_id for queue_id, name in session.execute(sa.select(Queue.id, Queue.name)).all()}
    subscribers = [
        Subscriber(
            row.id,
            None if row.queues is None else frozenset(queue_ids[q] for q in row.queues if q in queue_ids),
            expanded(row.types),
            row.waits_for_undo,
            row.state == "disabled",
        )
        for row in rows
        if row.state != "revoked"
    ]
    return sum(row.version for row in rows), subscribers


def _items(session: Session, ids: set[uuid.UUID]) -> dict[uuid.UUID, Shown]:
    ordered, found = sorted(ids), {}
    for start in range(0, len(ordered), AT_ONCE):
        found.update(all_shown(session, ordered[start : start + AT_ONCE]))
    return found


def _announcement(tx: Transaction, event: Recorded, items: dict[uuid.UUID, Shown]) -> dict[str, Any]:
    item = items[event.item_id] if event.item_id is not None else None
    body = {
        "type": event.type.value,
        "timestamp": rfc3339(event.at),
        "data": {
            "event": event_dict(None, event.body.decode(), event.hash),
            "item": item.as_json(tx.db.base_url, tx.now) if item else None,
        },
    }
    return {
        "event_id": event.id,
        "type": event.type.value,
        "item_id": event.item_id,
        "item_seq": event.item_seq,
        "title": item.title if item else "",
        "body": orjson.dumps(body).decode(),
        "is_complete": item is None or item.outcome is None,
        "created_at": tx.now,
    }


def _delivery(tx: Transaction, event: Recorded, to: Subscriber) -> dict[str, Any]:
    held = to.waits_for_undo and event.type in DECISIONS and event.actor.kind == "person"
    at = tx.now + UNDO + timedelta(seconds=1) if held else tx.now
    return {
        "id": uuid7(),
        "subscription_id": to.id,
        "event_id": event.id,
        # Of a disabled subscription nothing but a test waits: it would all come at once on the day it is enabled again.
        "state": "failed"
        if to.is_disabled and event.type is not EventType.SUBSCRIPTION_TESTED
        else "waiting",
        "attempts": 0,
        "planned_at": at,
        "next_at": at,
        "lease": None,
        "created_at": tx.now,
        "arrived_at": None,
    }


_TABLE = table_of(Subscription)
