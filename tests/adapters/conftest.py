"""A desk that a module's tests share; each begins with nothing waiting."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reviewqueue.adapters.reviews import Reviews

from ..support.databases import Databases
from .desk import QUEUE, Desk, open_desk


@pytest.fixture(scope="module")
def opened_desk(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """On SQLite: what adapters do passes through the HTTP API, which is tested on both databases."""
    db = databases.make("sqlite")
    with open_desk(db, tmp_path_factory.mktemp("desk")) as desk:
        yield desk
    databases.drop(db)


@pytest.fixture
def desk(opened_desk: Desk) -> Iterator[Desk]:
    yield opened_desk
    for item in opened_desk.waiting():
        opened_desk.client.withdraw(item)


@pytest.fixture
def reviews(desk: Desk) -> Reviews:
    """Waits for nobody: what is not decided is NotYet."""
    return Reviews(desk.client, QUEUE, timeout=0)
