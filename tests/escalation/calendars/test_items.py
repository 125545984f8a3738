"""Items of a queue with opening hours: due, escalated, repeated and snoozed in business time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import Invalid
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items.handling import snooze
from reviewqueue.items.models import Item
from reviewqueue.queues.policies import policy_of
from reviewqueue.transaction import SYSTEM
from tests.support.making import load, make_calendar, make_item, make_queue

OFFICE: dict[str, Any] = {
    "calendar": "office",
    "zone": "UTC",
    "weekly": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
}
FRIDAY = datetime(2026, 3, 6, 15, 0, tzinfo=UTC)
POLICY: dict[str, Any] = {
    "due": {"after": "4h", "calendar": "office"},
    "escalation": [{"after": "3h", "to": "lead", "repeat": {"every": "5h", "times": 2}}],
    "deadline": {"after": "96h", "fallback": {"verdict": "reject"}},
}


def item_of_friday(db: Database, clock: MovableClock) -> Any:
    make_calendar(db, OFFICE)
    clock.set(FRIDAY)
    return make_item(db, make_queue(db, policy=POLICY))


def snoozed(db: Database, item_id: Any, until: datetime) -> None:
    with db.transaction(SYSTEM) as tx:
        item = tx.session.get_one(Item, item_id)
        snooze(item, tx, policy_of(tx.session, item.policy_id), until, None)


def test_due_and_escalation_count_in_open_hours_and_the_deadline_does_not(
    db: Database, clock: MovableClock
) -> None:
    item = load(db, item_of_friday(db, clock))
    assert item.due_at == datetime(2026, 3, 9, 11, 0, tzinfo=UTC)
    assert item.timer_at == datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
    assert item.deadline_at == FRIDAY + timedelta(hours=96)


def test_steps_and_repeats_fire_in_open_hours(db: Database, clock: MovableClock) -> None:
    item_id = item_of_friday(db, clock)
    fired = []
    while clock.now() < FRIDAY + timedelta(hours=95):
        level, repeats = load(db, item_id).level, load(db, item_id).timer_repeats
        clock.move(minutes=30)
        fire_due(db)
        item = load(db, item_id)
        if (item.level, item.timer_repeats) != (level, repeats):
            fired.append(clock.now())
    assert fired == [datetime(2026, 3, day, hour, tzinfo=UTC) for day, hour in ((9, 10), (9, 15), (10, 12))]


def test_a_snooze_over_the_weekend_costs_only_its_open_hours(db: Database, clock: MovableClock) -> None:
    item_id = item_of_friday(db, clock)
    snoozed(db, item_id, datetime(2026, 3, 7, 9, 0, tzinfo=UTC))
    item = load(db, item_id)
    assert item.paused_seconds == 2 * 3600
    assert item.due_at == datetime(2026, 3, 9, 13, 0, tzinfo=UTC)
    assert item.deadline_at == FRIDAY + timedelta(hours=96)
    snoozed(db, item_id, datetime(2026, 3, 9, 9, 0, tzinfo=UTC))
    assert load(db, item_id).due_at == item.due_at


def test_an_item_follows_the_hours_of_the_version_that_routed_it(db: Database, clock: MovableClock) -> None:
    item_id = item_of_friday(db, clock)
    make_calendar(db, {**OFFICE, "weekly": {"sun": ["00:00-24:00"]}})
    snoozed(db, item_id, FRIDAY + timedelta(hours=1))
    assert load(db, item_id).due_at == datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("due", [{"after": "4h"}, {"after": "4h", "calendar": "office"}])
def test_a_snooze_lasts_a_year_at_most(db: Database, clock: MovableClock, due: dict[str, str]) -> None:
    make_calendar(db, OFFICE)
    item_id = make_item(db, make_queue(db, policy={"due": due}))
    with pytest.raises(Invalid, match="366 days at most"):
        snoozed(db, item_id, datetime(9999, 1, 1, tzinfo=UTC))
    with pytest.raises(Invalid, match="366 days at most"):
        snoozed(db, item_id, clock.now() + timedelta(days=366, seconds=1))
    snoozed(db, item_id, clock.now() + timedelta(days=366))
    later = load(db, item_id).due_at
    assert later is not None and later > clock.now() + timedelta(days=366)
