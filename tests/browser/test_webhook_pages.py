"""Subscribing an app, looking at what became of each delivery, and sending again, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from reviewqueue import create_app
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.people import operations
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewPerson
from tests.items.office import open_office
from tests.support.live_server import LiveServer
from tests.webhooks.receivers import Receiver, receiving, send, subscribe

PASSWORD = "correct horse battery"


@pytest.fixture
def app(settings: Settings, db: Database) -> Flask:
    return create_app(settings.model_copy(update={"allowed_networks": "127.0.0.0/8"}), db)


@pytest.fixture
def receiver(db: Database) -> Iterator[Receiver]:
    """Got a few deliveries, of which one has failed so far."""
    ada = NewPerson(email="ada@example.org", name="Ada", is_admin=True)
    operations.add_person(db, SYSTEM_CALLER, ada, password=PASSWORD)
    office = open_office(db)
    with receiving() as made:
        subscribe(db, made.url, ["item.*"], name="books", queues=["receipts"])
        for name in ("receipt-0001", "receipt-0002"):
            office.decide("ann", office.enqueue(external_id=name))
        send(db)
        made.will_answer(503, body=b'{"error": "the database is being upgraded"}')
        office.enqueue(external_id="receipt-0003")
        send(db)
        yield made


def sign_in(page: Page, path: str) -> None:
    page.goto(path)
    page.get_by_label("Email address").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")


def test_an_app_is_subscribed_and_tested_without_scripts(
    browser: Browser, live_server: LiveServer, receiver: Receiver
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "/admin/subscriptions")
    page.get_by_label("Name").fill("library")
    page.get_by_label("URL").fill(receiver.url)
    page.get_by_label("Event types").fill("item.accepted item.edited")
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("status")).to_contain_text("whsec_")
    page.get_by_role("button", name="Send a test event").click()
    expect(page.get_by_text("The test event was answered 200")).to_be_visible()
    page.get_by_role("link", name="subscription.tested").click()
    expect(page.get_by_role("cell", name="answered 200")).to_be_visible()
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_text("1 delivery will be sent again.")).to_be_visible()
    context.close()


@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize(("scheme", "width"), [("light", 400), ("dark", 1280)])
def test_axe_finds_nothing(page: Page, scheme: Literal["light", "dark"], width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, "/admin/subscriptions")
    found = violations(page, "list", scheme)
    page.get_by_role("link", name="books").click()
    found += violations(page, "subscription", scheme)
    page.get_by_role("link", name="item.enqueued").first.click()
    found += violations(page, "delivery", scheme)
    assert found == []


def violations(page: Page, name: str, scheme: str) -> list[str]:
    """What axe finds on the page, and whether it scrolls sideways."""
    page.wait_for_load_state()
    if folder := os.environ.get("REVIEWQUEUE_TEST_PICTURES"):
        page.screenshot(path=f"{folder}/{name}-{scheme}.png", full_page=True)
    result = Axe().run(page)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    faults = [
        f"{name}: {fault['id']}: {fault['nodes'][0]['html']}" for fault in result.response["violations"]
    ]
    return faults + ([f"{name} scrolls sideways"] if wide else [])
