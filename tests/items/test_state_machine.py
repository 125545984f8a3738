"""A model of an item's life beside the database: whatever is asked in whatever order, the two agree."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from reviewqueue.audit.ordering import order_events
from reviewqueue.audit.verify import Checked, verify
from reviewqueue.clock import MovableClock
from reviewqueue.errors import Refusal
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items import operations
from reviewqueue.items.lapsing import record_lapsed

from ..support.databases import Databases, Kind
from .office import APP, Office, open_office

PEOPLE = ("ann", "bob", "lea")
LEASE, UNDO, DEADLINE = 600, 30, 24 * 3600
SAID: dict[str, dict[str, Any]] = {
    "accept": {},
    "edit": {"output": {"total": "99.00"}},
    "reject": {"reason": "wrong-total"},
}


@dataclass
class Modelled:
    """What the model believes of one item. Times are seconds since the start."""

    state: str
    waiting_since: float
    outcome: tuple[str, str] | None = None
    """(verdict, by)."""
    revision: int = 0
    holder: str | None = None
    token_of: str | None = None
    token: str | None = None
    until: float = 0.0
    decided_by: str | None = None
    decided_at: float = 0.0
    delivered: bool = False

    @property
    def is_open(self) -> bool:
        return self.state == "pending"

    def held_at(self, now: float) -> str | None:
        return self.holder if self.holder and self.until > now else None


class ItemLife(RuleBasedStateMachine):
    """Runs against the office that the test put in place."""

    office: ClassVar[Office]
    clock: ClassVar[MovableClock]

    @initialize()
    def begin(self) -> None:
        self.items: dict[uuid.UUID, Modelled] = {}
        self.start = self.clock.now()

    @property
    def now(self) -> float:
        return (self.clock.now() - self.start).total_seconds()

    def pick(self, data: st.DataObject) -> tuple[uuid.UUID, Modelled]:
        item_id = data.draw(st.sampled_from(sorted(self.items)))
        return item_id, self.items[item_id]

    def expect(self, allowed: bool, call: Callable[[], Any]) -> Any:
        """The call passes if and only if the model allows it; a refusal is a 4xx, and anything else is a bug."""
        try:
            result = call()
        except Refusal as refusal:
            assert not allowed, f"refused: {refusal!r}"
            assert refusal.status in (403, 404, 409, 412, 422, 428)
            return None
        assert allowed, "should have been refused"
        return result if result is not None else True

    @rule(sure=st.booleans())
    def enqueue(self, sure: bool) -> None:
        item_id = self.office.enqueue(confidence=0.95 if sure else 0.5)
        made = Modelled("auto_accepted" if sure else "pending", self.now)
        if sure:
            made.outcome, made.revision = ("accept", "policy"), 1
        self.items[item_id] = made

    @precondition(lambda self: self.items)
    @rule(data=st.data(), who=st.sampled_from(PEOPLE))
    def claim(self, data: st.DataObject, who: str) -> None:
        item_id, item = self.pick(data)
        free = item.held_at(self.now) in (None, who)
        claimed = self.expect(item.is_open and free, lambda: self.office.claim(who, item_id))
        if claimed:
            item.holder = item.token_of = who
            item.token, item.until = claimed.token, self.now + LEASE

    @precondition(lambda self: self.items)
    @rule(data=st.data(), who=st.sampled_from(PEOPLE))
    def renew(self, data: st.DataObject, who: str) -> None:
        item_id, item = self.pick(data)
        token = item.token or "none"
        renew = lambda: operations.renew_claim(self.office.db, self.office.caller(who), item_id, token)  # noqa: E731
        if self.expect(item.is_open and item.token_of == who, renew):
            item.holder, item.until = who, self.now + LEASE

    @precondition(lambda self: self.items)
    @rule(data=st.data(), who=st.sampled_from(PEOPLE), verdict=st.sampled_from(["accept", "edit", "reject"]))
    def decide(self, data: st.DataObject, who: str, verdict: str) -> None:
        item_id, item = self.pick(data)
        said = SAID[verdict]
        token = item.token or "none"
        allowed = item.is_open and item.token_of == who
        if self.expect(allowed, lambda: self.office.decide(who, item_id, verdict, token, **said)):
            item.state = {"accept": "accepted", "edit": "edited", "reject": "rejected"}[verdict]
            item.outcome, item.revision = (verdict, "person"), item.revision + 1
            item.holder = item.token = item.token_of = None
            item.decided_by, item.decided_at, item.delivered = who, self.now, False

    @precondition(lambda self: self.items)
    @rule(data=st.data(), who=st.sampled_from(PEOPLE))
    def undo(self, data: st.DataObject, who: str) -> None:
        item_id, item = self.pick(data)
        fresh = self.now - item.decided_at <= UNDO and not item.delivered
        allowed = item.state in ("accepted", "edited", "rejected") and item.decided_by == who and fresh
        claimed = self.expect(
            allowed, lambda: operations.undo(self.office.db, self.office.caller(who), item_id)
        )
        if claimed:
            item.state, item.outcome, item.revision = "pending", None, item.revision - 1
            item.holder = item.token_of = who
            item.token, item.until = claimed.token, self.now + LEASE
            item.decided_by = None

    @precondition(lambda self: self.items)
    @rule(data=st.data(), who=st.sampled_from(PEOPLE))
    def reopen(self, data: st.DataObject, who: str) -> None:
        item_id, item = self.pick(data)
        allowed = who == "lea" and item.state in ("accepted", "edited", "rejected", "expired")
        caller = self.office.caller(who)
        if self.expect(allowed, lambda: operations.reopen(self.office.db, caller, item_id, "a doubt")):
            self._ask_again(item)

    @precondition(lambda self: self.items)
    @rule(data=st.data(), who=st.sampled_from(PEOPLE))
    def recall(self, data: st.DataObject, who: str) -> None:
        item_id, item = self.pick(data)
        allowed = who == "lea" and item.state == "auto_accepted"
        caller = self.office.caller(who)
        if self.expect(allowed, lambda: operations.recall(self.office.db, caller, item_id, "a doubt")):
            self._ask_again(item)

    @precondition(lambda self: self.items)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        item_id, item = self.pick(data)
        if self.expect(item.is_open, lambda: operations.withdraw(self.office.db, APP, item_id)):
            item.state, item.outcome, item.revision = "withdrawn", ("withdrawn", "app"), item.revision + 1
            item.holder = item.token = item.token_of = None

    @precondition(lambda self: self.items)
    @rule(data=st.data())
    def the_app_looks(self, data: st.DataObject) -> None:
        item_id, item = self.pick(data)
        operations.get_item(self.office.db, APP, item_id)
        if item.decided_by is not None and self.now - item.decided_at <= UNDO:
            item.delivered = True

    @rule(seconds=st.sampled_from([1, 29, 31, 599, 601, 3600, 13 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.clock.move(seconds=seconds)
        record_lapsed(self.office.db)
        fire_due(self.office.db)
        for item in self.items.values():
            if item.is_open and self.now >= item.waiting_since + DEADLINE:
                item.state, item.outcome, item.revision = "expired", ("reject", "fallback"), item.revision + 1
                item.holder = item.token = item.token_of = None
            if item.holder and item.until <= self.now:
                item.holder = None

    @invariant()
    def the_model_and_the_database_agree(self) -> None:
        for item_id, item in getattr(self, "items", {}).items():
            shown = self.office.item(item_id)
            outcome = shown["outcome"]
            assert shown["state"] == item.state
            assert (outcome and (outcome["verdict"], outcome["by"], outcome["revision"])) == (
                item.outcome and (*item.outcome, item.revision)
            )
            assert (shown["claim"] and shown["claim"]["by"]) == item.held_at(self.now)

    def teardown(self) -> None:
        """Every trail replays to its row, and every hash and link holds."""
        order_events(self.office.db)
        assert list(verify(self.office.db, Checked())) == []

    def _ask_again(self, item: Modelled) -> None:
        item.state, item.outcome, item.waiting_since = "pending", None, self.now
        item.holder = item.token = item.token_of = None
        item.decided_by = None


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_model_and_the_database_agree_after_every_step(databases: Databases, kind: Kind) -> None:
    clock = MovableClock()
    db = databases.make(kind, clock)
    try:
        ItemLife.office, ItemLife.clock = open_office(db), clock
        run_state_machine_as_test(
            ItemLife,
            settings=settings(
                max_examples=25,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        databases.drop(db)
