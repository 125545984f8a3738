"""Copies of the embedded database: whole while others write, checked, and put back in one step."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from reviewqueue.audit.verify import Checked, verify
from reviewqueue.backups import back_up, restore
from reviewqueue.db import Database
from reviewqueue.errors import Conflict, Invalid, NotFound
from reviewqueue.items.models import Item
from reviewqueue.migrating import upgrade

from ..support.making import make_item, make_items, make_queue


def items_in(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Item)) or 0


def test_database_and_copies_are_for_their_owner_alone(tmp_path: Path) -> None:
    open_umask = os.umask(0o022)
    db = Database(f"sqlite:///{tmp_path / 'made.sqlite3'}")
    try:
        upgrade(db)
        back_up(db, tmp_path / "copy")
        restore(db, tmp_path / "copy")
        make_queue(db)
        with db.reading():
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("[mc]*[!k]")}
    finally:
        db.dispose()
        os.umask(open_umask)
    assert {name.partition("restore")[0] for name in modes} >= {"copy", "made.sqlite3", "made.sqlite3-wal"}
    assert any("before-restore" in name for name in modes)
    assert set(modes.values()) == {0o600}, modes


def test_a_backup_made_while_others_write_is_whole(sqlite_db: Database, tmp_path: Path) -> None:
    queue = make_queue(sqlite_db)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            make_items(sqlite_db, queue, [{}, {}, {}])

    thread = threading.Thread(target=write)
    thread.start()
    try:
        sizes = [back_up(sqlite_db, tmp_path / f"copy{number}") for number in range(3)]
    finally:
        stop.set()
        thread.join()
    assert all(sizes)
    copy = Database(f"sqlite:///{tmp_path / 'copy2'}")
    try:
        assert items_in(copy) % 3 == 0
        assert list(verify(copy, Checked())) == []
    finally:
        copy.dispose()


def test_restoring_brings_back_what_was_and_keeps_what_is(sqlite_db: Database, tmp_path: Path) -> None:
    queue = make_queue(sqlite_db)
    make_item(sqlite_db, queue)
    back_up(sqlite_db, tmp_path / "copy")
    make_item(sqlite_db, queue)
    kept = restore(sqlite_db, tmp_path / "copy")
    assert items_in(sqlite_db) == 1
    make_item(sqlite_db, queue)
    assert items_in(sqlite_db) == 2
    assert kept is not None
    with closing(sqlite3.connect(kept)) as before:
        assert before.execute("SELECT count(*) FROM item").fetchone()[0] == 2


def test_a_reader_that_is_open_sees_the_database_as_it_was(sqlite_db: Database, tmp_path: Path) -> None:
    queue = make_queue(sqlite_db)
    back_up(sqlite_db, tmp_path / "copy")
    make_item(sqlite_db, queue)
    with sqlite_db.reading() as session:
        count = sa.select(sa.func.count()).select_from(Item)
        assert session.scalar(count) == 1
        restore(sqlite_db, tmp_path / "copy")
        assert session.scalar(count) == 1
    assert items_in(sqlite_db) == 0


def test_a_backup_replaces_no_file(sqlite_db: Database, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(Conflict):
        back_up(sqlite_db, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "precious"


def test_what_is_no_sound_backup_is_refused(sqlite_db: Database, tmp_path: Path) -> None:
    make_items(sqlite_db, make_queue(sqlite_db), [{"input": "x" * 2000} for _ in range(300)])
    damaged = tmp_path / "damaged"
    back_up(sqlite_db, damaged)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8192] = b"\xff" * 8192
    damaged.write_bytes(content)
    (tmp_path / "text").write_text("not a database, but long enough to have been one " * 100)
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE t (a)")
    for name in ("damaged", "text", "other"):
        with pytest.raises(Invalid):
            restore(sqlite_db, tmp_path / name)
    with pytest.raises(NotFound):
        restore(sqlite_db, tmp_path / "nothing")
    assert items_in(sqlite_db) == 300
