"""A year of a queue, from event to event: whatever is decided or not, every item's life is what its policy says."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa

from reviewqueue.audit.queries import trail_of
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items.models import Item

from ..support.making import make_decision, make_items, make_person, make_queue

HOUR = timedelta(hours=1)
PLAN = {
    5: "item.escalated",
    12: "item.escalated",
    15: "item.escalated",
    18: "item.escalated",
    48: "item.expired",
}
"""Hours after arrival: two steps, the second repeated twice, and the deadline."""
POLICY = {
    "escalation": [
        {"after": "5h", "to": "lead"},
        {"after": "12h", "to": "lead", "repeat": {"every": "3h", "times": 2}},
    ],
    "deadline": {"after": "48h", "fallback": {"verdict": "reject"}},
}


def test_a_year_of_a_queue(sqlite_db: Database, clock: MovableClock) -> None:
    db, draw = sqlite_db, random.Random(11)
    queue = make_queue(db, policy=POLICY)
    clerk = make_person(db, "clerk@example.org", queue)
    decisions: dict[datetime, list[uuid.UUID]] = {}
    decided_after: dict[uuid.UUID, int | None] = {}
    end = clock.now() + timedelta(days=365)
    arrival = clock.now()
    while clock.now() < end:
        if clock.now() == arrival:
            arrival += timedelta(days=4)
            for item_id in make_items(db, queue, [{}] * 6) if arrival < end - timedelta(days=2) else ():
                after = draw.choice([None, draw.randrange(1, 48)])
                decided_after[item_id] = after
                if after is not None:
                    decisions.setdefault(clock.now() + HOUR * after, []).append(item_id)
        fire_due(db)
        for item_id in decisions.pop(clock.now(), ()):
            make_decision(db, item_id, clerk)
        clock.set(min(arrival, *decisions, next_timer_of_all(db) or end))
    with db.reading() as session:
        arrivals = dict(session.execute(sa.select(Item.id, Item.created_at)).all())
        lives = {item_id: trail_of(session, item_id) for item_id in arrivals}
    assert len(lives) == 6 * 90
    for item_id, events in lives.items():
        after = decided_after[item_id]
        expected = [(h, name) for h, name in PLAN.items() if after is None or h <= after]
        happened = [
            ((datetime.fromisoformat(event["at"]) - arrivals[item_id]) / HOUR, event["type"])
            for event in events
            if event["type"] in ("item.escalated", "item.expired")
        ]
        assert happened == expected
        assert events[-1]["type"] == ("item.expired" if after is None else "item.accepted")
    assert list(verify(db, Checked())) == []


def next_timer_of_all(db: Database) -> datetime | None:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.min(Item.timer_at)))
