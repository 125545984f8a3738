"""A queue with its people, and the client that an app has of the real application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from flask import Flask

from reviewqueue import create_app
from reviewqueue.client import ReviewQueue
from reviewqueue.config import Settings
from reviewqueue.db import Database
from reviewqueue.people.access import SYSTEM_CALLER
from reviewqueue.people.forms import NewKey
from reviewqueue.people.key_operations import create_key
from reviewqueue.people.models import Scope

from ..items.office import Office, open_office
from ..support.live_server import LiveServer

ADDRESS = "http://localhost"
SCOPES = [Scope.ITEMS_READ, Scope.ITEMS_WRITE, Scope.EVENTS_READ]


def key_of_app(db: Database) -> str:
    return create_key(db, SYSTEM_CALLER, NewKey(name="books", scopes=SCOPES))


def app_on(db: Database, folder: Path) -> Flask:
    settings = Settings(
        data_dir=folder,
        database_url=db.url.render_as_string(hide_password=False),
        secret_key="only-for-tests-" + "0" * 32,
        base_url=ADDRESS,
    )
    return create_app(settings, db)


@pytest.fixture
def office(db: Database) -> Office:
    return open_office(db)


@pytest.fixture
def desk(app: Flask, office: Office) -> Iterator[ReviewQueue]:
    """Calls the application in this process, on each database."""
    with ReviewQueue(ADDRESS, key_of_app(office.db), transport=httpx.WSGITransport(app)) as desk:
        yield desk


@pytest.fixture
def sqlite_office(sqlite_db: Database) -> Office:
    return open_office(sqlite_db)


@pytest.fixture
def sqlite_app(sqlite_office: Office, tmp_path: Path) -> Flask:
    return app_on(sqlite_office.db, tmp_path)


@pytest.fixture
def server(sqlite_app: Flask) -> Iterator[LiveServer]:
    """The real server, for what needs sockets: asyncio, lost answers, long polls beside other calls."""
    with LiveServer(sqlite_app) as running:
        yield running
