"""What is done from the backlog page: one act on a row, many with a preview, pages and filters in the address."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.people import sessions
from reviewqueue.transaction import SYSTEM
from reviewqueue.web.requests import SESSION_ID

from ..items.browsing import HTML, HTMX
from ..items.office import Office, open_office
from ..queues.doors import key_headers, sign_in
from ..support.making import load


@pytest.fixture
def db(sqlite_db: Database) -> Database:
    """What the acts do to the database is tested on both in tests/items."""
    return sqlite_db


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db, escalation=[{"after": "1h", "to": "manager", "notify": ["in-app"]}])


@pytest.fixture
def late(office: Office, clock: MovableClock) -> list[uuid.UUID]:
    ids = [
        office.enqueue(external_id=f"late-{number}", tags={"department": ("eu", "us")[number % 2]})
        for number in range(3)
    ]
    clock.move(hours=5)
    fire_due(office.db)
    return ids


@pytest.fixture
def boss(client: FlaskClient, office: Office, late: list[uuid.UUID]) -> FlaskClient:
    sign_in(client, office.db, office.people["max"])
    return client


BACK = "/backlog?queue=receipts"
TOLD = {"good": {"total": "12.90"}, "odd": {"total": 7}}


@pytest.mark.parametrize(
    ("what", "form", "event"),
    [
        ("assignment", {"to": "max@example.org"}, "assigned"),
        ("snooze", {"for": "4h"}, "snoozed"),
        ("acknowledgement", {}, "acknowledged"),
    ],
)
def test_an_act_on_a_row_leads_back_or_answers_the_script(
    boss: FlaskClient, office: Office, late: list[uuid.UUID], what: str, form: dict[str, str], event: str
) -> None:
    plain = boss.post(f"/items/{late[0]}/{what}", headers=HTML, data={**form, "back": BACK})
    assert (plain.status_code, plain.headers["Location"]) == (303, BACK)
    assert "late-0" in boss.get(BACK, headers=HTML).text
    scripted = boss.post(f"/items/{late[1]}/{what}", headers=HTMX, data={**form, "back": BACK})
    assert scripted.status_code == 200
    assert scripted.json and scripted.json["kind"] == "done" and "late-1" in scripted.json["text"]
    assert [office.types(one)[-1] for one in late[:2]] == [event, event]


def test_a_refused_act_says_why_at_the_same_place(
    boss: FlaskClient, office: Office, late: list[uuid.UUID]
) -> None:
    form = {"to": "nobody@example.org", "back": BACK}
    scripted = boss.post(f"/items/{late[0]}/assignment", headers=HTMX, data=form)
    assert (scripted.status_code, scripted.json and scripted.json["kind"]) == (422, "error")
    plain = boss.post(f"/items/{late[0]}/assignment", headers=HTML, data=form)
    assert plain.headers["Location"] == BACK
    assert "cannot be given to them" in boss.get(BACK, headers=HTML).text
    foreign = boss.post(
        f"/items/{late[0]}/acknowledgement", headers=HTML, data={"back": "https://elsewhere.example"}
    )
    assert foreign.headers["Location"] == "/"


def test_many_are_previewed_confirmed_and_told(
    boss: FlaskClient, office: Office, late: list[uuid.UUID]
) -> None:
    chosen = [f"{one}@{load(office.db, one).version}" for one in late]
    office.claim("bob", late[2])
    led = boss.post("/items/many", headers=HTML, data={"act": "reject", "chosen": chosen, "back": BACK})
    address = led.headers["Location"]
    for _ in range(2):  # an address of its own: a reload shows it again
        asked = boss.get(address, headers=HTML).text
        assert "Reject 2 items?" in asked and "is held by bob" in asked and "Left alone: 1" in asked
    assert office.types(late[0])[-1] == "escalated"
    confirmed = {"act": "reject", "chosen": chosen, "back": BACK, "confirmed": "yes"}
    without = boss.post("/items/many", headers=HTML, data=confirmed)
    assert (without.status_code, "Choose a reason." in without.text) == (422, True)
    done = boss.post("/items/many", headers=HTML, data={**confirmed, "reason:receipts": "wrong-total"})
    assert done.headers["Location"] == BACK
    page = boss.get(BACK, headers=HTML).text
    assert "2 of 3 rejected." in page and "late-2: is held by bob" in page
    assert [office.item(one)["state"] for one in late] == ["rejected", "rejected", "pending"]
    assert "is rejected already" in boss.get(address, headers=HTML).text  # what the browser's Back shows


def test_nothing_chosen_leads_back_with_a_word(boss: FlaskClient, late: list[uuid.UUID]) -> None:
    nothing = boss.post("/items/many", headers=HTML, data={"act": "reject", "back": BACK})
    assert (nothing.status_code, nothing.headers["Location"]) == (303, BACK)
    assert "Choose at least one item first" in boss.get(BACK, headers=HTML).text
    unticked = boss.post("/items/many", headers=HTML, data={"plan": "gone", "confirmed": "yes", "back": BACK})
    assert unticked.headers["Location"] == "/items/many/gone"
    assert "That preview is gone." in boss.get("/items/many/gone", headers=HTML, follow_redirects=True).text


def test_a_preview_of_snoozes_says_which_come_too_late(
    boss: FlaskClient, office: Office, late: list[uuid.UUID]
) -> None:
    """The app's deadline is 19 hours away, and of the newest item 24."""
    late.append(office.enqueue(external_id="fresh"))
    chosen = [f"{one}@{load(office.db, one).version}" for one in late]
    form = {"act": "snooze", "chosen": chosen, "back": BACK}
    asked = boss.post("/items/many", headers=HTML, data=form, follow_redirects=True).text
    assert "its deadline is " in asked and asked.count("(0 of 4: the deadline comes first)") == 2
    boss.post("/items/many", headers=HTML, data={**form, "confirmed": "yes", "for": "1d"})
    told = boss.get(BACK, headers=HTML).text
    assert "the deadline is 2026-03-03 09:00 UTC; snooze until a time before it" in told


