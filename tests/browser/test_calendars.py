"""The calendars' pages in a real browser: nothing that axe-core finds, light and dark, narrow, and by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from reviewqueue.db import Database
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.queues.operations import apply
from tests.queues.doors import session_cookie
from tests.queues.examples import OFFICE
from tests.support.live_server import LiveServer
from tests.support.making import make_calendar, make_person, make_queue


@pytest.fixture
def managers_page(page: Page, db: Database, live_server: LiveServer) -> Page:
    boss = make_person(db, "manager@example.org", make_queue(db), "manager")
    make_calendar(db, OFFICE)
    apply(db, SYSTEM_CALLER, {"queue": "receipts", "policy": {"due": {"after": "4h", "calendar": "office"}}})
    make_calendar(db, OFFICE.replace("15:00", "16:00"))
    name, value = session_cookie(live_server.app, db, boss)
    page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    return page


@pytest.mark.parametrize("address", ["/calendars", "/calendars/office?version=1"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 380])
def test_axe_finds_nothing(managers_page: Page, address: str, scheme: Any, width: int) -> None:
    managers_page.emulate_media(color_scheme=scheme)
    managers_page.set_viewport_size({"width": width, "height": 900})
    managers_page.goto(address)
    found = Axe().run(managers_page)
    assert found.violations_count == 0, found.generate_report()
    overflow = managers_page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, "the page scrolls sideways"


def test_from_a_queue_to_its_hours_by_keyboard(managers_page: Page) -> None:
    page = managers_page
    page.goto("/queues/receipts")
    page.get_by_role("link", name="Open hours of the calendar office, version 1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Version 1")).to_contain_text("not the newest")
    page.get_by_role("link", name="show the newest").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Version 2")).to_be_visible()
    expect(page.get_by_text("version 1 still")).to_be_visible()
