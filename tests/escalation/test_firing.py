"""Timers go off: what happens to the item, its trail and its next timer."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from reviewqueue.audit.queries import trail_of
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import AlreadyDecided
from reviewqueue.escalation import operations, timers
from reviewqueue.escalation.models import Firing
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items.handling import snooze
from reviewqueue.items.models import Item, Outcome
from reviewqueue.queues.models import Queue
from reviewqueue.queues.policies import policy_of
from reviewqueue.transaction import SYSTEM

from ..support.making import (
    load,
    make_claim,
    make_decision,
    make_item,
    make_items,
    make_person,
    make_queue,
    make_team,
)

POLICY: dict[str, Any] = {
    "due": {"after": "1h"},
    "escalation": [
        {"after": "2h", "to": "team:leads"},
        {"after": "4h", "to": "owner:escalation", "priority": 90, "repeat": {"every": "1h", "times": 2}},
    ],
    "deadline": {"after": "24h", "fallback": {"verdict": "reject", "reason": "nobody-decided"}},
}


@pytest.fixture
def queue(db: Database) -> Queue:
    queue = make_queue(db, policy=POLICY, owners={"escalation": "boss@example.org"})
    make_team(db, "leads", make_person(db, "lead@example.org", queue, "lead"))
    make_person(db, "boss@example.org", queue, "manager")
    return queue


def told(db: Database, item_id: uuid.UUID, type_: str) -> list[dict[str, Any]]:
    with db.reading() as session:
        return [event["data"] for event in trail_of(session, item_id) if event["type"] == type_]


def test_nothing_fires_before_its_time(db: Database, clock: MovableClock, queue: Queue) -> None:
    make_item(db, queue)
    clock.move(minutes=119)
    assert fire_due(db) == 0


def test_a_step_raises_the_level_and_gives_the_item_to_its_target(
    db: Database, clock: MovableClock, queue: Queue
) -> None:
    item_id = make_item(db, queue)
    clock.move(hours=2, seconds=3)
    assert fire_due(db) == 1
    item = load(db, item_id)
    assert (item.level, item.assigned_to, item.priority, item.version) == (1, "team:leads", 50, 2)
    assert (item.timer_kind, item.timer_at) == ("escalate", item.created_at + timedelta(hours=4))
    [event] = told(db, item_id, "item.escalated")
    assert event == {
        "step": 1,
        "occurrence": 0,
        "planned_at": "2026-03-02T11:00:00.000000Z",
        "level": 1,
        "from": 0,
        "priority": 50,
        "to": ["team:leads"],
        "assigned_to": "team:leads",
        "note": None,
        "told": [{"person": "lead@example.org", "through": ["in-app"]}],
    }


def test_a_whole_life_without_a_decision(db: Database, clock: MovableClock, queue: Queue) -> None:
    item_id = make_item(db, queue)
    for _ in range(25 * 12):
        clock.move(minutes=5)
        fire_due(db)
    item = load(db, item_id)
    steps = [(e["step"], e["occurrence"], e["level"]) for e in told(db, item_id, "item.escalated")]
    assert steps == [(1, 0, 1), (2, 0, 2), (2, 1, 2), (2, 2, 2)]
    assert (item.state, item.level, item.priority, item.assigned_to) == ("expired", 2, 90, "boss@example.org")
    assert item.timer_at is None
    with db.reading() as session:
        outcome = session.get_one(Outcome, (item_id, 1))
        assert (outcome.verdict, outcome.by, outcome.reason) == ("reject", "fallback", "nobody-decided")
        firings = session.execute(sa.select(Firing.kind, Firing.planned_at).order_by(Firing.planned_at)).all()
    assert [kind for kind, _ in firings] == ["escalate", "escalate", "repeat", "repeat", "deadline"]


def test_an_edit_as_fallback_releases_its_output(db: Database, clock: MovableClock) -> None:
    fallback = {"verdict": "edit", "output": {"total": None}, "reason": "nobody-decided"}
    queue = make_queue(db, policy={"deadline": {"after": "1h", "fallback": fallback}})
    item_id = make_item(db, queue)
    clock.move(hours=1)
    fire_due(db)
    with db.reading() as session:
        outcome = session.get_one(Outcome, (item_id, 1))
    assert (outcome.verdict, outcome.output_json) == ("edit", '{"total":null}')
    assert told(db, item_id, "item.expired")[0]["outcome"]["output"] == {"total": None}


def test_after_a_downtime_the_current_step_fires_once(
    db: Database, clock: MovableClock, queue: Queue
) -> None:
    item_id = make_item(db, queue)
    clock.move(hours=9)
    assert [fire_due(db), fire_due(db)] == [1, 0]
    assert [e["step"] for e in told(db, item_id, "item.escalated")] == [2]
    clock.move(minutes=59)
    assert fire_due(db) == 0
    clock.move(minutes=1)
    assert fire_due(db) == 1
    assert told(db, item_id, "item.escalated")[-1]["occurrence"] == 1


def test_a_decided_item_has_no_timer(db: Database, clock: MovableClock, queue: Queue) -> None:
    item_id = make_item(db, queue)
    make_decision(db, item_id, make_person(db, "clerk@example.org", queue))
    clock.move(hours=48)
    assert fire_due(db) == 0
    assert load(db, item_id).level == 0


def test_a_claim_goes_on_through_an_escalation(db: Database, clock: MovableClock, queue: Queue) -> None:
    item_id = make_item(db, queue)
    clerk = make_person(db, "clerk@example.org", queue)
    clock.move(hours=1, minutes=55)
    token = make_claim(db, item_id, clerk)
    clock.move(minutes=6)
    assert fire_due(db) == 1
    make_decision(db, item_id, clerk, token=token)
    assert load(db, item_id).state == "accepted"


def test_a_claim_ends_with_the_deadline(db: Database, clock: MovableClock, queue: Queue) -> None:
    item_id = make_item(db, queue)
    clerk = make_person(db, "clerk@example.org", queue)
    clock.move(hours=23, minutes=59)
    token = make_claim(db, item_id, clerk)
    clock.move(minutes=1)
    fire_due(db)
    with pytest.raises(AlreadyDecided):
        make_decision(db, item_id, clerk, token=token)


def test_a_snoozed_item_wakes_and_its_steps_come_later(
    db: Database, clock: MovableClock, queue: Queue
) -> None:
    item_id = make_item(db, queue)
    with db.transaction(SYSTEM) as tx:
        item = tx.session.get_one(Item, item_id)
        snooze(item, tx, policy_of(tx.session, item.policy_id), clock.now() + timedelta(hours=5), None)
    clock.move(hours=4)
    assert fire_due(db) == 0
    clock.move(hours=1)
    assert fire_due(db) == 1
    item = load(db, item_id)
    assert (item.snoozed_until, item.level) == (None, 0)
    assert told(db, item_id, "item.woken") == [{"planned_at": "2026-03-02T14:00:00.000000Z"}]
    clock.move(hours=2)
    assert fire_due(db) == 1
    assert load(db, item_id).level == 1


def test_whoever_holds_no_role_is_not_given_the_item(db: Database, clock: MovableClock) -> None:
    make_person(db, "outsider@example.org")
    targets = ["outsider@example.org", "rotation:night", "lead"]
    queue = make_queue(db, policy={"escalation": [{"after": "1h", "to": targets}]})
    item_id = make_item(db, queue)
    clock.move(hours=1)
    fire_due(db)
    [event] = told(db, item_id, "item.escalated")
    assert (event["level"], event["assigned_to"]) == (1, None)
    assert event["note"] == (
        "outsider@example.org: holds no role in the queue that decides; "
        "rotation:night: nobody is on call; owner:escalation: the queue has no such owner; "
        "owner:business: the queue has no such owner; lead: a role is told, not given items"
    )


def test_an_escalation_never_lowers_the_priority(db: Database, clock: MovableClock, queue: Queue) -> None:
    item_id = make_item(db, queue, priority=95)
    clock.move(hours=4)
    fire_due(db)
    assert load(db, item_id).priority == 95


def test_a_timer_that_fails_stops_no_other_and_is_put_off(
    db: Database, clock: MovableClock, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = make_items(db, queue, [{} for _ in range(5)])
    broken, real = ids[2], timers.fire

    def fire(item: Item, *rest: Any) -> None:
        real(item, *rest)
        if item.id == broken:
            raise RuntimeError("no way")

    monkeypatch.setattr(operations, "fire", fire)
    clock.move(hours=2)
    fire_due(db)
    assert [load(db, id_).level for id_ in ids] == [1, 1, 0, 1, 1]
    item = load(db, broken)
    assert (item.timer_failures, item.timer_error) == (1, "RuntimeError while escalating it")
    assert item.timer_at == clock.now() + timedelta(seconds=10)
    assert told(db, broken, "item.escalated") == []
    clock.move(seconds=10)
    fire_due(db)
    item = load(db, broken)
    assert (item.timer_failures, item.timer_at) == (2, clock.now() + timedelta(seconds=20))
    monkeypatch.undo()
    clock.move(seconds=20)
    fire_due(db)
    item = load(db, broken)
    assert (item.level, item.timer_failures, item.timer_error) == (1, 0, None)
    assert len(told(db, broken, "item.escalated")) == 1


def test_an_escalation_that_fails_delays_no_deadline(
    db: Database, clock: MovableClock, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    item_id = make_item(db, queue)
    monkeypatch.setattr("reviewqueue.items.escalating.tell_escalated", lambda *_: 1 / 0)
    clock.move(hours=23, minutes=59)
    for pause in (10, 20):
        fire_due(db)
        clock.move(seconds=pause)
    fire_due(db)
    assert load(db, item_id).timer_at == load(db, item_id).deadline_at, "30 s from now, and not 40"
    clock.move(seconds=30)
    fire_due(db)
    assert load(db, item_id).state == "expired"


def test_the_deadline_that_fails_is_tried_again_after_a_pause(
    db: Database, clock: MovableClock, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    item_id = make_item(db, queue)
    monkeypatch.setattr("reviewqueue.items.escalating.tell_expired", lambda *_: 1 / 0)
    clock.move(hours=24)
    fire_due(db)
    item = load(db, item_id)
    assert (item.timer_at, item.timer_failures) == (clock.now() + timedelta(seconds=10), 1)


def test_a_stored_time_that_is_not_the_time_is_put_right(
    db: Database, clock: MovableClock, queue: Queue
) -> None:
    item_id = make_item(db, queue)
    with db.transaction(SYSTEM) as tx:
        item = tx.session.get_one(Item, item_id)
        operations._postpone(tx, item, timer_at=clock.now())
    assert fire_due(db) == 1
    item = load(db, item_id)
    assert (item.timer_at, item.level) == (clock.now() + timedelta(hours=2), 0)
