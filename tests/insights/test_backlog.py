"""The backlog's figures, against a recount in Python of whatever the database holds."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Forbidden, NoSuchQueue
from reviewqueue.escalation.operations import fire_due
from reviewqueue.insights.backlog import Backlog, backlog, queues_of
from reviewqueue.insights.escalated import Narrowed
from reviewqueue.insights.operations import get_stats, watch_backlog
from reviewqueue.items.handling import assign, snooze
from reviewqueue.items.models import Item, Outcome
from reviewqueue.items.states import Verdict
from reviewqueue.people.callers import SYSTEM_CALLER, Caller
from reviewqueue.people.models import Person
from reviewqueue.queues.models import Queue
from reviewqueue.queues.policies import policy_of
from reviewqueue.transaction import SYSTEM

from ..support.making import actor_of, make_claim, make_decision, make_items, make_person, make_queue

POLICY = {
    "lanes": {"autonomous_at": 0.9, "assist_at": 0.3},
    "due": {"after": "6h"},
    "escalation": [{"after": "8h", "to": "lead"}, {"after": "20h", "to": "lead"}],
    "deadline": {"after": "9d", "fallback": {"verdict": "reject"}},
}


@pytest.fixture
def queues(db: Database) -> list[Queue]:
    return [
        make_queue(db, "receipts", policy=POLICY),
        make_queue(db, "replies", policy={}),
        make_queue(db, "empty"),
    ]


@pytest.fixture
def clerk(db: Database, queues: list[Queue]) -> Person:
    return make_person(db, "clerk@example.org", queues[0], "lead")


@pytest.fixture
def busy(db: Database, clock: MovableClock, queues: list[Queue], clerk: Person) -> list[Item]:
    """Ten days of arrivals, decisions, claims, snoozes and assignments by a fixed lot; returns all items."""
    draw = random.Random(7)
    waiting: list[Any] = []
    for _ in range(18):
        clock.move(hours=13)
        fire_due(db)
        waiting += make_items(db, queues[0], [{"confidence": draw.random()} for _ in range(6)])
        waiting += make_items(db, queues[1], [{} for _ in range(2)])
        for item_id in draw.sample(waiting, 5):
            _something(db, item_id, clerk, draw)
    clock.move(hours=2, minutes=37)
    fire_due(db)
    with db.reading() as session:
        return list(session.scalars(sa.select(Item)))


def _something(db: Database, item_id: Any, clerk: Person, draw: random.Random) -> None:
    with db.reading() as session:
        item = session.get_one(Item, item_id)
    if not item.is_open or item.snoozed_until:
        return
    choice = draw.choice(["decide", "decide", "claim", "snooze", "assign"])
    if choice == "decide":
        make_decision(db, item_id, clerk, draw.choice([Verdict.ACCEPT, Verdict.REJECT]))
    elif choice == "claim":
        make_claim(db, item_id, clerk)
    else:
        with db.transaction(SYSTEM) as tx:
            item = tx.session.get_one(Item, item_id)
            policy = policy_of(tx.session, item.policy_id)
            if choice == "snooze":
                snooze(item, tx, policy, tx.now + timedelta(hours=9), None)
            else:
                assign(item, tx, policy, clerk.email, None)


def seen(db: Database, caller: Caller = SYSTEM_CALLER, *asked: Any, **narrowed: Any) -> Backlog:
    return watch_backlog(db, caller, *asked, **narrowed).backlog


def test_the_figures_equal_a_recount(
    db: Database, clock: MovableClock, queues: list[Queue], busy: list[Item]
) -> None:
    now = clock.now()
    with db.reading() as session:
        found = backlog(session, now, queues_of(session, None))
    assert [queue.name for queue in found.queues] == ["empty", "receipts", "replies"]
    for queue in found.queues:
        waiting = [
            item for item in busy if item.queue == queue.name and item.state in ("pending", "disputed")
        ]
        overdue = [item for item in waiting if item.due_at and item.due_at <= now]
        soon = [item for item in waiting if item.due_at and now < item.due_at <= now + timedelta(hours=4)]
        escalated = [item for item in waiting if item.level > 0]
        figures = queue.figures
        assert (figures.waiting, figures.overdue) == (len(waiting), len(overdue))
        assert (figures.escalated, figures.at_risk) == (len(escalated), len(soon))
        assert figures.oldest_created_at == min((item.created_at for item in waiting), default=None)
        assert figures.earliest_due_at == min((item.due_at for item in overdue if item.due_at), default=None)
        assert figures.next_due_at == min((item.due_at for item in soon if item.due_at), default=None)
        assert queue.by_age == recounted_ages(now, waiting)
        today = now.replace(hour=0, minute=0)
        decided = [i for i in busy if i.queue == queue.name and i.decided_at and i.decided_at >= today]
        assert queue.decided_today == len(decided)
    for name in ("waiting", "overdue", "escalated", "at_risk", "untended"):
        assert getattr(found.total, name) == sum(getattr(queue.figures, name) for queue in found.queues)
    # The lot must have made something of each kind, or the comparison says nothing.
    assert min(found.total.overdue, found.total.escalated, found.total.at_risk, found.total.untended) > 0
    assert found.total.untended < found.total.escalated


def recounted_ages(now: Any, waiting: list[Item]) -> dict[str, int]:
    ages = dict.fromkeys(("1h", "4h", "1d", "7d", "older"), 0)
    for item in waiting:
        hours = (now - item.created_at).total_seconds() / 3600
        ages[
            "1h"
            if hours < 1
            else "4h"
            if hours < 4
            else "1d"
            if hours < 24
            else "7d"
            if hours < 168
            else "older"
        ] += 1
    return ages


def test_the_escalated_items_come_highest_and_latest_first(
    db: Database, clock: MovableClock, queues: list[Queue], busy: list[Item]
) -> None:
    found = seen(db)
    expected = sorted(
        (item for item in busy if item.is_open and item.level > 0),
        key=lambda item: (-item.level, item.due_at, item.id),
    )
    assert [item.id for item in found.escalated_items] == [item.id for item in expected[:50]]
    assert {item.level for item in seen(db, narrowed=Narrowed(level_min=2)).escalated_items} == {2}


def test_the_queues_figures_equal_a_recount(db: Database, queues: list[Queue], busy: list[Item]) -> None:
    stats = get_stats(db, SYSTEM_CALLER, "receipts")
    mine = [item for item in busy if item.queue == "receipts"]
    for name, column in (("by_state", "state"), ("by_lane", "lane")):
        counted = {key: count for key, count in getattr(stats, name).items() if count}
        values = [getattr(item, column) for item in mine]
        assert counted == {value: values.count(value) for value in set(values)}
    with db.reading() as session:
        standing = [
            session.get_one(Outcome, (item.id, item.revision)).verdict for item in mine if item.has_outcome
        ]
    assert stats.by_verdict == {v: standing.count(v) for v in ("accept", "edit", "reject", "withdrawn")}


def test_a_manager_sees_their_own_queues_alone(db: Database, queues: list[Queue]) -> None:
    boss = make_person(db, "boss@example.org", queues[0], "manager")
    caller = Caller(actor_of(boss), boss.id, boss.email)
    assert [queue.name for queue in seen(db, caller).queues] == ["receipts"]
    with pytest.raises(NoSuchQueue):
        seen(db, caller, "replies")


def test_a_reviewer_sees_no_backlog(db: Database, queues: list[Queue]) -> None:
    clerk = make_person(db, "other@example.org", queues[0])
    caller = Caller(actor_of(clerk), clerk.id, clerk.email)
    with pytest.raises(Forbidden):
        seen(db, caller)
    with pytest.raises(Forbidden):
        get_stats(db, caller, "receipts")
