"""The pages of notifications: the bell, the inbox, wishes and channels; with htmx, without scripts and signed out."""

from __future__ import annotations

import re
import uuid
from html import unescape

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from reviewqueue.audit.events import EventType
from reviewqueue.audit.models import Event
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.items import operations as items
from reviewqueue.notifications import operations, wording
from reviewqueue.notifications.forms import NewChannel
from reviewqueue.notifications.models import Message, Notification
from reviewqueue.notifications.outbox import NotSent, Parcel
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import BrowserSession, Person
from reviewqueue.transaction import SYSTEM
from tests.items.browsing import HTML, Visitor
from tests.items.office import Office, open_office
from tests.queues.doors import sign_in
from tests.support.making import make_queue
from tests.webhooks.receivers import LOOPBACK

PAGES = ["/notifications", "/notifications/unread", "/admin/channels", "/admin/channels/ops-chat/removal"]


@pytest.fixture
def db(sqlite_db: Database) -> Database:
    """What these pages ask of the database is tested on both in test_telling and test_outbox."""
    return sqlite_db


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db, escalation=[{"after": "2h", "to": "lead", "notify": ["in-app", "mail"]}])


@pytest.fixture
def late(office: Office, clock: MovableClock) -> uuid.UUID:
    item_id = office.enqueue(external_id="<b>r-1</b>")
    clock.move(hours=2)
    fire_due(office.db)
    return item_id


@pytest.fixture
def lea(client: FlaskClient, office: Office, late: uuid.UUID) -> Visitor:
    sign_in(client, office.db, office.people["lea"])
    return Visitor(client)


@pytest.fixture
def admin(client: FlaskClient, office: Office, late: uuid.UUID) -> Visitor:
    with office.db.transaction(SYSTEM) as tx:
        boss = tx.session.get_one(Person, office.people["max"].id)
        boss.is_admin = True
        tx.trail.record(boss, EventType.PERSON_CHANGED, {})
    sign_in(client, office.db, office.people["max"])
    return Visitor(client)


@pytest.mark.parametrize("page", PAGES)
def test_signed_out_every_page_leads_to_the_sign_in(office: Office, client: FlaskClient, page: str) -> None:
    answer = client.get(page, headers=HTML)
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in")


def test_the_bell_counts_and_the_inbox_opens_the_item(lea: Visitor, office: Office, late: uuid.UUID) -> None:
    text = lea.get("/notifications").text
    assert "data-bell-count>1<" in text
    assert "Nobody has decided: escalated to level 1." in text
    assert "&lt;b&gt;r-1&lt;/b&gt;" in text and "<b>r-1" not in text
    with office.db.reading() as session:
        one = session.scalars(sa.select(Notification.id)).one()
    opened = lea.post(f"/notifications/{one}/reading")
    assert (opened.status_code, opened.location) == (303, f"/items/{late}")
    assert "data-bell-count><" in lea.get("/notifications").text


def test_polling_costs_a_304_while_nothing_changes_and_keeps_nobody_signed_in(
    lea: Visitor, office: Office, clock: MovableClock
) -> None:
    def seen_at() -> object:
        with office.db.reading() as session:
            return session.scalars(sa.select(BrowserSession.seen_at)).one()

    before = seen_at()
    first = lea.get("/notifications/unread")
    assert first.json == {"unread": 1}
    again = {"If-None-Match": first.headers["ETag"]}
    clock.move(minutes=5)
    assert lea.client.get("/notifications/unread", headers=again).status_code == 304
    assert seen_at() == before
    items.assign(office.db, office.caller("max"), office.enqueue(), "lea@example.org")
    changed = lea.client.get("/notifications/unread", headers=again)
    assert (changed.status_code, changed.json) == (200, {"unread": 2})


@pytest.mark.parametrize("htmx", [False, True])
def test_all_are_marked_as_read(lea: Visitor, htmx: bool) -> None:
    visitor = Visitor(lea.client, htmx=htmx)
    answer = visitor.post("/notifications/reading")
    assert answer.status_code == (204 if htmx else 303)
    assert lea.get("/notifications/unread").json == {"unread": 0}