def test_a_preview_shows_what_is_released_and_asks_twice_where_the_page_would(
    boss: FlaskClient, office: Office
) -> None:
    ids = [office.enqueue(external_id=name, output=told) for name, told in TOLD.items()]
    chosen = [f"{one}@{load(office.db, one).version}" for one in ids]
    form = {"act": "accept", "back": BACK}
    asked = boss.post(
        "/items/many", headers=HTML, data={**form, "chosen": chosen}, follow_redirects=True
    ).text
    for said in (
        "Accept 1 item?", "total: 12.90", "confidence 0.5", "total: 7",
        "Left alone unless you tick them: 1", "does not fit the queue&#39;s schema", "no undo for all of them",
    ):  # fmt: skip
        assert said in asked, said
    confirmed = {**form, "confirmed": "yes", "chosen": chosen[0]}
    boss.post("/items/many", headers=HTML, data=confirmed)
    assert [office.item(one)["state"] for one in ids] == ["accepted", "pending"]
    boss.post("/items/many", headers=HTML, data={**form, "confirmed": "yes", "sure": chosen[1]})
    assert [office.item(one)["state"] for one in ids] == ["accepted", "accepted"]


@pytest.mark.parametrize(
    ("form", "missing", "event"),
    [
        ({"act": "assign", "to": "bob@example.org"}, "Choose whom to give them to.", "assigned"),
        ({"act": "snooze", "for": "1d"}, "Choose for how long", "snoozed"),
        ({"act": "acknowledge"}, None, "acknowledged"),
    ],
)
def test_the_other_acts_on_many(
    boss: FlaskClient,
    office: Office,
    late: list[uuid.UUID],
    form: dict[str, str],
    missing: str | None,
    event: str,
) -> None:
    chosen = [f"{one}@{load(office.db, one).version}" for one in late]
    rest = {"chosen": chosen, "back": BACK, "confirmed": "yes"}
    if missing:
        assert missing in boss.post("/items/many", headers=HTML, data={"act": form["act"], **rest}).text
    # The app's deadline is 19 hours away: a day's snooze is refused for each, and told.
    if form["act"] == "snooze":
        boss.post("/items/many", headers=HTML, data={**form, **rest})
        assert "0 of 3 snoozed." in boss.get(BACK, headers=HTML).text
        form = {**form, "for": "4h"}
    assert boss.post("/items/many", headers=HTML, data={**form, **rest}).status_code == 303
    assert [office.types(one)[-1] for one in late] == [event] * 3


