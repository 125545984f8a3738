"""Signing in, the account, the admin's pages, errors and the API's page, in a real browser."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from reviewqueue.db import Database
from reviewqueue.people import key_operations, links, operations
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import Grant, NewKey, NewPerson, NewTeam
from reviewqueue.people.models import Role
from tests.support.live_server import LiveServer
from tests.support.making import make_queue

PASSWORD = "correct horse battery"
PAGES = [
    "/account",
    "/admin/people",
    "/admin/people/ada@example.org",
    "/admin/people/bo@example.org",
    "/admin/teams",
    "/admin/keys",
    "/problems/stale",
    "/nothing-here",
]


@pytest.fixture
def office(db: Database) -> None:
    """An admin who signs in, a lead who does not yet, a team, a queue and a key."""
    make_queue(db, "receipts")
    ada = NewPerson(email="ada@example.org", name="Ada", is_admin=True)
    operations.add_person(db, SYSTEM_CALLER, ada, password=PASSWORD, roles=[(Role.LEAD, "receipts")])
    operations.add_person(db, SYSTEM_CALLER, NewPerson(email="bo@example.org", name="Bo"))
    operations.create_team(db, SYSTEM_CALLER, NewTeam(slug="clerks", name="Clerks"))
    operations.add_to_team(db, SYSTEM_CALLER, "clerks", "bo@example.org")
    operations.grant_role(db, SYSTEM_CALLER, "receipts", Grant(holder="team:clerks", role=Role.REVIEWER))
    scopes = {"name": "an app", "scopes": ["items:read"]}
    key_operations.create_key(db, SYSTEM_CALLER, NewKey.model_validate(scopes))


def sign_in(page: Page, next_page: str = "/account") -> None:
    page.goto(next_page)
    page.get_by_label("Email address").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{next_page}")


@pytest.mark.usefixtures("office")
def test_signing_in_takes_the_keyboard_alone_and_leads_where_one_wanted(page: Page) -> None:
    page.goto("/admin/keys")
    expect(page.get_by_label("Email address")).to_be_focused()
    page.keyboard.type("ada@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong wrong wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The email address or the password is wrong.")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_title("Keys · reviewqueue")


def test_the_first_run_link_ends_signed_in(page: Page, db: Database) -> None:
    page.goto(links.path_of(links.first_run_link(db) or ""))
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Your email address").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set it and sign in").click()
    page.goto("/admin/people")
    expect(page.get_by_role("cell", name="ada@example.org")).to_be_visible()


@pytest.mark.usefixtures("office")
def test_an_admin_works_without_scripts(browser: Browser, live_server: LiveServer) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "/admin/people/bo@example.org")
    page.locator("select[name=role]").select_option("manager")
    page.get_by_role("button", name="Grant").click()
    expect(page.get_by_text("The role is granted.")).to_be_visible()
    page.get_by_role("button", name="Revoke manager in receipts").click()
    expect(page.get_by_text("The role is revoked.")).to_be_visible()
    page.goto("/admin/keys")
    page.get_by_label("Name").fill("invoices")
    page.get_by_label("items:write").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("status")).to_contain_text("rq_")
    context.close()


@pytest.mark.usefixtures("office")
def test_the_accounts_theme_is_where_a_browser_starts_and_its_own_choice_goes_first(page: Page) -> None:
    sign_in(page)
    page.get_by_label("Theme", exact=True).select_option("dark")
    page.get_by_label("Keys such as").uncheck()
    page.get_by_role("region", name="How the pages look and act").get_by_role("button", name="Save").click()
    root = page.locator("html")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(root).to_have_attribute("data-keys", "off")
    page.evaluate("localStorage.setItem('rq-theme', 'light'); localStorage.setItem('rq-keys', 'on')")
    page.reload()
    expect(root).to_have_attribute("data-theme", "light")
    expect(root).not_to_have_attribute("data-keys", "off")


@pytest.mark.usefixtures("office")
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, scheme: Literal["light", "dark"], width: int, db: Database) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    token = links.make_link(db, SYSTEM_CALLER, "bo@example.org")
    found = [violations(page, path) for path in ("/sign-in", links.path_of(token))]
    sign_in(page)
    found += [violations(page, path) for path in PAGES]
    assert found == [[]] * (len(PAGES) + 2)


def violations(page: Page, path: str) -> list[str]:
    """What axe finds on the page, and whether it scrolls sideways."""
    page.goto(path)
    result = Axe().run(page)
    wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    faults = [
        f"{path}: {fault['id']}: {fault['nodes'][0]['html']}" for fault in result.response["violations"]
    ]
    return faults + ([f"{path} scrolls sideways"] if wide else [])


def test_the_apis_page_shows_every_operation_under_the_strict_policy(page: Page) -> None:
    page.goto("/api/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    expect(page.get_by_text("/api/v1/items/batch")).to_be_visible()
