"""Sixty real outputs decided in the browser by somebody who knows the truth and never takes the hand off the keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from playwright.sync_api import Locator, Page, expect

from reviewqueue.audit.verify import Checked, verify
from reviewqueue.clock import SystemClock
from reviewqueue.db import Database
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewPerson
from reviewqueue.people.models import Scope
from reviewqueue.people.operations import add_person
from reviewqueue.queues.operations import apply
from tests.support.api import Api
from tests.support.real_outputs import FILES, RECEIPTS, Sample, document, samples

if TYPE_CHECKING:
    from flask import Flask

EMAIL, PASSWORD = "reviewer@example.org", "by the keyboard alone"
POLICY: dict[str, Any] = {"lanes": {"autonomous_at": None, "assist_at": 0.4}}
CHOSEN = {RECEIPTS: {"accept": 8, "edit": 8, "reject": 4}, FILES: {"accept": 14, "edit": 18, "reject": 8}}
STATES = {"accept": "accepted", "edit": "edited", "reject": "rejected"}


@pytest.fixture
def clock() -> SystemClock:
    """The browser counts a claim's minutes by its own clock, which no test moves here."""
    return SystemClock()


@pytest.mark.parametrize("queue", CHOSEN)
def test_items_are_decided_by_keyboard_alone(page: Page, app: Flask, db: Database, queue: str) -> None:
    chosen = {sample.external_id: sample for sample in choose(queue)}
    assert len(chosen) == {RECEIPTS: 20, FILES: 40}[queue]
    unseen = sum(sample.body["confidence"] < POLICY["lanes"]["assist_at"] for sample in chosen.values())
    made = document(queue, {"reviewer": [EMAIL]}, POLICY)
    apply(db, SYSTEM_CALLER, made)
    add_person(db, SYSTEM_CALLER, NewPerson(email=EMAIL, name="Reviewer"), password=PASSWORD)
    shop = Api.open(app, db, (Scope.ITEMS_WRITE, Scope.ITEMS_READ))
    shop.post("/items/batch", orjson.dumps([sample.body for sample in chosen.values()]))

    keys = Hands(page, made)
    keys.sign_in(f"/queues/{queue}/review")
    for _ in chosen:
        keys.decide(chosen[keys.item_on_screen()])
    expect(page.get_by_text("Nothing waits for you here")).to_be_visible()
    assert keys.answered_unseen == unseen

    for item in shop.every_item():
        right = chosen.pop(item["external_id"])
        assert item["state"] == STATES[right.decision["verdict"]]
        assert {name: item["outcome"][name] for name in right.outcome} == right.outcome
    assert chosen == {}
    assert list(verify(db, Checked())) == []


def choose(queue: str) -> list[Sample]:
    """The first of the data's outputs for each verdict."""
    own = [sample for sample in samples() if sample.queue == queue]
    return [
        sample
        for verdict, count in CHOSEN[queue].items()
        for sample in islice((s for s in own if s.decision["verdict"] == verdict), count)
    ]


class Hands:
    """A reviewer at the keyboard: looks at the page, and touches nothing but keys."""

    def __init__(self, page: Page, made: dict[str, Any]) -> None:
        self._page, self._document = page, made
        self._title = page.locator("#decision a[data-key=o]")
        self.answered_unseen = 0
        """Items whose suggestion was hidden until there was an answer."""

    def sign_in(self, then: str) -> None:
        self._page.goto(then)
        expect(self._page.get_by_label("Email address")).to_be_focused()
        self._type(EMAIL)
        self._press("Tab")
        self._type(PASSWORD)
        self._press("Enter")
        self._page.wait_for_url(f"**{then}")  # with its scripts, which make the keys work

    def item_on_screen(self) -> str:
        expect(self._title).to_be_visible()
        return self._title.inner_text()

    def decide(self, sample: Sample) -> None:
        decision = sample.decision
        hidden = self._page.get_by_role("heading", name=re.compile("Your answer")).is_visible()
        self.answered_unseen += hidden
        if decision["verdict"] == "reject":
            self._reject(decision["reason"])
        elif hidden:
            self._answer(sample.truth, before=None)
            expect(self._page.get_by_role("heading", name=re.compile("Suggestion"))).to_be_visible()
            self._press("a" if decision["verdict"] == "accept" else "Control+Enter")
        elif decision["verdict"] == "accept":
            self._press("a")
        else:
            self._answer(sample.truth, before=sample.body["output"])
        expect(self._title.filter(has_text=sample.external_id)).to_have_count(0)

    def _reject(self, reason: str) -> None:
        codes = [r["code"] for r in self._document["reasons"] if "reject" in r["for"]]
        self._press("r")
        expect(self._page.locator(".reasons.asked")).to_be_visible()
        self._digits(codes.index(reason) + 1)

    def _answer(self, truth: dict[str, Any], before: dict[str, Any] | None) -> None:
        """Puts the form right, from its first control to the last that differs."""
        properties: dict[str, Any] = self._document["output_schema"]["properties"]
        if len(properties) == 1:
            ((name, schema),) = properties.items()
            self._digits(schema["enum"].index(truth[name]) + 1)  # decides
            return
        self._press("e")
        for number, (name, schema) in enumerate(properties.items()):
            if number:
                self._press("Tab")
            if before is not None and before[name] == truth[name]:
                continue
            if "enum" in schema:
                self._choose(name, schema["enum"], truth[name])
            else:
                expect(self._field(name)).to_be_focused()
                self._type(truth[name])
        self._press("Control+Enter")

    def _choose(self, name: str, choices: Sequence[str], choice: str) -> None:
        self._digits(choices.index(choice) + 1)
        label = self._page.locator("#decision .choice").filter(has=self._page.get_by_text(choice, exact=True))
        expect(label.locator(f'[name="output/{name}"]')).to_be_checked()

    def _field(self, name: str) -> Locator:
        return self._page.locator(f'#decision [name="output/{name}"]')

    def _digits(self, number: int) -> None:
        for digit in str(number):
            self._press(digit)

    def _type(self, text: str) -> None:
        self._page.keyboard.type(text)

    def _press(self, key: str) -> None:
        # Faster than any hand: what is pressed before the next item was seen is dropped on purpose.
        expect(self._page.get_by_text("saving, keys wait")).to_be_hidden()
        self._page.keyboard.press(key)
