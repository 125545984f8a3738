"""The order of events: gapless, in commit order, and safe to follow while others write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from reviewqueue.audit import ordering
from reviewqueue.audit.events import EventType
from reviewqueue.audit.models import Event, EventPosition, UnorderedEvents
from reviewqueue.audit.ordering import order_events
from reviewqueue.audit.queries import feed, last_position
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.queues.models import Queue
from reviewqueue.transaction import SUBSCRIPTIONS, SYSTEM, Transaction

from ..support.databases import Databases
from ..support.making import make_item, make_items, make_queue


def happen(tx: Transaction, name: str) -> None:
    tx.trail.append(EventType.PERSON_SIGNED_OUT, {"name": name})


def told(db: Database, after: int = 0, limit: int = 50) -> list[str]:
    with db.reading() as session:
        return [
            event["data"]["name"]
            for event in feed(session, after, queue_ids=None, of_no_queue=True, limit=limit).events
        ]


def test_events_get_gapless_positions_in_the_order_of_recording(db: Database) -> None:
    for names in ("ab", "c", "def"):
        with db.transaction(SYSTEM) as tx:
            for name in names:
                happen(tx, name)
    assert told(db) == []
    assert order_events(db) == 6
    assert order_events(db) == 0
    assert told(db) == list("abcdef")
    with db.reading() as session:
        positions = session.scalars(sa.select(EventPosition.position).order_by(EventPosition.position)).all()
        assert positions == [1, 2, 3, 4, 5, 6]
        assert session.scalar(sa.select(sa.func.count()).select_from(UnorderedEvents)) == 0


def test_large_transactions_are_ordered_a_few_at_a_time(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "EVENTS_AT_ONCE", 3)
    for names in ("ab", "cd", "ef", "g"):
        with db.transaction(SYSTEM) as tx:
            for name in names:
                happen(tx, name)
    with db.transaction(SYSTEM) as tx:
        assert ordering._order_batch(tx) == 4
    assert order_events(db) == 3
    assert told(db) == list("abcdefg")


def test_a_batch_of_items_is_ordered_item_by_item(db: Database) -> None:
    queue = make_queue(db, policy={"lanes": {"autonomous_at": 0.9}})
    ids = make_items(db, queue, [{"confidence": 0.95}, {"confidence": 0.1}])
    order_events(db)
    with db.reading() as session:
        page = feed(session, 0, queue_ids=[queue.id])
    assert [(e["type"], e["item_id"]) for e in page.events][-3:] == [
        ("item.enqueued", str(ids[0])),
        ("item.auto_accepted", str(ids[0])),
        ("item.enqueued", str(ids[1])),
    ]


def test_a_transaction_that_commits_late_gets_a_later_position(
    databases: Databases, clock: MovableClock
) -> None:
    """Only PostgreSQL has two writers at once: the first to record is the last to commit."""
    db = databases.make("postgresql", clock)
    try:
        with late_commit(db) as commit:
            with db.transaction(SYSTEM) as tx:
                happen(tx, "early")
            order_events(db)
            assert told(db) == ["early"]
            commit()
            order_events(db)
            assert told(db) == ["early", "late"]
    finally:
        databases.drop(db)


@contextmanager
def late_commit(db: Database) -> Iterator[Callable[[], None]]:
    """A transaction that has written its events already, and commits when it is told."""
    written, may_commit = threading.Event(), threading.Event()

    def write() -> None:
        with db.transaction(SYSTEM) as tx:
            happen(tx, "late")
            tx.trail.write(SUBSCRIPTIONS)
            tx.trail.events.clear()
            tx.session.flush()
            written.set()
            may_commit.wait(10)

    thread = threading.Thread(target=write)
    thread.start()
    assert written.wait(10)

    def commit() -> None:
        may_commit.set()
        thread.join(10)

    try:
        yield commit
    finally:
        commit()


def test_a_reader_that_stores_next_misses_nothing_while_many_write(db: Database) -> None:
    """Four writers, two sequencers, one reader: it sees every event once, without a gap."""
    queue = make_queue(db)
    written = threading.Event()
    with ThreadPoolExecutor(7) as threads:
        writers = [threads.submit(write_items, db, queue, 25) for _ in range(4)]
        sequencers = [threads.submit(order_until, db, written) for _ in range(2)]
        reader = threads.submit(follow_until, db, written)
        for writer in writers:
            writer.result()
        written.set()
        for sequencer in sequencers:
            sequencer.result()
        seen = reader.result()
    with db.reading() as session:
        recorded = {str(event_id) for event_id in session.scalars(sa.select(Event.id))}
    assert len(seen) == len(recorded) == 102
    assert set(seen) == recorded


def write_items(db: Database, queue: Queue, count: int) -> None:
    for number in range(count):
        make_item(db, queue, input=number)


def order_until(db: Database, written: threading.Event) -> None:
    while not written.is_set():
        order_events(db)


def follow_until(db: Database, written: threading.Event) -> list[str]:
    """Reads page by page, storing `next` alone; returns the ids seen once all is written and read."""
    seen: list[str] = []
    after = 0
    while True:
        finished = written.is_set()
        order_events(db)
        with db.reading() as session:
            page = feed(session, after, queue_ids=None, of_no_queue=True, limit=7)
        positions = [event["position"] for event in page.events]
        assert positions == list(range(after + 1, after + 1 + len(positions)))
        seen.extend(event["id"] for event in page.events)
        after = page.next
        if finished and not page.events:
            return seen


def test_next_passes_over_what_was_filtered_out(db: Database) -> None:
    mine, other = make_queue(db, "mine"), make_queue(db, "other")
    make_item(db, mine)
    make_items(db, other, [{} for _ in range(5)])
    order_events(db)
    with db.reading() as session:
        end = last_position(session)
        page = feed(session, 0, queue_ids=[mine.id], types=[EventType.ITEM_ENQUEUED], limit=10)
        assert [event["queue"] for event in page.events] == ["mine"]
        assert page.next == end
        full = feed(session, 0, queue_ids=None, of_no_queue=True, limit=3)
        assert full.next == full.events[-1]["position"] == 3
        assert feed(session, end, queue_ids=None, of_no_queue=True).next == end


def test_positions_cannot_be_changed(db: Database) -> None:
    make_queue(db)
    order_events(db)
    with (
        pytest.raises(sa.exc.DBAPIError, match="keeps what was recorded"),
        db.engine.begin() as connection,
    ):
        connection.execute(sa.text("UPDATE event_position SET position = position + 1000"))
