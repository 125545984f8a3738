"""The three doors to subscriptions: the API by an admin's key, the admin's pages, the commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from reviewqueue import create_app
from reviewqueue.audit.events import EventType
from reviewqueue.cli import main
from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.monitoring.metrics import exposition
from reviewqueue.people.models import Person, Scope
from reviewqueue.pruning import prune
from reviewqueue.transaction import SYSTEM
from tests.items.browsing import HTML, HTMX
from tests.items.office import Office, open_office
from tests.queues.doors import key_headers, sign_in

from .receivers import Receiver, receiving, send

FORM = {"name": "books", "types": "item.enqueued item.accepted", "queues": "receipts"}


@pytest.fixture
def db(sqlite_db: Database) -> Database:
    """What the doors ask of the database is tested on both in test_delivery."""
    return sqlite_db


@pytest.fixture
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings.model_copy(update={"allowed_networks": "127.0.0.0/8"}), db)


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


@pytest.fixture
def boss(office: Office) -> Person:
    with office.db.transaction(SYSTEM) as tx:
        boss = tx.session.get_one(Person, office.people["max"].id)
        boss.is_admin = True
        tx.trail.record(boss, EventType.PERSON_CHANGED, {})
    return boss


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def admin(client: FlaskClient, boss: Person, db: Database) -> FlaskClient:
    sign_in(client, db, boss)
    return client


def make(admin: FlaskClient, receiver: Receiver) -> str:
    """Makes a subscription by the page; returns the address of its page."""
    made = admin.post("/admin/subscriptions", data={**FORM, "url": receiver.url}, headers=HTML)
    assert made.status_code == 303
    assert secret_on(admin, made.location) is not None
    return made.location


def secret_on(admin: FlaskClient, address: str) -> str | None:
    page = admin.get(address, headers=HTML)
    found = re.search(r"<code>(whsec_[\w+/=]+)</code>", page.text)
    assert found is None or page.headers["Cache-Control"] == "no-store"
    return found and found[1]


def test_a_key_that_acts_as_an_admin_does_everything_by_the_api(
    client: FlaskClient, boss: Person, office: Office, receiver: Receiver
) -> None:
    key = key_headers(office.db, [Scope.QUEUES_WRITE], person=boss)

    def call(method: str, path: str = "", status: int = 200, **body: Any) -> Any:
        address = f"/api/v1/subscriptions{path}"
        answer = client.open(address, method=method, headers=key, json=body or None)
        assert answer.status_code == status, answer.text
        return answer.get_json(silent=True)

    made = call("POST", "", 201, name="books", url=receiver.url, types=["item.enqueued"])
    assert made["secret"].startswith("whsec_")
    one = f"/{made['id']}"
    assert call("PATCH", one, queues=["receipts"])["queues"] == ["receipts"]
    assert call("POST", f"{one}/test")["status"] == 200
    assert call("POST", f"{one}/pause")["state"] == "paused"
    item_id = office.enqueue(external_id="r-1")
    assert call("POST", f"{one}/resumption")["state"] == "active"
    send(office.db)
    assert call("POST", f"{one}/rotation", 201, overlap_hours=1)["secret"] != made["secret"]
    [delivery] = call("GET", f"{one}/deliveries?type=item.enqueued&q=R-1")["items"]
    assert (delivery["state"], delivery["attempts"][0]["status"]) == ("arrived", 200)
    assert call("GET", f"{one}/deliveries/{delivery['id']}")["body"]["data"]["item"]["id"] == str(item_id)
    call("POST", f"{one}/replay", 422, state="any")
    long_ago = "2000-01-01T00:00:00Z"
    assert call("POST", f"{one}/replay", state="any", since=long_ago) == {"replayed": 2}
    first = call("GET", f"{one}/deliveries?limit=1")
    second = call("GET", f"{one}/deliveries?limit=1&cursor={first['next']}")
    assert first["items"] != second["items"] and second["next"] is None
    call("DELETE", one, 204)
    [shown] = call("GET")["items"]
    assert (shown["state"], shown["deliveries"]["failed"]) == ("revoked", 2)
    assert "secret" not in shown
    call("POST", f"{one}/pause", 409)


def test_nobody_else_gets_in(client: FlaskClient, boss: Person, office: Office) -> None:
    every = list(Scope)
    for key in (
        key_headers(office.db, every),
        key_headers(office.db, every, person=office.people["lea"]),
        key_headers(office.db, every, queues=["receipts"], person=boss),
        key_headers(office.db, [Scope.EVENTS_READ], person=boss),
    ):
        assert client.get("/api/v1/subscriptions", headers=key).status_code == 403
        new = {"name": "x", "url": "http://127.0.0.1:1/"}
        assert client.post("/api/v1/subscriptions", headers=key, json=new).status_code == 403
    sign_in(client, office.db, office.people["lea"])
    assert client.get("/admin/subscriptions", headers=HTML).status_code == 403


def test_signed_out_the_pages_lead_to_the_sign_in(client: FlaskClient, office: Office) -> None:
    answer = client.get("/admin/subscriptions", headers=HTML)
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in")


def test_an_admin_subscribes_an_app_and_sees_each_attempt(
    admin: FlaskClient, office: Office, receiver: Receiver
) -> None:
    page = make(admin, receiver)
    office.enqueue(external_id="<i>r-1</i>")
    receiver.will_answer(500, body=b"<script>alert(1)</script>")
    send(office.db)
    text = admin.get(page, headers=HTML).text
    assert "&lt;i&gt;r-1&lt;/i&gt;" in text and "<i>r-1" not in text
    assert "answered 500" in text and "failing" in text
    found = re.search(rf'href="({page}/deliveries/[0-9a-f-]+)"', text)
    assert found is not None
    shown = admin.get(found[1], headers=HTML).text
    assert "&lt;script&gt;" in shown and "<script>alert" not in shown
    assert "item.enqueued" in shown and "1 of 10 made" in shown
    [delivery_id] = re.findall(r'name="delivery" value="([^"]+)"', shown)
    answer = admin.post(f"{page}/replay", data={"delivery": delivery_id, "back": found[1]}, headers=HTML)
    assert (answer.status_code, answer.location) == (303, found[1])
    send(office.db)
    assert [got.id for got in receiver.got] == [receiver.got[0].id] * 2
    filtered = admin.get(f"{page}?state=arrived&q=r-1", headers=HTML).text
    assert "Send again" in filtered
    assert "Nothing matches" in admin.get(f"{page}?state=failed", headers=HTML).text


def test_the_acts_of_a_subscriptions_page_lead_back_to_it(
    admin: FlaskClient, office: Office, receiver: Receiver
) -> None:
    page = make(admin, receiver)
    told = {
        "test": "was answered 200",
        "pause": "Paused",
        "resumption": "Active again",
        "replay": "Nothing to send again",
    }
    for act, words in told.items():
        answer = admin.post(f"{page}/{act}", headers=HTML)
        assert (answer.status_code, answer.location) == (303, page)
        assert words in admin.get(page, headers=HTML).text
    assert admin.post(f"{page}/pause", headers=HTMX).headers["HX-Redirect"] == page
    changed = admin.post(page, data={**FORM, "name": "library", "url": receiver.url}, headers=HTML)
    assert changed.status_code == 303 and "library" in admin.get(page, headers=HTML).text
    admin.post(f"{page}/revocation", headers=HTML)
    assert "Not revoked" in admin.get(page, headers=HTML).text
    admin.post(f"{page}/revocation", data={"sure": "on"}, headers=HTML)
    assert "Make a new secret" not in admin.get(page, headers=HTML).text


def test_a_secret_is_shown_once_and_loading_the_page_again_makes_no_other(
    admin: FlaskClient, receiver: Receiver
) -> None:
    page = make(admin, receiver)
    assert secret_on(admin, page) is None
    answer = admin.post(f"{page}/rotation", data={"overlap_hours": "2"}, headers=HTML)
    assert (answer.status_code, answer.location) == (303, page)
    cookies = "".join(answer.headers.getlist("Set-Cookie"))
    assert secret_on(admin, page) is not None and "whsec_" not in cookies
    assert secret_on(admin, page) is None


def test_a_second_rotation_within_the_overlap_must_be_meant(
    admin: FlaskClient, office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    page = make(admin, receiver)
    admin.post(f"{page}/rotation", data={"overlap_hours": "2"}, headers=HTML)
    first = secret_on(admin, page)
    refused = admin.post(f"{page}/rotation", data={"overlap_hours": "5"}, headers=HTML)
    assert refused.status_code == 409 and "still signs, until" in refused.text
    assert 'value="books"' in refused.text and 'value="5"' in refused.text
    admin.post(f"{page}/rotation", data={"overlap_hours": "2", "end_overlap": "on"}, headers=HTML)
    assert secret_on(admin, page) not in (None, first)
    clock.move(hours=2)
    assert admin.post(f"{page}/rotation", data={"overlap_hours": "2"}, headers=HTML).status_code == 303


def test_no_queue_at_all_is_no_choice_of_queues(
    client: FlaskClient, boss: Person, office: Office, receiver: Receiver
) -> None:
    key = key_headers(office.db, [Scope.QUEUES_WRITE], person=boss)
    new = {"name": "books", "url": receiver.url}
    refused = client.post("/api/v1/subscriptions", headers=key, json={**new, "queues": []})
    assert (refused.status_code, refused.get_json()["errors"][0]["pointer"]) == (422, "/queues")
    made = client.post("/api/v1/subscriptions", headers=key, json={**new, "queues": ["receipts"]}).get_json()
    one = f"/api/v1/subscriptions/{made['id']}"
    assert client.patch(one, headers=key, json={"queues": []}).status_code == 422
    assert client.patch(one, headers=key, json={"queues": None}).get_json()["queues"] is None


def test_what_cannot_be_is_told_beside_what_was_typed(admin: FlaskClient, receiver: Receiver) -> None:
    for given, words in (
        ({"url": "https://10.0.0.1/hook"}, "is not on the public internet"),
        ({"url": receiver.url, "types": "item.eaten"}, "there is no event type"),
        ({"url": receiver.url, "queues": "nowhere"}, "names nowhere, which is no queue"),
    ):
        page = admin.post("/admin/subscriptions", data={**FORM, **given}, headers=HTML)
        assert page.status_code == 422
        assert words in page.text
        assert given["url"] in page.text
    assert "No subscription yet" in admin.get("/admin/subscriptions", headers=HTML).text


def test_the_page_offers_the_types_subscribed_to_without_reading_what_was_sent(
    admin: FlaskClient, office: Office, receiver: Receiver
) -> None:
    page = make(admin, receiver)
    text = admin.get(f"{page}?type=item.expired", headers=HTML).text
    offered = re.findall(r"<option(?: selected)?>((?:item|subscription)\.[a-z_]+)</option>", text)
    assert offered == ["item.accepted", "item.enqueued", "item.expired", "subscription.tested"]


def test_a_range_is_counted_before_it_is_sent_again(
    admin: FlaskClient, office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    page = make(admin, receiver)
    office.enqueue()
    send(office.db)
    day = clock.now().date()
    typed = f"since={day}T00:00&until={day}T23:59&state=any"
    shown = admin.get(f"{page}/replay?{typed}", headers=HTML)
    assert shown.status_code == 200 and "1 delivery made" in shown.text and "UTC" in shown.text
    for stray, words in (
        ("since=&until=&state=any", "is needed"),
        (f"since={day}T10:00&until={day}T09:00", "is not before until"),
        ("since=yesterday", "since: "),
    ):
        refused = admin.get(f"{page}/replay?{stray}", headers=HTML)
        assert refused.status_code == 422 and words in refused.text
    assert f'value="{day}T10:00"' in admin.get(f"{page}/replay?since={day}T10:00&until={day}T09:00").text
    admin.post(f"{page}/replay", data={"since": "", "until": "", "state": "any"}, headers=HTML)
    assert send(office.db) == 0
    admin.post(f"{page}/replay", data={"since": f"{day}T00:00", "state": "any"}, headers=HTML)
    assert send(office.db) == 1


def test_the_page_finds_deliveries_by_their_time(
    admin: FlaskClient, office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    page = make(admin, receiver)
    office.enqueue(external_id="r-1")
    hour = clock.now().strftime("%Y-%m-%dT%H:%M:%S")
    assert "r-1" in admin.get(f"{page}?since={hour}", headers=HTML).text
    assert "Nothing matches" in admin.get(f"{page}?until={hour}", headers=HTML).text
    assert "Nothing could be looked for" in admin.get(f"{page}?until=soon", headers=HTML).text


def test_a_disabled_subscription_can_be_tried_and_says_why_the_rest_was_not(
    admin: FlaskClient, office: Office, receiver: Receiver
) -> None:
    page = make(admin, receiver)
    office.enqueue()
    receiver.will_answer(410, body=b"x" * 450 + b"the end of the answer")
    send(office.db)
    office.enqueue(external_id="r-2")
    text = admin.get(page, headers=HTML).text
    assert "never tried: the subscription was disabled" in text
    [first] = re.findall(rf'({page}/deliveries/[0-9a-f-]+)"[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*answered 410', text)
    assert "the end of the answer" in admin.get(first, headers=HTML).text
    receiver.will_answer(500)
    for words in ("was answered 500", "was answered 200"):
        admin.post(f"{page}/test", headers=HTML)
        text = admin.get(page, headers=HTML).text
        assert words in text and "disabled" in text
    admin.post(f"{page}/resumption", headers=HTML)
    assert send(office.db) == 0, "what failed is sent again when it is asked for"


def test_an_items_page_and_its_json_say_whether_the_outcome_arrived(
    admin: FlaskClient, office: Office, receiver: Receiver
) -> None:
    make(admin, receiver)
    item_id = office.enqueue()
    office.decide("ann", item_id)
    send(office.db)
    text = admin.get(f"/items/{item_id}", headers=HTML).text
    assert "1 of 1 arrived" in text and "answered 200" in text
    found = re.search(r'href="(/admin/subscriptions/[0-9a-f-]+/deliveries/[0-9a-f-]+)">books', text)
    assert found is not None and admin.get(found[1], headers=HTML).status_code == 200
    key = key_headers(office.db, [Scope.ITEMS_READ])
    shown = admin.get(f"/api/v1/items/{item_id}?include=deliveries&include=evidence", headers=key).get_json()
    [told] = shown["deliveries"]
    assert (told["type"], told["subscription"], told["state"]) == ("item.accepted", "books", "arrived")
    assert [attempt["status"] for attempt in told["attempts"]] == [200] and shown["evidence"]
    sign_in(admin, office.db, office.people["lea"])
    text = admin.get(f"/items/{item_id}", headers=HTML).text
    assert "1 of 1 arrived" in text and "/admin/subscriptions" not in text


def test_after_thirty_days_deliveries_are_gone(
    admin: FlaskClient, office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    page = make(admin, receiver)
    office.enqueue()
    send(office.db)
    clock.move(days=29)
    office.enqueue()
    assert "deliveries" in prune(office.db)
    clock.move(days=1)
    removed = prune(office.db)
    assert [removed[name] for name in ("deliveries", "attempts at deliveries", "announcements")] == [1, 1, 1]
    assert prune(office.db)["deliveries"] == 0
    assert page


def test_metrics_tell_of_receivers_that_fail(
    admin: FlaskClient, office: Office, receiver: Receiver, clock: MovableClock
) -> None:
    make(admin, receiver)
    office.enqueue()
    receiver.will_answer(500)
    send(office.db)
    clock.move(minutes=10)
    told = exposition(office.db).decode()
    assert "reviewqueue_subscriptions_failing 1.0" in told
    assert "reviewqueue_deliveries_overdue 1.0" in told


def test_the_commands_do_the_same(
    office: Office, settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVIEWQUEUE_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REVIEWQUEUE_SECRET_KEY", settings.secret_key)
    monkeypatch.setenv("REVIEWQUEUE_ALLOWED_NETWORKS", str(ip_network("127.0.0.0/8")))

    def run(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(main, ["subscription", *arguments])
        assert done.exit_code == code, done.output
        return done.output

    assert "whsec_" in run("add", "--name", "books", "--url", receiver.url, "--type", "item.enqueued")
    office.enqueue(external_id="r-1")
    run("pause", "books")
    run("resume", "books")
    assert "answered 200" in run("test", "books")
    receiver.will_answer(503)
    assert "answered 503" in run("test", "books", code=1)
    assert "books" in run("list") and "whsec_" not in run("list")
    assert "item.enqueued" in run("deliveries", "books", "--state", "waiting")
    assert "0 deliveries" in run("replay", "books")
    assert "whsec_" in run("rotate", "books")
    assert "still signs" in run("rotate", "books", code=1)
    assert "whsec_" in run("rotate", "books", "--end-overlap")
    run("revoke", "books")
    assert "no such subscription" in run("pause", "books", code=1)
    for command in ("add", "list", "deliveries", "pause", "resume", "rotate", "revoke", "test", "replay"):
        assert "Example: reviewqueue subscription" in run(command, "--help")
