"""The backlog page: as a whole, as a fragment, as a 304; and signed out."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items.models import Item
from reviewqueue.people import sessions
from reviewqueue.people.models import BrowserSession, Membership, Person
from reviewqueue.queues.models import Queue
from reviewqueue.transaction import SYSTEM
from reviewqueue.web.requests import SESSION_ID

from ..items.browsing import Form
from ..queues.doors import key_headers
from ..support.making import load, make_claim, make_decision, make_item, make_items, make_person, make_queue

POLICY = {
    "due": {"after": "1h"},
    "escalation": [{"after": "2h", "to": "lead"}, {"after": "4h", "to": "lead"}],
}
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def queue(db: Database) -> Queue:
    return make_queue(db, title="Receipts <b>of ours</b>", policy=POLICY)


@pytest.fixture
def boss(db: Database, queue: Queue, client: FlaskClient) -> Person:
    person = make_person(db, "boss@example.org", queue, "manager")
    stay_signed_in(client, db, person)
    return person


def stay_signed_in(client: FlaskClient, db: Database, person: Person) -> None:
    """For longer than these tests move the clock."""
    with db.transaction(SYSTEM) as tx:
        session_id = sessions.begin(tx, person, timedelta(days=30))
    with client.session_transaction() as cookie:
        cookie[SESSION_ID] = session_id


@pytest.fixture
def late(db: Database, clock: MovableClock, queue: Queue) -> uuid.UUID:
    item_id = make_item(db, queue, external_id="late-1", confidence=0.1)
    clock.move(hours=3)
    fire_due(db)
    return item_id


def test_the_page_shows_what_is_late_and_why(client: FlaskClient, boss: Person, late: uuid.UUID) -> None:
    page = client.get("/backlog")
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert text.startswith("<!doctype html>")
    for shown in (
        "late-1",
        "nothing is released here without a human",
        "2\N{NO-BREAK SPACE}h late",
        "nobody",
        "1 with nobody",
        f"/items/{late}/claim",
    ):
        assert shown in text
    assert "Receipts &lt;b&gt;of ours&lt;/b&gt;" in text
    assert "<b>of ours" not in text


def test_a_fragment_is_the_live_part_alone(client: FlaskClient, boss: Person, late: uuid.UUID) -> None:
    answer = client.get("/backlog", headers=FRAGMENT)
    text = answer.get_data(as_text=True)
    assert "late-1" in text
    assert "<html" not in text
    assert {"HX-Request", "HX-Boosted"} <= set(answer.vary)


def test_nothing_changed_costs_a_304_even_as_time_passes(
    client: FlaskClient, boss: Person, late: uuid.UUID, db: Database, clock: MovableClock
) -> None:
    tag = client.get("/backlog", headers=FRAGMENT).headers["ETag"]
    assert tag in client.get("/backlog").get_data(as_text=True).replace("&#34;", '"')
    clock.move(minutes=10)
    again = client.get("/backlog", headers={**FRAGMENT, "If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    make_claim(db, late, boss)
    changed = client.get("/backlog", headers={**FRAGMENT, "If-None-Match": tag})
    assert changed.status_code == 200
    assert "works on it" in changed.get_data(as_text=True)
    assert changed.headers["ETag"] != tag


def test_a_figure_that_time_alone_changes_is_no_304(
    client: FlaskClient, boss: Person, db: Database, queue: Queue, clock: MovableClock
) -> None:
    make_item(db, queue)
    tag = client.get("/backlog", headers=FRAGMENT).headers["ETag"]
    clock.move(hours=1, seconds=1)
    assert client.get("/backlog", headers={**FRAGMENT, "If-None-Match": tag}).status_code == 200


def test_the_level_narrows_the_escalated_items(
    client: FlaskClient, boss: Person, late: uuid.UUID, db: Database, clock: MovableClock
) -> None:
    assert "late-1" not in client.get("/backlog?level=2").get_data(as_text=True)
    clock.move(hours=2)
    fire_due(db)
    assert "late-1" in client.get("/backlog?level=2&queue=receipts").get_data(as_text=True)
    assert client.get("/backlog?level=nine").status_code == 422


def test_taking_an_item_leads_to_its_review(
    client: FlaskClient, boss: Person, late: uuid.UUID, db: Database
) -> None:
    answer = client.post(f"/items/{late}/claim", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/queues/receipts/review")
    assert load(db, late).claim_by == boss.id


def test_a_decision_from_the_backlog_leads_back_to_it(
    client: FlaskClient, boss: Person, late: uuid.UUID, db: Database
) -> None:
    headers, back = {"Sec-Fetch-Site": "same-origin"}, "/backlog?queue=receipts"
    led = client.post(f"/items/{late}/claim", headers=headers, data={"back": back}).headers["Location"]
    page = client.get(led).get_data(as_text=True)
    assert "Back to the backlog" in page
    text = client.get("/backlog").get_data(as_text=True)
    assert f"/queues/receipts/review?item={late}&amp;back=/backlog" in text
    form = {**Form(page).values, "verdict": "reject"}
    answer = client.post(f"/items/{late}/decision", headers={**headers, **FRAGMENT}, data=form)
    assert (answer.headers["HX-Redirect"], answer.headers["RQ-Kept"]) == (back, "1")
    assert "Rejected late-1." in client.get(back).get_data(as_text=True)


def test_a_key_that_does_not_apply_says_why(
    client: FlaskClient, boss: Person, late: uuid.UUID, db: Database, queue: Queue
) -> None:
    make_claim(db, late, make_person(db, "other@example.org", queue))
    text = client.get("/backlog").get_data(as_text=True)
    assert '<span hidden data-no-key="d">other works on late-1.</span>' in text
    assert '<span hidden data-no-key="t">other works on late-1.</span>' in text


def test_who_may_not_tend_items_is_offered_no_acts(
    client: FlaskClient, db: Database, queue: Queue, late: uuid.UUID
) -> None:
    stay_signed_in(client, db, make_person(db, "auditor@example.org", queue, "auditor"))
    text = client.get("/backlog").get_data(as_text=True)
    assert "late-1" in text
    assert f"/items/{late}/claim" not in text


def test_a_reviewer_may_not_see_it_and_nobody_is_led_to_sign_in(
    client: FlaskClient, db: Database, queue: Queue
) -> None:
    assert client.get("/backlog").headers["Location"].startswith("/sign-in")
    refused = client.get("/backlog", headers=FRAGMENT)
    assert (refused.status_code, refused.headers["HX-Redirect"][:8]) == (204, "/sign-in")
    stay_signed_in(client, db, make_person(db, "clerk@example.org", queue))
    assert client.get("/backlog").status_code == 403


def test_an_empty_backlog_says_what_would_fill_it(client: FlaskClient, boss: Person) -> None:
    text = client.get("/backlog").get_data(as_text=True)
    for said in ("Nothing is escalated", "nothing waits", "Nobody has reviewed today"):
        assert said in text


def let_a_timer_fail(db: Database, item_id: uuid.UUID) -> None:
    with db.engine.begin() as connection:
        values = {"timer_error": "KeyError while escalating it", "timer_failures": 2}
        connection.execute(sa.update(Item).where(Item.id == item_id).values(values))


def test_a_timer_that_fails_is_told_and_leads_to_its_item(
    client: FlaskClient, boss: Person, late: uuid.UUID, db: Database
) -> None:
    let_a_timer_fail(db, late)
    text = client.get("/backlog").get_data(as_text=True)
    assert "<b>1 timer failed</b>" in text
    assert f'<a href="/items/{late}">late-1</a> (KeyError while escalating it)' in text
    assert "Its timer failed 2 times" in client.get(f"/items/{late}").get_data(as_text=True)
    told = client.application.test_client().get("/api/v1/backlog", headers=key_headers(db)).get_json()
    assert told["timers"] == {"late": 0, "failing": 1}


def test_a_timer_that_fails_in_a_queue_out_of_reach_is_not_told(
    client: FlaskClient, boss: Person, db: Database, queue: Queue
) -> None:
    hidden = make_queue(db, "hidden", title="Hidden")
    let_a_timer_fail(db, make_item(db, hidden))
    assert "failed" not in client.get("/backlog").get_data(as_text=True)


def test_the_api_tells_the_same(
    app: Flask, db: Database, boss: Person, late: uuid.UUID, queue: Queue
) -> None:
    make_decision(db, make_item(db, queue), boss)
    told = app.test_client().get("/api/v1/backlog", headers=key_headers(db)).get_json()
    figures: dict[str, Any] = {"waiting": 1, "overdue": 1, "escalated": 1, "at_risk": 0}
    assert {name: told[name] for name in figures} == figures
    assert told["as_of"] == "2026-03-02T12:00:00.000000Z"
    ages = {"1h": 0, "4h": 1, "1d": 0, "7d": 0, "older": 0}
    assert told["queues"] == [
        {
            "queue": "receipts",
            **figures,
            "oldest_created_at": "2026-03-02T09:00:00.000000Z",
            "by_age": ages,
            "decided_today": 1,
            "attainment": {"in_time": 0, "late": 0},
        }
    ]
    [item] = told["escalated_items"]
    assert (item["id"], item["level"], item["late_seconds"], item["claim"]) == (str(late), 1, 7200.0, None)


def test_a_queues_figures_over_the_api(app: Flask, db: Database, boss: Person, late: uuid.UUID) -> None:
    client, headers = app.test_client(), key_headers(db)
    told = client.get("/api/v1/queues/receipts/stats", headers=headers).get_json()
    assert (told["waiting"], told["by_state"]["pending"], told["by_verdict"]["accept"]) == (1, 1, 0)
    assert client.get("/api/v1/queues/nowhere/stats", headers=headers).status_code == 404
    assert client.get("/api/v1/backlog?when=now", headers=headers).status_code == 422


def test_the_page_asks_few_queries_however_much_is_escalated(
    client: FlaskClient, boss: Person, db: Database, queue: Queue, clock: MovableClock
) -> None:
    def queries() -> int:
        asked = 0

        def count(*_: object) -> None:
            nonlocal asked
            asked += 1

        sa.event.listen(db.engine, "before_cursor_execute", count)
        client.get("/backlog")
        sa.event.remove(db.engine, "before_cursor_execute", count)
        return asked

    def escalate(count: int) -> None:
        make_items(db, queue, [{}] * count)
        clock.move(hours=3)
        fire_due(db)

    escalate(2)
    few = queries()
    for number in range(3):
        other = make_queue(db, f"other-{number}")
        with db.transaction(SYSTEM) as tx:
            tx.session.add(Membership(queue_id=other.id, role="manager", person_id=boss.id))
    escalate(60)
    assert queries() == few <= 22


def test_an_open_backlog_keeps_nobody_signed_in(
    client: FlaskClient, boss: Person, db: Database, clock: MovableClock
) -> None:
    def last_seen() -> datetime | None:
        with db.reading() as session:
            return session.scalar(sa.select(BrowserSession.seen_at))

    began = last_seen()
    clock.move(minutes=10)
    client.get("/backlog", headers=FRAGMENT).close()
    assert last_seen() == began
    client.get("/backlog").close()
    assert last_seen() != began


def test_a_print_says_that_it_holds_a_part(
    client: FlaskClient, boss: Person, db: Database, clock: MovableClock, queue: Queue
) -> None:
    make_items(db, queue, [{} for _ in range(51)])
    clock.move(hours=3)
    fire_due(db)
    assert "The first 50 of 51;" in client.get("/backlog").get_data(as_text=True)
    narrowed = client.get("/backlog?level=1&reviewer=boss%40example.org").get_data(as_text=True)
    assert "is not printed" not in narrowed
