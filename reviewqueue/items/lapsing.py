"""Claims that ran out: recorded soon after, though a lease ends by comparison with the clock alone."""

from __future__ import annotations

from ..audit.events import EventType
from ..db import Database
from ..transaction import TIMER, Transaction
from .locking import anything_due, lock_due
from .models import Item


def record_lapsed(db: Database, limit: int = 500) -> int:
    """Records the claims that have run out; returns how many there were."""
    if not anything_due(db, Item.claim_until):
        return 0
    with db.transaction(TIMER) as tx:
        items = lock_due(tx, Item.claim_until, limit)
        for item in items:
            lapse(item, tx)
        return len(items)


def lapse(item: Item, tx: Transaction) -> None:
    """Ends the lease but keeps its token: whoever held it may still decide while nobody else has claimed."""
    item.claim_until = None
    tx.record(item, EventType.ITEM_CLAIM_EXPIRED, claim=None, of=item.claim_name)
