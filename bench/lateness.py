"""How late timers go off while a thousand of them come due each minute, with a worker beside them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa

from reviewqueue.db import Database
from reviewqueue.escalation.models import Firing

from .databases import opened
from .filling import fill
from .pairs import percentile
from .report import Goal, Report
from .servers import ROOT, Site
from .template import ITEM

A_MINUTE = 1_000
SECONDS = 30
P99_SECONDS = Goal(at_most=2.0)
"""A worker looks once a second."""
START = timedelta(seconds=8)
"""By then the worker runs, and what is late is not the worker's start."""
PATIENCE = 60
STEP = timedelta(hours=2)
"""Of queue.yaml."""


def at_a_thousand_a_minute(report: Report, site: Site) -> None:
    """Planned and real times of firings that tell the queue's owner, over half a minute."""
    count = A_MINUTE * SECONDS // 60
    with opened(site.url) as db:
        fill(db, count)
        with _worker(site):
            _come_due(db)
            late = sorted(_lateness(db, count))
    report.line(
        f"timers, {A_MINUTE:,} due a minute: p99 late",
        f"{percentile(late, 0.99):,.2f} s",
        value=percentile(late, 0.99),
        goal=P99_SECONDS,
    )
    report.line("  median", f"{percentile(late, 0.5):,.2f} s")


def _come_due(db: Database) -> None:
    """Lets the filled items have arrived so long ago that their first step comes soon, one after the other."""
    first = db.clock.now() + START - STEP
    gap = timedelta(seconds=60 / A_MINUTE)
    with db.writer(), db.engine.execution_options(writes=True).begin() as connection:
        filled = sa.select(ITEM.c.id).where(ITEM.c.external_id.like("waiting-%")).order_by(ITEM.c.id)
        connection.execute(
            _ARRIVED,
            [
                {"of": item_id, "arrived": (at := first + n * gap), "fires": at + STEP}
                for n, item_id in enumerate(connection.scalars(filled).all())
            ],
        )


_ARRIVED = (
    sa.update(ITEM)
    .where(ITEM.c.id == sa.bindparam("of"))
    .values(waiting_since=sa.bindparam("arrived"), timer_at=sa.bindparam("fires"))
)


def _lateness(db: Database, count: int) -> list[float]:
    """Waits until all have fired; returns by how many seconds each was late."""
    end = time.monotonic() + START.total_seconds() + SECONDS + PATIENCE
    while time.monotonic() < end:
        with db.reading() as session:
            rows = session.execute(sa.select(Firing.planned_at, Firing.fired_at)).all()
        if len(rows) >= count:
            return [(fired - planned).total_seconds() for planned, fired in rows]
        time.sleep(0.5)
    raise SystemExit(f"only {len(rows):,} of {count:,} timers went off")


@contextmanager
def _worker(site: Site) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from reviewqueue.cli import main; main()", "worker"],
        cwd=ROOT,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)