def test_the_filters_narrow_and_stay_in_every_address(
    boss: FlaskClient, office: Office, late: list[uuid.UUID]
) -> None:
    office.claim("bob", late[1])
    text = boss.get("/backlog?queue=receipts&department=us&reviewer=bob@example.org", headers=HTML).text
    assert "late-1" in text and "late-0" not in text
    back = "/backlog?queue=receipts&amp;department=us&amp;reviewer=bob@example.org"
    assert f'value="{back}"' in text
    assert '<option value="us" selected>' in text and '<option value="bob@example.org" selected>' in text
    assert "fits these filters" in boss.get("/backlog?department=nowhere", headers=HTML).text


def test_more_than_fifty_are_paged_without_gap_or_repeat(
    boss: FlaskClient, app: Flask, office: Office, clock: MovableClock
) -> None:
    for number in range(55):
        office.enqueue(external_id=f"more-{number}", input=number)
    clock.move(hours=1)
    fire_due(office.db)
    keep_signed_in(boss, office)
    client, headers = app.test_client(), key_headers(office.db)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        told = client.get(
            "/api/v1/backlog", headers=headers, query_string={"cursor": cursor} if cursor else {}
        ).get_json()
        seen += [item["id"] for item in told["escalated_items"]]
        cursor = told["escalated_next"]
    assert (len(seen), len(set(seen))) == (58, 58)
    page = boss.get("/backlog", headers=HTML).text
    assert "Next" in page and "cursor=" in page
    assert client.get("/api/v1/backlog?cursor=nonsense", headers=headers).status_code == 422
    assert client.get("/api/v1/backlog?cursor=WzEsMiwzXQ", headers=headers).status_code == 422


def keep_signed_in(client: FlaskClient, office: Office) -> None:
    with office.db.transaction(SYSTEM) as tx:
        session_id = sessions.begin(tx, office.people["max"], timedelta(days=2))
    with client.session_transaction() as cookie:
        cookie[SESSION_ID] = session_id


def test_the_json_has_what_the_page_shows(
    app: Flask, office: Office, boss: FlaskClient, late: list[uuid.UUID]
) -> None:
    boss.post(f"/items/{late[0]}/acknowledgement", headers=HTML, data={"back": BACK})
    boss.post(f"/items/{late[0]}/snooze", headers=HTML, data={"for": "1h", "back": BACK})
    assert "Snoozed late-0 for 1 hour." in boss.get(BACK, headers=HTML).text
    mine = key_headers(office.db, person=office.people["max"])
    told = app.test_client().get("/api/v1/backlog", headers=mine).get_json()
    first = next(item for item in told["escalated_items"] if item["id"] == str(late[0]))
    assert first["told"] == [{"who": "max@example.org", "through": "in-app", "state": "unread", "at": None}]
    assert first["acknowledged"] == {"by": "max", "at": "2026-03-02T14:00:00.000000Z"}
    assert sorted(str(item["snoozed_until"]) for item in told["escalated_items"]) == [
        "2026-03-02T15:00:00.000000Z", "None", "None",
    ]  # fmt: skip
    assert {"waiting", "queues", "escalated_items", "workload", "timers"} <= told.keys()
    assert told["workload"] == []
    assert (len(told["hours"]), len(told["forecast"]), told["trend"]) == (24, 8, {"day": None, "week": None})


def test_an_app_reads_figures_but_neither_who_works_how_much_nor_who_was_told(
    app: Flask, office: Office, late: list[uuid.UUID]
) -> None:
    told = app.test_client().get("/api/v1/backlog", headers=key_headers(office.db)).get_json()
    assert told["escalated"] == len(late)
    assert told["workload"] is None
    assert {item["told"] for item in told["escalated_items"]} == {None}
