"""Many timers due at once, and workers that are killed at their work: each fires once, and everybody is told once.

In full size, with 10,000 timers, the times that are promised count too.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from reviewqueue.audit.events import EventType
from reviewqueue.audit.models import Event
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.models import Firing
from reviewqueue.items.models import Item
from reviewqueue.notifications.models import Message, Notice, Notification
from reviewqueue.queues.models import Queue

from ..support.making import make_items, make_person, make_queue, make_team
from ..support.sizes import FULL, size
from .workers import Workers, running_workers

COUNT = size(in_suite=1_500, full=10_000)
KILLS = 3
EVERY = 2.0
"""Seconds, in full size, after which another one is killed at the latest."""
PATIENCE = 120.0
MOST_SECONDS = {"postgresql": 10.0, "sqlite": 15.0}
POLICY = {
    "due": {"after": "30m"},
    "escalation": [{"after": "1h", "to": "team:leads", "priority": 80, "notify": ["in-app", "mail"]}],
    "deadline": {"after": "24h", "fallback": {"verdict": "reject", "reason": "nobody-decided"}},
}


def test_each_of_many_timers_fires_once_though_workers_are_killed(
    db: Database, clock: MovableClock, tmp_path: Path
) -> None:
    clock.set(datetime.now(UTC) - timedelta(hours=1, seconds=1))
    make_items(db, a_told_queue(db), [{}] * COUNT)
    with running_workers(db, tmp_path, count=1 if db.embedded else 3) as workers:
        drain(db, workers, kills=not db.embedded)
    with db.reading() as session:
        assert firings_of(db) == COUNT
        assert session.scalars(sa.select(Item.level).distinct()).all() == [1]
        escalated = sa.select(Event.item_id).where(Event.type == EventType.ITEM_ESCALATED)
        assert len(set(session.scalars(escalated))) == len(session.scalars(escalated).all()) == COUNT
        for table, each in ((Notice, 1), (Notification, 2), (Message, 2)):
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == COUNT * each
        first, last = session.execute(
            sa.select(sa.func.min(Firing.fired_at), sa.func.max(Firing.fired_at))
        ).one()
    assert list(verify(db, Checked())) == []
    print(f"{db.url.get_backend_name()}: {COUNT:,} timers in {last - first}, {workers.killed} workers killed")
    if FULL:
        assert (last - first).total_seconds() <= MOST_SECONDS[db.url.get_backend_name()]


def a_told_queue(db: Database) -> Queue:
    queue = make_queue(db, policy=POLICY)
    make_team(db, "leads", *(make_person(db, f"lead-{n}@example.org", queue, "lead") for n in range(2)))
    return queue


def drain(db: Database, workers: Workers, *, kills: bool) -> None:
    """Waits until all have fired. Kills a worker whenever another quarter has, and in full size every two seconds."""
    end, struck_at = time.monotonic() + PATIENCE, None
    while (fired := firings_of(db)) < COUNT:
        assert time.monotonic() < end, f"{fired} of {COUNT} fired"
        if fired and struck_at is None:
            struck_at = time.monotonic()
        by_share = fired * (KILLS + 1) // COUNT > workers.killed and workers.killed < KILLS
        by_time = FULL and struck_at is not None and time.monotonic() - struck_at > EVERY
        if kills and (by_share or by_time):
            workers.kill_one()
            struck_at = time.monotonic()
        time.sleep(0.02)


def firings_of(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Firing)) or 0
