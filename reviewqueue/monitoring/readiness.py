"""Whether this process can serve: the database is reached, its schema is current, no timer is late."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import SQLAlchemyError

from reviewqueue import migrating
from reviewqueue.db import Database
from reviewqueue.escalation.queries import timer_health

log = structlog.get_logger(__name__)


def what_is_wrong(db: Database) -> list[str]:
    """A sentence for each thing that is wrong; empty: ready. Addresses and errors stay in the log."""
    try:
        if not migrating.is_current(db):
            return ["The schema is not the newest: run `reviewqueue migrate`."]
        with db.reading() as session:
            health = timer_health(session, db.clock.now())
    except SQLAlchemyError:
        log.warning("the database cannot be reached", exc_info=True)
        return ["The database cannot be reached."]
    if health.late:
        seconds = int(health.latest_by.total_seconds())
        return [f"{health.late} timers are late, the first by {seconds} s: is a worker running?"]
    return []
