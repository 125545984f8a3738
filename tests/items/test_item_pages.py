"""An item's own page, the list of a queue's items with decisions on many, and the desk."""

from __future__ import annotations

import re
import uuid

import pytest
from flask.testing import FlaskClient

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.queues.operations import apply
from tests.items.browsing import HTML, Visitor
from tests.items.office import DOCUMENT, Office, open_office
from tests.queues.doors import sign_in

ITEMS = "/queues/receipts/items"


@pytest.fixture
def db(sqlite_db: Database) -> Database:
    """What these pages ask of the database is tested on both in test_page_queries."""
    return sqlite_db


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


@pytest.fixture
def ann(client: FlaskClient, office: Office) -> Visitor:
    sign_in(client, office.db, office.people["ann"])
    return Visitor(client)


@pytest.fixture
def lea(client: FlaskClient, office: Office) -> Visitor:
    sign_in(client, office.db, office.people["lea"])
    return Visitor(client)


def test_the_dossier_says_whether_todays_policy_would_route_it_the_same(office: Office, lea: Visitor) -> None:
    item_id = office.enqueue(confidence=0.5)
    assert (
        "Yes: by policy 1, now in force, a human would review the suggestion"
        in lea.get(f"/items/{item_id}").text
    )
    policy = {**DOCUMENT["policy"], "lanes": {"autonomous_at": 0.45, "assist_at": 0.4}}
    apply(office.db, SYSTEM_CALLER, {"queue": "receipts", **DOCUMENT, "policy": policy})
    text = lea.get(f"/items/{item_id}").text
    assert "No: by policy 2, now in force, it would be released without a human" in text
    assert "confidence 0.5 is at or above 0.45" in text
    assert "There is no outcome yet." in text


def test_the_dossier_answers_each_question_with_its_event(office: Office, lea: Visitor) -> None:
    item_id = office.enqueue(explanation="the header says so", latency_ms=812, retries=1)
    office.decide("bob", item_id, "edit", output={"total": "13.00"}, reason="wrong-total")
    text = lea.get(f"/items/{item_id}").text
    for question in (
        "Why did the AI answer so?",
        "Which latency did people see?",
        "What did the reviewer override?",
    ):
        assert question in text
    assert "the header says so" in text
    assert "812\N{NO-BREAK SPACE}ms, after 1 retries" in text
    assert "<del>12.90</del> <ins>13.00</ins>" in text
    events = {event["id"] for event in office.trail(item_id)}
    assert set(re.findall(r'href="#event-([0-9a-f-]+)"', text)) <= events
    assert all(f'id="event-{event}"' in text for event in events)


def test_a_lead_reopens_recalls_assigns_and_releases(office: Office, lea: Visitor) -> None:
    item_id = office.enqueue()
    office.decide("bob", item_id)
    lea.post(f"/items/{item_id}/reopening", reason="look again")
    assert office.item(item_id)["state"] == "pending"
    lea.post(f"/items/{item_id}/assignment", to="bob@example.org")
    assert office.item(item_id)["assigned_to"] == "bob@example.org"
    office.claim("bob", item_id)
    lea.post(f"/items/{item_id}/release")
    assert office.item(item_id)["claim"] is None
    released = office.enqueue(confidence=0.99)
    lea.post(f"/items/{released}/recall", reason="doubtful")
    assert office.item(released)["state"] == "pending"


def test_what_is_refused_says_why_and_keeps_the_words(office: Office, lea: Visitor) -> None:
    item_id = office.enqueue()
    answer = lea.post(f"/items/{item_id}/reopening", reason="look again")
    assert answer.status_code == 409
    assert "only decided and expired items are reopened" in answer.text
    answer = lea.post(f"/items/{item_id}/assignment", to="out@example.org")
    assert answer.status_code == 422


