"""What the server signs is what the client believes, from the decision to the check, on each database."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from reviewqueue.client import InvalidReceipt, ReviewQueue

from ..items.office import Office
from .conftest import ADDRESS

INPUT = {
    "lines": ["TOTAL 12.90 €"],
    "width": 1e21,
    "serial": 9007199254740993,
    "ratio": 0.1,
    "\U0001f600": None,
}
OUTPUT = {"total": "12.90"}


def test_an_edit_is_an_order_to_act_on_exactly_that(desk: ReviewQueue, office: Office) -> None:
    item = desk.submit("receipts", INPUT, output=OUTPUT, confidence=0.5)
    office.decide("ann", uuid.UUID(item.id), "edit", output={"total": "1.29"}, reason="wrong-total")
    outcome = desk.wait(item)
    receipt = desk.verify(outcome, outcome.output, input=INPUT, item=item, queue="receipts", issuer=ADDRESS)
    assert (receipt.item_id, receipt.verdict, receipt.by, receipt.revision) == (item.id, "edit", "person", 1)
    assert desk.verify(desk.item(item), {"total": "1.29"}) == receipt

    wrong: list[dict[str, Any]] = [
        {"output": OUTPUT},
        {"output": outcome.output, "input": OUTPUT},
        {"output": outcome.output, "item": str(uuid.uuid4())},
        {"output": outcome.output, "least_revision": 2},
    ]
    for told in wrong:
        with pytest.raises(InvalidReceipt):
            desk.verify(outcome, **told)
    others: list[dict[str, Any]] = [{"queue": "others"}, {"item": str(uuid.uuid4())}]
    for other in others:
        with pytest.raises(InvalidReceipt):
            desk.verify(desk.item(item), outcome.output, **other)
    assert outcome.receipt is not None
    head, claims, signature = outcome.receipt.split(".")
    with pytest.raises(InvalidReceipt):
        desk.verify(replace(outcome, receipt=f"{head}.{claims}.{signature[::-1]}"), outcome.output)


def test_a_rejection_is_none(desk: ReviewQueue, office: Office) -> None:
    item = desk.submit("receipts", INPUT, output=OUTPUT)
    office.decide("ann", uuid.UUID(item.id), "reject", reason="wrong-total")
    outcome = desk.wait(item)
    with pytest.raises(InvalidReceipt, match="says reject"):
        desk.verify(outcome, outcome.output)
    assert desk.verify(outcome, outcome.output, verdicts=["reject"]).verdict == "reject"


def test_what_policy_released_is_signed_too(desk: ReviewQueue) -> None:
    item = desk.submit("receipts", INPUT, output=OUTPUT, confidence=0.95)
    assert desk.verify(item, OUTPUT).by == "policy"
    assert desk.verify(desk.item(item), OUTPUT).by == "policy"
