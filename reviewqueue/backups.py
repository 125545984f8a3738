"""Copies of the embedded database, made and put back while it is in use, by SQLite's own backup."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from .db import Database
from .errors import Conflict, Invalid, NotFound
from .private_files import keep_private


def back_up(db: Database, to: Path) -> int:
    """Writes a copy of the database as it is now, checked, and returns its bytes. Writers go on meanwhile.

    The copy gets its name when it is whole, and never replaces a file. Raises Conflict, Invalid.
    """
    source = _file_of(db)
    if to.exists():
        raise Conflict(f"{to} exists already; choose another name")
    part = to.with_name(f"{to.name}.part")
    try:
        part.unlink(missing_ok=True)
        keep_private(part)
        with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(part)) as copy:
            original.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        require_sound(part)
        _flush(part)
        part.rename(to)
    except OSError as error:
        raise Invalid(f"{to} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return to.stat().st_size


def restore(db: Database, source: Path) -> Path | None:
    """Puts a backup in the database's place; returns where the database as it was is kept, if there was one.

    Writers wait meanwhile, and readers see either the one or the other. Raises NotFound, Invalid, Conflict.
    """
    target = _file_of(db)
    if not source.is_file():
        raise NotFound(f"there is no file {source}")
    require_sound(source)
    kept = _before(db, target)
    with db.writer(), closing(sqlite3.connect(source)) as copy, closing(_opened(target)) as original:
        copy.backup(original)
    db.engine.dispose()
    return kept


def require_sound(file: Path) -> None:
    """Raises Invalid unless the file is a database of ours that SQLite finds whole."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchone()[0]
            ours = connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('item', 'event')"
            ).fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise Invalid(f"{file} is not a sound database: {error}") from error
    if found != "ok":
        raise Invalid(f"{file} is not a sound database: {found}")
    if ours != 2:
        raise Invalid(f"{file} is not a database of reviewqueue")


def _before(db: Database, target: Path) -> Path | None:
    """A copy of what is about to be replaced."""
    if not target.exists():
        return None
    kept = target.with_name(f"{target.name}.before-restore-{db.clock.now():%Y%m%dT%H%M%SZ}")
    with closing(sqlite3.connect(target)) as original:
        if not original.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            return None
    back_up(db, kept)
    return kept


def _opened(target: Path) -> sqlite3.Connection:
    keep_private(target)
    connection = sqlite3.connect(target, timeout=20)
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


def _file_of(db: Database) -> Path:
    if not db.embedded:
        raise Invalid(
            "this is for the embedded database; back up PostgreSQL with pg_dump, restore with pg_restore"
        )
    return Path(str(db.url.database))


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
