"""One act on many items: asked of each by its own queue's roles and by the version that was seen."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Forbidden, Invalid
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items import bulk
from reviewqueue.items import operations as items
from reviewqueue.items.bulk import Done, Orders, Preview
from reviewqueue.items.bulk_checks import Act
from reviewqueue.people.models import Membership
from reviewqueue.transaction import SYSTEM

from ..support.making import load, make_item, make_queue
from .office import Office, open_office


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db, escalation=[{"after": "1h", "to": "lead", "repeat": {"every": "1h", "times": 5}}])


def seen(office: Office, *ids: uuid.UUID) -> list[tuple[uuid.UUID, int]]:
    return [(item_id, load(office.db, item_id).version) for item_id in ids]


def preview(office: Office, who: str, act: str, *ids: uuid.UUID) -> Preview:
    return bulk.preview(office.db, office.caller(who), seen(office, *ids), act)


def carry_out(office: Office, who: str, plan: Preview, orders: Orders | None = None) -> Done:
    return bulk.carry_out(office.db, office.caller(who), plan, orders or Orders(), request_id="r-1")


def test_the_preview_changes_nothing_and_says_why_each_is_left_alone(office: Office) -> None:
    good, held, decided, stale = (
        office.enqueue(external_id=name) for name in ("good", "held", "done", "stale")
    )
    office.claim("bob", held)
    office.decide("ann", decided)
    chosen = seen(office, good, held, decided, stale)
    items.assign(office.db, office.caller("lea"), stale, "bob@example.org")
    before = [office.types(one) for one in (good, held, decided, stale)]
    plan = bulk.preview(office.db, office.caller("lea"), [*chosen, (uuid.uuid4(), 1)], "reject")
    assert [item.title for item in plan.ready] == ["good"]
    assert dict(plan.refused[:3]) == {
        "held": "is held by bob",
        "done": "is accepted already",
        "stale": "has changed since you saw the list",
    }
    assert plan.refused[3][1] == "is no item that you can reach"
    assert [(reasons.queue, reasons.options[0].code) for reasons in plan.reasons] == [
        ("receipts", "wrong-total")
    ]
    assert [office.types(one) for one in (good, held, decided, stale)] == before


def test_what_changes_after_the_preview_is_refused_by_its_version(office: Office) -> None:
    ids = [office.enqueue(external_id=f"item-{number}") for number in range(3)]
    plan = preview(office, "lea", "reject", *ids)
    items.assign(office.db, office.caller("max"), ids[1], "bob@example.org")
    done = carry_out(office, "lea", plan, Orders(reasons={"receipts": "wrong-total"}, comment="all wrong"))
    assert (done.done, [title for title, _ in done.refused]) == (2, ["item-1"])
    assert [office.item(one)["state"] for one in ids] == ["rejected", "pending", "rejected"]
    assert office.trail(ids[0])[-1]["request_id"] == "r-1"


@pytest.mark.parametrize(
    ("act", "orders"),
    [
        ("assign", Orders(to="bob@example.org")),
        ("snooze", Orders(snooze_for=timedelta(hours=1))),
        ("acknowledge", Orders()),
    ],
)
def test_the_other_acts_are_fenced_by_the_version_too(
    office: Office, clock: MovableClock, act: str, orders: Orders
) -> None:
    one, other = office.enqueue(), office.enqueue()
    clock.move(hours=1)
    fire_due(office.db)
    plan = preview(office, "lea", act, one, other)
    assert len(plan.ready) == 2
    items.escalate(office.db, office.caller("max"), other, "look", "lea@example.org")
    done = carry_out(office, "lea", plan, orders)
    assert (done.done, len(done.refused)) == (1, 1)
    assert "is at version" in done.refused[0][1]
    assert office.types(one)[-1] == {"assign": "assigned", "snooze": "snoozed"}.get(act, "acknowledged")
    assert office.types(other)[-1] == "escalated"


def test_each_item_is_asked_for_by_the_roles_of_its_own_queue(office: Office) -> None:
    """lea leads here and reviews there, and may decide many in the first alone."""
    there = make_queue(office.db, "replies")
    with office.db.transaction(SYSTEM) as tx:
        tx.session.add(Membership(queue_id=there.id, role="reviewer", person_id=office.people["lea"].id))
    here, other = office.enqueue(), make_item(office.db, there, external_id="reply")
    plan = preview(office, "lea", "accept", here, other)
    assert [item.id for item in plan.ready] == [here]
    assert plan.refused == [("reply", "is in replies, where your role does not allow it")]
    forged = Preview(Act.ACCEPT, [load(office.db, other)], [])
    # A reviewer decides one by one; the door of the bulk never gets that far.
    assert carry_out(office, "out", forged).done == 0
    with pytest.raises(Forbidden):
        preview(office, "ann", "accept", here)
    with pytest.raises(Forbidden):
        preview(office, "ann", "assign", here)


def test_only_who_was_told_acknowledges_and_only_once(office: Office, clock: MovableClock) -> None:
    late, fresh = office.enqueue(), None
    clock.move(hours=1)
    fire_due(office.db)
    fresh = office.enqueue()
    assert [why for _, why in preview(office, "lea", "acknowledge", late, fresh).refused] == [
        "has not escalated"
    ]
    assert "was neither told nor given to you" in preview(office, "max", "acknowledge", late).refused[0][1]
    carry_out(office, "lea", preview(office, "lea", "acknowledge", late))
    assert "acknowledged by lea already" in preview(office, "lea", "acknowledge", late).refused[0][1]


def test_the_preview_of_an_assignment_names_who_may_have_how_many(office: Office) -> None:
    there = make_queue(office.db, "replies")
    with office.db.transaction(SYSTEM) as tx:
        tx.session.add(Membership(queue_id=there.id, role="lead", person_id=office.people["lea"].id))
    ids = [office.enqueue(), office.enqueue(), make_item(office.db, there, external_id="reply")]
    plan = preview(office, "lea", "assign", *ids)
    assert dict(plan.assignees)["lea@example.org"] == 3
    assert dict(plan.assignees)["bob@example.org"] == 2
    done = carry_out(office, "lea", plan, Orders(to="bob@example.org"))
    assert (done.done, [title for title, _ in done.refused]) == (2, ["reply"])


def test_an_edit_is_made_on_one(office: Office) -> None:
    with pytest.raises(Invalid):
        preview(office, "lea", "edit", office.enqueue())


def test_what_breaks_the_schema_is_accepted_only_when_it_is_said_twice(office: Office) -> None:
    good, bad = office.enqueue(external_id="good"), office.enqueue(external_id="bad", output={"sum": 3})
    empty = office.enqueue(external_id="empty", output=None)
    plan = preview(office, "lea", "accept", good, bad, empty)
    assert [item.title for item in plan.ready] == ["good"]
    [(item, doubt)] = plan.doubted
    assert item.title == "bad" and doubt.startswith("The suggestion does not fit the queue's schema")
    assert plan.refused == [("empty", "has no output that could be accepted")]
    assert (plan.outputs[good], plan.outputs[bad]) == ("total: 12.90", "sum: 3")
    assert carry_out(office, "lea", plan).done == 1
    assert office.item(bad)["state"] == "pending"
    again = bulk.preview(office.db, office.caller("lea"), seen(office, bad), "accept", sure={bad})
    assert carry_out(office, "lea", again).done == 1
    assert office.item(bad)["state"] == "accepted"
    assert not preview(office, "lea", "reject", office.enqueue(output={"sum": 3})).doubted


def test_a_suggestion_that_is_seen_after_the_answer_is_not_in_the_preview(db: Database) -> None:
    office = open_office(db, lanes={"assist_at": 0.4})
    hidden = office.enqueue(confidence=0.1)
    plan = preview(office, "lea", "reject", hidden)
    assert plan.outputs == {}
    carry_out(office, "lea", plan, Orders(reasons={"receipts": "wrong-total"}))
    [told] = [event["data"] for event in office.trail(hidden) if event["type"] == "item.reviewed"]
    assert told["seen"]["suggestion_visible"] is False
