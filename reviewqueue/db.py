"""The database: the declarative base, the engines for SQLite and PostgreSQL, and sessions that read.

Writing goes through reviewqueue.transaction alone. On SQLite all writers queue at one lock, held across processes
by a file, which is fairer than `busy_timeout` and also keeps checkpoints from running beside writers, which
SQLite before 3.51.3 can answer with a corrupted file (its WAL-reset bug).
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
import sqlalchemy as sa
from filelock import FileLock
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session

from .clock import Clock, DatabaseClock, SystemClock
from .private_files import keep_private
from .waiting import Bell

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from .transaction import Actor, Transaction

Json: TypeAlias = Any
"""A value that JSON can hold: None, bool, int, float, str, lists and dicts with string keys of the same."""

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
CHECKPOINT_EVERY = 50
"""Write transactions between two checkpoints of SQLite's write-ahead log."""


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite has no zones, so there the text is UTC's without saying so."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UtcOrNever(UtcDateTime):
    """A time that sorts last when there is none: None is stored as the year 9999.

    An index over it serves `ORDER BY` on both databases, which disagree about where NULL sorts.
    """

    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return super().process_bind_param(NEVER if value is None else value, dialect)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        time = super().process_result_value(value, dialect)
        return None if time is None or time >= NEVER else time


class JsonText(sa.types.TypeDecorator[Json]):
    """JSON kept as text, byte for byte as written: nothing queries inside it, and hashes are taken over it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Json, dialect: sa.Dialect) -> str | None:
        return orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Json:
        return None if value is None else orjson.loads(value)


JsonColumn = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""Small JSON that lists filter by: flags and tags."""


def _json_text(value: Json) -> str:
    return orjson.dumps(value).decode()


class Base(DeclarativeBase):
    """All tables. Constraints are named by convention, so that migrations can name them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table_of(entity: type[Base]) -> sa.Table:
    """The table of a mapped class, for statements below the ORM."""
    table = entity.__table__
    if not isinstance(table, sa.Table):
        raise TypeError(f"{entity.__name__} is mapped to no table")
    return table


class Database:
    """One database and its clock: what every operation is given first."""

    def __init__(
        self,
        url: str,
        clock: Clock | None = None,
        *,
        pool_size: int = 10,
        base_url: str = "",
        engine: sa.Engine | None = None,
    ) -> None:
        self.url = sa.make_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self.engine = engine or (_sqlite_engine if self.embedded else _postgresql_engine)(self.url, pool_size)
        self.writing = self.engine.execution_options(writes=True)
        self._asking = self.engine.execution_options(
            **({"asks": True} if self.embedded else {"isolation_level": "AUTOCOMMIT"})
        )
        self.clock: Clock = clock or (SystemClock() if self.embedded else DatabaseClock(self._database_time))
        self._writer = _Writer(self.url) if self.embedded else None
        self.bell = Bell()
        self.base_url = base_url
        """The address that people reach, without a slash at its end: of the links in what is sent to apps."""
        self.known: dict[str, Any] = {}
        """What features remember of the database in this process, each under its name."""
        self.to_send = threading.Event()
        """Set when something was committed that should leave the house at once."""

    def by(self, clock: Clock) -> Database:
        """The same database by another clock."""
        same = copy.copy(self)
        same.clock = clock
        return same

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and changes nothing; what it loads outlives it."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def asking(self) -> Iterator[sa.Connection]:
        """A connection for a single question, below the ORM and without a transaction around it.

        Every request asks who calls: on PostgreSQL this spares two of three round trips.
        """
        with self._asking.connect() as connection:
            yield connection

    def transaction(self, actor: Actor, request_id: str | None = None) -> Transaction:
        """A context manager: see reviewqueue.transaction."""
        from .transaction import Transaction

        return Transaction(self, actor, request_id)

    @contextmanager
    def writer(self) -> Iterator[None]:
        """SQLite: holds the one writer's lock. PostgreSQL: rows are locked instead, so nothing to hold."""
        if self._writer is None:
            yield
            return
        with self._writer:
            yield
            self._writer.writes += 1
            if self._writer.writes % CHECKPOINT_EVERY == 0:
                self.checkpoint()

    def checkpoint(self) -> None:
        """SQLite: moves the write-ahead log into the database file. Called with the writer's lock held."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    def dispose(self) -> None:
        self.engine.dispose()

    def _database_time(self) -> datetime:
        with self.asking() as connection:
            now: datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        return now


class _Writer:
    """The right to write to one SQLite file: one thread of one process at a time, in the order of asking."""

    def __init__(self, url: sa.URL) -> None:
        self._thread = threading.Lock()
        self.writes = 0
        on_disk = url.database not in (None, "", ":memory:")
        self._process = _process_lock(f"{url.database}.lock") if on_disk else None

    def __enter__(self) -> None:
        self._thread.acquire()
        try:
            if self._process is not None:
                self._process.acquire()
        except BaseException:
            self._thread.release()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            if self._process is not None:
                self._process.release()
        finally:
            self._thread.release()


class _Flock:
    """An exclusive lock on a file that sleeps until it is free, where a portable one has to ask again and again."""

    def __init__(self, path: str) -> None:
        self._path, self._file = path, -1

    def acquire(self) -> None:
        # Opened each time, since a forked process would share the lock of an open file.
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except BaseException:
            os.close(file)
            raise
        self._file = file

    def release(self) -> None:
        os.close(self._file)


def _process_lock(path: str) -> _Flock | FileLock:
    return FileLock(path, thread_local=False, poll_interval=0.002) if fcntl is None else _Flock(path)


def _sqlite_engine(url: sa.URL, _pool_size: int) -> sa.Engine:
    keep_private(url.database)
    engine = sa.create_engine(
        url,
        connect_args={"timeout": 20, "check_same_thread": False},
        pool_size=32,
        max_overflow=32,
        json_serializer=_json_text,
        json_deserializer=orjson.loads,
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "busy_timeout = 20000",
            "wal_autocheckpoint = 0",
            "temp_store = MEMORY",
            "cache_size = -16000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if not options.get("asks"):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")

    return engine


def _postgresql_engine(url: sa.URL, pool_size: int) -> sa.Engine:
    return sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size * 2,
        pool_pre_ping=False,
        pool_recycle=1800,
        json_serializer=_json_text,
        json_deserializer=orjson.loads,
        connect_args={"options": "-c timezone=UTC -c lock_timeout=10000"},
    )
