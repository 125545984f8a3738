"""What reviewers may rely on when they claim."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import (
    AlreadyReviewed,
    ClaimedByAnother,
    ClaimLost,
    Forbidden,
    GivenToAnother,
    Refusal,
    WrongState,
)
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items import operations, reviewing
from reviewqueue.items.deciding import Fence, Judgement
from reviewqueue.items.desk_queries import desk
from reviewqueue.items.states import Verdict

from .office import APP, Office, open_office


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(
        db, priority_when=[{"if": {"field": "flags", "op": "contains", "value": "vip"}, "set": 80}]
    )


def claimed_names(office: Office, name: str, most: int = 10) -> list[str]:
    found: list[str] = []
    while len(found) < most and (claimed := office.claim_next(name)) is not None:
        found.append(claimed.item.item["external_id"])
    return found


def test_next_is_by_level_then_priority_then_due_then_age(office: Office, clock: MovableClock) -> None:
    for name in ("old", "older-but-later-listed"):
        office.enqueue(external_id=name)
    clock.move(minutes=5)
    office.enqueue(external_id="young")
    office.enqueue(external_id="vip", flags=["vip"])
    urgent = office.enqueue(external_id="escalated")
    operations.escalate(office.db, office.caller("lea"), urgent, "the customer called")
    assert claimed_names(office, "ann") == ["escalated", "vip", "old", "older-but-later-listed", "young"]


def test_a_claimed_item_is_offered_to_nobody_else(office: Office) -> None:
    item_id = office.enqueue()
    claimed = office.claim_next("ann")
    assert claimed is not None and claimed.item.evidence is not None
    assert office.claim_next("bob") is None
    with pytest.raises(ClaimedByAnother) as refused:
        office.claim("bob", item_id)
    assert refused.value.extra["until"] == "2026-03-02T09:10:00.000000Z"


def test_a_lapsed_claim_is_taken_over_and_the_lapse_is_told(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    late = office.claim("ann", item_id)
    clock.move(minutes=11)
    assert office.claim_next("bob") is not None
    assert office.types(item_id) == ["enqueued", "claimed", "claim_expired", "claimed"]
    with pytest.raises(ClaimedByAnother):
        office.decide("ann", item_id, token=late.token)


def test_a_late_holder_whose_item_nobody_wanted_still_decides(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    late = office.claim("ann", item_id)
    clock.move(hours=2)
    assert office.decide("ann", item_id, token=late.token).item["state"] == "accepted"


def test_renewing_moves_the_end_and_writes_no_event(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    claimed = office.claim("ann", item_id)
    clock.move(minutes=9)
    renewed = operations.renew_claim(office.db, office.caller("ann"), item_id, claimed.token)
    assert (renewed.token, (renewed.until - clock.now()).total_seconds()) == (claimed.token, 600)
    assert office.types(item_id) == ["enqueued", "claimed"]
    with pytest.raises(ClaimLost):
        operations.renew_claim(office.db, office.caller("ann"), item_id, "not-the-token")


def test_a_released_item_goes_back_and_its_token_is_worth_nothing(office: Office) -> None:
    item_id = office.enqueue()
    claimed = office.claim("ann", item_id)
    operations.release_claim(office.db, office.caller("ann"), item_id, claimed.token)
    assert office.claim_next("bob") is not None
    with pytest.raises(Refusal) as refused:
        operations.release_claim(office.db, office.caller("ann"), item_id, claimed.token)
    assert refused.value.status == 409


def test_a_lead_releases_anothers_claim_and_a_reviewer_does_not(office: Office) -> None:
    item_id = office.enqueue()
    office.claim("ann", item_id)
    with pytest.raises(Forbidden):
        operations.release_claim(office.db, office.caller("bob"), item_id, None)
    operations.release_claim(office.db, office.caller("lea"), item_id, None)
    assert office.item(item_id)["claim"] is None


def test_skipped_items_are_passed_over(office: Office) -> None:
    first, second = office.enqueue(), office.enqueue()
    claimed = office.claim_next("ann", skip=[first])
    assert claimed is not None and claimed.item.item["id"] == second


def test_an_assigned_item_is_offered_to_its_assignee_alone(office: Office) -> None:
    item_id = office.enqueue()
    operations.assign(office.db, office.caller("lea"), item_id, "bob@example.org")
    assert office.claim_next("ann") is None
    assert office.claim_next("bob") is not None
    with pytest.raises(Refusal) as refused:
        operations.assign(office.db, office.caller("lea"), item_id, "out@example.org")
    assert refused.value.status == 422


def test_what_is_given_to_another_is_not_put_aside_by_a_reviewer(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    operations.assign(office.db, office.caller("lea"), item_id, "bob@example.org")
    until = clock.now() + timedelta(hours=1)
    with pytest.raises(GivenToAnother):
        operations.snooze(office.db, office.caller("ann"), item_id, until)
    operations.snooze(office.db, office.caller("bob"), item_id, until)
    assert office.item(item_id)["snoozed_until"] is not None


def test_an_item_given_to_another_is_theirs_or_a_leads(office: Office) -> None:
    item_id = office.enqueue()
    operations.assign(office.db, office.caller("lea"), item_id, "bob@example.org")
    with pytest.raises(GivenToAnother) as refused:
        office.claim("ann", item_id)
    assert refused.value.extra == {"assigned_to": "bob@example.org"}
    seen = Fence(version=office.item(item_id)["version"])
    with pytest.raises(GivenToAnother):
        operations.decide(office.db, office.caller("ann"), item_id, Judgement(Verdict.ACCEPT), seen)
    for name in ("bob", "lea"):
        token = office.claim(name, item_id).token
        operations.release_claim(office.db, office.caller(name), item_id, token)


def test_who_holds_an_item_when_it_escalates_goes_on_with_it(db: Database, clock: MovableClock) -> None:
    office = open_office(db, lease="12h", escalation=[{"after": "1h", "to": "lea@example.org"}])
    item_id = office.enqueue()
    claimed = office.claim("ann", item_id)
    clock.move(hours=2)
    assert fire_due(db) == 1
    assert office.item(item_id)["assigned_to"] == "lea@example.org"
    assert office.claim("ann", item_id).token == claimed.token
    [row] = desk(db, office.caller("bob")).rows
    assert (row.waiting, row.mine, row.with_others) == (1, 0, 1)
    around = reviewing.around(db, office.caller("bob"), "receipts")
    assert (around.waiting, around.with_others, around.other) == (1, 1, "lea@example.org")


def test_a_snoozed_item_is_offered_again_only_when_it_wakes(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    until = clock.now().replace(hour=11)
    operations.snooze(office.db, office.caller("ann"), item_id, until)
    assert office.item(item_id)["due_at"] == "2026-03-02T15:00:00.000000Z"
    assert office.item(item_id)["deadline_at"] == "2026-03-03T09:00:00.000000Z"
    assert office.claim_next("ann") is None
    clock.set(until)
    assert fire_due(office.db) == 1
    assert office.claim_next("ann") is not None


def test_nobody_reviews_the_same_item_twice(db: Database) -> None:
    office = open_office(db, reviews={"needed": 2})
    item_id = office.enqueue()
    office.decide("ann", item_id)
    assert office.claim_next("ann") is None
    with pytest.raises(AlreadyReviewed):
        office.claim("ann", item_id)
    assert office.claim_next("bob") is not None


def test_a_decided_item_cannot_be_claimed(office: Office) -> None:
    item_id = office.enqueue()
    office.decide("ann", item_id)
    with pytest.raises(WrongState):
        office.claim("bob", item_id)


def test_a_foreign_queues_item_does_not_exist(office: Office) -> None:
    item_id = office.enqueue()
    for call in (
        lambda: office.claim("out", item_id),
        lambda: operations.get_item(office.db, office.caller("out"), item_id),
        lambda: office.claim_next("out"),
        lambda: operations.comment(office.db, office.caller("out"), item_id, "hello"),
    ):
        with pytest.raises(Refusal) as refused:
            call()
        assert refused.value.status == 404
    with pytest.raises(Forbidden):
        operations.claim_next(office.db, APP, office.queue.name)
