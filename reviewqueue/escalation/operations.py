"""Firing the timers that are due: in batches, each its own transaction, by however many workers there are."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from ..audit.guard import SetBased, set_based
from ..db import Database
from ..items.assignees import Assignees
from ..items.locking import anything_due, lock_due
from ..items.models import Item
from ..transaction import TIMER, Transaction
from .retrying import retry_at
from .timers import failed_while, fire, planned

log = logging.getLogger(__name__)

BATCH = 100
"""Items in one transaction: it keeps their rows, and on SQLite all writers, waiting."""
AT_ONCE = 500
"""Items in one run, after which a worker sees to its other jobs: its lease above all."""


def fire_due(db: Database, limit: int = AT_ONCE) -> int:
    """Fires up to `limit` timers that are due, the latest ones first; returns how many items it took up.

    A timer that fails is put off with growing pauses, and its error kept on the item; the others go on.
    """
    taken = 0
    while taken < limit and anything_due(db, Item.timer_at):
        with db.transaction(TIMER) as tx:
            items = lock_due(tx, Item.timer_at, min(BATCH, limit - taken))
            _fire_all(tx, items)
        if not items:
            break
        taken += len(items)
    return taken


def _fire_all(tx: Transaction, items: Sequence[Item]) -> None:
    """All of them at once, which writes their rows together; and one by one where any of them fails."""
    try:
        with tx.savepoint():
            _fire_each(tx, items)
    except Exception:  # whatever it was, it must not stop the others
        for item in items:
            _fire_alone(tx, item)


def _fire_alone(tx: Transaction, item: Item) -> None:
    try:
        with tx.savepoint():
            _fire_each(tx, [item])
    except Exception as error:
        log.exception("the timer of item %s failed", item.id)
        _put_off_failed(tx, item, error)


def _fire_each(tx: Transaction, items: Sequence[Item]) -> None:
    assignees = Assignees(tx.session, tx.now)
    for item in items:
        timer = planned(item, tx)
        if timer is not None and timer.at <= tx.now:
            fire(item, tx, timer, assignees)
        else:
            _put_off(tx, item, timer.at if timer else None)


def _put_off_failed(tx: Transaction, item: Item, error: Exception) -> None:
    failures = item.timer_failures + 1
    at = retry_at(tx.now, failures, None if item.has_outcome else item.deadline_at)
    _postpone(tx, item, timer_at=at, timer_failures=failures, timer_error=failed_while(item, error))


def _put_off(tx: Transaction, item: Item, at: datetime | None) -> None:
    """The stored time was not the time: nothing happened to the item, so nothing is recorded."""
    _postpone(tx, item, timer_at=at)


def _postpone(tx: Transaction, item: Item, **values: object) -> None:
    tx.session.execute(
        sa.update(Item)
        .where(Item.id == item.id)
        .values(**values)
        .execution_options(synchronize_session=False, **set_based(SetBased.POSTPONE_TIMER))
    )
