"""The documentation for app developers does what it says: its own code blocks are run against the real server."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reviewqueue.db import Database

from ..client.conftest import app_on, key_of_app
from ..items.office import Office, open_office
from ..support import code_blocks
from ..support.live_server import LiveServer

ROOT = Path(__file__).resolve().parents[2]


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REVIEWQUEUE_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "REVIEWQUEUE_DATA_DIR": str(folder / "data"), **more}


def test_from_nothing_to_the_first_outcome(tmp_path: Path) -> None:
    changed = {
        # On a free port, which the log tells.
        "reviewqueue serve > reviewqueue.log 2>&1 &": (
            "reviewqueue serve --port 0 > reviewqueue.log 2>&1 & echo $! > serve.pid\n"
            "until PORT=$(grep -om1 '127.0.0.1:[0-9]*' reviewqueue.log); do sleep 0.1; done; PORT=${PORT#*:}"
        ),
        "127.0.0.1:8000": "127.0.0.1:$PORT",
    }
    try:
        blocks = code_blocks.run(ROOT / "docs/quickstart.md", tmp_path, environment(tmp_path), changed)
    finally:
        if (told := tmp_path / "serve.pid").exists():
            os.kill(int(told.read_text()), signal.SIGTERM)
    assert {block.language for block in blocks} == {"bash", "python"}


@contextmanager
def somebody_at_the_desk(office: Office) -> Iterator[None]:
    """Accepts whatever comes."""
    gone = threading.Event()

    def accept() -> None:
        while not gone.wait(0.02):
            if (claimed := office.claim_next("ann")) is not None:
                office.decide("ann", claimed.item.item["id"], token=claimed.token)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield
    finally:
        gone.set()
        thread.join()


@pytest.mark.parametrize("name", ["README.md", "docs/client.md", "docs/recipes.md"])
def test_pages_for_app_developers(name: str, sqlite_db: Database, tmp_path: Path) -> None:
    office = open_office(sqlite_db)
    with LiveServer(app_on(sqlite_db, tmp_path)) as server, somebody_at_the_desk(office):
        told = environment(tmp_path, REVIEWQUEUE_URL=server.url, REVIEWQUEUE_KEY=key_of_app(sqlite_db))
        assert code_blocks.run(ROOT / name, tmp_path, told, {})
