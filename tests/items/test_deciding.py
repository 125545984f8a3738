"""What a verdict does, what refuses it, and how it is taken back."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.errors import (
    AlreadyDecided,
    Forbidden,
    Invalid,
    PreconditionRequired,
    Stale,
    TooLateToUndo,
    WrongState,
)
from reviewqueue.items import operations
from reviewqueue.items.deciding import Fence, Judgement
from reviewqueue.items.states import Verdict

from ..support.making import load, make_decision, make_item, make_person, make_queue
from .office import APP, Office, open_office


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


@pytest.mark.parametrize(
    ("verdict", "said", "state", "output"),
    [
        ("accept", {}, "accepted", {"total": "12.90"}),
        ("edit", {"output": {"total": "13.90"}}, "edited", {"total": "13.90"}),
        ("reject", {"reason": "wrong-total", "comment": "blurred"}, "rejected", None),
    ],
)
def test_a_verdict_becomes_the_decision_and_the_outcome(
    office: Office, verdict: str, said: dict[str, Any], state: str, output: object
) -> None:
    item_id = office.enqueue()
    office.decide("ann", item_id, verdict, **said)
    item = office.item(item_id)
    assert (item["state"], item["claim"]) == (state, None)
    assert (item["outcome"]["verdict"], item["outcome"]["by"], item["outcome"]["output"]) == (
        verdict,
        "person",
        output,
    )
    assert item["outcome"]["reason"] == said.get("reason")
    assert office.types(item_id) == ["enqueued", "claimed", "reviewed", state]


def test_the_review_keeps_what_was_on_the_screen(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    claimed = office.claim("ann", item_id)
    clock.move(seconds=21)
    for comment in ("b", "bl", "blurred"):
        operations.save_draft(office.db, office.caller("ann"), item_id, {"comment": comment})
    office.decide("ann", item_id, "edit", claimed.token, output={"total": "13.90"})
    enqueued, _, reviewed, _ = office.trail(item_id)
    told = reviewed["data"]
    assert told["seen"] == {"evidence_hash": enqueued["data"]["evidence_hash"], "suggestion_visible": True}
    assert (told["seconds"], told["draft_edits"], told["role"]) == (21.0, 3, "reviewer")
    assert told["difference"] == [{"op": "replace", "path": "/total", "value": "13.90"}]


def test_deciding_needs_proof_of_what_was_seen(office: Office) -> None:
    item_id = office.enqueue()
    ann, accept = office.caller("ann"), Judgement(Verdict.ACCEPT)
    with pytest.raises(PreconditionRequired):
        operations.decide(office.db, ann, item_id, accept, Fence())
    with pytest.raises(Stale):
        operations.decide(office.db, ann, item_id, accept, Fence(version=9))
    with pytest.raises(Stale):
        operations.decide(office.db, ann, item_id, accept, Fence(token="made-up"))
    assert operations.decide(office.db, ann, item_id, accept, Fence(version=1)).item["state"] == "accepted"
    with pytest.raises(AlreadyDecided):
        operations.decide(office.db, ann, item_id, accept, Fence(version=2))


def test_an_edit_must_fit_the_schema_and_a_reject_must_have_its_reason(office: Office) -> None:
    item_id = office.enqueue()
    token = office.claim("ann", item_id).token
    with pytest.raises(Invalid) as refused:
        office.decide("ann", item_id, "edit", token, output={"total": 13})
    assert [f.pointer for f in refused.value.faults] == ["/output/total"]
    for reason in (None, "unheard-of"):
        with pytest.raises(Invalid) as refused:
            office.decide("ann", item_id, "reject", token, reason=reason)
        assert [f.pointer for f in refused.value.faults] == ["/reason"]
    assert office.item(item_id)["state"] == "pending"
    assert office.types(item_id) == ["enqueued", "claimed"]


@pytest.mark.parametrize(("output", "at"), [(None, "/output"), ({"total": 13}, "/output/total")])
def test_an_unfit_output_is_accepted_on_purpose_only(office: Office, output: Any, at: str) -> None:
    item_id = office.enqueue(output=output)
    token = office.claim("ann", item_id).token
    with pytest.raises(Invalid) as refused:
        office.decide("ann", item_id, "accept", token)
    assert [f.pointer for f in refused.value.faults] == [at]
    office.decide("ann", item_id, "accept", token, despite_schema=True)
    assert office.trail(item_id)[-2]["data"]["despite_schema"] is True


def test_no_output_is_accepted_where_it_fits_the_schema_and_not_without_one(db: Database) -> None:
    for name, schema in (("maybe", {"type": ["string", "null"]}), ("free", None)):
        queue = make_queue(db, name, output_schema=schema)
        item_id = make_item(db, queue, output=None)
        with nullcontext() if schema else pytest.raises(Invalid):
            make_decision(db, item_id, make_person(db, f"{name}@example.org", queue))
        assert load(db, item_id).state == ("accepted" if schema else "pending")


def test_two_reviews_that_agree_decide(db: Database) -> None:
    office = open_office(db, reviews={"needed": 2})
    item_id = office.enqueue()
    assert office.decide("ann", item_id, "edit", output={"total": "1.00"}).item["state"] == "pending"
    assert office.item(item_id)["outcome"] is None
    assert office.decide("bob", item_id, "edit", output={"total": "1.00"}).item["state"] == "edited"


def test_two_reviews_that_disagree_wait_for_an_adjudicator(db: Database) -> None:
    office = open_office(db, reviews={"needed": 2, "adjudicate": "lead"})
    item_id = office.enqueue()
    office.decide("ann", item_id)
    office.decide("bob", item_id, "reject", reason="wrong-total")
    assert office.item(item_id)["state"] == "disputed"
    assert office.claim_next("bob") is None
    claimed = office.claim_next("lea")
    assert claimed is not None
    office.decide("lea", item_id, "accept", claimed.token)
    assert office.item(item_id)["state"] == "accepted"
    assert office.types(item_id)[-5:] == ["reviewed", "disputed", "claimed", "reviewed", "accepted"]


def test_a_lead_does_not_adjudicate_what_a_manager_must(db: Database) -> None:
    office = open_office(db, reviews={"needed": 2, "adjudicate": "manager"})
    item_id = office.enqueue()
    office.decide("ann", item_id)
    office.decide("bob", item_id, "reject", reason="wrong-total")
    assert office.claim_next("lea") is None
    with pytest.raises(WrongState):
        office.claim("lea", item_id)
    assert office.claim_next("max") is not None


def test_the_decider_undoes_at_once_and_holds_the_item_again(office: Office, clock: MovableClock) -> None:
    item_id = office.enqueue()
    office.decide("ann", item_id)
    clock.move(seconds=29)
    claimed = operations.undo(office.db, office.caller("ann"), item_id)
    item = office.item(item_id)
    assert (item["state"], item["outcome"], item["claim"]["by"]) == ("pending", None, "ann")
    office.decide("ann", item_id, "edit", claimed.token, output={"total": "2.00"})
    assert office.item(item_id)["outcome"]["revision"] == 1


def test_undo_ends_after_thirty_seconds_and_is_the_deciders_alone(
    office: Office, clock: MovableClock
) -> None:
    item_id = office.enqueue()
    office.decide("ann", item_id)
    with pytest.raises(TooLateToUndo):
        operations.undo(office.db, office.caller("bob"), item_id)
    clock.move(seconds=31)
    with pytest.raises(TooLateToUndo):
        operations.undo(office.db, office.caller("ann"), item_id)


def test_undo_ends_when_an_app_has_the_outcome(office: Office) -> None:
    item_id = office.enqueue()
    office.decide("ann", item_id)
    assert operations.get_item(office.db, APP, item_id).outcome is not None
    with pytest.raises(TooLateToUndo):
        operations.undo(office.db, office.caller("ann"), item_id)


def test_undoing_the_review_that_made_a_dispute_ends_the_dispute(db: Database) -> None:
    office = open_office(db, reviews={"needed": 2})
    item_id = office.enqueue()
    office.decide("ann", item_id)
    office.decide("bob", item_id, "reject", reason="wrong-total")
    claimed = operations.undo(office.db, office.caller("bob"), item_id)
    assert office.item(item_id)["state"] == "pending"
    assert office.decide("bob", item_id, "accept", claimed.token).item["state"] == "accepted"


def test_undoing_an_audit_lets_the_released_outcome_stand(db: Database) -> None:
    office = open_office(db, audit_sample=1.0)
    item_id = office.enqueue(confidence=0.95)
    office.decide("ann", item_id, "reject", reason="wrong-total")
    operations.undo(office.db, office.caller("ann"), item_id)
    outcome = office.item(item_id)["outcome"]
    assert (outcome["by"], outcome["verdict"], outcome["revision"]) == ("policy", "accept", 1)


def test_a_reopened_item_is_asked_again_and_answered_by_the_next_revision(
    office: Office, clock: MovableClock
) -> None:
    item_id = office.enqueue()
    office.decide("ann", item_id)
    with pytest.raises(Forbidden):
        operations.reopen(office.db, office.caller("ann"), item_id, "a doubt")
    clock.move(hours=30)
    operations.reopen(office.db, office.caller("lea"), item_id, "the customer disagreed")
    item = office.item(item_id)
    assert (item["state"], item["outcome"], item["due_at"]) == (
        "pending",
        None,
        "2026-03-03T19:00:00.000000Z",
    )
    office.decide("ann", item_id, "edit", output={"total": "3.00"})
    assert office.item(item_id)["outcome"]["revision"] == 2
    assert office.types(item_id)[-2:] == ["edited", "corrected"]


def test_a_released_item_is_recalled_and_never_reopened(office: Office) -> None:
    item_id = office.enqueue(confidence=0.95)
    with pytest.raises(WrongState):
        operations.reopen(office.db, office.caller("lea"), item_id, "a doubt")
    operations.recall(office.db, office.caller("lea"), item_id, "the model was retrained")
    assert office.item(item_id)["outcome"] is None
    assert office.claim_next("ann") is not None


def test_a_comment_changes_nothing_but_the_trail(office: Office) -> None:
    item_id = office.enqueue()
    before = office.item(item_id)
    operations.comment(office.db, office.caller("ann"), item_id, "looks odd")
    assert office.item(item_id) == before
    assert office.trail(item_id)[-1]["data"] == {"text": "looks odd"}


def test_a_draft_outlives_the_claim_and_ends_with_the_decision(office: Office, clock: MovableClock) -> None:
    item_id, ann = office.enqueue(), office.caller("ann")
    operations.save_draft(office.db, ann, item_id, {"comment": "half a"})
    operations.save_draft(office.db, ann, item_id, {"comment": "half a sentence"})
    clock.move(hours=1)
    with office.db.reading() as session:
        ((draft, _),) = operations.queries.drafts_of(session, office.people["ann"].id)
    assert (draft.content, draft.edits) == ({"comment": "half a sentence"}, 2)
    office.decide("ann", item_id)
    with office.db.reading() as session:
        assert operations.queries.drafts_of(session, office.people["ann"].id) == []
