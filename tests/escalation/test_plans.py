"""The queries that run every second or on every refresh find their rows by the index that was made for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from reviewqueue.clock import MovableClock
from reviewqueue.db import Database
from reviewqueue.escalation.operations import fire_due
from reviewqueue.escalation.queries import timer_health
from reviewqueue.insights.backlog import backlog, queues_of
from reviewqueue.items.lapsing import record_lapsed
from reviewqueue.planning import inform_planner

from ..support.making import make_claim, make_items, make_person, make_queue


def health(db: Database) -> None:
    with db.reading() as session:
        timer_health(session, db.clock.now())


def figures(db: Database) -> None:
    with db.reading() as session:
        backlog(session, db.clock.now(), queues_of(session, None))


@pytest.mark.parametrize(
    ("run", "part", "index"),
    [
        (fire_due, "ORDER BY item.timer_at", "ix_item_timer_at"),
        (record_lapsed, "ORDER BY item.claim_until", "ix_item_claim_until"),
        (health, "item.timer_at <", "ix_item_timer_at"),
        (health, "timer_error IS NOT NULL", "ix_item_timer_error"),
        (figures, "ORDER BY item.level DESC", "ix_item_escalated"),
        (figures, "GROUP BY waiting.queue_id", "ix_item_snoozed"),
        (figures, "GROUP BY waiting.queue_id", "ix_item_claim_next"),
        (figures, "item.decided_at >=", "ix_item_queue_id_decided_at"),
    ],
)
def test_it_uses_its_index(
    db: Database, clock: MovableClock, run: Callable[[Database], object], part: str, index: str
) -> None:
    policy = {"lanes": {"autonomous_at": 0.9}, "escalation": [{"after": "1h", "to": "lead"}]}
    queue = make_queue(db, policy=policy)
    ids = make_items(db, queue, [{}] * 20 + [{"confidence": 0.95}] * 500)
    make_claim(db, ids[0], make_person(db, "clerk@example.org", queue))
    clock.move(hours=1)
    tidy(db)
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    run(db)
    sa.event.remove(db.engine, "before_cursor_execute", note)
    statement, parameters = next(one for one in asked if part in one[0])
    assert index in plan(db, statement, parameters)


def tidy(db: Database) -> None:
    """Rows that earlier tests deleted, and figures that nobody has collected yet, would decide about the plan."""
    inform_planner(db)
    if not db.embedded:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (FULL, ANALYZE) item")


def plan(db: Database, statement: str, parameters: Any) -> str:
    """The plan, where a full table scan counts as out of the question: these tables are too small to tell otherwise."""
    with db.engine.connect() as connection:
        if db.embedded:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return "\n".join(row[3] for row in rows)
        connection.exec_driver_sql("SET enable_seqscan = off")
        return "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
