"""What an agent acts on is final, and with `verify` has a receipt that is valid for exactly the call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reviewqueue.adapters.reviews import AsyncReviews, Reviews
from reviewqueue.adapters.tool_calls import Answer, ToolCall
from reviewqueue.client import InvalidReceipt
from reviewqueue.errors import Refusal

from .desk import QUEUE, Desk

TRUSTED = {"confidence": 0.95}


class Checked:
    """Stands for the client's `verify`, which is tested with the client: notes what it is asked, and may refuse."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses = refuses
        self.asked: list[dict[str, Any]] = []

    def __call__(self, outcome: Any, **about: Any) -> None:
        self.asked.append(about)
        if self.refuses:
            raise InvalidReceipt("The receipt expired.")

    async def waited(self, outcome: Any, **about: Any) -> None:
        self(outcome, **about)


def call(number: int) -> ToolCall:
    return ToolCall(f"receipts:{number}", "pay", {"amount": number})


def reviews_of(desk: Desk, monkeypatch: pytest.MonkeyPatch, checked: Checked) -> Reviews:
    monkeypatch.setattr(desk.client, "verify", checked)
    return Reviews(desk.client, QUEUE, timeout=0, verify=True)


def test_what_an_agent_acts_on_can_no_longer_be_undone(desk: Desk, reviews: Reviews) -> None:
    """The call is submitted again after a restart, and that answer shows an outcome which is not final yet."""
    (item,) = reviews.submit([call(0)])
    desk.decide(item)
    assert reviews.submit([call(0)])[0].outcome is not None
    assert reviews.answers([call(0)]) == [Answer("approve")]
    with pytest.raises(Refusal):
        desk.undo(item)


def test_the_receipt_must_be_about_the_arguments_that_run(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = Checked()
    reviews = reviews_of(desk, monkeypatch, checked)
    accepted, edited, rejected = items = reviews.submit([call(1), call(2), call(3)])
    desk.decide(accepted)
    desk.decide(edited, "edit", output={"amount": 20})
    desk.decide(rejected, "reject", reason="too-much")
    answers = reviews.answers([call(1), call(2), call(3)])
    assert [answer.kind for answer in answers] == ["approve", "edit", "reject"]
    assert [about["output"] for about in checked.asked] == [{"amount": 1}, {"amount": 20}]
    assert [about["item"].id for about in checked.asked] == [item.id for item in items[:2]]
    assert checked.asked[0]["input"] == desk.evidence(accepted)["input"]


def test_a_receipt_that_is_not_valid_is_a_rejection(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    reviews = reviews_of(desk, monkeypatch, Checked(refuses=True))
    (item,) = reviews.submit([call(4)])
    desk.decide(item)
    assert reviews.answers([call(4)]) == [Answer("reject", message="Not run: The receipt expired.")]


def test_the_asynchronous_flavour_does_the_same(desk: Desk) -> None:
    async def story() -> list[Answer]:
        async with desk.async_client() as client:
            client.verify = Checked(refuses=True).waited  # type: ignore[method-assign,assignment]
            reviews = AsyncReviews(client, QUEUE, verify=True, describe=lambda call: TRUSTED)
            return await reviews.answers([call(5)])

    assert asyncio.run(story()) == [Answer("reject", message="Not run: The receipt expired.")]
