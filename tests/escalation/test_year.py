"""A year of two queues with 50 items a day: every event of every item happens as foretold, to the second.

Three weeks of it in the suite, the year in full size, and then in under a minute.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Any

import orjson
import sqlalchemy as sa

from reviewqueue.audit.models import Event, EventContent
from reviewqueue.audit.trail import rfc3339
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items.deciding import Fence, Judgement, decide
from reviewqueue.items.handling import snooze
from reviewqueue.items.locking import expect_events
from reviewqueue.items.models import Evidence, Item
from reviewqueue.items.reopening import reopen
from reviewqueue.items.states import Verdict
from reviewqueue.oncall import operations as oncall
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Membership, Person
from reviewqueue.queues.models import Queue
from reviewqueue.queues.policies import policy_of
from reviewqueue.transaction import SYSTEM, Transaction

from ..support.making import (
    actor_of,
    make_calendar,
    make_items,
    make_person,
    make_queue,
    make_team,
    reviewer_of,
)
from ..support.sizes import FULL, size
from .lives import Happening, happenings
from .year import BOSS, CALENDARS, LEADS, ROTATION, START, Script, arrivals, on_call, plan, policy

DAYS = size(in_suite=21, full=365)
MOST_SECONDS = 60
ON_CALL = ("ann@example.org", "bob@example.org", "eve@example.org")

Told = tuple[str, str, int | None, int | None, str | None, list[str]]
"""An event as the trail tells it: when, what, step, occurrence, assignee, and the persons told."""


def test_every_event_of_a_year_happens_as_foretold(db: Database, clock: MovableClock) -> None:
    clock.set(START)
    house = House.open(db, clock)
    began = time.monotonic()
    house.live(DAYS)
    took = time.monotonic() - began
    lives = lives_of(db)
    assert len(lives) == len(house.scripts) == 50 * DAYS
    for item_id, script in house.scripts.items():
        assert lives[item_id] == foretold(script), script
    events = sum(map(len, lives.values()))
    print(
        f"{db.url.get_backend_name()}: {DAYS} days, {len(lives):,} items, {events:,} events in {took:.1f} s"
    )
    if FULL:
        assert took < MOST_SECONDS
    assert list(verify(db, Checked())) == []


@dataclass
class House:
    """Two queues and their people, who do what their scripts say."""

    db: Database
    clock: MovableClock
    queues: dict[str, Queue]
    clerk: Person
    scripts: dict[uuid.UUID, Script] = field(default_factory=dict)
    _coming: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    @classmethod
    def open(cls, db: Database, clock: MovableClock) -> House:
        queues = {}
        for name, hours in CALENDARS.items():
            make_calendar(db, {"calendar": name, **hours})
            queues[name] = make_queue(db, name, policy=policy(name), owners={"escalation": BOSS})
        people = {email: make_person(db, email) for email in (*ON_CALL, *LEADS, BOSS)}
        make_team(db, "leads", *(people[email] for email in LEADS))
        with db.transaction(SYSTEM) as tx:
            for queue in queues.values():
                tx.session.add_all(
                    Membership(queue_id=queue.id, role="reviewer", person_id=person.id)
                    for person in people.values()
                )
        oncall.apply(db, SYSTEM_CALLER, ROTATION)
        return cls(db, clock, queues, people[BOSS])

    def live(self, days: int) -> None:
        for scripts in arrivals(days, seed=11):
            self._plan(scripts[0].lives[0].begins, partial(self._arrive, scripts))
        vacuumed = START
        while (timer := self._next_timer()) or self._coming:
            at = min(at for at in (timer, self._coming[0][0] if self._coming else None) if at)
            self.clock.set(at)
            if at == timer:
                fire_due(self.db)
            while self._coming and self._coming[0][0] == at:
                heappop(self._coming)[2]()
            if at > vacuumed + timedelta(days=7):
                self._vacuum()
                vacuumed = at

    def _plan(self, at: datetime, act: Callable[[], None]) -> None:
        heappush(self._coming, (at, next(self._numbers), act))

    def _vacuum(self) -> None:
        """As PostgreSQL does by itself each minute, but never in a year that lasts no longer."""
        if not self.db.embedded:
            with self.db.asking() as connection:
                connection.exec_driver_sql("VACUUM ANALYZE item, event, notice, notification")

    def _next_timer(self) -> datetime | None:
        with self.db.asking() as connection:
            return connection.scalar(sa.select(sa.func.min(Item.timer_at)))

    def _arrive(self, scripts: Sequence[Script]) -> None:
        queue = self.queues[scripts[0].queue]
        ids = make_items(self.db, queue, [{}] * sum(script.count for script in scripts))
        for script in scripts:
            own, ids = ids[: script.count], ids[script.count :]
            self.scripts.update(dict.fromkeys(own, script))
            for number, life in enumerate(script.lives):
                if number:
                    self._plan(life.begins, partial(self._reopen, own))
                if life.snoozed:
                    begins, until = life.snoozed
                    self._plan(begins, partial(self._snooze, own, until))
                if life.decided:
                    self._plan(life.decided, partial(self._decide, own))

    def _snooze(self, ids: list[uuid.UUID], until: datetime) -> None:
        with self.db.transaction(actor_of(self.clerk)) as tx:
            for item in locked(tx, ids):
                snooze(item, tx, policy_of(tx.session, item.policy_id), until, None)

    def _decide(self, ids: list[uuid.UUID]) -> None:
        with self.db.transaction(actor_of(self.clerk)) as tx:
            shown = {
                e.item_id: e for e in tx.session.scalars(sa.select(Evidence).where(Evidence.item_id.in_(ids)))
            }
            for item in locked(tx, ids):
                rules, fence = policy_of(tx.session, item.policy_id), Fence(version=item.version)
                decide(
                    item,
                    tx,
                    reviewer_of(self.clerk, "lead"),
                    rules,
                    shown[item.id],
                    Judgement(Verdict.ACCEPT),
                    fence,
                )

    def _reopen(self, ids: list[uuid.UUID]) -> None:
        with self.db.transaction(actor_of(self.clerk)) as tx:
            for item in locked(tx, ids):
                reopen(item, tx, policy_of(tx.session, item.policy_id), "look again")


def locked(tx: Transaction, ids: list[uuid.UUID]) -> list[Item]:
    items = list(tx.session.scalars(sa.select(Item).where(Item.id.in_(ids)).with_for_update()))
    expect_events(tx, items)
    return items


def foretold(script: Script) -> list[Told]:
    assigned: str | None = None
    told = [_told(Happening(script.lives[0].begins, "item.enqueued"))]
    for number, life in enumerate(script.lives):
        if number:
            told.append(_told(Happening(life.begins, "item.reopened")))
        for one in happenings(life, plan(script.queue, DAYS)):
            persons: list[str] = []
            if one.event == "item.escalated":
                watch = on_call(one.at) or BOSS
                assigned = {1: "team:leads", 2: watch, 3: BOSS}[one.step or 0]
                persons = {1: LEADS, 2: [watch], 3: [BOSS]}[one.step or 0]
            elif one.event == "item.expired":
                persons = [BOSS]
            told.append(_told(one, assigned if one.event == "item.escalated" else None, persons))
        if number and life.decided is not None:
            told.append(_told(Happening(life.decided, "item.corrected")))
    return told


def _told(one: Happening, assigned: str | None = None, persons: Sequence[str] = ()) -> Told:
    return rfc3339(one.at), one.event, one.step, one.occurrence, assigned, list(persons)


def lives_of(db: Database) -> dict[uuid.UUID, list[Told]]:
    """Every item's trail."""
    lives: dict[uuid.UUID, list[Told]] = defaultdict(list)
    with db.reading() as session:
        rows = session.execute(
            sa.select(Event.item_id, EventContent.body)
            .join(EventContent, EventContent.event_id == Event.id)
            .where(Event.item_id.is_not(None))
            .order_by(Event.item_id, Event.item_seq)
        )
        for item_id, body in rows:
            assert item_id is not None
            event = orjson.loads(body)
            data: dict[str, Any] = event["data"]
            assert data.get("planned_at", event["at"]) == event["at"]
            persons = [entry["person"] for entry in data.get("told") or () if "person" in entry]
            lives[item_id].append(
                (
                    event["at"],
                    event["type"],
                    data.get("step"),
                    data.get("occurrence"),
                    data.get("assigned_to"),
                    persons,
                )
            )
    return lives
