"""Popovers by keyboard in a real browser: they hold the focus, and no key of the page is live behind them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from reviewqueue.db import Database
from tests.browser.test_item_pages import REVIEW, at, sign_in
from tests.items.office import Office, open_office
from tests.support.live_server import LiveServer
from tests.support.making import make_items, make_person, make_queue


@pytest.fixture
def db(sqlite_db: Database) -> Database:
    return sqlite_db


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


@pytest.fixture
def lea(page: Page, office: Office, live_server: LiveServer) -> Page:
    sign_in(page.context, live_server, office, "lea")
    return page


def test_a_snooze_is_chosen_by_digit_and_no_key_of_the_page_fires(lea: Page, office: Office) -> None:
    first, second = office.enqueue(external_id="item-0"), office.enqueue(external_id="item-1")
    lea.goto(REVIEW)
    lea.keyboard.press("z")
    expect(lea.get_by_role("button", name="1 hour")).to_be_focused()
    for key in ("a", "r", "s", "o", "e", "?", "Control+Shift+a"):
        lea.keyboard.press(key)
    at(lea, "item-0")
    lea.keyboard.press("Shift+Tab")
    expect(lea.get_by_label("or until somebody else comments")).to_be_focused()
    lea.keyboard.press("Tab")
    expect(lea.get_by_role("button", name="1 hour")).to_be_focused()
    lea.keyboard.press("Escape")
    expect(lea.get_by_role("button", name="1 hour")).to_be_hidden()
    lea.keyboard.press("z")
    lea.keyboard.press("2")
    at(lea, "item-1")
    assert office.item(first)["snoozed_until"] is not None
    assert office.item(second)["state"] == "pending"


def test_why_one_escalates_is_typed_at_once_and_sent_by_ctrl_enter(lea: Page, office: Office) -> None:
    first = office.enqueue(external_id="item-0")
    office.enqueue(external_id="item-1")
    lea.goto(REVIEW)
    lea.keyboard.press("x")
    lea.keyboard.press("Control+Enter")
    expect(lea.locator("#notices")).to_contain_text("Say why it should go one level up.")
    expect(lea.get_by_label("Why it should go one level up")).to_be_focused()
    lea.keyboard.type("a lawyer 1 must see")
    expect(lea.get_by_label("Why it should go one level up")).to_have_value("a lawyer 1 must see")
    lea.keyboard.press("Control+Enter")
    at(lea, "item-1")
    assert office.item(first)["level"] == 1
    assert office.trail(first)[-1]["data"]["reason"] == "a lawyer 1 must see"


def test_a_refused_assignment_keeps_what_was_typed(lea: Page, office: Office) -> None:
    item_id = office.enqueue(external_id="item-0")
    lea.goto(f"/items/{item_id}")
    lea.keyboard.press("i")
    lea.keyboard.type("out@example.org")
    lea.keyboard.press("Enter")
    expect(lea.get_by_text("holds no role in the queue")).to_be_visible()
    expect(lea.get_by_label("Email, or team:name")).to_have_value("out@example.org")
    expect(lea.get_by_label("Email, or team:name")).to_be_focused()
    lea.get_by_label("Email, or team:name").fill("bob@example.org")
    lea.keyboard.press("Enter")
    expect(lea.get_by_text("Gave the item to bob@example.org.")).to_be_visible()
    assert office.trail(item_id)[-1]["data"]["to"] == "bob@example.org"


@pytest.mark.parametrize("width", [390, 768])
def test_on_a_phone_the_acts_are_always_in_view_and_popovers_fit(
    lea: Page, office: Office, width: int
) -> None:
    office.enqueue(input={"lines": [f"line {n}" for n in range(200)]})
    lea.set_viewport_size({"width": width, "height": 700})
    lea.goto(REVIEW)
    for top in (0, 300, 5_000):
        lea.evaluate("top => window.scrollTo(0, top)", top)
        for name in ("Save edit", "Accept as is", "Reject"):
            expect(lea.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    for key in ("z", "x"):
        lea.keyboard.press(key)
        expect(lea.locator("details[open] > .menu-body")).to_be_in_viewport(ratio=1)
        lea.keyboard.press("Escape")
    assert lea.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_snooze_until_a_time_that_is_over_says_so(lea: Page, office: Office) -> None:
    office.enqueue(external_id="item-0")
    lea.goto(REVIEW)
    lea.keyboard.press("z")
    lea.get_by_label("or until", exact=True).fill("2020-01-01T09:00")
    lea.get_by_role("button", name="Until then").click()
    expect(lea.locator("#notices")).to_contain_text("That time is over: snooze until a time to come.")
    at(lea, "item-0")


def test_the_page_does_not_jump_after_a_decision(lea: Page, office: Office) -> None:
    for n in range(3):
        office.enqueue(
            external_id=f"a-rather-long-name-of-an-item-{n}", flags=["blurred", "far-too-long-a-flag"]
        )
    lea.set_viewport_size({"width": 1280, "height": 800})
    lea.goto(REVIEW)
    before = [lea.locator(part).bounding_box() for part in (".why", ".desk", ".acts")]
    lea.keyboard.press("a")
    at(lea, "a-rather-long-name-of-an-item-1")
    expect(lea.get_by_title("Undo a-rather-long-name-of-an-item-0 (u)")).to_be_visible()
    assert [lea.locator(part).bounding_box() for part in (".why", ".desk", ".acts")] == before


def test_ctrl_enter_in_the_comment_sends_the_comment_alone(lea: Page, office: Office) -> None:
    item_id = office.enqueue(external_id="item-0")
    lea.goto(REVIEW)
    lea.keyboard.press("c")
    lea.keyboard.type("who knows this shop?")
    expect(lea.locator("[data-draft-state]")).to_have_text("draft kept")
    lea.reload()
    box = lea.get_by_label("Comment for others")
    expect(box).to_have_value("who knows this shop?")
    box.press("Control+Enter")
    expect(lea.locator(".comment")).to_contain_text("who knows this shop?")
    expect(box).to_have_value("")
    lea.reload()
    expect(box).to_have_value("")
    assert office.item(item_id)["state"] == "pending"


def test_a_digit_is_corrected_by_another_before_it_is_saved(
    page: Page, office: Office, live_server: LiveServer
) -> None:
    schema = {"type": "object", "properties": {name: {"enum": ["a", "b", "c"]} for name in ("kind", "place")}}
    queue = make_queue(office.db, "files", title="Files", output_schema=schema)
    office.people["zoe"] = make_person(office.db, "zoe@example.org", queue)
    body = {"external_id": "one", "output": {"kind": "a", "place": "a"}}
    (item_id,) = make_items(office.db, queue, [body])
    sign_in(page.context, live_server, office, "zoe")
    page.goto("/queues/files/review")
    page.keyboard.press("2")
    page.keyboard.press("3")
    page.keyboard.press("Tab")
    page.keyboard.press("2")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Nothing waits for you here")).to_be_visible()
    assert office.item(item_id)["outcome"]["output"] == {"kind": "c", "place": "b"}
