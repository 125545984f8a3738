"""What somebody finds who opens the demo: at once, and after it was left alone for an hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import orjson
import pytest
import sqlalchemy as sa

from reviewqueue.audit.models import Event, EventContent
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.demo.arrivals import FINE, SOURCES, after
from reviewqueue.demo.filling import PERSONS, fill
from reviewqueue.demo.running_app import EVERY_SECONDS
from reviewqueue.escalation.operations import fire_due
from reviewqueue.insights.trends import by_hour, trend
from reviewqueue.items.models import Item
from reviewqueue.items.operations import claim_next, enqueue_batch
from reviewqueue.people.callers import Caller
from reviewqueue.people.keys import authenticate
from reviewqueue.people.models import Person, Scope
from reviewqueue.queues.models import Queue
from reviewqueue.transaction import Actor

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
QUEUES = ("receipt-extraction", "file-type", "support-replies")


@dataclass(frozen=True)
class Demo:
    db: Database
    clock: MovableClock
    app: Caller


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One for all tests of this file, in their order: the last lets an hour pass."""
    url = f"sqlite:///{tmp_path_factory.mktemp('demo')}/reviewqueue.sqlite3"
    key = fill(url, NOW, "four-eyes-see-more")
    clock = MovableClock(NOW)
    db = Database(url, clock)
    with db.reading() as session:
        app = authenticate(session, key)
    yield Demo(db, clock, app)
    db.dispose()


def test_each_queue_has_something_on_every_level(demo: Demo) -> None:
    with demo.db.reading() as session:
        levels = session.execute(
            sa.select(Item.queue, Item.level).where(Item.state == "pending").distinct()
        ).all()
    assert {tuple(row) for row in levels} == {(queue, level) for queue in QUEUES for level in (0, 1, 2)}


def test_nobody_has_decided_anything(demo: Demo) -> None:
    with demo.db.reading() as session:
        states = set(session.scalars(sa.select(Item.state).distinct()))
        count = session.scalar(sa.select(sa.func.count()).select_from(Item))
    assert states == {"pending", "auto_accepted"}
    assert count == sum(source.at_start for source in SOURCES)


def test_every_escalation_came_when_it_was_planned(demo: Demo) -> None:
    with demo.db.reading() as session:
        bodies = session.scalars(
            sa.select(EventContent.body)
            .join(Event, Event.id == EventContent.event_id)
            .where(Event.type == "item.escalated")
        ).all()
    assert bodies
    for body in map(orjson.loads, bodies):
        assert body["at"] == body["data"]["planned_at"]


def test_the_history_is_on_the_trail(demo: Demo) -> None:
    checked = Checked()
    assert list(verify(demo.db, checked)) == []
    assert checked.positions == checked.events > checked.items


def test_the_backlog_knows_what_it_was_yesterday(demo: Demo) -> None:
    with demo.db.reading() as session:
        queue_ids = list(session.scalars(sa.select(Queue.id)))
        then = trend(session, NOW, queue_ids).day
        hours = by_hour(session, NOW, queue_ids)
    assert then is not None
    assert then.waiting > 0
    assert sum(hour.arrived for hour in hours) > then.waiting


def test_the_app_may_do_nothing_but_enqueue(demo: Demo) -> None:
    assert demo.app.is_app
    assert demo.app.scopes == frozenset({Scope.ITEMS_WRITE})


def test_after_an_hour_alone_there_is_still_work_for_everybody(demo: Demo) -> None:
    let_an_hour_pass(demo)
    with demo.db.reading() as session:
        assert "expired" not in set(session.scalars(sa.select(Item.state).distinct()))
    for person in PERSONS:
        if person.is_admin:
            continue
        caller = caller_of(demo.db, person.email)
        claimed = [claim_next(demo.db, caller, queue) for queue in QUEUES]
        assert all(claimed), f"{person.email} finds nothing"


def let_an_hour_pass(demo: Demo) -> None:
    sent = after()
    for _ in range(timedelta(hours=1) // FINE):
        demo.clock.move(seconds=FINE.total_seconds())
        enqueue_batch(demo.db, demo.app, list(islice(sent, int(FINE.total_seconds() / EVERY_SECONDS))))
        fire_due(demo.db)


def caller_of(db: Database, email: str) -> Caller:
    with db.reading() as session:
        person = session.scalars(sa.select(Person).where(Person.email == email)).one()
    return Caller(Actor("person", str(person.id), person.name), person_id=person.id, email=person.email)
