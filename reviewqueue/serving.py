"""Serving pages and API, with the worker in the same process or alone, until a signal says stop."""

from __future__ import annotations

import ctypes
import gc
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import click

from . import cli
from .errors import Unavailable

if TYPE_CHECKING:
    from .config import Settings
    from .db import Database

THREADS = 24
RECEIVED_AT_ONCE = 2**18
"""Bytes of a body. One thread receives them all, and would spend half a second on a batch in small pieces."""


@click.command(epilog="Example: reviewqueue serve --host 0.0.0.0 --port 8000")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option("--no-worker", is_flag=True, help="Leave the recurring jobs to `reviewqueue worker`.")
def serve(host: str, port: int, no_worker: bool) -> None:
    """Serve the pages and the API, and run the worker in the same process.

    An embedded database is migrated first; PostgreSQL never is without being asked: see `reviewqueue migrate`.
    """
    settings = cli.settings()
    if port:
        settings.listen_at(f"http://{_shown(host)}:{port}")
    _set_up_logs(settings)
    with cli.database(settings) as db:
        serve_database(settings, db, host=host, port=port, with_worker=not no_worker)


@click.command(epilog="Example: reviewqueue worker")
def worker() -> None:
    """Run the recurring jobs: timers, lapsed claims, the order of events, messages, webhooks, pruning.

    Any number of workers may run at once: on PostgreSQL they share the work, on SQLite one of them does it.
    """
    from .worker import Worker, jobs

    settings = cli.settings()
    _set_up_logs(settings)
    with cli.database(settings) as db:
        running = Worker(db, jobs(settings))
        with stopped_by_signals(running.stop):
            running.run()


def serve_database(
    settings: Settings,
    db: Database,
    *,
    host: str,
    port: int,
    with_worker: bool = True,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serves until a signal comes. `announce` is given the address instead of the lines that are printed."""
    from reviewqueue import create_app

    share_arenas()  # before there are threads that have their own
    server = _server(create_app(settings, db), host, port, settings.max_batch_body)
    collect_seldom()
    address = settings.base_url or f"http://{_shown(host)}:{_port_of(server)}"
    (announce or (lambda address: _announce(db, address)))(address)
    with stopped_by_signals(_leave), working(settings, db) if with_worker else nullcontext():
        try:
            server.run()
        finally:
            server.close()


def collect_seldom() -> None:
    """Lets Python look for garbage in cycles less often: a batch makes millions of objects, and hardly a cycle.

    What the start made stays for good, so no search walks through it again. A third of a batch's time was spent so.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def share_arenas() -> None:
    """Lets all threads take memory from two places, where glibc would give each thread its own and keep what it freed.

    Each of the threads that had served a batch of 10,000 held on to 140 MB: 2 GB after fourteen batches, with more to
    come; it is 0.5 GB so, however many come. Elsewhere than with glibc nothing is done, as nothing is needed.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


_M_ARENA_MAX = -8


@contextmanager
def working(settings: Settings, db: Database) -> Iterator[None]:
    """Runs the worker in a thread of this process."""
    from .worker import Worker, jobs

    running = Worker(db, jobs(settings))
    thread = threading.Thread(target=running.run, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        running.stop()
        thread.join(timeout=10)


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT call `stop`; what they did before is put back at the end."""
    before = {number: signal.signal(number, lambda *_: stop()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave() -> None:
    raise SystemExit(0)


def _server(app: Any, host: str, port: int, most: int) -> Any:
    from waitress import create_server

    logging.getLogger("waitress.queue").setLevel(
        logging.ERROR
    )  # it warns of every request that waits a moment
    try:
        return create_server(
            app,
            host=host,
            port=port,
            threads=THREADS,
            recv_bytes=RECEIVED_AT_ONCE,
            channel_timeout=90,  # longer than a request may wait for an outcome
            max_request_body_size=2 * most,  # up to there the app itself says what is too large
            clear_untrusted_proxy_headers=False,  # the app itself believes as many proxies as it is told to
            ident=None,
        )
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {host}:{port}: {error.strerror or error}; choose another with --port"
        ) from error


def _port_of(server: Any) -> int:
    """A name such as localhost may stand for two addresses, and then there are two sockets."""
    several = getattr(server, "effective_listen", None)
    return int(several[0][1] if several else server.effective_port)


def _announce(db: Database, address: str) -> None:
    from .people.links import first_run_link, path_of

    click.echo(f"reviewqueue serves on {address}")
    if token := first_run_link(db):
        click.echo(f"First run: open {address}{path_of(token)} once to make the first admin")
    sys.stdout.flush()


def _shown(host: str) -> str:
    """The host as a link has it: IPv6 in brackets, and an address of our own for `all interfaces`."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _set_up_logs(settings: Settings) -> None:
    from .web.logs import set_up

    set_up(settings.log_format)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of plugins that nobody asked for
