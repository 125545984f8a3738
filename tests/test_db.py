"""The one writer of SQLite: across threads and across processes, whoever asks waits for whoever holds."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest

from reviewqueue.db import Database
from reviewqueue.transaction import SYSTEM

HOLD = """
import sys
from reviewqueue.db import Database
with Database(sys.argv[1]).writer():
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'one.sqlite3'}"


def writes(db: Database, written: threading.Event) -> threading.Thread:
    def write() -> None:
        with db.writer():
            written.set()

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_a_thread_waits_for_another(url: str) -> None:
    db, written = Database(url), threading.Event()
    with db.writer():
        thread = writes(db, written)
        assert not written.wait(0.1)
    thread.join()
    assert written.is_set()


def test_a_process_waits_for_another(url: str) -> None:
    db, written = Database(url), threading.Event()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin and other.stdout
        assert other.stdout.readline() == "held\n"
        thread = writes(db, written)
        assert not written.wait(0.1)
        other.stdin.write("let go\n")
        other.stdin.close()
        thread.join()
    assert written.is_set()


def test_a_process_that_is_killed_lets_go(url: str) -> None:
    db, written = Database(url), threading.Event()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        other.stdout.readline()
        thread = writes(db, written)
        other.kill()
        thread.join()
    assert written.is_set()


def test_an_error_lets_go(url: str) -> None:
    db, written = Database(url), threading.Event()
    with pytest.raises(RuntimeError, match="on purpose"), db.writer():
        raise RuntimeError("on purpose")
    writes(db, written).join()
    assert written.is_set()


def test_a_transaction_that_is_over_leaves_nothing_to_a_search_for_cycles(db: Database) -> None:
    gc.collect()
    gc.disable()
    try:
        with db.transaction(SYSTEM) as tx:
            session, trail = weakref.ref(tx.session), weakref.ref(tx.trail)
        del tx
        assert (session(), trail()) == (None, None)
    finally:
        gc.enable()
