"""The pages of items in a real browser: by keyboard alone, without scripts, and as axe-core sees them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.resources import PACKAGE
from tests.items.office import Office, open_office
from tests.queues.doors import session_cookie
from tests.support.live_server import LiveServer
from tests.support.making import make_items, make_person, make_queue

REVIEW = "/queues/receipts/review"


@pytest.fixture
def db(sqlite_db: Database) -> Database:
    """The browser sees no difference between the databases."""
    return sqlite_db


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


def sign_in(context: BrowserContext, server: LiveServer, office: Office, name: str) -> None:
    cookie, value = session_cookie(server.app, office.db, office.people[name])
    context.add_cookies([{"name": cookie, "value": value, "url": server.url}])


@pytest.fixture
def ann(page: Page, office: Office, live_server: LiveServer) -> Page:
    sign_in(page.context, live_server, office, "ann")
    return page


def at(page: Page, title: str) -> None:
    """Waits until the review page is on the item of that title."""
    expect(page.locator(".why a").first).to_have_text(title)
    expect(page.locator("#review")).not_to_have_attribute("inert", "")  # no key acts before it is seen


def test_hands_stay_on_the_keyboard(ann: Page, office: Office) -> None:
    ids = [office.enqueue(external_id=f"item-{n}") for n in range(6)]
    ann.goto(REVIEW)
    at(ann, "item-0")
    ann.keyboard.press("a")
    at(ann, "item-1")
    ann.keyboard.press("u")
    at(ann, "item-0")
    expect(ann.get_by_text("Taken back: item-0 is yours again.")).to_be_visible()
    ann.keyboard.press("u")
    expect(ann.locator("#notices")).to_contain_text("There is nothing to take back")
    ann.keyboard.press("a")
    at(ann, "item-1")
    ann.keyboard.press("e")
    expect(ann.get_by_label("Total", exact=True)).to_be_focused()
    ann.keyboard.type("12.99")
    expect(ann.locator("[data-was] ins")).to_have_text("9")
    ann.keyboard.press("Escape")
    ann.keyboard.press("1")
    ann.keyboard.press("Control+Enter")
    at(ann, "item-2")
    ann.keyboard.press("r")
    ann.keyboard.press("1")
    at(ann, "item-3")
    ann.keyboard.press("s")
    at(ann, "item-4")
    ann.keyboard.press("z")
    ann.get_by_role("button", name="4 hours").press("Enter")
    at(ann, "item-5")
    expect(ann.get_by_text("Snoozed item-4 for 4 hours.")).to_be_visible()
    states = [office.item(item_id)["state"] for item_id in ids]
    assert states == ["accepted", "edited", "rejected", "pending", "pending", "pending"]
    assert office.item(ids[1])["outcome"]["output"] == {"total": "12.99"}
    assert office.item(ids[2])["outcome"]["reason"] == "wrong-total"


def test_no_key_acts_on_anything_while_a_decision_is_on_its_way(ann: Page, office: Office) -> None:
    first, second = (office.enqueue(external_id=f"item-{n}") for n in range(2))
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    ann.goto(REVIEW)
    ann.route("**/decision", hold)
    ann.keyboard.press("a")
    expect(ann.get_by_text("saving, keys wait")).to_be_visible()
    for key in ("r", "1", "s", "u", "Control+Enter"):
        ann.keyboard.press(key)
    while not held:
        ann.wait_for_timeout(10)  # lets the browser say that the request waits, which it does in its own time
    held[0].continue_()
    at(ann, "item-1")
    expect(ann.get_by_text("saving, keys wait")).to_be_hidden()
    assert [office.item(one)["state"] for one in (first, second)] == ["accepted", "pending"]
    assert len(held) == 1


def test_keys_do_nothing_while_one_types_nor_when_switched_off(ann: Page, office: Office) -> None:
    item_id = office.enqueue(external_id="item-0")
    ann.goto(REVIEW)
    ann.get_by_label("Comment on the decision").focus()
    ann.keyboard.type("a r s u x 1 ?")
    expect(ann.get_by_label("Comment on the decision")).to_have_value("a r s u x 1 ?")
    ann.keyboard.press("Escape")
    ann.keyboard.press("?")
    dialog = ann.get_by_role("dialog")
    expect(dialog).to_contain_text("Accept as is")
    dialog.get_by_label("Use these keys").uncheck()
    ann.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    ann.keyboard.press("a")
    ann.reload()
    ann.keyboard.press("a")
    at(ann, "item-0")
    assert office.item(item_id)["state"] == "pending"


def test_a_digit_decides_a_label(page: Page, office: Office, live_server: LiveServer) -> None:
    label = {"enum": [f"kind-{n}" for n in range(1, 21)]}
    schema = {"type": "object", "properties": {"label": label}, "required": ["label"]}
    queue = make_queue(office.db, "files", title="Files", output_schema=schema)
    office.people["zoe"] = make_person(office.db, "zoe@example.org", queue)
    bodies = [{"external_id": name, "output": {"label": "kind-5"}} for name in ("one", "two", "three")]
    items = make_items(office.db, queue, bodies)
    sign_in(page.context, live_server, office, "zoe")
    page.goto("/queues/files/review")
    at(page, "one")
    page.keyboard.press("4")
    at(page, "two")
    page.keyboard.press("u")
    at(page, "one")
    page.keyboard.press("5")
    at(page, "two")
    page.keyboard.press("1")
    page.keyboard.press("Escape")  # in time
    page.keyboard.type("14")
    at(page, "three")
    page.keyboard.press("2")
    page.keyboard.press("a")  # ends the wait for a second digit, and does no more
    expect(page.get_by_text("Nothing waits for you here")).to_be_visible()
    outcomes = [office.item(item_id)["outcome"] for item_id in items]
    assert [one["verdict"] for one in outcomes] == ["accept", "edit", "edit"]
    assert [one["output"]["label"] for one in outcomes] == ["kind-5", "kind-14", "kind-2"]


def test_a_digit_is_the_answer_before_the_suggestion_is_seen(
    page: Page, office: Office, live_server: LiveServer
) -> None:
    schema = {"enum": ["cat", "dog"]}
    policy = {"lanes": {"autonomous_at": None, "assist_at": None}}
    queue = make_queue(office.db, "pets", title="Pets", output_schema=schema, policy=policy)
    office.people["zoe"] = make_person(office.db, "zoe@example.org", queue)
    (item_id,) = make_items(office.db, queue, [{"external_id": "one", "output": "cat"}])
    sign_in(page.context, live_server, office, "zoe")
    page.goto("/queues/pets/review")
    at(page, "one")
    page.keyboard.press("a")
    expect(page.locator("#notices")).to_contain_text("Answer first")
    page.keyboard.press("2")
    expect(page.get_by_text("Your answer stands in the fields")).to_be_visible()
    at(page, "one")
    page.keyboard.press("1")
    expect(page.get_by_text("Nothing waits for you here")).to_be_visible()
    assert office.item(item_id)["state"] == "accepted"


def test_what_is_typed_outlives_a_reload_and_a_server_that_cannot_be_reached(
    ann: Page, office: Office
) -> None:
    office.enqueue(external_id="item-0")
    ann.goto(REVIEW)
    total = ann.get_by_label("Total", exact=True)
    total.fill("12.99")
    expect(ann.locator("[data-draft-state]")).to_have_text("draft kept")
    ann.reload()
    expect(total).to_have_value("12.99")
    ann.route("**/draft", lambda route: route.fulfill(status=429))
    total.fill("13.00")
    expect(ann.locator("[data-draft-state]")).to_have_text("draft kept in this tab only")
    ann.reload()
    expect(total).to_have_value("13.00")
    expect(ann.get_by_text("What you had typed here is back.")).to_be_visible()


def test_an_ended_session_loses_nothing(ann: Page, office: Office, live_server: LiveServer) -> None:
    item_id = office.enqueue(external_id="item-0")
    ann.goto(REVIEW)
    ann.route("**/draft", lambda route: route.fulfill(status=429))
    ann.get_by_label("Total", exact=True).fill("12.99")
    ann.context.clear_cookies()
    ann.keyboard.press("Control+Enter")
    expect(ann).to_have_url(re.compile("/sign-in"))
    assert office.item(item_id)["state"] == "pending"
    sign_in(ann.context, live_server, office, "ann")
    ann.goto(REVIEW)
    expect(ann.get_by_label("Total", exact=True)).to_have_value("12.99")


def test_who_comes_too_late_sees_what_happened_and_their_words(
    ann: Page, office: Office, clock: MovableClock
) -> None:
    item_id = office.enqueue(external_id="item-0")
    ann.goto(REVIEW)
    ann.get_by_label("Total", exact=True).fill("12.99")
    clock.move(minutes=11)
    office.decide("bob", item_id)
    ann.keyboard.press("Control+Enter")
    expect(ann.get_by_text("is decided already")).to_be_visible()
    expect(ann.get_by_label("Total", exact=True)).to_have_value("12.99")
    expect(ann.get_by_role("button", name=re.compile("^(Accept|Save|Reject|Skip)"))).to_have_count(0)
    ann.keyboard.press("a")
    expect(ann.locator("#notices")).to_contain_text("Nothing is left to decide here")
    ann.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ann.keyboard.press("y")
    expect(ann.locator("#notices")).to_contain_text("Copied what you typed.")
    assert ann.evaluate("navigator.clipboard.readText()") == "Total: 12.99"
    ann.keyboard.press("n")
    expect(ann.get_by_text("Nothing waits for you here")).to_be_visible()


def test_two_quick_presses_decide_one_item(ann: Page, office: Office) -> None:
    first, second = office.enqueue(external_id="item-0"), office.enqueue(external_id="item-1")
    ann.goto(REVIEW)
    at(ann, "item-0")
    ann.keyboard.press("a")
    ann.keyboard.press("a")
    at(ann, "item-1")
    assert office.item(first)["state"] == "accepted"
    assert office.item(second)["state"] == "pending"


def test_an_image_is_zoomed_turned_and_fitted_by_keyboard(ann: Page, office: Office) -> None:
    with (PACKAGE / "demo" / "data" / "receipts.jsonl").open(encoding="utf-8") as lines:
        receipt = json.loads(next(lines))
    office.enqueue(input=receipt["input"])
    ann.goto(REVIEW)
    image = ann.locator(".stage img")
    for keys, transform in (
        ("+", "scale(1.5)"),
        ("f", "rotate(90deg)"),
        ("-", "scale(1)"),
        ("0", "rotate(0deg)"),
    ):
        ann.keyboard.press(keys)
        expect(image).to_have_attribute("style", re.compile(re.escape(transform)))


def test_lists_are_walked_and_opened_by_keyboard(ann: Page, office: Office) -> None:
    for n in range(3):
        office.enqueue(external_id=f"item-{n}")
    ann.goto("/queues/receipts/items")
    ann.keyboard.press("j")
    ann.keyboard.press("j")
    expect(ann.get_by_role("link", name="item-1")).to_be_focused()
    ann.keyboard.press("/")
    ann.keyboard.type("jk")
    expect(ann.get_by_label("Search")).to_have_value("jk")
    ann.keyboard.press("Escape")
    ann.keyboard.press("k")
    ann.keyboard.press("o")
    expect(ann.get_by_role("heading", name="item-0")).to_be_visible()
    expect(ann.locator("html[data-listening]")).to_be_attached()
    ann.keyboard.press("g")
    ann.keyboard.press("d")
    expect(ann.get_by_role("heading", name="Desk")).to_be_visible()


def test_it_works_without_scripts(
    browser: Browser, browser_context_args: dict[str, Any], office: Office, live_server: LiveServer
) -> None:
    first = office.enqueue(external_id="item-0")
    second = office.enqueue(external_id="item-1")
    context = browser.new_context(**{**browser_context_args, "java_script_enabled": False})
    sign_in(context, live_server, office, "ann")
    page = context.new_page()
    page.goto("/")
    page.get_by_role("link", name="Receipts", exact=True).click()
    page.get_by_label("Total", exact=True).fill("12.99")
    page.get_by_text("The total is wrong").click()
    page.get_by_role("button", name="Save edit").click()
    at(page, "item-1")
    page.get_by_label("Total", exact=True).fill("typed")
    page.get_by_role("button", name="undo item-0").click()
    at(page, "item-0")
    page.get_by_role("button", name="Accept as is").click()
    expect(page.get_by_text("accept once more to leave your changes out")).to_be_visible()
    page.get_by_role("button", name="Accept as is").click()
    at(page, "item-1")
    expect(page.get_by_label("Total", exact=True)).to_have_value("typed")
    page.locator("summary", has_text="Snooze").click()
    page.get_by_role("button", name="1 hour").click()
    expect(page.get_by_text("Nothing waits for you here")).to_be_visible()
    assert office.item(first)["state"] == "accepted"
    assert office.item(second)["snoozed_until"] is not None
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 380])
def test_axe_finds_nothing(
    page: Page, office: Office, live_server: LiveServer, scheme: Any, width: int
) -> None:
    sign_in(page.context, live_server, office, "lea")
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    evidence = {
        "text": "# A title\n\n**Bold** and [a link](https://a.example)\n\n- one\n- two",
        "code": "def f(x):\n    return {'a': 1}  # why\n",
        "language": "python",
        "rows": [{"text": "a", "score": 0.5}],
        "deep": {"a": {"b": [1, None, True]}},
    }
    decided = office.enqueue(
        input=evidence, explanation="because", context=[{"title": "File", "text": "words"}]
    )
    office.decide("bob", decided, "edit", output={"total": "13.00"}, reason="wrong-total", comment="misread")
    office.enqueue(external_id="waits", input=evidence, flags=["blurred"], tags={"department": "finance"})
    hidden = office.enqueue(external_id="aside", confidence=0.1, priority=1)
    addresses = [
        "/",
        REVIEW,
        f"/items/{decided}",
        f"/items/{decided}/evidence",
        "/queues/receipts/items?view=all",
    ]
    addresses += ["/queues/receipts/items?q=nothing-like-it", f"/items/{hidden}"]
    for address in addresses:
        page.goto(address)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{address} scrolls sideways"
    page.goto(REVIEW)
    page.keyboard.press("e")
    page.keyboard.type("9")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    assert Axe().run(page).violations_count == 0
