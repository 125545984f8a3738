"""Brings a database to a revision of the schema, on SQLite and PostgreSQL, from a checkout and from the wheel.

A migration is one transaction on both databases: it happens whole or not at all. While it runs on SQLite, foreign
keys are off, because Alembic alters a table there by copying it, and dropping the old copy of a parent would take
its cascading children along; the keys are checked before the commit instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from .resources import folder

if TYPE_CHECKING:
    from alembic.config import Config

    from .db import Database

MIGRATION_LOCK = 0x7265_7669_6577
"""The key of PostgreSQL's advisory lock that lets one process migrate at a time."""


class BrokenReferences(RuntimeError):
    """A migration on SQLite left rows that point at nothing; it was rolled back."""


def upgrade(db: Database, revision: str = "head") -> None:
    """Brings the schema up to a revision, by default the newest. Does nothing where it is there already."""
    from alembic import command

    with _migrating(db) as connection:
        command.upgrade(config(connection), revision)


def downgrade(db: Database, revision: str) -> None:
    """Takes the schema back to an older revision; `base` drops every table."""
    from alembic import command

    with _migrating(db) as connection:
        command.downgrade(config(connection), revision)


def is_current(db: Database) -> bool:
    """Whether the database's schema is the newest that this code knows."""
    from alembic.migration import MigrationContext

    with db.engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == _heads()


def config(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration, made in code so that there is no file to find or to keep in step."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(folder("migrations")).replace("%", "%%"))
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    made.attributes["connection"] = connection
    return made


def metadata() -> sa.MetaData:
    """The tables of all features; importing their models is what registers them."""
    from . import models  # noqa: F401
    from .db import Base

    return Base.metadata


@contextmanager
def _migrating(db: Database) -> Iterator[sa.Connection]:
    with db.writer(), db.engine.execution_options(writes=True).connect() as connection:
        if not db.embedded:
            with connection.begin():
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
                yield connection
            return
        with _without_foreign_keys(connection), connection.begin():
            yield connection
            if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall():
                raise BrokenReferences(
                    f"{len(broken)} rows lost what they refer to, the first in {broken[0][0]}"
                )


@contextmanager
def _without_foreign_keys(connection: sa.Connection) -> Iterator[None]:
    # SQLite ignores this pragma inside a transaction, and SQLAlchemy would begin one for it.
    raw = connection.connection.cursor()
    raw.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys = ON")
        raw.close()


@cache
def _heads() -> set[str]:
    from alembic.script import ScriptDirectory

    return set(ScriptDirectory.from_config(config()).get_heads())
