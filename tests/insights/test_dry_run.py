"""A dry run tells what a policy would do to the items that were, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from reviewqueue.audit.models import Event
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.insights.dry_run import DryRun, dry_run
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Scope
from reviewqueue.queues.invalid import InvalidDocument
from reviewqueue.queues.models import PolicyVersion, Queue
from tests.queues.doors import key_headers
from tests.support.making import make_items, make_queue

TODAY = {"lanes": {"autonomous_at": 0.9, "assist_at": 0.4}}
BODIES: list[dict[str, Any]] = [
    {"confidence": 0.95, "external_id": "sure"},
    {"confidence": 0.92, "external_id": "rather-sure", "model": {"name": "m", "version": "2"}},
    {"confidence": 0.80, "external_id": "unsure"},
    {"confidence": 0.30, "external_id": "guess"},
    {"confidence": None, "external_id": "unknown"},
]


@pytest.fixture
def queue(db: Database) -> Queue:
    queue = make_queue(db, policy=TODAY)
    make_items(db, queue, BODIES)
    return queue


def run(db: Database, days: int = 30, **policy: Any) -> DryRun:
    return dry_run(db, SYSTEM_CALLER, "receipts", {"policy": {**TODAY, **policy}}, days)


def changed(found: DryRun) -> set[str | None]:
    return {one.external_id for one in found.examples}


def test_the_same_policy_changes_nothing(db: Database, queue: Queue) -> None:
    found = run(db)
    assert (found.items, found.complete, found.examples) == (5, True, [])
    assert found.in_force == found.proposed
    assert found.in_force.to_people == 3
    assert found.in_force.lanes == {"autonomous": 2, "assist": 2, "step_aside": 1}
    assert found.in_force.reasons == {
        "autonomous": 2, "below-autonomous": 1, "below-assist": 1, "no-confidence": 1,
    }  # fmt: skip


def test_a_higher_threshold_sends_more_to_people(db: Database, queue: Queue) -> None:
    found = run(db, lanes={"autonomous_at": 0.94, "assist_at": 0.4})
    assert (found.in_force.to_people, found.proposed.to_people) == (3, 4)
    assert (found.newly_to_people, found.newly_released, found.other_lane) == (1, 0, 0)
    assert changed(found) == {"rather-sure"}


def test_a_lower_one_releases_more_and_another_assist_threshold_moves_lanes(
    db: Database, queue: Queue
) -> None:
    found = run(db, lanes={"autonomous_at": 0.75, "assist_at": 0.2})
    assert (found.newly_to_people, found.newly_released, found.other_lane) == (0, 1, 1)
    assert changed(found) == {"unsure", "guess"}


def test_rules_see_the_items_as_they_were_enqueued(db: Database, queue: Queue) -> None:
    found = run(db, review_when=[{"field": "model.version", "op": "eq", "value": "2"}])
    assert changed(found) == {"rather-sure"}
    assert found.proposed.reasons["rule:1"] == 1


def test_a_schema_may_be_tried_with_it(db: Database, queue: Queue) -> None:
    proposal = {"policy": TODAY, "output_schema": {"type": "object"}}
    found = dry_run(db, SYSTEM_CALLER, "receipts", proposal, 30)
    assert found.proposed.reasons["schema-broken"] == 5
    assert found.proposed.released == 0


def test_only_items_of_the_last_days_count(db: Database, queue: Queue, clock: MovableClock) -> None:
    clock.move(days=10)
    make_items(db, queue, [{"confidence": 0.5}])
    assert run(db, days=5).items == 1
    assert run(db, days=11).items == 6


def test_nothing_is_written(db: Database, queue: Queue) -> None:
    def counts() -> list[int | None]:
        with db.reading() as session:
            return [session.scalar(sa.select(sa.func.count()).select_from(t)) for t in (Event, PolicyVersion)]

    before = counts()
    run(db, audit_sample=1.0)
    assert counts() == before


def test_a_policy_that_is_not_valid_is_refused_by_its_key(db: Database, queue: Queue) -> None:
    with pytest.raises(InvalidDocument) as refused:
        run(db, audit_sample=7)
    assert refused.value.faults[0].pointer == "/policy/audit_sample"


def test_the_api_answers_both_counts_side_by_side(client: FlaskClient, db: Database, queue: Queue) -> None:
    at = "/api/v1/queues/receipts/policies/dry-run"
    body = {"policy": {"lanes": {"autonomous_at": 0.94, "assist_at": 0.4}}, "days": 7}
    answer = client.post(at, json=body, headers=key_headers(db))
    assert answer.status_code == 200
    told = answer.json
    assert told is not None
    assert (told["items"], told["in_force"]["to_people"], told["proposed"]["to_people"]) == (5, 3, 4)
    assert told["changes"] == {"to_people": 1, "released": 0, "other_lane": 0}
    assert told["examples"][0]["proposed"]["reasons"] == [
        {"code": "below-autonomous", "detail": "confidence 0.92 is below 0.94"}
    ]
    reader = key_headers(db, [Scope.ITEMS_READ])
    assert client.post(at, json=body, headers=reader).status_code == 403
    assert client.post(at.replace("receipts", "other"), json=body, headers=key_headers(db)).status_code == 404
    assert client.post(at, json={**body, "polcy": {}}, headers=key_headers(db)).status_code == 422


def test_of_too_many_items_the_newest_are_taken_and_it_says_so(
    db: Database, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reviewqueue.insights.dry_run.MOST_ITEMS", 3)
    found = run(db)
    assert (found.items, found.complete) == (3, False)
    assert found.in_force.reasons == {"below-autonomous": 1, "below-assist": 1, "no-confidence": 1}
