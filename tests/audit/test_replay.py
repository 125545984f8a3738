"""Replaying an item's events gives its row, whatever happened to it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from reviewqueue.audit.models import Event, EventContent
from reviewqueue.audit.replay import Replayed, replay
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items import handling, reopening
from reviewqueue.items.lapsing import record_lapsed
from reviewqueue.items.models import Item
from reviewqueue.items.states import Verdict
from reviewqueue.people.models import Person
from reviewqueue.queues.models import Queue
from reviewqueue.queues.policies import policy_of
from reviewqueue.transaction import SYSTEM

from ..support.making import make_claim, make_decision, make_item, make_person, make_queue

POLICY = {
    "lanes": {"autonomous_at": 0.9},
    "escalation": [{"after": "2h", "to": "clerk@example.org"}],
    "deadline": {"after": "24h", "fallback": {"verdict": "accept", "reason": "nobody-decided"}},
}


@pytest.fixture
def queue(db: Database) -> Queue:
    return make_queue(db, policy=POLICY)


@pytest.fixture
def clerk(db: Database, queue: Queue) -> Person:
    return make_person(db, "clerk@example.org", queue)


def replayed(db: Database, item_id: uuid.UUID) -> Replayed:
    with db.reading() as session:
        bodies = session.scalars(
            sa.select(EventContent.body)
            .join(Event, Event.id == EventContent.event_id)
            .where(Event.item_id == item_id)
            .order_by(Event.item_seq)
        )
        return replay(bodies)


def faults(db: Database) -> list[str]:
    return [f"{fault.subject}: {fault.detail}" for fault in verify(db, Checked())]


def on_item(db: Database, item_id: uuid.UUID, verb: Callable[..., object], *rest: object) -> None:
    with db.transaction(SYSTEM) as tx:
        item = tx.session.get_one(Item, item_id)
        verb(item, tx, policy_of(tx.session, item.policy_id), *rest)


def test_an_item_that_policy_released(db: Database, queue: Queue) -> None:
    item_id = make_item(db, queue, confidence=0.95)
    outcome = {"verdict": "accept", "by": "policy", "reason": None, "revision": 1}
    assert replayed(db, item_id) == Replayed("auto_accepted", 0, None, outcome)
    assert faults(db) == []


def test_a_life_with_everything_in_it(db: Database, clock: MovableClock, queue: Queue, clerk: Person) -> None:
    item_id = make_item(db, queue)
    make_claim(db, item_id, clerk)
    assert replayed(db, item_id) == Replayed("pending", 0, str(clerk.id), None)
    clock.move(minutes=11)
    assert record_lapsed(db) == 1
    assert replayed(db, item_id).claim is None
    clock.move(hours=2)
    fire_due(db)
    assert replayed(db, item_id).level == 1
    on_item(db, item_id, handling.snooze, clock.now() + timedelta(hours=1), "later")
    clock.move(hours=1)
    fire_due(db)
    make_decision(db, item_id, clerk, Verdict.REJECT)
    assert replayed(db, item_id).state == "rejected"
    on_item(db, item_id, reopening.reopen, "it was wrong")
    assert replayed(db, item_id) == Replayed("pending", 0, None, None)
    clock.move(hours=24)
    fire_due(db)
    outcome = {"verdict": "accept", "by": "fallback", "reason": "nobody-decided", "revision": 2}
    assert replayed(db, item_id) == Replayed("expired", 0, None, outcome)
    assert faults(db) == []


def test_verifying_counts_what_it_looked_at(db: Database, queue: Queue) -> None:
    make_item(db, queue)
    make_item(db, queue, confidence=0.95)
    checked = Checked()
    assert list(verify(db, checked)) == []
    assert (checked.items, checked.events) == (2, 5)
