"""Writing a queue's items out, as JSON lines or as a table, however many there are."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator
from typing import Any

import orjson
import sqlalchemy as sa

from ..db import Database
from ..people.access import Action, Caller, access_of
from ..queues.policies import queue_named
from .models import Evidence, Item, Outcome
from .views import Shown

AT_ONCE = 500
PLAIN = (
    "id", "queue", "external_id", "state", "lane", "purpose", "policy_version", "priority", "level", "confidence",
    "created_at", "due_at", "decided_at",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(db: Database, caller: Caller, queue: str, base_url: str) -> Iterator[dict[str, Any]]:
    """The queue's items with evidence and outcome, as the API shows them, the oldest first.

    Raises NoSuchQueue, Forbidden. Read page by page: an item that changes meanwhile is told as it is then.
    """
    with db.reading() as session:
        named = queue_named(session, queue)
        access_of(session, caller).require(Action.SEE, named.id, named.name)
    last = uuid.UUID(int=0)
    while page := _page(db, named.id, last):
        now = db.clock.now()
        yield from (shown.as_json(base_url, now) for shown in page)
        last = page[-1].item["id"]


def as_lines(items: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    return (orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE) for item in items)


def as_table(items: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """CSV for spreadsheets: nested values as JSON; text that a spreadsheet would run as a formula begins with '."""
    nested = ("flags", "tags", "reasons", "input", "output")
    outcome = ("verdict", "by", "output", "reason", "comment", "decided_at")
    yield _row([*PLAIN, *nested, *(f"outcome_{name}" for name in outcome)])
    for item in items:
        given, evidence = item["outcome"] or {}, item["evidence"]
        values = [item[name] for name in PLAIN]
        values += [_json({**item, **evidence}[name]) for name in nested]
        values += [_json(given[n]) if n == "output" and given else given.get(n) for n in outcome]
        yield _row([_harmless(value) for value in values])


def _page(db: Database, queue_id: int, last: uuid.UUID) -> list[Shown]:
    standing = sa.and_(Outcome.item_id == Item.id, Outcome.revision == Item.revision, Item.has_outcome)
    query = (
        sa.select(Item, Outcome, Evidence)
        .join(Evidence, Evidence.item_id == Item.id)
        .outerjoin(Outcome, standing)
        .where(Item.queue_id == queue_id, Item.id > last)
        .order_by(Item.id)
        .limit(AT_ONCE)
    )
    with db.reading() as session:
        return [
            Shown.of(item, outcome, evidence.output_json, evidence)
            for item, outcome, evidence in session.execute(query)
        ]


def _row(values: list[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue().encode()


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