def test_a_reviewer_is_not_offered_what_only_leads_do_and_refused_it(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    office.decide("bob", item_id)
    assert "Reopen" not in ann.get(f"/items/{item_id}").text
    assert ann.post(f"/items/{item_id}/reopening", reason="x").status_code == 403


def test_taking_an_item_leads_to_reviewing_it(office: Office, ann: Visitor) -> None:
    office.enqueue(external_id="one", priority=90)
    wanted = office.enqueue(external_id="two")
    answer = ann.post(f"/items/{wanted}/claim")
    assert answer.headers["Location"] == f"/queues/receipts/review?item={wanted}"
    assert f'data-item="{wanted}"' in ann.landed(answer)


def test_an_item_that_another_holds_cannot_be_taken(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    office.claim("bob", item_id)
    answer = ann.post(f"/items/{item_id}/claim")
    assert answer.status_code == 409
    assert "bob holds the item" in answer.text


def test_the_list_filters_searches_and_keeps_it_in_the_address(office: Office, ann: Visitor) -> None:
    office.enqueue(external_id="kettle", input={"text": "a big kettle"}, flags=["upset"])
    office.enqueue(external_id="lamp", tags={"department": "returns"}, model={"name": "m1"})
    done = office.enqueue(external_id="done")
    office.decide("bob", done)

    def listed(query: str) -> set[str]:
        text = ann.get(f"{ITEMS}{query}").text
        return {name for name in ("kettle", "lamp", "done") if f">{name}</a>" in text}

    assert listed("") == {"kettle", "lamp"}
    assert listed("?view=decided") == {"done"}
    assert listed("?view=all&order=-created") == {"kettle", "lamp", "done"}
    assert listed("?q=BIG") == {"kettle"}
    assert listed("?flag=upset") == {"kettle"}
    assert listed("?tag=department%3Dreturns") == {"lamp"}
    assert listed("?model=m1") == {"lamp"}
    assert listed("?state=accepted") == {"done"}
    assert listed("?q=nothing-like-it") == set()
    assert 'value="BIG"' in ann.get(f"{ITEMS}?q=BIG").text


@pytest.mark.parametrize("query", ["?order=up", "?level_min=x", "?cursor=zzz", "?level_min=999"])
def test_an_address_that_makes_no_sense_is_refused(office: Office, ann: Visitor, query: str) -> None:
    assert ann.get(f"{ITEMS}{query}").status_code == 422


def test_pages_of_the_list_go_on_where_the_last_ended(office: Office, ann: Visitor) -> None:
    for n in range(60):
        office.enqueue(external_id=f"item-{n:02}")
    first = ann.get(ITEMS).text
    next_page = re.search(r'href="([^"]+)" rel="next"', first)
    assert next_page
    second = ann.get(next_page[1].replace("&amp;", "&")).text
    seen = [set(re.findall(r">(item-\d\d)</a>", text)) for text in (first, second)]
    assert [len(names) for names in seen] == [50, 10]
    assert not seen[0] & seen[1]


def test_many_are_decided_after_a_preview(office: Office, lea: Visitor) -> None:
    ready = office.enqueue(external_id="ready")
    held = office.enqueue(external_id="held")
    office.claim("bob", held)
    stale = office.enqueue(external_id="stale")
    chosen = [f"{item_id}@1" for item_id in (ready, held, stale)]
    lea.post(f"/items/{stale}/assignment", to="bob@example.org")
    preview = lea.landed(lea.post("/items/many", chosen=chosen, act="reject"))
    assert "Reject 1 item?" in preview
    assert "is held by bob" in preview
    assert "has changed since you saw the list" in preview
    assert office.item(ready)["state"] == "pending"
    answer = lea.post(
        "/items/many",
        chosen=chosen,
        act="reject",
        confirmed="yes",
        back=f"{ITEMS}?q=x",
        **{"reason:receipts": "wrong-total"},
    )
    assert answer.headers["Location"] == f"{ITEMS}?q=x"
    assert [office.item(item_id)["state"] for item_id in (ready, held, stale)] == [
        "rejected",
        "pending",
        "pending",
    ]
    assert office.types(ready)[-1] == "rejected"


def test_who_may_not_decide_many_is_not_offered_it_and_refused(office: Office, ann: Visitor) -> None:
    item_id = office.enqueue()
    assert "With the chosen" not in ann.get(ITEMS).text
    answer = ann.post("/items/many", chosen=[f"{item_id}@1"], act="accept", confirmed="yes")
    assert answer.status_code == 403
    assert office.item(item_id)["state"] == "pending"


def test_step_aside_is_not_accepted_in_bulk(office: Office, lea: Visitor) -> None:
    item_id = office.enqueue(confidence=0.1)
    preview = lea.landed(lea.post("/items/many", chosen=[f"{item_id}@1"], act="accept"))
    assert "is to be answered before the suggestion is seen" in preview


@pytest.mark.parametrize("chosen", [["nonsense"], ["x@1"], [f"{uuid.uuid4()}@y"]])
def test_a_choice_of_what_is_no_item_is_refused(office: Office, lea: Visitor, chosen: list[str]) -> None:
    assert lea.post("/items/many", chosen=chosen, act="accept").status_code == 404


def test_a_choice_of_nothing_stays_on_the_list(office: Office, lea: Visitor) -> None:
    assert "Choose at least one item first" in lea.landed(lea.post("/items/many", act="accept", back=ITEMS))


def test_the_desk_shows_queues_claims_drafts_and_decisions_with_undo(
    office: Office, ann: Visitor, clock: MovableClock
) -> None:
    done, held, typed = (office.enqueue(external_id=name) for name in ("done", "held", "typed"))
    ann.post(f"/items/{typed}/draft", **{"output/total": "7"})
    office.decide("ann", done)
    office.claim("ann", held)
    text = ann.get("/").text
    for part in ("Receipts", f"item={held}", f"/items/{typed}", f"/items/{done}/undo"):
        assert part in text
    clock.move(seconds=31)
    assert f"/items/{done}/undo" not in ann.get("/").text


def test_the_desk_says_what_is_escalated_and_given_to_me(office: Office, lea: Visitor) -> None:
    office.enqueue()
    assert "for you or your team" not in lea.get("/").text
    raised, given = office.enqueue(), office.enqueue()
    lea.post(f"/items/{raised}/escalation", escalate_reason="too hard")
    lea.post(f"/items/{given}/assignment", to="lea@example.org")
    desk = lea.get("/").text.replace("\N{NO-BREAK SPACE}", " ")
    assert "1 item for you or your team · 1 escalated" in desk


def test_the_desk_of_somebody_without_queues_says_how_to_get_one(office: Office, client: FlaskClient) -> None:
    sign_in(client, office.db, office.people["out"])
    text = client.get("/", headers=HTML).text
    assert "gives you a role" in text
    assert "Receipts" not in text


@pytest.mark.parametrize(
    "address", ["/", ITEMS, "/items/{}", "/items/{}/evidence", "/queues/receipts/review"]
)
def test_signed_out_every_page_leads_to_the_sign_in_and_back(
    office: Office, client: FlaskClient, address: str
) -> None:
    item_id = office.enqueue()
    answer = client.get(address.format(item_id), headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("asked", ["level=abc", "level_min=abc", "state=nowhere", "view=mine", "order=x"])
def test_what_the_address_asks_for_in_vain_is_told(office: Office, ann: Visitor, asked: str) -> None:
    assert ann.get(f"{ITEMS}?{asked}").status_code == 422


def test_states_are_called_the_same_in_the_filter_and_in_the_table(office: Office, ann: Visitor) -> None:
    office.enqueue()
    text = ann.get(ITEMS).text
    assert '<option value="pending">waiting</option>' in text
    assert '<option value="auto_accepted">released by policy</option>' in text
