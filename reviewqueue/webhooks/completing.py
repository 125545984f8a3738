"""Completing a body just before it first leaves: with the receipt of the outcome in it.

Not in the transaction of its event, where a decision would wait for a signature, and one that is undone would have been
signed. Only an outcome that still stands gets its receipt, and from then on the bytes are the same at each attempt.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace

import orjson
import sqlalchemy as sa

from ..db import Database, table_of
from ..items.queries import all_shown
from ..items.receipts import Receipts
from ..transaction import SYSTEM
from .claiming import Batch, Due
from .models import Announcement


def completed(db: Database, batch: Batch, receipts: Receipts | None) -> Batch:
    """The batch with the bytes that are sent. Without `receipts` those stay null, for good."""
    incomplete = [due for due in batch.deliveries if not due.is_complete]
    if not incomplete:
        return batch
    bodies = _kept(db, _with_receipts(db, incomplete, receipts))
    deliveries = (replace(due, body=bodies.get(due.event_id, due.body)) for due in batch.deliveries)
    return replace(batch, deliveries=tuple(deliveries))


def _with_receipts(db: Database, dues: Sequence[Due], receipts: Receipts | None) -> dict[uuid.UUID, str]:
    bodies = {due.event_id: orjson.loads(due.body) for due in dues}
    items = [body["data"]["item"] for body in bodies.values()]
    with db.reading() as session:
        shown = all_shown(session, {uuid.UUID(item["id"]) for item in items})
    signed = receipts.of_all(shown.values()) if receipts else {}
    for item in items:
        item_id = uuid.UUID(item["id"])
        # All of it is compared: what was undone and decided again has the same revision.
        if item_id in shown and shown[item_id].outcome_json() == item["outcome"]:
            item["outcome"]["receipt"] = signed.get(item_id)
    return {event_id: orjson.dumps(body).decode() for event_id, body in bodies.items()}


def _kept(db: Database, bodies: Mapping[uuid.UUID, str]) -> dict[uuid.UUID, bytes]:
    """Keeps them, unless a sender to another subscription was first; returns what is kept."""
    # In one order, so that two senders of the same events never wait for each other.
    rows = [{"id": event_id, "text": bodies[event_id]} for event_id in sorted(bodies)]
    with db.transaction(SYSTEM) as tx:
        tx.session.connection().execute(_COMPLETE, rows)
        kept = tx.session.execute(
            sa.select(_TABLE.c.event_id, _TABLE.c.body).where(_TABLE.c.event_id.in_(bodies))
        )
        return {row.event_id: row.body.encode() for row in kept}


_TABLE = table_of(Announcement)
_COMPLETE = (
    sa.update(_TABLE)
    .where(_TABLE.c.event_id == sa.bindparam("id"), sa.not_(_TABLE.c.is_complete))
    .values(body=sa.bindparam("text"), is_complete=True)
)
