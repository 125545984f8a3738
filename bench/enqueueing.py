"""Enqueueing: one item a request, and batches beside the fastest way to load the same rows."""

from __future__ import annotations

import secrets
import statistics
import time
from itertools import count
from typing import Any

import orjson
import sqlalchemy as sa

from reviewqueue.db import Database

from . import template
from .content import body
from .databases import opened
from .http import Connection, Journey, Slot, closed_loop
from .pairs import paired, percentile, rate_ratio
from .report import Goal, Report
from .servers import API, Site, bearer

RATIO = Goal(at_least=0.45)
P99_MS = Goal(at_most=50)
BATCH = {"postgresql": Goal(at_least=6_000), "sqlite": Goal(at_least=5_000)}


def single(
    report: Report, ports: tuple[int, int], site: Site, *, connections: int, rounds: int, seconds: float
) -> None:
    """One item a request: rate, the product's p99, and the ratio to the bare handler."""
    product, bare = ports
    pairs = paired(
        rounds,
        lambda: closed_loop(
            product,
            _enqueue(f"{API}/items"),
            connections=connections,
            seconds=seconds,
            headers=bearer(site.app_key),
        ),
        lambda: closed_loop(bare, _enqueue("/items"), connections=connections, seconds=seconds),
    )
    s = "" if connections == 1 else "s"
    report.line(
        f"enqueue one, {connections} connection{s}",
        *(f"{statistics.median(slot.rate for slot in side):,.0f}/s" for side in zip(*pairs, strict=True)),
        value=rate_ratio(pairs),
        goal=RATIO,
    )
    ours, theirs = (
        percentile([t for slot in side for t in slot.timings["enqueue"]], 0.99) * 1_000
        for side in zip(*pairs, strict=True)
    )
    judged = connections == 8 and site.url.startswith("sqlite")
    report.line(
        f"  its p99, {connections} connection{s}",
        f"{ours:,.1f} ms",
        f"{theirs:,.1f} ms",
        value=ours if judged else None,
        goal=P99_MS if judged else None,
    )


def batches(report: Report, port: int, site: Site, bare: Site, *, kind: str, size: int, rounds: int) -> None:
    """A batch through the API, beside COPY or executemany of the same rows by the driver."""
    connection = Connection(port, bearer(site.app_key))
    with opened(bare.url) as db:
        with db.engine.connect() as reading:
            like = template.read(reading)
        pairs = paired(
            rounds,
            lambda: _post(connection, _items(size)),
            lambda: _load(db, like, _items(size)),
        )
    connection.close()
    rate = statistics.median(slot.rate for slot, _ in pairs)
    report.line(
        f"batch of {size:,} beside {'COPY' if kind == 'postgresql' else 'executemany'}",
        *(
            f"{statistics.median(slot.rate for slot in side):,.0f} items/s"
            for side in zip(*pairs, strict=True)
        ),
        value=rate_ratio(pairs),
    )
    report.line("  its items a second", "", value=rate, goal=BATCH[kind])


def _enqueue(path: str) -> Journey:
    run, numbers = f"e{secrets.token_hex(4)}", count()

    def journey(connection: Connection, tell: Any) -> None:
        data = orjson.dumps(body(run, next(numbers)))
        began = time.perf_counter()
        connection.json("POST", path, data, expect=201)
        tell("enqueue", time.perf_counter() - began)

    return journey


def _items(size: int) -> list[dict[str, Any]]:
    run = f"b{secrets.token_hex(4)}"
    return [body(run, n) for n in range(size)]


def _post(connection: Connection, items: list[dict[str, Any]]) -> Slot:
    data = orjson.dumps(items)
    began = time.perf_counter()
    answer = connection.json("POST", f"{API}/items/batch", data, expect=200)
    took = time.perf_counter() - began
    assert answer["accepted"] == len(items), answer
    return Slot(took, len(items))


def _load(db: Database, like: template.Template, items: list[dict[str, Any]]) -> Slot:
    """Loads rows that are ready, as values that the driver takes, in one transaction."""
    tables: dict[sa.Table, list[dict[str, Any]]] = {}
    for item in items:
        for table, rows in like.item_rows(item)[1]:
            tables.setdefault(table, []).extend(rows)
    tables[template.UNORDERED] = [
        {"event_ids": b"".join(row["event_ids"] for row in tables[template.UNORDERED])}
    ]
    ready = [(table, list(rows[0]), _driver_values(db, table, rows)) for table, rows in tables.items()]
    with db.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        cursor = raw.cursor()
        began = time.perf_counter()
        if db.embedded:
            cursor.execute("BEGIN IMMEDIATE")
            for table, columns, values in ready:
                places = ", ".join("?" * len(columns))
                cursor.executemany(
                    f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})", values
                )
        else:
            for table, columns, values in ready:
                with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in values:
                        copy.write_row(row)
        raw.commit()
        took = time.perf_counter() - began
        cursor.close()
    return Slot(took, len(items))


def _driver_values(db: Database, table: sa.Table, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    dialect = db.engine.dialect
    processors = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in rows[0]]
    return [
        tuple(
            process(value) if process else value
            for process, value in zip(processors, row.values(), strict=True)
        )
        for row in rows
    ]
