"""Rights that one process holds for a while: to be SQLite's one ticker; and on PostgreSQL, a sign of life."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from .audit.models import Lease
from .db import Database
from .transaction import SYSTEM


def take_lease(db: Database, name: str, holder: str, lasts: timedelta) -> bool:
    """Takes or prolongs the lease; False when somebody else has it.

    One that lasts longer than any can was taken before the clock was set back, and ends with that.
    """
    with db.transaction(SYSTEM) as tx:
        until = tx.now + lasts
        statement = _insert(db).values(name=name, holder=holder, until=until)
        free = sa.or_(Lease.holder == holder, Lease.until <= tx.now, Lease.until > until)
        statement = statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": statement.excluded.holder, "until": statement.excluded.until},
            where=free,
        ).returning(Lease.holder)
        return tx.session.execute(statement).first() is not None


def release_lease(db: Database, name: str, holder: str) -> None:
    with db.transaction(SYSTEM) as tx:
        tx.session.execute(sa.delete(Lease).where(Lease.name == name, Lease.holder == holder))


def is_any_held(db: Database, prefix: str, now: datetime) -> bool:
    """Whether any lease whose name begins so is held."""
    with db.reading() as session:
        held = sa.exists().where(Lease.name.startswith(prefix, autoescape=True), Lease.until > now)
        return bool(session.scalar(sa.select(held)))


def _insert(db: Database) -> Any:
    from sqlalchemy.dialects import postgresql, sqlite

    return (sqlite.insert if db.embedded else postgresql.insert)(Lease)
