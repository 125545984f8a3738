"""The operations that read items: one, a page of many, or the outcome when it comes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence

import sqlalchemy as sa

from ..db import Database
from ..people.access import Access, Action, Caller, access_of
from ..people.actions import scope_for
from ..queues.policies import queue_named
from ..transaction import SYSTEM, Transaction
from . import queries
from .loaded import no_such_item
from .models import Item, Outcome
from .views import Shown


def get_item(db: Database, caller: Caller, item_id: uuid.UUID, *, evidence: bool = False) -> Shown:
    """Reads an item. Raises NoSuchItem for one that is not there or out of the caller's reach."""

    def read() -> Shown:
        with db.reading() as session:
            found = queries.shown(session, item_id, evidence=evidence)
            if found is None:
                raise no_such_item(item_id)
            _require_seen(access_of(session, caller), found)
            return found

    found = read()
    return read() if _deliver(db, caller, [found]) else found


def wait_for_outcome(
    db: Database, caller: Caller, item_id: uuid.UUID, seconds: float, *, evidence: bool = False
) -> Shown:
    """Answers when there is an outcome, or after that many seconds with what is so."""
    return db.bell.wait_for(
        lambda: get_item(db, caller, item_id, evidence=evidence),
        done=lambda found: found.outcome is not None,
        seconds=seconds,
    )


def list_items(
    db: Database, caller: Caller, queue: str | None, filters: Callable[[Collection[int] | None], queries.Filters],
    *, limit: int = 50, cursor: str | None = None,
) -> queries.Page:  # fmt: skip
    """A page of the items that the caller may see, in one queue or in all. Raises NoSuchQueue and Forbidden."""

    def read() -> queries.Page:
        with db.reading() as session:
            access = access_of(session, caller)
            if queue is None:
                access.require_scope(scope_for(Action.SEE))
                ids: Collection[int] | None = access.queue_ids_for(Action.SEE)
            else:
                named = queue_named(session, queue)
                access.require(Action.SEE, named.id, named.name)
                ids = [named.id]
            return queries.listing(session, filters(ids), limit=limit, cursor=cursor)

    page = read()
    return read() if _deliver(db, caller, page.items) else page


def mark_delivered(db: Database, item_ids: Collection[uuid.UUID]) -> None:
    """Notes that an app has these items' outcomes, which forbids an undo."""
    with db.transaction(SYSTEM) as tx:
        note_delivered(tx, item_ids)


def note_delivered(tx: Transaction, item_ids: Collection[uuid.UUID]) -> None:
    """The same, in a transaction that goes on. It waits for an undo that is under way."""
    standing = sa.select(Item.revision).where(Item.id == Outcome.item_id).scalar_subquery()
    tx.session.execute(
        sa.update(Outcome)
        .where(Outcome.item_id.in_(item_ids), Outcome.revision == standing, Outcome.delivered_at.is_(None))
        .values(delivered_at=tx.now)
        .execution_options(synchronize_session=False)
    )


def _require_seen(access: Access, found: Shown) -> None:
    queue_id, queue = found.item["queue_id"], found.item["queue"]
    if not access.may(Action.SEE, queue_id):
        visible = access.visible_queue_ids
        if visible is not None and queue_id not in visible:
            raise no_such_item(found.item["id"])
        access.require(Action.SEE, queue_id, queue)


def _deliver(db: Database, caller: Caller, found: Sequence[Shown]) -> bool:
    """Forbids the undo of what an app is about to get; whether it has to be read again, as it may just be undone."""
    now = db.clock.now()
    fresh = [one.item["id"] for one in found if one.may_be_undone(now)] if caller.is_app else []
    if fresh:
        mark_delivered(db, fresh)
    return bool(fresh)
