"""The review page, three ways: with htmx, without scripts, and signed out. Nothing typed is ever lost."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient

from reviewqueue.canonical import sha256_of
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from tests.items.browsing import HTML, HTMX, Form, Visitor
from tests.items.office import Office, open_office
from tests.queues.doors import sign_in

REVIEW = "/queues/receipts/review"


@pytest.fixture
def db(sqlite_db: Database) -> Database:
    """What these pages ask of the database is tested on both in test_page_queries."""
    return sqlite_db


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


@pytest.fixture(params=[True, False], ids=["htmx", "without scripts"])
def ann(request: pytest.FixtureRequest, client: FlaskClient, office: Office) -> Visitor:
    sign_in(client, office.db, office.people["ann"])
    return Visitor(client, htmx=request.param)


def test_it_shows_the_evidence_the_suggestion_and_why(office: Office, ann: Visitor) -> None:
    office.enqueue(external_id="receipt-1", flags=["blurred"], tags={"department": "finance"})
    text = ann.get(REVIEW).text
    for words in (
        "receipt-1",
        "TOTAL 12.90",
        'value="12.90"',
        "confidence 0.5 is below 0.9",
        "blurred",
        "finance",
    ):
        assert words in text
    assert "The total is wrong" in text


def test_a_reload_shows_what_one_holds_and_claims_nothing_more(office: Office, ann: Visitor) -> None:
    first = office.enqueue(external_id="one")
    second = office.enqueue(external_id="two")
    tokens = {ann.form_at(REVIEW)["claim_token"] for _ in range(3)}
    assert len(tokens) == 1
    assert office.item(first)["claim"]["by"] == "ann"
    assert office.item(second)["claim"] is None


@pytest.mark.parametrize(
    ("verdict", "typed", "output"),
    [
        ("accept", {}, {"total": "12.90"}),
        ("edit", {"output/total": "12.99", "reason": "wrong-total"}, {"total": "12.99"}),
        ("reject", {"reason": "wrong-total", "comment": "unreadable"}, None),
    ],
)
def test_a_verdict_decides_and_brings_the_next(
    office: Office, ann: Visitor, verdict: str, typed: dict[str, str], output: Any
) -> None:
    item_id, following = office.enqueue(external_id="one"), office.enqueue(external_id="two")
    form = ann.form_at(REVIEW)
    answer = ann.act(item_id, "decision", form, verdict=verdict, **typed)
    assert answer.status_code == (200 if ann.htmx else 303)
    text = ann.landed(answer)
    assert "two" in text
    assert "undo one" in text
    outcome = office.item(item_id)["outcome"]
    assert (outcome["verdict"], outcome["output"]) == (verdict, output)
    assert outcome["reason"] == (typed.get("reason") if verdict != "accept" else None)
    assert office.item(following)["claim"]["by"] == "ann"
    assert office.types(item_id)[-2:] == ["reviewed", f"{verdict.rstrip('e')}ed"]


def test_htmx_gets_the_next_item_as_a_fragment(office: Office, client: FlaskClient) -> None:
    sign_in(client, office.db, office.people["ann"])
    ann = Visitor(client, htmx=True)
    item_id = office.enqueue()
    office.enqueue(external_id="two")
    answer = ann.act(item_id, "decision", ann.form_at(REVIEW), verdict="accept")
    assert "<html" not in answer.text
    assert "two" in answer.text
    assert answer.headers["HX-Replace-Url"] == REVIEW
    assert answer.headers["RQ-Kept"] == "1"
    assert "HX-Request" in answer.headers["Vary"]


def test_an_edit_that_breaks_the_schema_comes_back_as_it_was_typed(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue(output={"total": "1", "lines": 3})
    form = ann.form_at(REVIEW)
    form["output/total"] = "12.99"
    answer = ann.act(item_id, "decision", form, verdict="edit", reason="no-such-reason", comment="kept too")
    assert answer.status_code == 422
    back = Form(answer.text).values
    assert back["output/total"] == "12.99"
    assert back["comment"] == "kept too"
    assert back["claim_token"] == form["claim_token"]
    assert "Choose a reason: The total is wrong." in answer.text
    assert office.item(item_id)["state"] == "pending"


def test_a_reject_without_its_reason_is_told_so(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    answer = ann.act(item_id, "decision", ann.form_at(REVIEW), verdict="reject")
    assert answer.status_code == 422
    assert "Choose a reason: The total is wrong." in answer.text


def test_an_edit_that_changes_nothing_is_no_edit(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    answer = ann.act(item_id, "decision", ann.form_at(REVIEW), verdict="edit")
    assert answer.status_code == 422
    assert "Nothing is changed" in answer.text


def test_accepting_with_changes_typed_asks_once_whether_to_leave_them_out(
    office: Office, ann: Visitor
) -> None:
    item_id = office.enqueue()
    answer = ann.act(item_id, "decision", ann.form_at(REVIEW), verdict="accept", **{"output/total": "12.99"})
    assert answer.status_code == 422
    assert "leave your changes out" in answer.text
    form = Form(answer.text).values
    assert form["output/total"] == "12.99"
    ann.act(item_id, "decision", form, verdict="accept")
    assert office.item(item_id)["outcome"]["output"] == {"total": "12.90"}


def test_a_decision_that_came_too_late_keeps_what_was_typed(
    office: Office, ann: Visitor, clock: MovableClock
) -> None:
    item_id = office.enqueue(external_id="one")
    form = ann.form_at(REVIEW)
    clock.move(minutes=11)
    office.claim("bob", item_id)
    answer = ann.act(item_id, "decision", form, verdict="edit", **{"output/total": "99.99"})
    assert answer.status_code == 409
    assert "bob holds the item" in answer.text
    assert "What you typed is kept" in answer.text
    assert Form(answer.text).values["output/total"] == "99.99"
    office.decide("bob", item_id, token=office.claim("bob", item_id).token)
    answer = ann.act(item_id, "decision", form, verdict="edit", **{"output/total": "99.98"})
    assert answer.status_code == 409
    assert "is decided already.</b> The item is" in answer.text
    assert Form(answer.text).values["output/total"] == "99.98"


def test_a_lapsed_claim_that_nobody_took_up_still_decides(
    office: Office, ann: Visitor, clock: MovableClock
) -> None:
    item_id = office.enqueue()
    form = ann.form_at(REVIEW)
    clock.move(minutes=30)
    ann.act(item_id, "decision", form, verdict="accept")
    assert office.item(item_id)["state"] == "accepted"


def test_what_was_typed_outlives_a_reload(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    form = ann.form_at(REVIEW)
    answer = ann.act(
        item_id, "draft", form, **{"output/total": "12.9x"}, reason="wrong-total", comment="half a"
    )
    assert answer.status_code == (204 if ann.htmx else 303)
    again = ann.form_at(REVIEW)
    assert (again["output/total"], again["reason"], again["comment"]) == ("12.9x", "wrong-total", "half a")


def test_skipping_gives_the_item_back_and_brings_another(office: Office, ann: Visitor) -> None:
    first, second = office.enqueue(external_id="one"), office.enqueue(external_id="two")
    text = ann.landed(ann.act(first, "skip", ann.form_at(REVIEW)))
    assert "two" in text
    assert office.item(first)["claim"] is None
    text = ann.landed(ann.act(second, "skip", Form(text).values))
    assert "Only what you skipped is left" in text
    assert "one" in ann.landed(ann.post("/queues/receipts/review/skipped"))


def test_snooze_and_escalation_keep_the_draft_and_go_on(office: Office, ann: Visitor) -> None:
    first, second = office.enqueue(external_id="one"), office.enqueue(external_id="two")
    form = ann.form_at(REVIEW)
    text = ann.landed(ann.act(first, "snooze", form, **{"for": "4h", "output/total": "7"}))
    assert "two" in text
    assert office.item(first)["snoozed_until"] is not None
    text = ann.landed(ann.act(second, "escalation", Form(text).values, escalate_reason="beyond me"))
    assert "Only what you skipped is left" in text
    assert office.item(second)["level"] == 1


def test_an_escalation_without_a_reason_stays_where_it_is(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    answer = ann.act(item_id, "escalation", ann.form_at(REVIEW), **{"output/total": "8"}, escalate_reason=" ")
    assert answer.status_code == 422
    assert Form(answer.text).values["output/total"] == "8"
    assert office.item(item_id)["level"] == 0


def test_a_comment_is_added_beside_what_is_typed(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    answer = ann.act(
        item_id, "comments", ann.form_at(REVIEW), **{"output/total": "8"}, text="Who knows this shop?"
    )
    assert "Who knows this shop?" in answer.text
    assert Form(answer.text).values["output/total"] == "8"


def test_undo_brings_the_item_back_as_it_was_decided(
    office: Office, ann: Visitor, clock: MovableClock
) -> None:
    item_id = office.enqueue(external_id="one")
    other = office.enqueue(external_id="two")
    form = ann.form_at(REVIEW)
    text = ann.landed(
        ann.act(item_id, "decision", form, verdict="edit", **{"output/total": "12.99"}, reason="wrong-total")
    )
    text = ann.landed(ann.act(item_id, "undo", Form(text).values, **{"output/total": "typed on two"}))
    back = Form(text).values
    assert back["item"] == str(item_id)
    assert (back["output/total"], back["reason"]) == ("12.99", "wrong-total")
    assert office.item(item_id)["outcome"] is None
    ann.act(item_id, "decision", back, verdict="accept")
    assert ann.form_at(f"{REVIEW}?item={other}")["output/total"] == "typed on two"


def test_an_undo_after_half_a_minute_is_refused_in_words(
    office: Office, ann: Visitor, clock: MovableClock
) -> None:
    item_id = office.enqueue(external_id="one")
    office.enqueue(external_id="two")
    text = ann.landed(ann.act(item_id, "decision", ann.form_at(REVIEW), verdict="accept"))
    clock.move(seconds=31)
    answer = ann.act(item_id, "undo", Form(text).values)
    assert answer.status_code == 409
    assert "More than 30 seconds have passed" in answer.text
    assert "one stays as it is" in answer.text
    assert "What you typed on two is still here, and you hold it." in answer.text
    assert "undo" not in ann.get(REVIEW).text.lower().partition("</main>")[2]


def test_step_aside_hides_the_suggestion_until_the_person_has_answered(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue(confidence=0.1, output={"total": "31.41"})
    page = ann.get(REVIEW).text
    assert "31.41" not in page
    assert "31.41" not in ann.get(f"/items/{item_id}").text
    assert "31.41" not in ann.get(f"/items/{item_id}/evidence").text
    form = Form(page).values
    early = ann.act(item_id, "decision", form, verdict="accept")
    assert early.status_code == 422
    assert "31.41" not in early.text
    text = ann.landed(ann.act(item_id, "answer", form, **{"output/total": "27.18"}))
    assert "31.41" in text
    shown = Form(text).values
    assert shown["output/total"] == "27.18"
    ann.act(item_id, "decision", shown, verdict="edit", reason="wrong-total")
    assert office.item(item_id)["outcome"]["output"] == {"total": "27.18"}


@pytest.mark.parametrize(("typed", "equal"), [("27.18", False), ("31.41", True)])
def test_the_first_answer_stays_on_the_trail_whatever_is_decided_then(
    office: Office, ann: Visitor, typed: str, equal: bool
) -> None:
    item_id = office.enqueue(confidence=0.1, output={"total": "31.41"})
    form = ann.form_at(REVIEW)
    for answer in (typed, "99.99"):
        text = ann.landed(ann.act(item_id, "answer", form, **{"output/total": answer}))
    ann.act(item_id, "decision", Form(text).values, verdict="accept")
    reviewed = next(event for event in office.trail(item_id) if event["type"] == "item.reviewed")
    first = reviewed["data"]["answered_first"]
    assert first["equals_suggestion"] is equal
    assert first["output_hash"] == sha256_of({"total": typed}).hex()
    told = [{"op": "replace", "path": "/total", "value": typed}]
    assert first.get("difference") == (None if equal else told)


def test_no_answer_shows_no_suggestion(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue(confidence=0.1, output={"total": "31.41"})
    told = ann.act(item_id, "answer", ann.form_at(REVIEW), **{"output/total": ""})
    assert told.status_code == 422
    assert "Answer first" in told.text and "31.41" not in told.text
    assert "31.41" not in ann.get(REVIEW).text


def test_what_was_on_the_screen_is_on_the_trail(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue(confidence=0.1)
    ann.act(item_id, "decision", ann.form_at(REVIEW), verdict="reject", reason="wrong-total", edits="4")
    reviewed = next(event for event in office.trail(item_id) if event["type"] == "item.reviewed")
    assert reviewed["data"]["seen"]["suggestion_visible"] is False
    assert reviewed["data"]["draft_edits"] == 4


def test_an_output_that_is_missing_can_be_given(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue(output=None)
    ann.act(
        item_id,
        "decision",
        ann.form_at(REVIEW),
        verdict="edit",
        **{"output/total": "5"},
        reason="wrong-total",
    )
    assert office.item(item_id)["outcome"]["output"] == {"total": "5"}


def test_blind_reviewers_do_not_see_each_other(db: Database, client: FlaskClient) -> None:
    office = open_office(db, reviews={"needed": 2, "blind": True})
    item_id = office.enqueue()
    office.decide("bob", item_id, "reject", reason="wrong-total", comment="bob says no")
    sign_in(client, db, office.people["ann"])
    for address in (REVIEW, f"/items/{item_id}"):
        text = client.get(address, headers=HTML).text
        assert "bob says no" not in text
        assert "reviewed it" not in text
    sign_in(client, db, office.people["lea"])
    assert "bob says no" in client.get(f"/items/{item_id}", headers=HTML).text


def test_the_confidence_says_what_it_has_meant_here(office: Office, ann: Visitor) -> None:
    for n in range(5):
        verdict = "reject" if n == 0 else "accept"
        office.decide("bob", office.enqueue(), verdict, reason="wrong-total" if n == 0 else None)
    shown = office.enqueue(external_id="six")
    text = ann.get(REVIEW).text.replace("\N{NO-BREAK SPACE}", " ")
    assert 'at 0.50–0.80 people changed <b class="num">20 %</b> of 5 here' in text
    assert "people changed" in ann.get(f"/items/{shown}").text


def test_a_handful_of_decisions_is_no_share(office: Office, ann: Visitor) -> None:
    for _ in range(4):
        office.decide("bob", office.enqueue())
    item_id = office.enqueue()
    assert "people changed" not in ann.get(REVIEW).text
    page = ann.get(f"/items/{item_id}").text
    assert "people changed" not in page
    assert "Reviews are blind here" not in page


def test_precedents_are_the_decisions_on_items_most_alike(office: Office, ann: Visitor) -> None:
    alike = office.enqueue(external_id="alike", input={"lines": ["Old Mill Bakery"]})
    unlike = office.enqueue(external_id="unlike", input={"lines": ["Green Fuels"]})
    for item_id in (alike, unlike):
        office.decide("bob", item_id, "edit", output={"total": "13.00"}, reason="wrong-total")
    office.enqueue(external_id="now", input={"lines": ["Old Mill Bakery"]})
    text = ann.get(REVIEW).text
    assert text.index(">alike<") < text.index(">unlike<")
    assert "total: 12.90 → 13.00" in text


def test_the_claim_is_renewed_by_its_holder_alone(office: Office, ann: Visitor, clock: MovableClock) -> None:
    item_id = office.enqueue()
    form = ann.form_at(REVIEW)
    clock.move(minutes=5)
    answer = ann.act(item_id, "renewal", form)
    assert answer.json is not None
    assert answer.json["until"].startswith("2026-03-02T09:15")
    clock.move(minutes=11)
    office.claim("bob", item_id)
    answer = ann.act(item_id, "renewal", form)
    assert answer.status_code == 409
    assert answer.json is not None
    assert "What you typed is kept" in answer.json["detail"]


@pytest.mark.parametrize(
    "what", ["decision", "draft", "skip", "snooze", "escalation", "comments", "undo", "answer"]
)
def test_signed_out_nothing_happens(office: Office, client: FlaskClient, what: str) -> None:
    item_id = office.enqueue()
    before = office.types(item_id)
    answer = client.post(f"/items/{item_id}/{what}", headers=HTML, data={"verdict": "accept", "version": "1"})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")
    answer = client.post(f"/items/{item_id}/{what}", headers=HTMX, data={"verdict": "accept", "version": "1"})
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"].startswith("/sign-in")
    assert office.types(item_id) == before


@pytest.mark.parametrize(
    "what", ["decision", "draft", "skip", "snooze", "escalation", "comments", "undo", "answer"]
)
def test_for_a_stranger_the_item_does_not_exist(office: Office, client: FlaskClient, what: str) -> None:
    item_id = office.enqueue(external_id="secret-title")
    sign_in(client, office.db, office.people["out"])
    data = {"verdict": "accept", "version": "1", "from": "review", "item": str(item_id), "output/total": "1"}
    answer = client.post(f"/items/{item_id}/{what}", headers=HTML, data=data)
    unknown = client.post(f"/items/{uuid.uuid4()}/{what}", headers=HTML, data=data)
    assert answer.status_code == unknown.status_code == 404
    assert "secret-title" not in answer.text
    assert client.get(REVIEW, headers=HTML).status_code == 404


def test_an_empty_queue_says_what_would_fill_it(office: Office, ann: Visitor) -> None:
    assert "New items come when an app enqueues them" in ann.get(REVIEW).text


def test_hostile_output_is_shown_as_text(office: Office, ann: Visitor) -> None:
    evil = "<img src=x onerror=alert(1)>\u202e"
    office.enqueue(
        external_id=evil, input={"text": evil, evil: evil}, output={"total": evil}, explanation=evil, flags=[evil],
        tags={"x": evil}, assumptions=[evil], context=[{"title": evil, "text": evil, "url": "javascript:alert(1)"}],
        model={"name": evil, "version": evil}, prompt={"name": evil, "version": evil, "text": evil}, error=evil,
    )  # fmt: skip
    page = ann.get(REVIEW).text
    assert "<img src=x" not in page
    assert "javascript:" not in page
    assert "‹U+202E›" in page


def test_an_adjudicator_sees_what_the_reviewers_said(db: Database, client: FlaskClient) -> None:
    office = open_office(db, reviews={"needed": 2, "blind": True})
    item_id = office.enqueue()
    office.decide("ann", item_id, "edit", output={"total": "13.00"}, reason="wrong-total")
    office.decide("bob", item_id, "accept")
    sign_in(client, db, office.people["lea"])
    lea = Visitor(client)
    text = lea.get(REVIEW).text
    assert "Reviews so far" in text
    assert "<del>12.90</del> <ins>13.00</ins>" in text
    lea.act(item_id, "decision", Form(text).values, verdict="accept")
    assert office.item(item_id)["state"] == "accepted"


def test_an_undone_review_overrode_nothing(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    ann.act(item_id, "decision", ann.form_at(REVIEW), verdict="accept")
    assert "Nothing: the suggestion was accepted." in ann.get(f"/items/{item_id}").text
    ann.act(item_id, "undo", {"from": "review"})
    page = ann.get(f"/items/{item_id}").text
    assert "Nothing is decided yet." in page
    assert "the suggestion was accepted" not in page


def test_an_undo_leaves_neither_phantom_drafts_nor_two_items_held(office: Office, ann: Visitor) -> None:
    first, second = office.enqueue(external_id="one"), office.enqueue(external_id="two")
    ann.act(first, "decision", ann.form_at(REVIEW), verdict="accept")
    ann.act(first, "undo", ann.form_at(REVIEW))
    desk = ann.get("/").text
    assert "None. What you type on an item and do not decide is kept here." in desk
    assert office.types(second)[-1] == "claim_released"
    assert office.types(first)[-1] == "undone"


def test_a_draft_that_says_nothing_any_more_is_none(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue(external_id="one")
    form = ann.form_at(REVIEW)
    ann.act(item_id, "draft", form)
    assert "typed " not in ann.get("/").text
    ann.act(item_id, "draft", form, **{"output/total": "1"})
    assert "typed " in ann.get("/").text
    ann.act(item_id, "draft", form)
    assert "typed " not in ann.get("/").text


def test_a_half_typed_comment_outlives_reload_decision_and_undo(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    form = {**ann.form_at(REVIEW), "text": "who knows thi"}
    ann.act(item_id, "draft", form)
    assert ann.form_at(REVIEW)["text"] == "who knows thi"
    ann.act(item_id, "decision", form, verdict="accept")
    assert "who knows thi" in ann.get(f"/items/{item_id}").text
    ann.act(item_id, "undo", {"from": "review"})
    assert ann.form_at(REVIEW)["text"] == "who knows thi"
    ann.act(item_id, "comments", form, text="who knows this shop?")
    assert ann.form_at(REVIEW)["text"] == ""
    assert office.trail(item_id)[-1]["data"]["text"] == "who knows this shop?"


@pytest.mark.parametrize(("output", "wrong"), [({"total": 5}, "Total "), ({}, "Total is required")])
def test_a_suggestion_that_breaks_the_schema_is_accepted_only_when_said_twice(
    office: Office, ann: Visitor, output: Any, wrong: str
) -> None:
    item_id = office.enqueue(output=output)
    shown = ann.get(REVIEW).text
    assert f"Accept as is (a): The suggestion does not fit the queue&#39;s schema: {wrong}" in shown
    asked = ann.act(item_id, "decision", Form(shown).values, verdict="accept")
    assert asked.status_code == 422
    assert "accept once more to release it as it is" in asked.text
    assert office.item(item_id)["state"] == "pending"
    ann.act(item_id, "decision", Form(asked.text).values, verdict="accept")
    assert office.item(item_id)["state"] == "accepted"


def test_refusals_are_headed_by_their_own_sentence(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    form = ann.form_at(REVIEW)
    answer = ann.act(item_id, "decision", {**form, "output/total": "13"}, verdict="accept")
    assert "<b>You have changed the suggestion." in answer.text
    assert "The input is not valid" not in answer.text
    answer = ann.act(item_id, "escalation", form, escalate_reason=" ")
    assert "<b>Say why it should go one level up.</b>" in answer.text
