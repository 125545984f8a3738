"""The pages around telling people, in a real browser: the bell, notifications, on-call and channels."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from reviewqueue.audit.events import EventType
from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.notifications import operations as notifications
from reviewqueue.notifications.forms import NewChannel
from reviewqueue.oncall.operations import apply
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.models import Person
from reviewqueue.transaction import SYSTEM
from tests.items.office import Office, open_office
from tests.queues.doors import session_cookie
from tests.support.live_server import LiveServer
from tests.webhooks.receivers import LOOPBACK

ROTATION = {
    "rotation": "nights",
    "title": "Nights",
    "zone": "Europe/Berlin",
    "handover": {"every": "1 day", "at": "09:00"},
    "members": ["lea@example.org", "max@example.org"],
}


@pytest.fixture
def office(db: Database) -> Office:
    told = {"to": "manager", "notify": ["in-app", "mail"]}
    return open_office(db, escalation=[{"after": "1h", **told}, {"after": "90m", **told}])


@pytest.fixture
def late(office: Office, clock: MovableClock) -> uuid.UUID:
    item_id = office.enqueue(external_id="late-1")
    clock.move(minutes=61)
    fire_due(office.db)
    return item_id


@pytest.fixture
def admin(page: Page, office: Office, live_server: LiveServer, late: uuid.UUID) -> Page:
    """The manager max, who is an admin too, at a browser."""
    with office.db.transaction(SYSTEM) as tx:
        boss = tx.session.get_one(Person, office.people["max"].id)
        boss.is_admin = True
        tx.trail.record(boss, EventType.PERSON_CHANGED, {})
    form = NewChannel(name="ops-chat", address="json://127.0.0.1/nothing")
    notifications.add_channel(office.db, SYSTEM_CALLER, form, {"json"}, LOOPBACK)
    apply(office.db, SYSTEM_CALLER, ROTATION)
    name, value = session_cookie(live_server.app, office.db, office.people["max"])
    page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(admin: Page, scheme: Any) -> None:
    admin.emulate_media(color_scheme=scheme)
    for address in ("/notifications", "/oncall", "/admin/channels", "/admin/channels/ops-chat/removal"):
        for width in (1440, 380):
            admin.set_viewport_size({"width": width, "height": 900})
            admin.goto(address)
            found = Axe().run(admin)
            assert found.violations_count == 0, (address, found.generate_report())
            overflow = admin.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert overflow <= 0, f"{address} scrolls sideways"


def test_from_the_bell_to_the_item_by_keyboard(
    admin: Page, office: Office, clock: MovableClock, late: uuid.UUID
) -> None:
    page = admin
    page.goto("/oncall")
    bell = page.locator("[data-bell]")
    expect(bell).to_have_text("1 unread notifications")
    clock.move(minutes=30)
    fire_due(office.db)
    with page.expect_response("**/notifications/unread"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(bell).to_have_text("2 unread notifications")
    bell.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Notifications")).to_be_visible()
    expect(page.get_by_text("escalated to level 2")).to_be_visible()
    page.get_by_role("button", name="late-1").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/items/{late}")
    page.goto("/notifications")
    page.get_by_role("button", name="Mark all as read").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-bell-count]")).to_have_text("")


def test_a_channel_is_tried_by_keyboard_and_the_result_is_read_out(admin: Page) -> None:
    admin.goto("/admin/channels")
    admin.get_by_role("button", name="Send a test through ops-chat").focus()
    admin.keyboard.press("Enter")
    notice = admin.locator("#notices").get_by_role("alert")
    expect(notice).to_contain_text("ops-chat: the test did not arrive: the scheme json is not allowed")
    expect(notice).to_contain_text("10:01:00 UTC, after")


def test_standing_in_fits_a_phone_and_a_small_tablet(admin: Page) -> None:
    for width in (390, 640):
        admin.set_viewport_size({"width": width, "height": 900})
        admin.goto("/oncall")
        admin.locator("summary", has_text="Stand in").click()
        expect(admin.get_by_label("Person")).to_be_visible()
        assert admin.evaluate("document.documentElement.scrollWidth") <= width


def test_on_call_names_who_is_on_call_now_and_next(admin: Page) -> None:
    admin.goto("/oncall")
    expect(admin.get_by_role("heading", name="Nights")).to_be_visible()
    expect(admin.locator("main")).to_contain_text("lea")


def test_on_a_phone_the_answers_about_an_item_have_room_beside_long_questions(
    admin: Page, late: uuid.UUID
) -> None:
    admin.set_viewport_size({"width": 390, "height": 844})
    admin.goto(f"/items/{late}")
    assert admin.evaluate("document.documentElement.scrollWidth") == 390
    widths = admin.evaluate("[...document.querySelectorAll('dl.facts dd')].map(answer => answer.clientWidth)")
    assert min(widths) > 150


def test_a_channel_is_removed_by_keyboard_after_being_asked_once_more(admin: Page) -> None:
    admin.goto("/admin/channels?state=failed")
    admin.get_by_role("link", name="Remove ops-chat").focus()
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("heading", name="Remove the channel ops-chat?")).to_be_visible()
    admin.get_by_role("button", name="Remove ops-chat").focus()
    admin.keyboard.press("Enter")
    expect(admin.get_by_text("The channel ops-chat is gone.")).to_be_visible()
    assert admin.url.endswith("/admin/channels?state=failed")


def test_on_a_phone_the_channels_page_keeps_acts_and_what_became_of_messages_in_sight(admin: Page) -> None:
    admin.set_viewport_size({"width": 390, "height": 844})
    admin.goto("/admin/channels")
    hidden = "[...document.querySelectorAll('.scroll')].map(box => box.scrollWidth - box.clientWidth)"
    assert admin.evaluate(hidden) == [0, 0]
    expect(admin.get_by_role("button", name="Send a test through ops-chat")).to_be_in_viewport(ratio=1)
