"""People decide within 50 ms of the moment at which their items escalate: the escalation comes before, or never.

This race is run in real time, over the HTTP API, beside workers that fire as fast as they can.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from reviewqueue import create_app
from reviewqueue.audit.events import EventType
from reviewqueue.audit.models import Event
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.escalation.models import Firing
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items.claiming import claim
from reviewqueue.items.models import Item
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewKey
from reviewqueue.people.key_operations import create_key
from reviewqueue.people.models import Person, Scope
from reviewqueue.queues.models import Queue
from reviewqueue.worker import Job, Worker

from ..support.databases import Databases, Kind
from ..support.making import actor_of, make_item, make_person, make_queue, reviewer_of
from ..support.sizes import FULL, size

if TYPE_CHECKING:
    from flask import Flask

COUNT = size(in_suite=150, full=2_000)
GAP = timedelta(milliseconds=10)
"""Between one item's due time and the next one's."""
NEAR = timedelta(milliseconds=50)
TAKES, LEAD = timedelta(milliseconds=7), timedelta(seconds=0.5)
"""To enqueue and claim one of them; they come due once all of that is done."""
CLIENTS, WORKERS = 6, 2
STEP = timedelta(hours=2)
POLICY = {"lease": "30m", "escalation": [{"after": "2h", "to": "lead", "notify": ["in-app", "mail"]}]}


@dataclass(frozen=True)
class Post:
    """One decision that is to be posted at its time."""

    at: datetime
    item_id: uuid.UUID
    token: str


@pytest.fixture
def real_db(databases: Databases, kind: Kind) -> Iterator[Database]:
    """By the real clock."""
    made = databases.make(kind)
    yield made
    databases.drop(made)


def test_no_escalation_comes_after_the_decision_and_no_client_sees_an_error(
    real_db: Database, settings_of_no_worker: Settings
) -> None:
    db = real_db
    queue = make_queue(db, policy=POLICY)
    make_person(db, "lead@example.org", queue, "lead")
    clerk = make_person(db, "clerk@example.org", queue)
    app, key = create_app(settings_of_no_worker, db), a_key_of(db, clerk)
    posts = prepared(db, queue, clerk)
    with firing(db):
        statuses = post_all(db, app, key, posts)
    fire_due(db)
    assert statuses == {200: COUNT}
    escalated = assert_each_life_ends_with_its_decision(db)
    print(f"{db.url.get_backend_name()}: {COUNT:,} decisions, {escalated:,} after their item escalated")
    if FULL:
        assert COUNT * 0.2 < escalated < COUNT * 0.8, "it was no race"
    assert list(verify(db, Checked())) == []


@pytest.fixture
def settings_of_no_worker() -> Settings:
    return Settings(secret_key="only-for-tests-" + "0" * 32, base_url="http://localhost")


def a_key_of(db: Database, person: Person) -> str:
    form = NewKey(name="clerk", scopes=[Scope.DECISIONS_WRITE], person=person.email)
    return create_key(db, SYSTEM_CALLER, form)


def prepared(db: Database, queue: Queue, clerk: Person) -> list[Post]:
    """Claimed items whose step comes one after another, and when each is decided, in that order."""
    draw, arrival = random.Random(5), MovableClock()
    first = db.clock.now() + TAKES * COUNT + LEAD
    dues = [first + n * GAP for n in range(COUNT)]
    ids = []
    for due in dues:
        arrival.set(due - STEP)
        ids.append(make_item(db.by(arrival), queue))
    tokens = claimed(db, ids, clerk)
    posts = [
        Post(due + draw.uniform(-1, 1) * NEAR, item_id, token)
        for due, item_id, token in zip(dues, ids, tokens, strict=True)
    ]
    return sorted(posts, key=lambda post: post.at)


def claimed(db: Database, ids: list[uuid.UUID], clerk: Person) -> list[str]:
    """Claims them all in one transaction; returns the tokens."""
    with db.transaction(actor_of(clerk)) as tx:
        items = {item.id: item for item in tx.session.scalars(sa.select(Item).where(Item.id.in_(ids)))}
        for item in items.values():
            claim(item, tx, reviewer_of(clerk), timedelta(minutes=30))
    return [str(items[item_id].claim_token) for item_id in ids]


@contextmanager
def firing(db: Database) -> Iterator[None]:
    """Workers that look for due timers a hundred times a second."""
    jobs = [Job("fire timers", 0.01, fire_due, by_the_clock=True)]
    workers = [Worker(db, jobs) for _ in range(1 if db.embedded else WORKERS)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(10)


def post_all(db: Database, app: Flask, key: str, posts: list[Post]) -> Counter[int]:
    """Posts each at its time; returns how often each status was answered."""
    clients = threading.local()

    def post(what: Post) -> int:
        if not hasattr(clients, "own"):
            clients.own = app.test_client()
        time.sleep(max(0.0, (what.at - db.clock.now()).total_seconds()))
        answer = clients.own.post(
            f"/api/v1/items/{what.item_id}/decision",
            json={"verdict": "accept", "claim_token": what.token},
            headers={"Authorization": f"Bearer {key}"},
        )
        return int(answer.status_code)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(pool.map(post, posts))


def assert_each_life_ends_with_its_decision(db: Database) -> int:
    """Returns how many items had escalated by then."""
    with db.reading() as session:
        rows = session.execute(
            sa.select(Event.item_id, Event.type)
            .where(Event.item_id.is_not(None))
            .order_by(Event.item_id, Event.item_seq)
        ).all()
        firings = session.scalar(sa.select(sa.func.count()).select_from(Firing))
    lives: dict[uuid.UUID, list[str]] = {}
    for item_id, type_ in rows:
        assert item_id is not None
        lives.setdefault(item_id, []).append(type_)
    before = [EventType.ITEM_ENQUEUED, EventType.ITEM_CLAIMED]
    between: Counter[int] = Counter()
    for life in lives.values():
        assert life[:2] == before and life[-2:] == [EventType.ITEM_REVIEWED, EventType.ITEM_ACCEPTED]
        assert set(life[2:-2]) <= {EventType.ITEM_ESCALATED}
        between[len(life) - 4] += 1
    assert between.keys() <= {0, 1} and between.total() == COUNT
    assert firings == between[1]
    return between[1]
