"""What apps may rely on when they send items."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from reviewqueue.db import Database
from reviewqueue.errors import ExternalIdTaken, Forbidden, IdempotencyKeyReused, Invalid, NoSuchQueue, Refusal
from reviewqueue.items import operations
from reviewqueue.items.batches import one_batch
from reviewqueue.items.models import Evidence, Item
from reviewqueue.items.operations import Taken

from .office import APP, Office, open_office


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


def count(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Item)) or 0


def test_a_doubtful_output_waits_with_its_times(office: Office) -> None:
    item = office.item(office.enqueue(external_id="r-1"))
    assert (item["state"], item["lane"], item["outcome"]) == ("pending", "assist", None)
    assert item["reasons"] == [{"code": "below-autonomous", "detail": "confidence 0.5 is below 0.9"}]
    assert item["due_at"] == "2026-03-02T13:00:00.000000Z"
    assert item["deadline_at"] == "2026-03-03T09:00:00.000000Z"


def test_a_sure_output_is_released_at_once(office: Office) -> None:
    item_id = office.enqueue(confidence=0.95)
    item = office.item(item_id)
    assert (item["state"], item["lane"], item["due_at"]) == ("auto_accepted", "autonomous", None)
    assert item["outcome"]["by"] == "policy"
    assert item["outcome"]["output"] == {"total": "12.90"}
    assert office.types(item_id) == ["enqueued", "auto_accepted"]
    assert [e["actor"]["kind"] for e in office.trail(item_id)] == ["app", "policy"]


def test_an_audited_item_is_released_and_waits_too(db: Database) -> None:
    office = open_office(db, audit_sample=1.0)
    item_id = office.enqueue(confidence=0.95)
    item = office.item(item_id)
    assert (item["state"], item["purpose"], item["deadline_at"]) == ("pending", "audit", None)
    assert item["outcome"]["by"] == "policy"
    accepted = office.decide("ann", item_id).as_json("", db.clock.now())
    assert accepted["outcome"]["revision"] == 1


def test_an_audit_that_overrides_corrects_the_outcome(db: Database) -> None:
    office = open_office(db, audit_sample=1.0)
    item_id = office.enqueue(confidence=0.95)
    office.decide("ann", item_id, "edit", output={"total": "13.00"})
    outcome = office.item(item_id)["outcome"]
    assert (outcome["verdict"], outcome["revision"], outcome["output"]) == ("edit", 2, {"total": "13.00"})
    assert office.types(item_id)[-2:] == ["edited", "corrected"]


def test_the_same_external_id_with_the_same_content_is_the_same_item(office: Office) -> None:
    body = office.body(external_id="r-1")
    first = operations.enqueue(office.db, APP, body)
    again = operations.enqueue(office.db, APP, dict(reversed(body.items())))
    assert (first.replayed, again.replayed) == (False, True)
    assert again.item.item["id"] == first.item.item["id"]
    with pytest.raises(ExternalIdTaken):
        operations.enqueue(office.db, APP, {**body, "confidence": 0.6})
    assert count(office.db) == 1


def test_an_idempotency_key_does_the_same_for_items_without_a_name(office: Office) -> None:
    body = office.body()
    first = operations.enqueue(office.db, APP, body, idempotency_key="k")
    again = operations.enqueue(office.db, APP, body, idempotency_key="k")
    assert again.replayed and again.item.item["id"] == first.item.item["id"]
    with pytest.raises(IdempotencyKeyReused):
        operations.enqueue(office.db, APP, office.body(confidence=0.7), idempotency_key="k")


def test_an_idempotency_key_remembers_an_item_that_its_external_id_made_before(office: Office) -> None:
    body = office.body(external_id="r-1")
    first = operations.enqueue(office.db, APP, body)
    for _ in range(2):
        again = operations.enqueue(office.db, APP, body, idempotency_key="k")
        assert again.replayed and again.item.item["id"] == first.item.item["id"]


def test_a_refused_call_does_not_use_up_its_idempotency_key(office: Office) -> None:
    with pytest.raises(NoSuchQueue):
        operations.enqueue(office.db, APP, {"queue": "nowhere", "input": 1}, idempotency_key="k")
    assert not operations.enqueue(office.db, APP, office.body(), idempotency_key="k").replayed


@pytest.mark.parametrize("named", [{"external_id": "r-1"}, {}])
def test_fifty_equal_calls_at_once_have_one_effect(office: Office, named: dict[str, Any]) -> None:
    body, ids, failures = office.body(**named), [], []
    key = None if named else "k"
    start = threading.Barrier(50)

    def call() -> None:
        start.wait()
        try:
            ids.append(operations.enqueue(office.db, APP, body, idempotency_key=key).item.item["id"])
        except Exception as error:  # whatever it is, the assertion below tells
            failures.append(error)

    threads = [threading.Thread(target=call) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(ids) == 50 and len(set(ids)) == 1
    assert count(office.db) == 1


def test_equal_batches_at_once_under_one_key_have_one_effect(office: Office) -> None:
    bodies, answers, failures = [office.body(), office.body(confidence=7)], [], []
    start = threading.Barrier(8)

    def call() -> None:
        once = one_batch("k", b"the bytes", "application/json", atomic=False, request_id="r")
        start.wait()
        try:
            operations.enqueue_batch(office.db, APP, bodies, once=once)
        except Exception as error:  # whatever it is, the assertion below tells
            failures.append(error)
        answers.append((once.answer, once.replayed))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [answer for answer, _ in answers] == [answers[0][0]] * 8
    assert sorted(replayed for _, replayed in answers) == [False] + [True] * 7
    assert count(office.db) == 1


def test_in_a_batch_a_bad_item_spoils_no_other(office: Office) -> None:
    good, bad = office.body(external_id="a"), office.body(external_id="b", confidence=7)
    other = office.body(external_id="a", confidence=0.6)
    results = operations.enqueue_batch(
        office.db, APP, [good, bad, good, other, {"queue": "nowhere", "input": 1}]
    )
    assert [r.slug if isinstance(r, Refusal) else r.replayed for r in results] == [
        False,
        "invalid",
        True,
        "external-id-taken",
        "no-such-queue",
    ]
    assert count(office.db) == 1


def test_an_atomic_batch_is_all_or_nothing(office: Office) -> None:
    with pytest.raises(Invalid) as refused:
        operations.enqueue_batch(office.db, APP, [office.body(), office.body(confidence=7)], atomic=True)
    assert [fault.pointer for fault in refused.value.faults] == ["/1/confidence"]
    assert count(office.db) == 0


def test_a_batch_is_routed_and_told_as_single_items_are(office: Office) -> None:
    bodies = [
        office.body(external_id=str(n), confidence=n / 100, flags=["tab\t"], tags={"a": "b\\c"})
        for n in range(100)
    ]
    batch = operations.enqueue_batch(office.db, APP, bodies)
    for body, result in zip(bodies, batch, strict=True):
        assert isinstance(result, Taken)
        one = office.item(office.enqueue(**{**body, "external_id": f"single-{body['external_id']}"}))
        many = office.item(result.id)
        unlike = {"id", "external_id", "url"}
        assert {k: v for k, v in one.items() if k not in unlike} == {
            k: v for k, v in many.items() if k not in unlike
        }
    assert office.types(batch[0].id) == ["enqueued"]  # type: ignore[union-attr]


def test_what_was_sent_comes_back_as_it_was(office: Office) -> None:
    hostile = {
        "text": "tab\t newline\n \\backslash \\N \u202e <script>",
        "n": 1.5,
        "deep": [{"a": None}],
        "": "é😀",
    }
    body = office.body(input=hostile, explanation="why\t", context=[{"title": "t"}])
    (taken,) = operations.enqueue_batch(office.db, APP, [body])
    assert isinstance(taken, Taken)
    for item_id in (operations.enqueue(office.db, APP, body).item.item["id"], taken.id):
        with office.db.reading() as session:
            evidence = session.get_one(Evidence, item_id)
        assert evidence.input == hostile
        assert evidence.details == {"explanation": "why\t", "context": [{"title": "t"}]}


def test_a_newer_item_takes_the_older_from_the_desk(office: Office) -> None:
    old = office.enqueue(external_id="v1")
    new = office.enqueue(external_id="v2", supersedes="v1")
    item = office.item(old)
    assert (item["state"], item["outcome"]["verdict"], item["outcome"]["by"]) == (
        "withdrawn",
        "withdrawn",
        "app",
    )
    assert office.trail(old)[-1]["data"]["superseded_by"] == str(new)
    with pytest.raises(Invalid):
        office.enqueue(supersedes="never-seen")


def test_withdrawing_ends_what_waits_and_nothing_else(office: Office) -> None:
    waiting, released = office.enqueue(), office.enqueue(confidence=0.99)
    operations.withdraw(office.db, APP, waiting)
    assert office.item(waiting)["state"] == "withdrawn"
    with pytest.raises(Refusal) as refused:
        operations.withdraw(office.db, APP, released)
    assert refused.value.status == 409


def test_an_app_reaches_its_queues_only_and_decides_nothing(office: Office) -> None:
    elsewhere = of_other_queues()
    item_id = office.enqueue()
    with pytest.raises(NoSuchQueue):
        operations.enqueue(office.db, elsewhere, office.body())
    with pytest.raises(Refusal) as refused:
        operations.get_item(office.db, elsewhere, item_id)
    assert refused.value.status == 404
    with pytest.raises(Forbidden):
        operations.claim(office.db, APP, item_id)


def of_other_queues() -> Any:
    from dataclasses import replace

    return replace(APP, queues=frozenset({"others"}), key_id=uuid.UUID(int=8))
