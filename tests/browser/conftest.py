"""A real browser on a real server. Nothing here may leave an error in the browser's console."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from reviewqueue.config import Settings
from reviewqueue.db import Database
from tests.support.databases import Kind
from tests.support.live_server import LiveServer
from tools.browser import ADVICE, found

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import ConsoleMessage, Error, Page

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# How long a page may take on a machine that does much else besides; no test waits for it that passes.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = found()
    if path is None:
        pytest.fail(ADVICE, pytrace=False)
    # Chromium's sandbox refuses to run as root, which CI is.
    sandbox = ("--no-sandbox",) if getattr(os, "geteuid", lambda: 1)() == 0 else ()
    return {**browser_type_launch_args, "executable_path": path, "args": [*QUIET, *sandbox]}


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], live_server: LiveServer) -> dict[str, Any]:
    return {
        **browser_context_args,
        "base_url": live_server.url,
        "viewport": {"width": 1440, "height": 900},
        "locale": "en-GB",
        "timezone_id": "Europe/Berlin",
    }


@pytest.fixture
def kind() -> Kind:
    """Pages know nothing of the database, so one is enough here."""
    return "sqlite"


@pytest.fixture
def settings(tmp_path: Path, db: Database) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=db.url.render_as_string(hide_password=False),
        secret_key="only-for-tests-" + "0" * 32,
    )


@pytest.fixture
def live_server(app: Flask) -> Iterator[LiveServer]:
    with LiveServer(app) as server:
        yield server


@pytest.fixture(autouse=True)
def clean_console(page: Page, live_server: LiveServer) -> Iterator[list[str]]:
    """Fails the test when a script failed, the content policy was broken or another host was asked."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # An answer such as 409 or 422 is part of many tests; the browser reports it as an error all the same.
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            complaints.append(message.text)

    def failed(error: Error) -> None:
        complaints.append(str(error))

    page.on("console", heard)
    page.on("pageerror", failed)
    page.on("request", lambda request: _note_stranger(request.url, live_server.url, complaints))
    yield complaints
    assert complaints == []


def _note_stranger(url: str, own: str, complaints: list[str]) -> None:
    if not url.startswith((own, "data:", "blob:", "about:")):
        complaints.append(f"asked {url}")
