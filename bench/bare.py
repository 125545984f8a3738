"""The yardstick: bare Flask handlers that run the same statements with SQLAlchemy Core, and do nothing else.

No sign-in, no validation, no routing, no hashes, no guard. On SQLite its writers wait by `busy_timeout`.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, request
from sqlalchemy.sql.dml import ReturningUpdate

from reviewqueue.db import Database

from . import template
from .template import EVENT, EVIDENCE, ITEM, OUTCOME, REVIEW, Write, event_rows

LEASE = timedelta(minutes=10)
_OTHER = ITEM.alias()


def create_bare(db: Database) -> Flask:
    """The bare app on a database in which the product has rehearsed."""
    app = Flask(__name__)
    engine = db.engine.execution_options(writes=True)
    if db.embedded:
        sa.event.listen(db.engine, "connect", _checkpoint_by_itself)
    with db.engine.connect() as connection:
        like = template.read(connection)
    queue_id, person_id = like.waiting["queue_id"], like.review["person_id"]

    @app.post("/items")
    def enqueue() -> tuple[dict[str, Any], int]:
        item_id, writes = like.item_rows(request.get_json())
        with engine.begin() as connection:
            _write(connection, writes)
        return {"id": str(item_id)}, 201

    @app.post("/claims")
    def claim() -> tuple[dict[str, Any], int]:
        now, token = datetime.now(UTC), secrets.token_urlsafe(24)
        with engine.begin() as connection:
            row = connection.execute(_claim_next(queue_id, person_id, now, token)).mappings().one()
            found = connection.execute(
                sa.select(EVIDENCE, EVENT.c.hash)
                .join(
                    EVENT,
                    (EVENT.c.item_id == EVIDENCE.c.item_id) & (EVENT.c.item_seq == row["event_seq"] - 1),
                )
                .where(EVIDENCE.c.item_id == row["id"])
            )
            evidence = dict(found.mappings().one())
            _write(connection, event_rows(like.claimed, row["id"], row["event_seq"]))
        del evidence["hash"]
        return {
            "token": token,
            "item": {**row, "evidence": evidence, "evidence_hash": None, "content_hash": None},
        }, 201

    @app.post("/items/<uuid:item_id>/decision")
    def decide(item_id: uuid.UUID) -> dict[str, Any]:
        body = request.get_json()
        with engine.begin() as connection:
            row = (
                connection.execute(sa.select(ITEM).where(ITEM.c.id == item_id).with_for_update())
                .mappings()
                .one()
            )
            if row["claim_token"] != body["claim_token"]:
                return {"error": "stale"}
            connection.execute(sa.select(EVIDENCE).where(EVIDENCE.c.item_id == item_id)).one()
            connection.execute(
                sa.select(EVENT.c.hash).where(
                    EVENT.c.item_id == item_id, EVENT.c.item_seq == row["event_seq"]
                )
            ).one()
            changed = {**like.decision, "event_seq": row["event_seq"] + len(like.decided)}
            connection.execute(sa.update(ITEM).where(ITEM.c.id == item_id).values(changed))
            _write(
                connection,
                [
                    (REVIEW, [{**like.review, "id": uuid.uuid4(), "item_id": item_id}]),
                    (OUTCOME, [{**like.outcome, "item_id": item_id}]),
                    *event_rows(like.decided, item_id, row["event_seq"] + 1),
                ],
            )
        return {"id": str(item_id), "state": changed["state"]}

    return app


def _checkpoint_by_itself(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA wal_autocheckpoint = 1000")


def _claim_next(queue_id: int, person_id: uuid.UUID, now: datetime, token: str) -> ReturningUpdate[Any]:
    other = _OTHER
    reviewed = sa.exists().where(
        REVIEW.c.item_id == other.c.id, REVIEW.c.round == other.c.round, REVIEW.c.person_id == person_id
    )
    following = (
        sa.select(other.c.id)
        .where(
            other.c.queue_id == queue_id,
            sa.text("item_1.state IN ('pending', 'disputed')"),
            other.c.snoozed_until.is_(None),
            sa.or_(other.c.claim_until.is_(None), other.c.claim_until <= now),
            other.c.assigned_to.is_(None),
            sa.or_(other.c.reviews_in == 0, ~reviewed),
        )
        .order_by(other.c.level.desc(), other.c.priority.desc(), other.c.due_at, other.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        sa.update(ITEM)
        .where(ITEM.c.id == following.scalar_subquery())
        .values(
            claim_token=token,
            claim_by=person_id,
            claim_name="Reviewer",
            claim_since=now,
            claim_until=now + LEASE,
            event_seq=ITEM.c.event_seq + 1,
        )
        .returning(ITEM)
    )


def _write(connection: sa.Connection, writes: list[Write]) -> None:
    for table, rows in writes:
        connection.execute(sa.insert(table), rows)
