"""Examines an installation: what is well, what is odd and what is broken, each with what to do about it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from pathlib import Path

import sqlalchemy as sa

from . import migrating
from .clock import SystemClock
from .config import Settings, load
from .db import Database
from .errors import Refusal
from .escalation.queries import timer_health
from .leases import is_any_held
from .receipts.keys import opened
from .receipts.queries import key_in_force
from .sealing import CannotOpen
from .webhooks.queries import health as subscription_health
from .worker import WORKER

MOST_DRIFT = timedelta(seconds=5)
LEAST_FREE = 1024**3
WAL_FIXED = (3, 51, 3)
OLDEST_POSTGRESQL = 14


class Standing(IntEnum):
    GOOD = 0
    ODD = 1
    BAD = 2


@dataclass(frozen=True, slots=True)
class Finding:
    about: str
    standing: Standing
    says: str
    advice: str = ""


def examine() -> Iterator[Finding]:
    """Each finding as soon as it is known; what cannot be examined without something broken is left out."""
    try:
        settings = load()
    except Refusal as refusal:
        yield Finding("settings", Standing.BAD, refusal.detail)
        return
    yield from _settings(settings)
    yield from _storage(settings)
    db = Database(settings.url)
    try:
        yield from _database(db, settings)
    finally:
        db.dispose()


def _settings(settings: Settings) -> Iterator[Finding]:
    told = "embedded database" if settings.embedded else "PostgreSQL"
    yield Finding("settings", Standing.GOOD, f"{told}, data folder {settings.data_dir.resolve()}")
    if not settings.base_url:
        yield Finding(
            "settings",
            Standing.ODD,
            "no BASE_URL, so links carry the address that each request came to, and webhooks no receipts",
            "Set REVIEWQUEUE_BASE_URL to the address that people and apps use.",
        )
    elif settings.base_url.startswith("http://") and "localhost" not in settings.base_url:
        yield Finding(
            "settings",
            Standing.ODD,
            f"{settings.base_url} is not encrypted",
            "Put a proxy with a certificate in front and set REVIEWQUEUE_TRUSTED_PROXIES=1.",
        )
    if not settings.metrics_token:
        yield Finding("settings", Standing.GOOD, "no METRICS_TOKEN, so /metrics is off")


def _storage(settings: Settings) -> Iterator[Finding]:
    folder = next(
        f for f in (settings.data_dir.resolve(), *settings.data_dir.resolve().parents) if f.exists()
    )
    free = shutil.disk_usage(folder).free
    about = f"{free / 1024**3:.1f} GiB free in {folder}"
    if free < LEAST_FREE:
        yield Finding("storage", Standing.BAD, about, "Make room: below 1 GiB a full disk is near.")
    else:
        yield Finding("storage", Standing.GOOD, about)


def _database(db: Database, settings: Settings) -> Iterator[Finding]:
    where = db.url.render_as_string(hide_password=True)
    try:
        with db.reading() as session:
            version = session.connection().dialect.server_version_info or ()
    except sa.exc.DBAPIError as error:
        why = " ".join(str(error.orig).split())
        yield Finding(
            "database",
            Standing.BAD,
            f"{where} cannot be used: {why}",
            "Is it running, and the address right?",
        )
        return
    yield _version_of_database(db, where, version)
    if not migrating.is_current(db):
        advice = "Run: reviewqueue migrate"
        yield Finding("schema", Standing.BAD, "not the newest that this version knows", advice)
        return
    yield Finding("schema", Standing.GOOD, "the newest")
    checks: tuple[Callable[[Database], Iterator[Finding]], ...] = (_clock, _worker, _webhooks, _wal)
    yield from _signing_key(db, settings)
    for check in checks:
        yield from check(db)


def _version_of_database(db: Database, where: str, version: tuple[int | str, ...]) -> Finding:
    told = ".".join(map(str, version))
    if not db.embedded:
        says = f"PostgreSQL {told} at {where}"
        if int(version[0]) >= OLDEST_POSTGRESQL:
            return Finding("database", Standing.GOOD, says)
        return Finding("database", Standing.BAD, says, f"PostgreSQL {OLDEST_POSTGRESQL} or newer is needed.")
    says = f"SQLite {sqlite3.sqlite_version} at {where}"
    if sqlite3.sqlite_version_info < WAL_FIXED:
        says += "; its WAL-reset bug is kept away by one lock for writers and checkpoints"
    return Finding("database", Standing.GOOD, says)


def _clock(db: Database) -> Iterator[Finding]:
    drift = db.clock.now() - SystemClock().now()
    says = f"{drift.total_seconds():+.1f} s between the database's clock and this machine's"
    if abs(drift) > MOST_DRIFT:
        yield Finding("clock", Standing.ODD, says, "The database's counts. Keep both by NTP.")
    else:
        yield Finding("clock", Standing.GOOD, says)


def _signing_key(db: Database, settings: Settings) -> Iterator[Finding]:
    with db.reading() as session:
        key = key_in_force(session, db.clock.now())
    if key is None:
        return
    try:
        opened(key, settings.secret_key)
    except CannotOpen:
        says = "it was kept with another SECRET_KEY, so outcomes carry no receipt"
        advice = "Set the former REVIEWQUEUE_SECRET_KEY, or run: reviewqueue signing-key rotate --now"
        yield Finding("signing key", Standing.BAD, says, advice)
    else:
        yield Finding("signing key", Standing.GOOD, f"number {key.number} signs")


def _worker(db: Database) -> Iterator[Finding]:
    now = db.clock.now()
    with db.reading() as session:
        timers = timer_health(session, now)
    if is_any_held(db, WORKER, now):
        yield Finding("worker", Standing.GOOD, "one is running")
    else:
        advice = "Nothing escalates or expires: run reviewqueue serve, or reviewqueue worker."
        yield Finding("worker", Standing.BAD if timers.late else Standing.ODD, "none is running", advice)
    if timers.unfired:
        says = f"{timers.unfired:,} are late, the oldest by {timers.latest_by.total_seconds():,.0f} s"
        yield Finding("timers", Standing.BAD, says, "Is a worker running, and fast enough? See its log.")
    if timers.failing:
        named = "; ".join(f"{one.queue} {one.item_id}: {one.error}" for one in timers.failed)
        more = "; …" if timers.failing > len(timers.failed) else ""
        says = f"{timers.failing:,} failed and will be tried again: {named}{more}"
        yield Finding("timers", Standing.BAD, says, "The worker's log has the whole error.")


def _webhooks(db: Database) -> Iterator[Finding]:
    with db.reading() as session:
        found = subscription_health(session, db.clock.now())
    if found.failing or found.disabled:
        says = f"{found.failing} failing, {found.disabled} disabled"
        yield Finding(
            "webhooks", Standing.ODD, says, "See /admin/subscriptions for what the receivers answer."
        )
    if found.overdue:
        says = f"{found.overdue:,} deliveries should have been tried over a minute ago"
        yield Finding("webhooks", Standing.ODD, says, "Is a worker running? See its log.")


def _wal(db: Database) -> Iterator[Finding]:
    log = Path(f"{db.url.database}-wal")
    if db.embedded and log.exists():
        size = log.stat().st_size / 1024**2
        standing = Standing.GOOD if size < 512 else Standing.ODD
        advice = "" if standing is Standing.GOOD else "A reader has been open for long; restart the server."
        yield Finding("storage", standing, f"write-ahead log of {size:.1f} MiB", advice)