def test_anothers_notification_does_not_exist(admin: Visitor, office: Office, late: uuid.UUID) -> None:
    with office.db.reading() as session:
        one = session.scalars(sa.select(Notification.id)).one()
    assert admin.post(f"/notifications/{one}/reading").status_code == 404


def test_wishes_are_kept_and_shown(lea: Visitor) -> None:
    saved = lea.post("/account/notifications", mail="daily", digest_hour="7", zone="Europe/Berlin")
    assert saved.location == "/account"
    text = lea.get("/account").text
    assert 'value="daily" selected' in text and 'value="Europe/Berlin"' in text and 'value="7"' in text
    lea.post("/account/notifications", mail="daily", digest_hour="7", zone="Mars/Base")
    text = lea.get("/account").text
    assert "Not saved" in text and 'value="Europe/Berlin"' in text


def test_the_items_page_shows_who_was_told_and_takes_the_acknowledgement(
    lea: Visitor, office: Office, late: uuid.UUID
) -> None:
    text = lea.get(f"/items/{late}").text
    assert "lea@example.org · in-app: not read yet" in text
    assert "lea@example.org · mail: on its way" in text
    assert f"/items/{late}/acknowledgement" in text
    done = lea.post(f"/items/{late}/acknowledgement")
    assert done.status_code == 303
    text = lea.get(f"/items/{late}").text
    assert "acknowledged by lea" in text and f"/items/{late}/acknowledgement" not in text
    assert lea.post(f"/items/{late}/deescalation", reason="calm").status_code == 303
    assert office.item(late)["level"] == 0


def test_the_backlog_says_who_was_told_and_who_acknowledged(
    admin: Visitor, office: Office, late: uuid.UUID
) -> None:
    assert "lea@example.org" in admin.get("/backlog").text
    items.acknowledge(office.db, office.caller("lea"), late)
    assert "lea acknowledged" in admin.get("/backlog").text


def test_an_admin_adds_and_removes_a_channel_whose_address_is_never_shown(
    admin: Visitor, office: Office
) -> None:
    given = {"name": "ops-chat", "address": "json://127.0.0.1/token-4711"}
    refused = admin.client.post("/admin/channels", headers=HTML, data=given)
    assert refused.status_code == 422
    assert "must begin with one of: discord" in refused.text and "token-4711" not in refused.text
    form = NewChannel(name="ops-chat", address="json://127.0.0.1/token-4711")
    operations.add_channel(office.db, SYSTEM_CALLER, form, {"json"}, LOOPBACK)
    text = admin.get("/admin/channels").text
    assert "ops-chat" in text and "json://…" in text and "token-4711" not in text
    assert "token-4711" not in repr(form)
    assert "ops-chat" in admin.get("/admin/channels/ops-chat/removal").text
    assert "json://…" in admin.get("/admin/channels").text, "asking removes nothing"
    assert admin.post("/admin/channels/ops-chat/removal").status_code == 303
    assert "json://…" not in admin.get("/admin/channels").text


def test_the_log_tells_what_was_sent_to_whom(admin: Visitor, late: uuid.UUID) -> None:
    text = admin.get("/admin/channels").text
    assert "lea@example.org" in text and "Mail is not set up" in text


def test_the_log_goes_back_by_pages_and_shows_failures_alone(admin: Visitor, office: Office) -> None:
    with office.db.transaction(SYSTEM) as tx:
        told = tx.session.scalars(sa.select(Message)).one()
        for n in range(150):
            state = "failed" if n % 2 else "sent"
            tx.stage(
                Message,
                notice_id=told.notice_id,
                channel="mail",
                receiver=f"to-{n}@example.org",
                state=state,
                error="no such mailbox" if n % 2 else None,
                attempts=1,
                next_at=tx.now,
                sent_at=None if n % 2 else tx.now,
                created_at=tx.now,
                id=uuid7(),
            )
    assert walked(admin, "/admin/channels") == [*range(149, -1, -1)]
    assert walked(admin, "/admin/channels?state=failed") == [*range(149, 0, -2)]
    tested = admin.client.post("/admin/channels/mail/test?state=failed", headers=HTML)
    assert tested.location == "/admin/channels?state=failed", "the filter stays in the address"
    assert admin.get("/admin/channels?cursor=nonsense").status_code == 422


