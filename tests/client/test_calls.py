"""Each call of the client against the real application."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from reviewqueue.client import (
    AlreadyDecided,
    ExternalIdTaken,
    IdempotencyKeyReused,
    Invalid,
    NoSuchItem,
    NoSuchQueue,
    NotYet,
    ReviewQueue,
)
from reviewqueue.clock import MovableClock

from ..items.office import Office

INPUT = {"lines": ["TOTAL 12.90"]}
OUTPUT = {"total": "12.90"}


def test_from_submit_to_outcome(desk: ReviewQueue, office: Office) -> None:
    item = desk.submit("receipts", INPUT, output=OUTPUT, confidence=0.5, tags={"department": "eu"})
    assert (item.state, item.lane, item.queue) == ("pending", "assist", "receipts")
    assert item.reasons[0].code == "below-autonomous"
    assert item.tags == {"department": "eu"}
    assert item.due_at is not None and item.due_at - item.created_at == timedelta(hours=4)
    assert desk.outcome(item) is None

    office.decide("ann", uuid.UUID(item.id), "edit", output={"total": "1.00"}, reason="wrong-total")
    outcome = desk.wait(item, timeout=1)
    assert (outcome.verdict, outcome.by, outcome.output) == ("edit", "person", {"total": "1.00"})
    assert (outcome.reason, outcome.revision, outcome.released) == ("wrong-total", 1, True)
    assert desk.outcome(item.id) == outcome


def test_what_policy_releases_has_its_outcome_at_once(desk: ReviewQueue) -> None:
    item = desk.submit("receipts", INPUT, output=OUTPUT, confidence=0.95)
    assert item.outcome is not None
    assert (item.outcome.by, item.outcome.output, item.outcome.released) == ("policy", OUTPUT, True)


def test_waiting_ends_when_the_time_is_up(desk: ReviewQueue) -> None:
    item = desk.submit("receipts", INPUT)
    with pytest.raises(NotYet) as raised:
        desk.wait(item, timeout=0.05)
    assert raised.value.item.state == "pending"
    assert isinstance(raised.value, TimeoutError)


def test_the_fallback_is_an_outcome_too(desk: ReviewQueue, office: Office, clock: MovableClock) -> None:
    item = desk.submit("receipts", INPUT)
    desk.withdraw(item, "no longer needed")
    outcome = desk.wait(item)
    assert (outcome.verdict, outcome.by, outcome.released) == ("withdrawn", "app", False)
    assert outcome.comment == "no longer needed"


def test_withdrawing_twice_is_withdrawing(desk: ReviewQueue, office: Office) -> None:
    item = desk.submit("receipts", INPUT)
    assert desk.withdraw(item).state == desk.withdraw(item).state == "withdrawn"
    decided = desk.submit("receipts", INPUT, output=OUTPUT)
    office.decide("ann", uuid.UUID(decided.id))
    with pytest.raises(AlreadyDecided):
        desk.withdraw(decided)


def test_the_same_external_id_is_the_same_item(desk: ReviewQueue) -> None:
    first = desk.submit("receipts", INPUT, external_id="r-1")
    assert desk.submit("receipts", INPUT, external_id="r-1").id == first.id
    with pytest.raises(ExternalIdTaken) as raised:
        desk.submit("receipts", {"lines": []}, external_id="r-1")
    assert (raised.value.status, raised.value.slug) == (409, "external-id-taken")


def test_the_same_idempotency_key_is_the_same_item(desk: ReviewQueue) -> None:
    first = desk.submit("receipts", INPUT, idempotency_key="k")
    assert desk.submit("receipts", INPUT, idempotency_key="k").id == first.id
    with pytest.raises(IdempotencyKeyReused):
        desk.submit("receipts", {}, idempotency_key="k")
    assert desk.submit("receipts", INPUT).id != desk.submit("receipts", INPUT).id


def test_refusals_say_what_and_where(desk: ReviewQueue) -> None:
    with pytest.raises(Invalid) as raised:
        desk.submit("receipts", INPUT, confidence=1.5)
    problem = raised.value
    assert [fault.pointer for fault in problem.errors] == ["/confidence"]
    assert problem.request_id is not None and problem.request_id in str(problem)
    assert "/confidence" in str(problem)
    with pytest.raises(NoSuchQueue):
        desk.submit("elsewhere", INPUT)
    with pytest.raises(NoSuchItem):
        desk.item(str(uuid.uuid4()))


@dataclass
class Read:
    total: str
    at: datetime


def test_dataclasses_and_times_are_sent_as_json(desk: ReviewQueue) -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    item = desk.submit("receipts", Read("1", at), valid_until=at + timedelta(days=1))
    evidence = desk.item(item, evidence=True).evidence
    assert evidence is not None
    assert evidence["input"] == {"total": "1", "at": "2026-03-02T09:00:00+00:00"}
    assert item.document["valid_until"].startswith("2026-03-03T09:00:00")


def test_items_come_page_after_page(desk: ReviewQueue) -> None:
    sent = [desk.submit("receipts", number, flags=["odd"] if number % 2 else []).id for number in range(5)]
    assert [item.id for item in desk.items(queue="receipts", order="-created", limit=2)] == sent[::-1]
    assert {item.id for item in desk.items(flag="odd")} == {sent[1], sent[3]}


def test_items_are_found_by_their_tags(desk: ReviewQueue) -> None:
    sent = desk.submit("receipts", 1, tags={"department": "eu", "shift": "night"})
    desk.submit("receipts", 2, tags={"department": "eu"})
    found = desk.items(tags={"department": "eu", "shift": "night"})
    assert [item.id for item in found] == [sent.id]
