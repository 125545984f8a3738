"""The page that shows the API: readable in light and dark, and as axe-core wants it, opened or not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_api_docs(page: Page, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto("/api/docs")
    expect(page.locator(".opblock").first).to_be_visible()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 21, 22)"
    assert dark == (scheme == "dark")
    assert Axe().run(page).violations_count == 0
    for method in ("get", "post", "put", "delete"):
        page.locator(f".opblock-{method} .opblock-summary-control").first.click()
    expect(page.locator(".responses-table")).to_have_count(4)
    page.locator(".try-out__btn").first.click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_an_operation_has_an_address_of_its_own(page: Page) -> None:
    page.goto("/api/docs")
    page.locator(".opblock-summary-control").first.click()
    expect(page.locator(".opblock.is-open")).to_have_count(1)
    expect(page).to_have_url(re.compile("#/items/"))
