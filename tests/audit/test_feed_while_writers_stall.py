"""The feed while sixteen writers commit late, each by its own whim: a reader that stores `next` misses nothing."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa

from reviewqueue.audit.events import EventType
from reviewqueue.audit.models import Event
from reviewqueue.audit.ordering import order_events
from reviewqueue.audit.queries import feed
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.items.models import Item
from reviewqueue.transaction import SUBSCRIPTIONS, SYSTEM

from ..support.databases import Databases, Kind
from ..support.making import make_items, make_queue
from ..support.sizes import size

WRITERS = 16
ITEMS = 48
AT_ONCE = 10


def test_sixteen_writers_that_stall_at_random_and_none_of_their_events_missed(
    databases: Databases, kind: Kind, clock: MovableClock
) -> None:
    """100,000 events at full size."""
    db, wanted = databases.make(kind, clock), size(3_200, 100_000)
    ids = make_items(db, make_queue(db), [{} for _ in range(ITEMS)])
    began, written = time.monotonic(), threading.Event()
    with ThreadPoolExecutor(WRITERS + 1) as threads:
        reader = threads.submit(follow_until, db, written)
        share = wanted // WRITERS // AT_ONCE
        for writer in [threads.submit(write, db, ids, share, seed) for seed in range(WRITERS)]:
            writer.result()
        written.set()
        seen = reader.result()
    print(f"\n{kind}: {len(seen):,} events in {time.monotonic() - began:.1f} s, none missed")
    assert [event["position"] for event in seen] == list(range(1, len(seen) + 1))
    with db.reading() as session:
        recorded = {str(event_id) for event_id in session.scalars(sa.select(Event.id))}
    assert len(seen) == len(recorded) == wanted + ITEMS + 2
    assert {event["id"] for event in seen} == recorded
    chains: dict[str, list[int]] = defaultdict(list)
    for event in seen:
        if event["item_id"] is not None:
            chains[event["item_id"]].append(event["item_seq"])
    assert all(chain == list(range(1, len(chain) + 1)) for chain in chains.values())
    databases.drop(db)


def write(db: Database, ids: list[uuid.UUID], transactions: int, seed: int) -> None:
    """Each transaction writes its events at once, and commits them some time later."""
    whim, pause = random.Random(seed), threading.Event()
    longest = 0.001 if db.embedded else 0.02  # on SQLite all others wait meanwhile
    for number in range(transactions):
        with db.transaction(SYSTEM) as tx:
            item = tx.session.get_one(Item, whim.choice(ids), with_for_update=True)
            for part in range(AT_ONCE):
                tx.record(item, EventType.ITEM_COMMENTED, text=f"{seed} {number} {part}")
            tx.session.flush()
            tx.trail.write(SUBSCRIPTIONS)
            tx.trail.events.clear()
            pause.wait(whim.random() * longest)


def follow_until(db: Database, written: threading.Event) -> list[dict[str, Any]]:
    """Reads on from `next` alone, until all is written and read."""
    seen: list[dict[str, Any]] = []
    after = 0
    while True:
        finished = written.is_set()
        order_events(db)
        with db.reading() as session:
            page = feed(session, after, queue_ids=None, of_no_queue=True, limit=200)
        seen += page.events
        after = page.next
        if finished and not page.events:
            return seen