def walked(visitor: Visitor, address: str | None) -> list[int]:
    """The numbers of the receivers, through all pages of the log from the first one on."""
    numbers: list[int] = []
    while address is not None:
        text = visitor.get(address).text
        numbers += [int(number) for number in re.findall(r"to-(\d+)@example.org", text)]
        following = re.search(r'href="([^"]*)" rel="next"', text)
        address = unescape(following[1]) if following else None
    return numbers


def test_before_a_channel_goes_the_page_says_what_will_not_arrive(admin: Visitor, office: Office) -> None:
    form = NewChannel(name="ops-chat", address="json://127.0.0.1/token-4711")
    operations.add_channel(office.db, SYSTEM_CALLER, form, {"json"}, LOOPBACK)
    assert "No queue's policy names it." in admin.get("/admin/channels/ops-chat/removal").text
    step = {"after": "1h", "to": "lead", "notify": ["ops-chat"]}
    make_queue(office.db, name="invoices", title="Invoices of suppliers", policy={"escalation": [step]})
    text = admin.get("/admin/channels/ops-chat/removal").text
    assert "1 queue notifies" in text and "Invoices of suppliers" in text and "token-4711" not in text
    assert admin.get("/admin/channels/nowhere/removal").status_code == 404


def test_channels_are_no_page_for_others(lea: Visitor) -> None:
    assert lea.get("/admin/channels").status_code == 403
    assert lea.get("/admin/channels/ops-chat/removal").status_code == 403
    assert lea.post("/admin/channels/ops-chat/removal").status_code == 403


def test_an_admin_adds_a_real_services_address_on_the_page(admin: Visitor) -> None:
    address = "discord://4711471147114711/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
    given = {"name": "ops-chat", "address": address}
    assert admin.client.post("/admin/channels", headers=HTML, data=given).status_code == 303
    text = admin.get("/admin/channels").text
    assert "discord://…" in text and "4711471147" not in text


def test_a_test_through_a_channel_is_sent_at_once_and_its_result_told(
    admin: Visitor, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = NewChannel(name="ops-chat", address="json://127.0.0.1/token-4711")
    operations.add_channel(office.db, SYSTEM_CALLER, form, {"json"}, LOOPBACK)
    sent: list[tuple[str, str | None, str]] = []

    def send(parcel: Parcel) -> None:
        sent.append((parcel.receiver, parcel.address, wording.body(parcel.notices, "https://ours.example")))
        if parcel.channel == "mail":
            raise NotSent("the mail server answered 451")

    monkeypatch.setattr("reviewqueue.notifications.pages.sender_of", lambda _settings: send)
    assert admin.post("/admin/channels/ops-chat/test").status_code == 303
    text = admin.get("/admin/channels").text
    assert "ops-chat: the test arrived (11:00:00 UTC, after" in text
    admin.post("/admin/channels/mail/test")
    text = admin.get("/admin/channels").text
    assert "mail: the test to max@example.org did not arrive: the mail server answered 451" in text
    assert [(receiver, address) for receiver, address, _ in sent] == [
        ("ops-chat", "json://127.0.0.1/token-4711"),
        ("max@example.org", None),
    ]
    assert "https://ours.example\n" in sent[0][2] and "max tests the channel ops-chat" in sent[0][2]
    with office.db.reading() as session:
        types = session.scalars(sa.select(Event.type).where(Event.type == "channel.tested")).all()
        assert (
            session.scalar(sa.select(sa.func.count()).select_from(Message)) == 1
        )  # the escalation's own mail
    assert len(types) == 2


def test_a_test_of_an_unknown_channel_or_by_others_is_refused(admin: Visitor, office: Office) -> None:
    assert admin.post("/admin/channels/nowhere/test").status_code == 404
    sign_in(admin.client, office.db, office.people["lea"])
    assert admin.post("/admin/channels/mail/test").status_code == 403
