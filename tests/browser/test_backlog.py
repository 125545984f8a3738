"""The backlog in a browser: refreshed in place, by keyboard alone, without JavaScript, and found sound by axe."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

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

POLICY = {"due": {"after": "1h"}, "escalation": [{"after": "2h", "to": "manager"}]}


@pytest.fixture
def queue(db: Database) -> Queue:
    return make_queue(db, title="Receipts", policy=POLICY)


@pytest.fixture
def boss(db: Database, queue: Queue) -> Person:
    return make_person(db, "boss@example.org", queue, "manager")


@pytest.fixture
def late(db: Database, clock: MovableClock, queue: Queue, boss: Person) -> list[uuid.UUID]:
    bodies = [{"external_id": f"late-{number}", "tags": {"department": "eu"}} for number in range(4)]
    ids = make_items(db, queue, bodies)
    clock.move(hours=2, minutes=5)
    fire_due(db)
    return ids


@pytest.fixture
def enter(
    app: Flask, db: Database, boss: Person, late: list[uuid.UUID], live_server: LiveServer
) -> Callable[[BrowserContext], None]:
    """Signs a browser in as the manager."""
    name, value = session_cookie(app, db, boss)

    def enter(context: BrowserContext) -> None:
        context.add_cookies([{"name": name, "value": value, "url": live_server.url}])

    return enter


def axe(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page).response["violations"]
    return [(fault["id"], fault["nodes"][0]["html"]) for fault in found]


def answered(page: Page, status: int) -> None:
    """Refreshes at once, as the page does when somebody comes back to it."""
    with page.expect_response(lambda answer: "/backlog" in answer.url and answer.status == status):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


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
    page.keyboard.press("d")
    page.wait_for_url("**/queues/receipts/review**")
    assert load(db, late[1]).claim_by == boss.id


def test_one_key_acts_on_the_current_row_and_nothing_is_left(
    page: Page,
    enter: Callable[[BrowserContext], None],
    db: Database,
    late: list[uuid.UUID],
    clock: MovableClock,
) -> None:
    enter(page.context)
    page.goto("/backlog")
    page.keyboard.press("t")  # no row is current: nothing may happen to the first
    notices = page.locator("#notices")
    row = page.locator(f"#item-{late[1]}")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("v")
    expect(row.get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("t")
    expect(notices).to_contain_text("late-1 is yours.")
    expect(row).to_contain_text("boss@example.org")
    expect(row.get_by_role("link", name="late-1")).to_be_focused()
    expect(row.get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("n")
    expect(notices).to_contain_text("You are on it: late-1")
    expect(row).to_contain_text("boss acknowledged")
    page.keyboard.press("z")
    expect(row.get_by_role("button", name="1 hour")).to_be_focused()
    page.keyboard.press("2")
    expect(notices).to_contain_text("Snoozed late-1 for 4 hours.")
    expect(row).to_contain_text("snoozed, back in 4")
    page.keyboard.press("i")
    row.get_by_label("Give it to").fill("nobody@example.org")
    page.keyboard.press("Enter")
    expect(notices.get_by_role("alert")).to_contain_text("cannot be given to them")
    expect(row.get_by_label("Give it to")).to_have_value("nobody@example.org")
    page.keyboard.press("Escape")
    item = load(db, late[1])
    assert (item.assigned_to, item.acknowledged_name) == ("boss@example.org", "boss")
    assert item.snoozed_until == clock.now() + timedelta(hours=4)
    assert load(db, late[0]).assigned_to is None


def test_a_letter_typed_at_once_is_not_lost_and_a_sequence_is_no_act(
    page: Page, enter: Callable[[BrowserContext], None], db: Database, late: list[uuid.UUID]
) -> None:
    enter(page.context)
    page.goto("/backlog")
    page.keyboard.press("j")
    # In one go, as from a fast hand: what opens is told of its opening later.
    page.evaluate(
        """() => {
          const press = (key) => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
          press("i");
          window.at = document.activeElement.name;
        }"""
    )
    assert page.evaluate("window.at") == "to"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url(lambda address: address.endswith("/"))
    assert load(db, late[0]).claim_by is None


def test_a_row_sleeps_until_a_time_of_the_viewers_own_zone(
    page: Page, enter: Callable[[BrowserContext], None], db: Database, late: list[uuid.UUID]
) -> None:
    enter(page.context)
    page.goto("/backlog")
    row = page.locator(f"#item-{late[0]}")
    page.keyboard.press("j")
    page.keyboard.press("z")
    row.get_by_label("or until").fill("2026-03-02T18:30")
    row.get_by_label("or until").press("Enter")
    said = "Snoozed late-0 until 2026-03-02 18:30 (Europe/Berlin)."
    expect(page.locator("#notices")).to_contain_text(said)
    assert load(db, late[0]).snoozed_until == datetime(2026, 3, 2, 17, 30, tzinfo=UTC)


def test_many_are_chosen_previewed_and_rejected_by_keyboard(
    page: Page, enter: Callable[[BrowserContext], None], db: Database, late: list[uuid.UUID]
) -> None:
    enter(page.context)
    page.goto("/backlog?department=eu")
    notices = page.locator("#notices")
    page.keyboard.press("Shift+R")
    expect(notices).to_contain_text("Choose at least one item first")
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("v")
    page.keyboard.press("Shift+Z")
    expect(page.get_by_role("heading", name="Snooze 2 items?")).to_be_visible()
    expect(page.get_by_role("radio", name="1 hour")).to_be_focused()
    page.wait_for_load_state()  # the scripts listen from then on
    page.keyboard.press("Control+Enter")
    expect(notices).to_contain_text("Choose for how long.")
    page.keyboard.press("2")
    expect(page.get_by_role("radio", name="4 hours")).to_be_checked()
    page.keyboard.press("Control+Enter")
    expect(notices).to_contain_text("2 of 2 snoozed.")
    page.go_back()
    # Back shows the preview, as it was or anew: which of the two is the browser's to choose.
    expect(page.get_by_role("heading", name=re.compile(r"^Snooze [02] items\?$"))).to_be_visible()
    page.go_forward()
    page.wait_for_load_state()
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("v")
    page.keyboard.press("Shift+R")
    expect(page.get_by_role("heading", name="Reject 2 items?")).to_be_visible()
    page.wait_for_load_state()
    assert axe(page) == []
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/backlog?department=eu")
    expect(notices).to_contain_text("2 of 2 rejected.")
    # What is snoozed comes later, so the first two rows were others by then.
    assert [load(db, one).state for one in late] == ["pending", "pending", "rejected", "rejected"]
    assert [load(db, one).snoozed_until is not None for one in late] == [True, True, False, False]


def test_keys_that_do_not_apply_say_why_and_a_row_keeps_its_height(
    page: Page, enter: Callable[[BrowserContext], None], db: Database, late: list[uuid.UUID], boss: Person
) -> None:
    make_claim(db, late[0], boss)
    enter(page.context)
    page.goto("/backlog")
    notices, row = page.locator("#notices"), page.locator(f"#item-{late[0]}")
    page.keyboard.press("j")
    page.keyboard.press("t")
    expect(notices).to_contain_text("You work on late-0 already.")
    before = row.bounding_box()
    page.keyboard.press("i")
    expect(row.get_by_role("button", name="Give")).to_be_visible()
    after = row.bounding_box()
    assert before and after and after["height"] <= before["height"] + 8
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.wait_for_url("**/queues/receipts/review**")
    page.wait_for_load_state()
    page.keyboard.press("b")
    page.wait_for_url("**/backlog")


def test_it_prints_what_matters_and_no_control(
    page: Page, enter: Callable[[BrowserContext], None], late: list[uuid.UUID]
) -> None:
    enter(page.context)
    page.goto("/backlog")
    page.emulate_media(media="print")
    expect(page.get_by_text("As of 2026-03-02 11:05:00 UTC")).to_be_visible()
    expect(page.locator("#figures")).to_be_visible()
    # A list that is longer than a page begins on the first one.
    assert page.locator("#escalated").evaluate("of => getComputedStyle(of).breakInside") == "auto"
    for control in ("button", "input", "select", ".filters"):
        assert page.locator(f"{control}:visible").count() == 0


def test_no_column_covers_another_however_wide_the_window(
    page: Page, enter: Callable[[BrowserContext], None], late: list[uuid.UUID]
) -> None:
    enter(page.context)
    page.goto("/backlog")
    row = page.locator(f"#item-{late[0]}")
    for width in (1440, 1400, 1280, 1024, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        boxes = [row.locator(part).bounding_box() for part in (".with", ".told", ".acts-of-row")]
        told, acts = boxes[1], boxes[2]
        assert told and acts and all(box and box["x"] + box["width"] <= width for box in boxes)
        beside, below = (
            told["x"] + told["width"] <= acts["x"] + 1,
            told["y"] + told["height"] <= acts["y"] + 1,
        )
        assert beside or below, f"at {width} the acts cover who was told"


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
    row.locator("summary", has_text="Snooze").click()
    row.get_by_role("button", name="4 hours").click()
    assert load(db, late[2]).snoozed_until == clock.now() + timedelta(hours=4)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, enter: Callable[[BrowserContext], None], scheme: str) -> None:
    enter(page.context)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto("/backlog")
    page.keyboard.press("j")
    page.keyboard.press("i")
    assert axe(page) == []
