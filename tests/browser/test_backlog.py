"""The backlog in a browser: refreshed in place, by keyboard alone, without JavaScript, and found sound by axe."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.people.models import Person
from reviewqueue.queues.models import Queue

from ..queues.doors import session_cookie
from ..support.live_server import LiveServer
from ..support.making import load, make_claim, make_items, make_person, make_queue

POLICY = {"due": {"after": "1h"}, "escalation": [{"after": "2h", "to": "lead"}]}


@pytest.fixture
def queue(db: Database) -> Queue:
    return make_queue(db, title="Receipts", policy=POLICY)


@pytest.fixture
def late(db: Database, clock: MovableClock, queue: Queue) -> list[uuid.UUID]:
    ids = make_items(db, queue, [{"external_id": f"late-{number}"} for number in range(4)])
    clock.move(hours=2, minutes=5)
    fire_due(db)
    return ids


@pytest.fixture
def boss(db: Database, queue: Queue, late: list[uuid.UUID]) -> Person:
    return make_person(db, "boss@example.org", queue, "manager")


@pytest.fixture
def enter(
    app: Flask, db: Database, boss: Person, live_server: LiveServer
) -> Callable[[BrowserContext], None]:
    """Signs a browser in as the manager."""
    name, value = session_cookie(app, db, boss)

    def enter(context: BrowserContext) -> None:
        context.add_cookies([{"name": name, "value": value, "url": live_server.url}])

    return enter


def answered(page: Page, status: int) -> None:
    with page.expect_response(
        lambda answer: "/backlog" in answer.url and answer.status == status, timeout=30_000
    ):
        pass


def test_a_refresh_keeps_focus_selection_and_what_is_typed(
    page: Page, enter: Callable[[BrowserContext], None], db: Database, late: list[uuid.UUID], boss: Person
) -> None:
    enter(page.context)
    page.goto("/backlog")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("[data-rows] > tr").nth(1)
    expect(second).to_have_attribute("aria-current", "true")
    page.keyboard.press("i")
    typed = second.get_by_label("Give it to")
    typed.fill("half an addr")
    answered(page, 304)
    make_claim(db, late[0], boss)
    answered(page, 200)
    expect(page.locator("[data-rows] > tr").first).to_contain_text("boss works on it")
    expect(typed).to_be_focused()
    expect(typed).to_have_value("half an addr")
    expect(second).to_have_attribute("aria-current", "true")


def test_an_item_is_taken_by_keyboard_alone(
    page: Page, enter: Callable[[BrowserContext], None], db: Database, late: list[uuid.UUID], boss: Person
) -> None:
    enter(page.context)
    page.goto("/backlog")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("t")
    page.wait_for_url("**/queues/receipts/review**")
    assert load(db, late[1]).claim_by == boss.id


def test_it_works_without_javascript(
    browser: Browser, live_server: LiveServer, enter: Callable[[BrowserContext], None], db: Database,
    late: list[uuid.UUID], clock: MovableClock,
) -> None:  # fmt: skip
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    enter(context)
    page = context.new_page()
    page.goto("/backlog")
    page.get_by_label("Escalated from").select_option("2")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("Nothing is escalated")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    row = page.locator(f"#item-{late[2]}")
    row.locator("summary").click()
    row.get_by_role("button", name="4 h").click()
    assert load(db, late[2]).snoozed_until == clock.now() + timedelta(hours=4)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, enter: Callable[[BrowserContext], None], scheme: str) -> None:
    enter(page.context)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto("/backlog")
    page.keyboard.press("j")
    page.keyboard.press("i")
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found] == []
