"""Deciding, withdrawing and several workers race the timers: each timer has one effect or none."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from reviewqueue.audit.queries import trail_of
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Conflict
from reviewqueue.escalation.models import Firing
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items.models import Item, Outcome
from reviewqueue.people.models import Person
from reviewqueue.queues.models import Queue

from ..support.making import make_decision, make_items, make_person, make_queue

COUNT = 60


@pytest.fixture
def queue(db: Database) -> Queue:
    fallback = {"verdict": "reject", "reason": "nobody-decided"}
    policy = {
        "escalation": [{"after": "1h", "to": "lead", "repeat": {"every": "1h", "times": 2}}],
        "deadline": {"after": "4h", "fallback": fallback},
    }
    return make_queue(db, policy=policy)


@pytest.fixture
def clerk(db: Database, queue: Queue) -> Person:
    return make_person(db, "clerk@example.org", queue)


def at_once(*calls: Callable[[], object]) -> None:
    """Runs the calls in as many threads, which start together."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        gate.wait(10)
        call()

    with ThreadPoolExecutor(len(calls)) as threads:
        for future in [threads.submit(run, call) for call in calls]:
            future.result()


def events_of(db: Database, item_id: uuid.UUID) -> list[str]:
    with db.reading() as session:
        return [event["type"] for event in trail_of(session, item_id)]


def test_decisions_that_race_the_deadline_give_one_outcome_each(
    db: Database, clock: MovableClock, queue: Queue, clerk: Person
) -> None:
    ids = make_items(db, queue, [{} for _ in range(COUNT)])
    clock.move(hours=4)
    refused = 0

    def decide() -> None:
        nonlocal refused
        for item_id in ids:
            try:
                make_decision(db, item_id, clerk)
            except Conflict:
                refused += 1

    at_once(decide, lambda: fire_due(db), lambda: fire_due(db))
    with db.reading() as session:
        items = session.scalars(sa.select(Item)).all()
        outcomes = session.execute(sa.select(Outcome.item_id, Outcome.by)).all()
    by = {item_id: who for item_id, who in outcomes}  # noqa: C416 - a Row is no pair to mypy
    assert len(outcomes) == len(by) == COUNT
    assert {item.state for item in items} <= {"accepted", "expired"}
    for item in items:
        assert by[item.id] == ("person" if item.state == "accepted" else "fallback")
        assert item.timer_at is None
        ends = [event for event in events_of(db, item.id) if event in ("item.accepted", "item.expired")]
        assert len(ends) == 1
    assert refused == sum(item.state == "expired" for item in items)
    assert list(verify(db, Checked())) == []


def test_no_escalation_is_recorded_after_the_decision_that_it_raced(
    db: Database, clock: MovableClock, queue: Queue, clerk: Person
) -> None:
    ids = make_items(db, queue, [{} for _ in range(COUNT)])
    clock.move(hours=1)

    def decide() -> None:
        for item_id in reversed(ids):
            make_decision(db, item_id, clerk)

    at_once(decide, lambda: fire_due(db), lambda: fire_due(db))
    for item_id in ids:
        events = events_of(db, item_id)
        assert events[-1] == "item.accepted"
        assert events.count("item.escalated") <= 1


def test_many_workers_fire_each_timer_once(db: Database, clock: MovableClock, queue: Queue) -> None:
    make_items(db, queue, [{} for _ in range(COUNT * 4)])
    for _ in range(3):
        clock.move(hours=1)
        at_once(*[lambda: fire_due(db)] * 5)
    with db.reading() as session:
        fired = session.execute(
            sa.select(Firing.kind, Firing.occurrence, sa.func.count()).group_by(
                Firing.kind, Firing.occurrence
            )
        ).all()
        levels = session.scalars(sa.select(Item.level).distinct()).all()
    assert sorted(map(tuple, fired)) == [
        ("escalate", 0, COUNT * 4),
        ("repeat", 1, COUNT * 4),
        ("repeat", 2, COUNT * 4),
    ]
    assert levels == [1]
    assert list(verify(db, Checked())) == []
