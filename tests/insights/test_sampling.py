"""The samples behind trends and charts: written once a quarter of an hour, and each event counted once."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from reviewqueue.audit.ordering import order_events
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.insights import sampling
from reviewqueue.insights.escalated import Narrowed
from reviewqueue.insights.models import Sample
from reviewqueue.insights.operations import watch_backlog
from reviewqueue.insights.sampling import quarter_of, sample_backlog
from reviewqueue.items.operations import reopen
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Person
from reviewqueue.pruning import prune
from reviewqueue.queues.models import Queue

from ..support.making import make_decision, make_item, make_items, make_person, make_queue

POLICY = {
    "lanes": {"autonomous_at": 0.9},
    "due": {"after": "1h"},
    "escalation": [{"after": "90m", "to": "lead"}],
    "deadline": {"after": "3h", "fallback": "reject"},
}


@pytest.fixture
def queue(db: Database) -> Queue:
    return make_queue(db, policy=POLICY)


@pytest.fixture
def clerk(db: Database, queue: Queue) -> Person:
    return make_person(db, "clerk@example.org", queue, "lead")


def sampled(db: Database) -> int:
    order_events(db)
    return sample_backlog(db)


def flows(db: Database) -> tuple[int, int, int, int]:
    sums = (sa.func.sum(column) for column in (Sample.arrived, Sample.decided, Sample.in_time, Sample.late))
    with db.reading() as session:
        arrived, decided, in_time, late = tuple[int, ...](session.execute(sa.select(*sums)).one())
    return arrived, decided, in_time, late


def test_what_comes_and_goes_is_counted_once(
    db: Database, clock: MovableClock, queue: Queue, clerk: Person
) -> None:
    ids = make_items(db, queue, [{}] * 4 + [{"confidence": 0.95}])
    make_decision(db, ids[0], clerk)
    assert sampled(db) > 0
    assert flows(db) == (4, 1, 1, 0)  # the one that policy released came to nobody
    assert sampled(db) == 0
    clock.move(hours=1, seconds=1)
    make_decision(db, ids[1], clerk)
    reopen(db, SYSTEM_CALLER, ids[0], "again")
    clock.move(hours=2)
    fire_due(db)
    sampled(db)
    assert flows(db) == (5, 2, 1, 3)  # one was late, and two expired undecided


def test_events_count_in_the_quarter_in_which_they_happened_however_late_they_are_read(
    db: Database, clock: MovableClock, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "AT_ONCE", 2)
    began = clock.now()
    for _ in range(3):
        make_item(db, queue)
        clock.move(minutes=16)
    sampled(db)
    with db.reading() as session:
        found = session.execute(
            sa.select(Sample.at, Sample.arrived).where(Sample.arrived > 0).order_by(Sample.at)
        )
        assert [tuple(row) for row in found] == [
            (quarter_of(began + timedelta(minutes=16) * number), 1) for number in range(3)
        ]


def test_the_figures_are_written_once_a_quarter_and_only_at_its_beginning(
    db: Database, clock: MovableClock, queue: Queue
) -> None:
    make_item(db, queue)
    sampled(db)
    make_item(db, queue)
    clock.move(minutes=1)
    sampled(db)
    clock.move(minutes=20)  # 09:21: six minutes into its quarter
    sampled(db)
    with db.reading() as session:
        found = session.execute(sa.select(Sample.at, Sample.waiting).where(Sample.waiting.is_not(None))).all()
    assert [(at.minute, waiting) for at, waiting in found] == [(0, 1)]


def test_the_trend_is_against_the_same_time_yesterday_and_last_week(
    db: Database, clock: MovableClock, queue: Queue
) -> None:
    make_items(db, queue, [{}] * 2)
    sampled(db)
    week_ago = clock.now()
    clock.move(days=6)
    make_queue(db, "another", policy=POLICY)
    sampled(db)
    clock.move(days=1, minutes=7)
    watched = watch_backlog(db, SYSTEM_CALLER)
    assert watched.trend is not None and watched.trend.week is not None and watched.trend.day is not None
    assert (watched.trend.week.at, watched.trend.week.waiting, watched.trend.week.overdue) == (week_ago, 2, 0)
    assert (watched.trend.day.waiting, watched.trend.day.overdue) == (2, 2)
    alone = watch_backlog(db, SYSTEM_CALLER, "another").trend
    assert alone is not None and alone.week is not None
    assert alone.week.waiting == 0  # it did not exist then
    clock.move(minutes=30)
    nothing = watch_backlog(db, SYSTEM_CALLER).trend
    assert nothing is not None and nothing.day is None and nothing.week is None
    assert watch_backlog(db, SYSTEM_CALLER, narrowed=Narrowed(department="eu")).trend is None


def test_hours_attainment_and_pace_come_from_the_samples(
    db: Database, clock: MovableClock, queue: Queue, clerk: Person
) -> None:
    ids: list[uuid.UUID] = []
    for _ in range(4):
        ids += make_items(db, queue, [{}] * 3)
        make_decision(db, ids[-1], clerk)
        clock.move(minutes=40)
    make_decision(db, ids[0], clerk)
    sampled(db)
    watched = watch_backlog(db, SYSTEM_CALLER)
    assert [(hour.arrived, hour.decided) for hour in watched.hours][-3:] == [(6, 2), (3, 1), (3, 2)]
    assert len(watched.hours) == 24 and watched.hours[-1].at.hour == 11
    kept = watched.attainment["receipts"]
    assert (kept.in_time, kept.late, kept.share) == (4, 1, 0.8)
    assert watched.forecast is not None and len(watched.forecast) == 8
    overdue = watched.backlog.total.overdue
    # Five a day: the first hour's share of them is none.
    assert watched.forecast[0].overdue == overdue + watched.forecast[0].falls_due


def test_old_samples_are_pruned(db: Database, clock: MovableClock, queue: Queue) -> None:
    make_item(db, queue)
    sampled(db)
    clock.move(days=36)
    assert prune(db)["samples of the backlog"] == 1
