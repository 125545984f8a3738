"""Reading a queue's items to write them out, however many there are."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from ..db import Database
from ..people.access import Action, Caller, access_of
from ..queues.policies import queue_named
from .models import Evidence, Item, Outcome
from .receipts import Receipts
from .views import Shown

AT_ONCE = 100
"""Items that are held at once: the evidence of one may be a megabyte."""


def export(
    db: Database, caller: Caller, queue: str, base_url: str, receipts: Receipts | None = None
) -> Iterator[dict[str, Any]]:
    """The queue's items with evidence and outcome, as the API shows them, the oldest first.

    Raises NoSuchQueue, Forbidden. Read page by page: an item that changes meanwhile is told as it is then.
    """
    with db.reading() as session:
        named = queue_named(session, queue)
        access_of(session, caller).require(Action.SEE, named.id, named.name)
    for page in pages_of(db, named.id):
        now = db.clock.now()
        signed = receipts.of_all(page) if receipts else {}
        yield from (shown.as_json(base_url, now, signed.get(shown.item["id"])) for shown in page)


def pages_of(db: Database, queue_id: int) -> Iterator[list[Shown]]:
    """All items of a queue with their evidence, page by page, the oldest first."""
    last = uuid.UUID(int=0)
    while page := _page(db, queue_id, last):
        yield page
        last = page[-1].item["id"]


def _page(db: Database, queue_id: int, last: uuid.UUID) -> list[Shown]:
    standing = sa.and_(Outcome.item_id == Item.id, Outcome.revision == Item.revision, Item.has_outcome)
    query = (
        sa.select(Item, Outcome, Evidence)
        .join(Evidence, Evidence.item_id == Item.id)
        .outerjoin(Outcome, standing)
        .where(Item.queue_id == queue_id, Item.id > last)
        .order_by(Item.id)
        .limit(AT_ONCE)
    )
    with db.reading() as session:
        return [
            Shown.of(item, outcome, evidence.output_json, evidence)
            for item, outcome, evidence in session.execute(query)
        ]
