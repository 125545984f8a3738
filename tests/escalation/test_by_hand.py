"""People escalate too: one level up, for whom they say or whom the policy names, and the item is no longer theirs."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from reviewqueue.audit.queries import trail_of
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Invalid, WrongState
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items.assignees import Assignees
from reviewqueue.items.escalating import escalate_by_hand
from reviewqueue.items.models import Item
from reviewqueue.people.models import Person
from reviewqueue.queues.models import Queue
from reviewqueue.queues.policies import policy_of

from ..support.making import (
    actor_of,
    load,
    make_claim,
    make_decision,
    make_item,
    make_person,
    make_queue,
    make_team,
)


@pytest.fixture
def queue(db: Database) -> Queue:
    steps = [{"after": "2h", "to": "team:leads", "priority": 70}, {"after": "4h", "to": "boss@example.org"}]
    return make_queue(db, policy={"escalation": steps})


@pytest.fixture
def clerk(db: Database, queue: Queue) -> Person:
    make_team(db, "leads", make_person(db, "lead@example.org", queue, "lead"))
    make_person(db, "boss@example.org", queue, "manager")
    return make_person(db, "clerk@example.org", queue)


def by_hand(db: Database, item_id: uuid.UUID, person: Person, to: str | None = None) -> None:
    with db.transaction(actor_of(person)) as tx:
        item = tx.session.get_one(Item, item_id, with_for_update=True)
        policy = policy_of(tx.session, item.policy_id)
        escalate_by_hand(item, tx, policy, Assignees(tx.session, tx.now), reason="beyond me", to=to)


def told(db: Database, item_id: uuid.UUID) -> list[dict[str, Any]]:
    with db.reading() as session:
        return [e["data"] for e in trail_of(session, item_id) if e["type"] == "item.escalated"]


def test_it_goes_to_whom_the_policy_names_for_that_level(db: Database, queue: Queue, clerk: Person) -> None:
    item_id = make_item(db, queue)
    make_claim(db, item_id, clerk)
    by_hand(db, item_id, clerk)
    item = load(db, item_id)
    assert (item.level, item.priority, item.assigned_to, item.claim_by) == (1, 70, "team:leads", None)
    assert (told(db, item_id)[0]["reason"], told(db, item_id)[0]["from"]) == ("beyond me", 0)


def test_the_step_of_that_level_has_then_fired(
    db: Database, clock: MovableClock, queue: Queue, clerk: Person
) -> None:
    item_id = make_item(db, queue)
    by_hand(db, item_id, clerk)
    clock.move(hours=3)
    assert fire_due(db) == 0
    clock.move(hours=1)
    assert fire_due(db) == 1
    assert (load(db, item_id).level, load(db, item_id).assigned_to) == (2, "boss@example.org")


def test_it_goes_to_whom_the_person_names(db: Database, queue: Queue, clerk: Person) -> None:
    item_id = make_item(db, queue)
    by_hand(db, item_id, clerk, to="boss@example.org")
    assert load(db, item_id).assigned_to == "boss@example.org"


def test_beyond_the_last_step_the_level_still_rises(db: Database, queue: Queue, clerk: Person) -> None:
    item_id = make_item(db, queue)
    for _ in range(3):
        by_hand(db, item_id, clerk)
    assert (load(db, item_id).level, load(db, item_id).assigned_to) == (3, "boss@example.org")


def test_nobody_without_a_role_is_given_it(db: Database, queue: Queue, clerk: Person) -> None:
    make_person(db, "outsider@example.org")
    item_id = make_item(db, queue)
    with pytest.raises(Invalid, match="holds no role in the queue"):
        by_hand(db, item_id, clerk, to="outsider@example.org")
    assert load(db, item_id).level == 0


def test_a_decided_item_is_not_escalated(db: Database, queue: Queue, clerk: Person) -> None:
    item_id = make_item(db, queue)
    make_decision(db, item_id, clerk)
    with pytest.raises(WrongState):
        by_hand(db, item_id, clerk)
