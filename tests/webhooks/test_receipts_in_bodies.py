"""The receipt in a webhook's body: by it alone an app acts, and it is given where acting is right."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
import sqlalchemy as sa
from flask import Flask

from reviewqueue.client import InvalidReceipt, Item, ReviewQueue, UnknownKey
from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items import operations as items
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.receipts.models import SigningKey
from reviewqueue.receipts.operations import rotate
from reviewqueue.webhooks import claiming, operations
from reviewqueue.webhooks.delivery import sender_of
from reviewqueue.webhooks.models import Announcement
from tests.items.office import APP, Office, open_office

from ..client.conftest import ADDRESS, key_of_app
from .receivers import SECRET_KEY, Receiver, receiving, send, subscribe

DECIDED = ["item.accepted", "item.edited", "item.rejected"]


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def desk(app: Flask, office: Office) -> Iterator[ReviewQueue]:
    with ReviewQueue(ADDRESS, key_of_app(office.db), transport=httpx.WSGITransport(app)) as desk:
        yield desk


def last_of(receiver: Receiver, item_id: uuid.UUID, event: str) -> dict[str, Any]:
    """The item as the last such event told of it."""
    bodies = [got.told for got in receiver.got]
    told = [
        b["data"]["item"] for b in bodies if b["type"] == event and b["data"]["item"]["id"] == str(item_id)
    ]
    item: dict[str, Any] = told[-1]
    return item


def outcome_of(desk: ReviewQueue, item_id: uuid.UUID) -> Any:
    """As reading the item shows it."""
    return desk.item(str(item_id)).outcome


def released(office: Office, _: MovableClock) -> tuple[uuid.UUID, str]:
    return office.enqueue(confidence=0.95), "item.auto_accepted"


def accepted(office: Office, _: MovableClock) -> tuple[uuid.UUID, str]:
    item_id = office.enqueue(valid_until="2099-03-02T10:30:00Z")
    office.decide("ann", item_id)
    return item_id, "item.accepted"


def edited(office: Office, _: MovableClock) -> tuple[uuid.UUID, str]:
    item_id = office.enqueue(input={"n": 2**60})
    office.decide("ann", item_id, "edit", output={"total": "12.50"})
    return item_id, "item.edited"


def rejected(office: Office, _: MovableClock) -> tuple[uuid.UUID, str]:
    item_id = office.enqueue()
    office.decide("ann", item_id, "reject", reason="wrong-total")
    return item_id, "item.rejected"


def withdrawn(office: Office, _: MovableClock) -> tuple[uuid.UUID, str]:
    item_id = office.enqueue()
    items.withdraw(office.db, APP, item_id, "not needed")
    return item_id, "item.withdrawn"


def expired(office: Office, clock: MovableClock) -> tuple[uuid.UUID, str]:
    item_id = office.enqueue()
    clock.move(days=1)
    while fire_due(office.db):
        pass
    return item_id, "item.expired"


@pytest.mark.parametrize(
    ("happens", "verdict"),
    [
        (released, "accept"),
        (accepted, "accept"),
        (edited, "edit"),
        (rejected, "reject"),
        (withdrawn, "withdrawn"),
        (expired, "reject"),
    ],
)
def test_a_body_alone_is_an_order_or_proves_that_there_is_none(
    office: Office, receiver: Receiver, desk: ReviewQueue, settings: Settings, clock: MovableClock,
    happens: Callable[[Office, MovableClock], tuple[uuid.UUID, str]], verdict: str,
) -> None:  # fmt: skip
    subscribe(office.db, receiver.url)
    item_id, event = happens(office, clock)
    sender_of(settings.model_copy(update={"allowed_networks": "127.0.0.0/8"})).run(office.db, linger=0)
    told = Item.read(last_of(receiver, item_id, event))
    assert told.outcome is not None and told.outcome.verdict == verdict
    if verdict in ("accept", "edit"):
        assert desk.verify(told, told.outcome.output, issuer=ADDRESS).revision == 1
        with pytest.raises(InvalidReceipt, match="output"):
            desk.verify(told, {"total": "1250.00"})
    else:
        with pytest.raises(InvalidReceipt, match=verdict):
            desk.verify(told, told.outcome.output)
    assert told.outcome == outcome_of(desk, item_id), "the very receipt that reading the item gives"


def test_a_correction_brings_the_receipt_of_the_next_revision(
    db: Database, app: Flask, receiver: Receiver
) -> None:
    office = open_office(db, audit_sample=1.0)
    subscribe(db, receiver.url)
    item_id = office.enqueue(confidence=0.95)
    send(db)
    office.decide("ann", item_id, "edit", output={"total": "9.00"})
    send(db)
    first, second = (
        Item.read(last_of(receiver, item_id, event)) for event in ("item.auto_accepted", "item.corrected")
    )
    with ReviewQueue(ADDRESS, key_of_app(db), transport=httpx.WSGITransport(app)) as desk:
        assert desk.verify(first, {"total": "12.90"}).revision == 1
        assert desk.verify(second, {"total": "9.00"}, least_revision=2).revision == 2
        assert second.outcome == outcome_of(desk, item_id)
    items.reopen(db, office.caller("lea"), item_id, "look again")
    send(db)
    assert last_of(receiver, item_id, "item.reopened")["outcome"] is None


def test_what_may_still_be_undone_is_signed_for_nobody_who_does_not_end_the_undo(
    office: Office, receiver: Receiver
) -> None:
    subscribe(office.db, receiver.url, ["item.reviewed"])
    item_id = office.enqueue()
    office.decide("ann", item_id)
    send(office.db)
    told = last_of(receiver, item_id, "item.reviewed")["outcome"]
    assert (told["verdict"], told["receipt"]) == ("accept", None)
    items.undo(office.db, office.caller("ann"), item_id)


def test_a_decision_that_was_undone_is_never_signed_though_the_next_has_its_revision(
    office: Office, receiver: Receiver, desk: ReviewQueue, clock: MovableClock
) -> None:
    made = subscribe(office.db, receiver.url, ["item.reviewed", *DECIDED])
    operations.pause(office.db, SYSTEM_CALLER, made.id)
    item_id = office.enqueue()
    office.decide("ann", item_id)
    items.undo(office.db, office.caller("ann"), item_id)
    clock.move(seconds=1)
    office.decide("ann", item_id, "reject", office.claim("ann", item_id).token, reason="wrong-total")
    operations.resume(office.db, SYSTEM_CALLER, made.id)
    send(office.db)
    told = [got.told["data"]["item"]["outcome"] for got in receiver.got]
    assert receiver.types == ["item.reviewed", "item.reviewed", "item.rejected"]
    assert [(one["verdict"], one["revision"]) for one in told] == [
        ("accept", 1),
        ("reject", 1),
        ("reject", 1),
    ]
    receipt = outcome_of(desk, item_id).receipt
    assert [one["receipt"] for one in told] == [None, receipt, receipt]


def test_what_stands_no_more_when_it_first_leaves_is_not_signed(office: Office, receiver: Receiver) -> None:
    made = subscribe(office.db, receiver.url)
    operations.pause(office.db, SYSTEM_CALLER, made.id)
    item_id = office.enqueue(confidence=0.95)
    items.recall(office.db, office.caller("lea"), item_id, "looks wrong")
    operations.resume(office.db, SYSTEM_CALLER, made.id)
    send(office.db)
    told = last_of(receiver, item_id, "item.auto_accepted")["outcome"]
    assert (told["verdict"], told["receipt"]) == ("accept", None)


def test_the_bytes_of_the_first_attempt_stay_whatever_becomes_of_item_and_key(
    office: Office, receiver: Receiver, desk: ReviewQueue, clock: MovableClock
) -> None:
    subscribe(office.db, receiver.url, ["item.auto_accepted"])
    later = subscribe(office.db, receiver.url, ["item.auto_accepted"], name="later")
    operations.pause(office.db, SYSTEM_CALLER, later.id)
    item_id = office.enqueue(confidence=0.95)
    receiver.will_answer(500)
    send(office.db)
    rotate(office.db, SYSTEM_CALLER, SECRET_KEY, at_once=True)
    items.recall(office.db, office.caller("lea"), item_id, "looks wrong")
    operations.resume(office.db, SYSTEM_CALLER, later.id)
    clock.move(minutes=1)
    send(office.db)
    assert len(receiver.got) == 3 and len({got.body for got in receiver.got}) == 1
    told = Item.read(last_of(receiver, item_id, "item.auto_accepted"))
    assert desk.verify(told, {"total": "12.90"}).revision == 1, "a retired key is believed"


def test_what_a_revoked_key_signed_is_not_believed_and_the_item_has_a_new_receipt(
    office: Office, receiver: Receiver, desk: ReviewQueue, clock: MovableClock
) -> None:
    subscribe(office.db, receiver.url, ["item.auto_accepted"])
    item_id = office.enqueue(confidence=0.95)
    send(office.db)
    rotate(office.db, SYSTEM_CALLER, SECRET_KEY, compromised=True)
    clock.move(seconds=10)
    told = Item.read(last_of(receiver, item_id, "item.auto_accepted"))
    with pytest.raises(UnknownKey):
        desk.verify(told, {"total": "12.90"})
    assert desk.verify(desk.item(str(item_id)), {"total": "12.90"})


def test_a_key_that_cannot_be_opened_stops_no_decision_and_no_delivery(
    office: Office, receiver: Receiver, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Mock()
    monkeypatch.setattr("reviewqueue.receipts.signing.log", log)
    rotate(office.db, SYSTEM_CALLER, "another" * 10, at_once=True)
    subscribe(office.db, receiver.url, DECIDED)
    item_id = office.enqueue()
    office.decide("ann", item_id)
    receiver.will_answer(500)
    send(office.db)
    assert last_of(receiver, item_id, "item.accepted")["outcome"]["receipt"] is None
    assert "rotate --now" in log.exception.call_args.args[0]
    rotate(office.db, SYSTEM_CALLER, SECRET_KEY, at_once=True)
    clock.move(minutes=1)
    send(office.db)
    first, second = receiver.got
    assert first.body == second.body, "the same under the same id"


def test_without_an_address_of_its_own_nothing_is_signed(office: Office, receiver: Receiver) -> None:
    subscribe(office.db, receiver.url)
    item_id = office.enqueue(confidence=0.95)
    send(office.db, receipts=lambda _: None)
    assert last_of(receiver, item_id, "item.auto_accepted")["outcome"]["receipt"] is None


def test_thousands_that_policy_releases_are_signed_when_they_leave_and_read_by_the_batch(
    office: Office, receiver: Receiver
) -> None:
    db = office.db
    subscribe(db, receiver.url, ["item.auto_accepted"])
    items.enqueue_batch(db, APP, [office.body(confidence=0.95) for _ in range(3 * claiming.BATCH)])
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SigningKey)) == 0
        complete = sa.select(Announcement.is_complete).distinct()
        assert session.scalars(complete).all() == [False]
    statements: list[str] = []

    def note(*about: Any) -> None:
        statements.append(about[2])

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        send(db)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    receipts = {got.told["data"]["item"]["outcome"]["receipt"] for got in receiver.got}
    assert len(receipts) == len(receiver.got) == 3 * claiming.BATCH and None not in receipts
    assert len([s for s in statements if "evidence.input_json" in s]) == 3
