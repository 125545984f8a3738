"""The command `demo`: a fresh, filled database, persons to sign in as, and an app that goes on sending."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import Conflict

if TYPE_CHECKING:
    from ..config import Settings

PASSWORD = "four-eyes-see-more"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
NOTE = "DEMO.txt"


@click.command(epilog="Example: reviewqueue demo --port 8080")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option(
    "--folder",
    default="demo-data",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo keeps its database, made anew at each start.",
)
def demo(host: str, port: int, folder: Path) -> None:
    """Serve a fresh database with three queues of real model outputs.

    Four persons can sign in, and an app goes on enqueueing, deciding nothing: that is left to you.
    """
    from ..db import Database
    from ..serving import serve_database
    from ..web.logs import set_up
    from .filling import fill
    from .running_app import RunningApp

    with _emptied(folder), ExitStack() as at_end:
        settings = _settings(folder)
        set_up(settings.log_format, logging.WARNING)
        password = PASSWORD if host in LOOPBACK else secrets.token_urlsafe(12)
        db = Database(settings.url, base_url=settings.address)
        at_end.callback(db.dispose)
        key = fill(settings.url, db.clock.now(), password)

        def begin(address: str) -> None:
            app = RunningApp(address, key)
            app.start()
            at_end.callback(app.stop)
            _tell(address, password)

        serve_database(settings, db, host=host, port=port, announce=begin)


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    """The demo's own folder without the last demo's database, for as long as the block runs.

    Raises Conflict when a demo runs there already, or when the folder holds a database that is no demo's.
    """
    from filelock import FileLock, Timeout

    kept = sorted(folder.glob("reviewqueue.sqlite3*"))
    if kept and not (folder / NOTE).exists():
        raise Conflict(f"{folder} holds a database that no demo made; name another folder with --folder")
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "demo.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Conflict(
            f"a demo runs in {folder} already; stop it, or name another folder with --folder"
        ) from None
    with lock:
        (folder / NOTE).write_text("Made by `reviewqueue demo`, which empties it at each start.\n", "utf-8")
        for file in kept:
            file.unlink(missing_ok=True)
        yield


def _settings(folder: Path) -> Settings:
    """The settings of this machine, but for where the data is."""
    from ..config import PREFIX, load

    own = {f"{PREFIX}DATA_DIR": str(folder), f"{PREFIX}DATABASE_URL": ""}
    others = {name: value for name, value in os.environ.items() if not name.startswith(tuple(own))}
    return load({**others, **own})


def _tell(address: str, password: str) -> None:
    from .filling import PERSONS

    click.echo(f"Open {address} and sign in with the password {password} as")
    for person in PERSONS:
        click.echo(f"  {person.email:<22} {person.can}")
