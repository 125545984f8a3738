"""Tells SQLite's planner how the rows are spread, without which it overlooks the partial indexes of waiting items."""

from __future__ import annotations

from .db import Database
from .transaction import SYSTEM

ROWS_LOOKED_AT = 1_000
"""In each index: enough for its choice, and over in milliseconds however large the database is."""


def inform_planner(db: Database) -> None:
    """On PostgreSQL, autovacuum does it."""
    if not db.embedded:
        return
    with db.transaction(SYSTEM) as tx:
        connection = tx.session.connection()
        connection.exec_driver_sql(f"PRAGMA analysis_limit = {ROWS_LOOKED_AT}")
        connection.exec_driver_sql("ANALYZE")
    # A connection reads the figures when it is opened.
    db.engine.dispose()
