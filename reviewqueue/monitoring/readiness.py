"""Whether this process can serve: the database is reached, its schema is current, no timer is late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from reviewqueue import migrating
from reviewqueue.db import Database
from reviewqueue.escalation.queries import TimerHealth, timer_health

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    ready: bool
    problems: tuple[str, ...] = ()
    """A sentence for each; addresses and errors stay in the log."""


def readiness(db: Database) -> Readiness:
    """Timers that nobody fires make it unready. One that fails is told, and takes no server away from the others."""
    try:
        if not migrating.is_current(db):
            return Readiness(False, ("The schema is not the newest: run `reviewqueue migrate`.",))
        with db.reading() as session:
            health = timer_health(session, db.clock.now())
    except SQLAlchemyError:
        log.warning("the database cannot be reached", exc_info=True)
        return Readiness(False, ("The database cannot be reached.",))
    return Readiness(not health.unfired, tuple(_said_of(health)))


def _said_of(health: TimerHealth) -> Iterator[str]:
    if health.unfired:
        seconds = int(health.latest_by.total_seconds())
        yield f"{health.unfired} timers are late, the first by {seconds} s: is a worker running?"
    if health.failing:
        late = f", {health.failing_late} of them late by now" if health.failing_late else ""
        yield f"{health.failing} timers failed and will be tried again{late}: the backlog page says which."
