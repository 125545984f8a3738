"""A queue's page in a real browser: nothing that axe-core finds, light and dark, narrow, and by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from reviewqueue.db import Database
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.queues.operations import apply
from reviewqueue.resources import PACKAGE
from tests.queues.doors import session_cookie
from tests.support.live_server import LiveServer
from tests.support.making import make_person

DOCUMENT = (PACKAGE / "demo" / "queues" / "receipt-extraction.yaml").read_text("utf-8")
QUEUE = "/queues/receipt-extraction"


@pytest.fixture
def page_of_the_queue(page: Page, db: Database, live_server: LiveServer) -> Page:
    boss = make_person(db, "manager@example.org")
    apply(db, SYSTEM_CALLER, DOCUMENT)
    apply(db, SYSTEM_CALLER, DOCUMENT.replace("audit_sample: 0", "audit_sample: 0.1"))
    name, value = session_cookie(live_server.app, db, boss)
    page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    page.goto(QUEUE)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 380])
def test_axe_finds_nothing(page_of_the_queue: Page, scheme: Any, width: int) -> None:
    page_of_the_queue.emulate_media(color_scheme=scheme)
    page_of_the_queue.set_viewport_size({"width": width, "height": 900})
    found = Axe().run(page_of_the_queue)
    assert found.violations_count == 0, found.generate_report()
    overflow = page_of_the_queue.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, "the page scrolls sideways"


def test_an_older_version_is_reached_by_keyboard(page_of_the_queue: Page) -> None:
    page = page_of_the_queue
    page.get_by_role("link", name="1", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Policy, version 1")).to_contain_text("not in force")
    page.get_by_role("link", name="show the one in force").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Policy, version 2")).to_be_visible()
