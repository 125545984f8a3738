"""A PostgreSQL server of its own whose clock a test moves, under libfaketime, which reads a file at each look."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from reviewqueue.clock import DatabaseClock
from reviewqueue.db import Database
from reviewqueue.migrating import upgrade
from tools.faketime import ADVICE, found

from .databases import SERVER_SETTINGS, pgserver

PRELOAD = "DYLD_INSERT_LIBRARIES" if sys.platform == "darwin" else "LD_PRELOAD"


class MovedServer:
    """A migrated database, its server's clock, and the monotonic clock of those who use it."""

    def __init__(self, url: sa.URL, offset_file: Path) -> None:
        self._file, self._offset, self._passed = offset_file, 0, 0.0
        self.db = Database(url.render_as_string(hide_password=False))
        self.db.clock = DatabaseClock(self.db._database_time, self.monotonic)

    def monotonic(self) -> float:
        """It stands still but for `wait`, so that a minute takes no minute."""
        return self._passed

    def wait(self, seconds: int) -> None:
        """Time goes by, for all clocks."""
        self._passed += seconds
        self.jump(seconds)

    def jump(self, seconds: int) -> None:
        """Somebody sets the server's clock."""
        self._offset += seconds
        _write(self._file, self._offset)


@contextmanager
def moved_server(folder: Path) -> Iterator[MovedServer]:
    """Starts the server in the folder, whose path must be short, since it also holds a socket."""
    library = found()
    assert library is not None, ADVICE
    offset_file = folder / "offset"
    _write(offset_file, 0)
    folder.chmod(0o755)
    server = pgserver().get_server(folder / "postgresql", cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    with (server.pgdata / "postgresql.conf").open("a") as settings:
        settings.write(SERVER_SETTINGS)
    # What sleeps and times out keeps to the real clock.
    faked = {
        PRELOAD: library,
        "FAKETIME_TIMESTAMP_FILE": str(offset_file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with _environment(faked):
        server.ensure_postgres_running()
    moved = MovedServer(sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg"), offset_file)
    try:
        upgrade(moved.db)
        yield moved
    finally:
        moved.db.dispose()
        server.stop()


def _write(file: Path, offset: int) -> None:
    """Replaced as a whole: the server reads it at any moment."""
    written = file.with_suffix(".new")
    written.write_text(f"{offset:+d}")
    written.chmod(0o644)
    written.replace(file)


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
