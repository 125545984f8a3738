"""Fills a queue with any number of waiting items by one statement a table, each a copy of the rehearsed one.

Evidence is kept short and the events' contents are left out, since claims read neither: a million items fit in
the time and the memory that a benchmark may take.
"""

from __future__ import annotations

import sqlalchemy as sa

from reviewqueue.db import Database

from .template import EVENT, EVIDENCE, ITEM, WAITING


def fill(db: Database, waiting: int) -> None:
    """Adds `waiting` items with one event each, and brings the planner's statistics up to date."""
    with db.writer(), db.engine.execution_options(writes=True).begin() as connection:
        like = f"FROM item JOIN ({_numbers(db, waiting)}) AS g ON item.external_id = '{WAITING}'"
        item_id, event_id = _id(db, "0190"), _id(db, "0191")
        for statement in (
            _copy(ITEM, f"{like}", {
                "id": item_id,
                "external_id": "'waiting-' || g.n",
                "priority": "(g.n & 3) * 20",
                "due_at": _later(db),
            }),
            _copy(EVIDENCE, f"{like} JOIN evidence ON evidence.item_id = item.id", {
                "item_id": item_id, "input_json": "'\"...\"'", "search_text": "''",
            }),
            _copy(EVENT, f"{like} JOIN event ON event.item_id = item.id AND event.item_seq = 1", {
                "id": event_id, "item_id": item_id,
            }),
        ):  # fmt: skip
            connection.exec_driver_sql(statement)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if db.embedded else "VACUUM ANALYZE")


def _copy(table: sa.Table, source: str, changed: dict[str, str]) -> str:
    names = [column.name for column in table.columns]
    values = (changed.get(name, f"{table.name}.{name}") for name in names)
    return f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)} {source}"


def _numbers(db: Database, upto: int) -> str:
    if not db.embedded:
        return f"SELECT generate_series(1, {upto}) AS n"
    return f"WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {upto}) SELECT n FROM n"


def _id(db: Database, prefix: str) -> str:
    """Ids that grow with n, as the product's own do."""
    if db.embedded:
        return f"printf('{prefix}%028x', g.n)"
    return f"('{prefix}' || lpad(to_hex(g.n), 28, '0'))::uuid"


def _later(db: Database) -> str:
    if db.embedded:
        return "strftime('%Y-%m-%d %H:%M:%f000', item.due_at, '+' || (g.n / 1000.0) || ' seconds')"
    return "item.due_at + g.n * interval '1 millisecond'"
