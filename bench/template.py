"""What the product writes for an item, read back from its own database, so that the bare side writes the same rows."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from reviewqueue.migrating import metadata

Row = dict[str, Any]
Write = tuple[sa.Table, list[Row]]

WAITING, DECIDED = "rehearsal-waiting", "rehearsal-decided"
"""External ids of two items that the product handled once: one was enqueued alone, one claimed and accepted too."""

_TABLES = metadata().tables
ITEM, EVIDENCE, REVIEW, OUTCOME = (_TABLES[name] for name in ("item", "evidence", "review", "outcome"))
EVENT, CONTENT, UNORDERED = (_TABLES[name] for name in ("event", "event_content", "unordered_events"))


@dataclass(frozen=True)
class Told:
    """An event with its content."""

    event: Row
    content: Row


@dataclass(frozen=True)
class Template:
    """The rows of the two rehearsed items."""

    waiting: Row
    evidence: Row
    enqueued: list[Told]
    claimed: list[Told]
    decided: list[Told]
    decision: Row
    """The columns of `item` that a decision changes."""
    review: Row
    outcome: Row

    def item_rows(self, body: Row) -> tuple[uuid.UUID, list[Write]]:
        """The rows that enqueueing `body` writes, in the order in which they are written."""
        item_id: uuid.UUID = uuid7()
        item = {
            **self.waiting,
            "id": item_id,
            "external_id": body["external_id"],
            "confidence": body["confidence"],
            "flags": body["flags"],
            "tags": body["tags"],
        }
        evidence = {
            **self.evidence,
            "item_id": item_id,
            "input_json": orjson.dumps(body["input"]).decode(),
            "output_json": orjson.dumps(body["output"]).decode(),
        }
        return item_id, [(ITEM, [item]), (EVIDENCE, [evidence]), *event_rows(self.enqueued, item_id, seq=1)]


def event_rows(told: list[Told], item_id: uuid.UUID, seq: int) -> list[Write]:
    """The rows of these events for another item, from that place of its chain on."""
    events, contents = [], []
    for place, like in enumerate(told, seq):
        event_id = uuid7()
        event_hash = secrets.token_bytes(32)
        events.append(
            {**like.event, "id": event_id, "item_id": item_id, "item_seq": place, "hash": event_hash}
        )
        contents.append({**like.content, "event_id": event_id, "salt": secrets.token_bytes(16)})
    packed = b"".join(event["id"].bytes for event in events)
    return [(EVENT, events), (CONTENT, contents), (UNORDERED, [{"event_ids": packed}])]


def read(connection: sa.Connection) -> Template:
    """Reads both rehearsed items.

    Raises sqlalchemy.exc.NoResultFound when the rehearsal has not taken place.
    """
    waiting, decided = (_one(connection, ITEM, ITEM.c.external_id == name) for name in (WAITING, DECIDED))
    enqueued = _trail(connection, waiting["id"])
    whole = _trail(connection, decided["id"])
    after_claim = whole[len(enqueued) + 1 :]
    return Template(
        waiting=waiting,
        evidence=_one(connection, EVIDENCE, EVIDENCE.c.item_id == waiting["id"]),
        enqueued=enqueued,
        claimed=whole[len(enqueued) : len(enqueued) + 1],
        decided=after_claim,
        decision={
            name: value
            for name, value in decided.items()
            if value != waiting[name]
            and name not in {"id", "external_id", "created_at", "waiting_since", "due_at"}
        },
        review=_one(connection, REVIEW, REVIEW.c.item_id == decided["id"]),
        outcome=_one(connection, OUTCOME, OUTCOME.c.item_id == decided["id"]),
    )


def _trail(connection: sa.Connection, item_id: uuid.UUID) -> list[Told]:
    events = connection.execute(sa.select(EVENT).where(EVENT.c.item_id == item_id).order_by(EVENT.c.item_seq))
    return [
        Told(dict(event), _one(connection, CONTENT, CONTENT.c.event_id == event["id"]))
        for event in events.mappings()
    ]


def _one(connection: sa.Connection, table: sa.Table, where: sa.ColumnElement[bool]) -> Row:
    return dict(connection.execute(sa.select(table).where(where)).mappings().one())
