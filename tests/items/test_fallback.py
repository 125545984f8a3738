"""A fallback that accepts never releases what nobody could accept: it is rejected in its place."""

from __future__ import annotations

from typing import Any

import pytest

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due

from .office import open_office

NOTHING = {"verdict": "reject", "by": "fallback", "reason": "nothing-to-accept"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"output": None}, "the model gave no output"),
        ({"error": "out of memory"}, "the model reported an error"),
        ({"output": {"total": 3}}, "breaks the schema"),
    ],
)
def test_what_cannot_be_accepted_is_rejected(
    db: Database, clock: MovableClock, given: dict[str, Any], why: str
) -> None:
    office = open_office(db, deadline={"after": "2h", "fallback": "accept"})
    item_id = office.enqueue(**given)
    clock.move(hours=2)
    fire_due(db)
    item = office.item(item_id)
    assert item["state"] == "expired"
    assert {name: item["outcome"][name] for name in NOTHING} == NOTHING
    assert item["outcome"]["output"] is None
    assert why in item["outcome"]["comment"] or given.get("output") == {"total": 3}
    expired = office.trail(item_id)[-1]
    assert (expired["type"], expired["data"]["instead_of"]) == ("item.expired", "accept")


def test_what_can_be_accepted_is(db: Database, clock: MovableClock) -> None:
    office = open_office(db, deadline={"after": "2h", "fallback": "accept"})
    item_id = office.enqueue(confidence=None)
    clock.move(hours=2)
    fire_due(db)
    outcome = office.item(item_id)["outcome"]
    assert (outcome["verdict"], outcome["output"]) == ("accept", {"total": "12.90"})
    assert "instead_of" not in office.trail(item_id)[-1]["data"]


def test_other_fallbacks_are_as_they_were_declared(db: Database, clock: MovableClock) -> None:
    fallback = {"verdict": "edit", "output": {"total": "0.00"}}
    office = open_office(db, deadline={"after": "2h", "fallback": fallback})
    item_id = office.enqueue(output=None)
    clock.move(hours=2)
    fire_due(db)
    assert office.item(item_id)["outcome"]["output"] == {"total": "0.00"}
