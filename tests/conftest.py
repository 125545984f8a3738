"""Fixtures that every test may use: the clock, both databases, the app and its client."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from reviewqueue.clock import MovableClock
from reviewqueue.config import Settings
from reviewqueue.db import Database

from .support.databases import KINDS, Databases, Kind, clean_up, run_folder
from .support.sparing import hash_passwords_quickly, share_what_apps_compile

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

# A busy machine must fail no test: time is never a promise here. On CI the examples are the same each time.
hypothesis_settings.register_profile(
    "ours",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
)
hypothesis_settings.load_profile("ours")

RUN_ID = "REVIEWQUEUE_TEST_RUN_ID"


def pytest_configure(config: pytest.Config) -> None:
    # Set before the workers are started, which inherit it and so find the same server.
    os.environ.setdefault(RUN_ID, uuid.uuid4().hex)


def pytest_collection_finish() -> None:
    share_what_apps_compile()
    hash_passwords_quickly()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        clean_up(run_folder(os.environ[RUN_ID]))


@pytest.fixture(autouse=True)
def no_loop_of_the_browser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Playwright leaves its event loop running in the thread of the tests; who needs no page must find none."""
    if "playwright" in request.fixturenames:
        yield
        return
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Makes and drops databases, for tests that need several or whose fixtures live longer than one test."""
    made = Databases(run_folder(os.environ[RUN_ID]), os.environ.get("PYTEST_XDIST_WORKER", "only"))
    yield made
    made.close()


@pytest.fixture
def clock() -> MovableClock:
    """Stands still at Monday, 2026-03-02 09:00 UTC until the test moves it."""
    return MovableClock()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Runs the test on each database."""
    kind: Kind = request.param
    return kind


@pytest.fixture
def db(databases: Databases, kind: Kind, clock: MovableClock) -> Iterator[Database]:
    """An empty migrated database, on SQLite and again on PostgreSQL, by the test's own clock."""
    made = databases.make(kind, clock)
    yield made
    databases.drop(made)


@pytest.fixture
def sqlite_db(databases: Databases, clock: MovableClock) -> Iterator[Database]:
    """An empty migrated database on SQLite alone, for what cannot differ between the two."""
    made = databases.make("sqlite", clock)
    yield made
    databases.drop(made)


@pytest.fixture
def settings(tmp_path: Path, db: Database) -> Settings:
    return Settings(
        data_dir=tmp_path,
        database_url=db.url.render_as_string(hide_password=False),
        secret_key="only-for-tests-" + "0" * 32,
        base_url="http://localhost",
    )


@pytest.fixture
def app(settings: Settings, db: Database) -> Flask:
    from reviewqueue import create_app

    return create_app(settings, db)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Sends what a page of our own would: without it every unsafe request is refused as foreign."""
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return client
