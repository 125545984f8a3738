"""Claims that ran out are recorded; who held one may still decide while nobody else has claimed."""

from __future__ import annotations

import pytest

from reviewqueue.audit.queries import trail_of
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Refusal
from reviewqueue.items.lapsing import record_lapsed
from reviewqueue.queues.models import Queue

from ..support.making import load, make_claim, make_decision, make_item, make_person, make_queue


@pytest.fixture
def queue(db: Database) -> Queue:
    return make_queue(db, policy={"lease": "10m"})


def test_a_claim_that_ran_out_is_recorded_once(db: Database, clock: MovableClock, queue: Queue) -> None:
    item_id = make_item(db, queue)
    make_claim(db, item_id, make_person(db, "clerk@example.org", queue))
    clock.move(minutes=9, seconds=59)
    assert record_lapsed(db) == 0
    clock.move(seconds=1)
    assert [record_lapsed(db), record_lapsed(db)] == [1, 0]
    with db.reading() as session:
        last = trail_of(session, item_id)[-1]
    assert (last["type"], last["data"], last["actor"]["kind"]) == (
        "item.claim_expired",
        {"claim": None, "of": "clerk"},
        "timer",
    )
    assert load(db, item_id).claim_until is None


def test_a_late_holder_decides_while_nobody_else_has_claimed(
    db: Database, clock: MovableClock, queue: Queue
) -> None:
    item_id, clerk = make_item(db, queue), make_person(db, "clerk@example.org", queue)
    token = make_claim(db, item_id, clerk)
    clock.move(minutes=30)
    record_lapsed(db)
    make_decision(db, item_id, clerk, token=token)
    assert load(db, item_id).state == "accepted"


def test_a_late_holder_whose_item_was_claimed_again_is_refused(
    db: Database, clock: MovableClock, queue: Queue
) -> None:
    item_id, clerk = make_item(db, queue), make_person(db, "clerk@example.org", queue)
    token = make_claim(db, item_id, clerk)
    clock.move(minutes=30)
    record_lapsed(db)
    make_claim(db, item_id, make_person(db, "other@example.org", queue))
    with pytest.raises(Refusal):
        make_decision(db, item_id, clerk, token=token)
    assert load(db, item_id).state == "pending"
