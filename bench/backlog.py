"""How long a look at the backlog takes while very much waits: `python -m bench.backlog`.

The first look counts everything; those that follow, by whomever, share that count for some seconds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from reviewqueue.db import Database
from reviewqueue.insights.operations import Watched, watch_backlog
from reviewqueue.people.access import SYSTEM_CALLER

from .databases import maker, opened
from .filling import fill
from .servers import prepare

LOOKS = 20
DAYS = 10


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.backlog", description="Times looks at the backlog."
    )
    parser.add_argument("--waiting", type=int, default=180_000)
    waiting = parser.parse_args().waiting
    for kind in ("sqlite", "postgresql"):
        with (
            tempfile.TemporaryDirectory(prefix="rq-bench-") as folder,
            maker(kind, Path(folder)) as databases,
        ):
            site = prepare(databases.make("backlog"), databases.folder)
            with opened(site.url) as db:
                fill(db, waiting)
                _spread(db, waiting)
                _report(kind, db)
            databases.drop(site.url)


def _spread(db: Database, waiting: int) -> None:
    """Arrivals over ten days, due nine days later, each hundredth escalated, in seven departments."""
    number = "CAST(substr(external_id, 9) AS INTEGER)"
    seconds = f"({number} * 7919 % {waiting}) * ({DAYS * 86_400.0} / {waiting})"
    if db.embedded:
        came = f"strftime('%Y-%m-%d %H:%M:%f000', 'now', printf('-%.3f seconds', {seconds}))"
        due = f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '+9 days', printf('-%.3f seconds', {seconds}))"
        tags = f"json_object('department', 'department-' || ({number} % 7))"
    else:
        came = f"now() - ({seconds}) * interval '1 second'"
        due = f"now() + interval '9 days' - ({seconds}) * interval '1 second'"
        tags = f"jsonb_build_object('department', 'department-' || ({number} % 7))"
    with db.writer(), db.engine.execution_options(writes=True).begin() as connection:
        connection.execute(
            sa.text(
                f"UPDATE item SET created_at = {came}, due_at = {due}, tags = {tags}, "
                f"level = CASE WHEN {number} % 100 = 0 THEN 1 ELSE 0 END WHERE external_id LIKE 'waiting-%'"
            )
        )
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if db.embedded else "VACUUM ANALYZE")


def _report(kind: str, db: Database) -> None:
    watched, first = _look(db)
    later = [_look(db)[1] for _ in range(LOOKS)]
    total = watched.backlog.total
    print(
        f"{kind:>10}: {total.waiting:,} waiting, {total.overdue:,} overdue, {total.escalated:,} escalated; "
        f"first look {first * 1_000:,.0f} ms, then {statistics.median(later) * 1_000:,.1f} ms"
    )


def _look(db: Database) -> tuple[Watched, float]:
    began = time.perf_counter()
    watched = watch_backlog(db, SYSTEM_CALLER)
    return watched, time.perf_counter() - began


if __name__ == "__main__":
    main()
