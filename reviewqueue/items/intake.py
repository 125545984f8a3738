"""How an AI output becomes an item: routed by policy, hashed, and written with its events, one or ten thousand."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from uuid_utils.compat import uuid7

from ..audit.events import EventType
from ..bulk import insert_rows
from ..db import table_of
from ..escalation.schedule import Facts, due_at, next_timer
from ..queues.models import Queue
from ..queues.policies import Desk
from ..queues.routing import Policy, Routing, route
from ..transaction import POLICY, Actor, Transaction
from .forms import EnqueueForm
from .models import Evidence, Item, Outcome
from .states import State

DETAILS = (
    "model", "prompt", "config", "context", "explanation", "assumptions", "latency_ms", "retries", "error", "trace_id",
    "occurred_at",
)  # fmt: skip
SEARCHED = 1_000
"""Characters of input and output that the search looks through."""

_ITEMS = table_of(Item)
_INSERT_UNLESS_KNOWN = {
    "postgresql": postgresql.insert(_ITEMS).on_conflict_do_nothing().returning(_ITEMS.c.id),
    "sqlite": sqlite.insert(_ITEMS).on_conflict_do_nothing().returning(_ITEMS.c.id),
}
_INSERT_EVIDENCE = sa.insert(table_of(Evidence))
_INSERT_OUTCOME = sa.insert(table_of(Outcome))


@dataclass(frozen=True, slots=True)
class Arrival:
    """An item that is about to be written: its rows, and what its events will say."""

    item: dict[str, Any]
    evidence: dict[str, Any]
    outcome: dict[str, Any] | None
    routing: Routing
    queue: Desk | Queue
    is_over: bool
    """Its outcome could never be acted on: `valid_until` had passed when it came, or when it occurred, if that was
    earlier. What is in already may still be sent again; as a new item it is a mistake."""

    @property
    def id(self) -> uuid.UUID:
        item_id: uuid.UUID = self.item["id"]
        return item_id


def arrive(
    form: EnqueueForm,
    body: dict[str, Any],
    queue: Desk | Queue,
    policy: Policy,
    *,
    now: datetime,
    key_id: uuid.UUID | None,
) -> Arrival:
    """Routes a validated body and prepares its rows. Pure, but for the new id."""
    item_id = uuid7()
    routing = route(policy, body, item_id, queue.stage)
    evidence = _evidence(item_id, body)
    has_outcome = routing.released
    deadline = now + policy.deadline_after if policy.deadline_after and not has_outcome else None
    due = due_at(now, policy.due_after, 0.0, policy.calendar) if routing.to_human else None
    timer = (
        next_timer(policy.steps, Facts(now, 0.0, deadline, None, 0, 0, None), now, policy.calendar)
        if routing.to_human
        else None
    )
    item = {
        "id": item_id,
        "queue_id": queue.id,
        "queue": queue.name,
        "external_id": form.external_id,
        "state": (State.PENDING if routing.to_human else State.AUTO_ACCEPTED).value,
        "lane": routing.lane.value,
        "purpose": routing.purpose.value,
        "reasons": [{"code": r.code, "detail": r.detail} for r in routing.reasons],
        "policy_id": queue.policy_id,
        "policy_version": policy.version,
        "priority": routing.priority,
        "confidence": form.confidence,
        "flags": form.flags,
        "tags": form.tags,
        **_model_and_prompt(form),
        "created_at": now,
        "waiting_since": now,
        "due_at": due,
        "deadline_at": deadline,
        "valid_until": form.valid_until,
        "timer_at": timer.at if timer else None,
        "timer_kind": timer.kind if timer else None,
        "revision": 1 if has_outcome else 0,
        "has_outcome": has_outcome,
        "event_seq": 2 if has_outcome else 1,
        "evidence_hash": evidence_hash(evidence),
        "content_hash": content_hash(body),
        "key_id": key_id,
        "supersedes": None,
    }
    outcome = _released(item_id, now) if has_outcome else None
    is_over = form.valid_until is not None and form.valid_until <= min(now, form.occurred_at or now)
    return Arrival(item, evidence, outcome, routing, queue, is_over)


def write_one(tx: Transaction, arrival: Arrival) -> bool:
    """Writes the item and records its events; False when its external id is there already, and nothing is written."""
    connection = tx.session.connection()
    if connection.execute(_INSERT_UNLESS_KNOWN[connection.dialect.name], arrival.item).first() is None:
        return False
    connection.execute(_INSERT_EVIDENCE, arrival.evidence)
    if arrival.outcome:
        connection.execute(_INSERT_OUTCOME, arrival.outcome)
    _record(tx, arrival)
    if arrival.outcome:
        tx.after_commit(tx.db.bell.ring)
    return True


def write_many(tx: Transaction, arrivals: Sequence[Arrival]) -> None:
    """Writes many items set-wise, with their events.

    Raises sqlalchemy.exc.IntegrityError when an external id is taken; the caller has a savepoint.
    """
    insert_rows(tx.session, table_of(Item), [a.item for a in arrivals])
    insert_rows(tx.session, table_of(Evidence), [a.evidence for a in arrivals])
    insert_rows(tx.session, table_of(Outcome), [a.outcome for a in arrivals if a.outcome])
    for arrival in arrivals:
        _record(tx, arrival)


def content_hash(body: dict[str, Any]) -> bytes:
    """SHA-256 of the body whatever the order of its keys: what tells a repeat from another item."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()


def evidence_hash(evidence: dict[str, Any]) -> bytes:
    """SHA-256 over the stored texts of input, output and details, each ended by a NUL, which JSON cannot hold."""
    parts = (evidence["input_json"], evidence["output_json"], evidence["details_json"])
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _evidence(item_id: uuid.UUID, body: dict[str, Any]) -> dict[str, Any]:
    input_json = orjson.dumps(body["input"]).decode()
    output_json = orjson.dumps(body.get("output")).decode()
    return {
        "item_id": item_id,
        "input_json": input_json,
        "output_json": output_json,
        "details_json": orjson.dumps({k: v for k in DETAILS if (v := body.get(k)) is not None}).decode(),
        "search_text": search_text(input_json, output_json),
    }


def search_text(input_json: str, output_json: str) -> str:
    """What a search looks through: the output, then the input, in lower case, cut at SEARCHED characters.

    Texts of JSON as they are, since taking them apart would cost more than all the rest of an arrival; images are
    left out.
    """
    found = f"{output_json} {input_json[: 2 * SEARCHED]}"
    if '"data:' in found:
        found = _DATA_URL.sub('""', f"{output_json} {input_json}")
    return found[:SEARCHED].lower()


_DATA_URL = re.compile(r'"data:[^"]*"')


def _model_and_prompt(form: EnqueueForm) -> dict[str, str | None]:
    """Their names and versions, which lists and figures filter by; the whole of both is evidence."""
    return {
        "model_name": form.model.name if form.model else None,
        "model_version": form.model.version if form.model else None,
        "prompt_name": form.prompt.name if form.prompt else None,
        "prompt_version": form.prompt.version if form.prompt else None,
    }


def _released(item_id: uuid.UUID, now: datetime) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "revision": 1,
        "verdict": "accept",
        "by": "policy",
        "output_json": None,
        "reason": None,
        "comment": None,
        "decided_at": now,
        "delivered_at": None,
    }


def _record(tx: Transaction, arrival: Arrival) -> None:
    """Puts the item's first events on the transaction's trail."""
    trail = tx.trail
    item, queue = arrival.item, arrival.queue
    where: dict[str, Any] = {"queue": queue.name, "queue_id": queue.id, "item_id": arrival.id}
    enqueued = trail.append(EventType.ITEM_ENQUEUED, _enqueued(item), item_seq=1, **where)
    if arrival.outcome:
        told = {"verdict": "accept", "by": "policy", "reason": None, "revision": 1}
        trail.append(
            EventType.ITEM_AUTO_ACCEPTED,
            {"state": item["state"], "outcome": told, "lane": item["lane"], "purpose": item["purpose"]},
            item_seq=2,
            previous=enqueued.hash,
            actor=_policy_actor(item),
            **where,
        )


def _policy_actor(item: dict[str, Any]) -> Actor:
    return Actor(POLICY.kind, str(item["policy_version"]), f"policy {item['policy_version']}")


def _enqueued(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "state": item["state"],
        "lane": item["lane"],
        "purpose": item["purpose"],
        "level": 0,
        "priority": item["priority"],
        "reasons": item["reasons"],
        "policy_version": item["policy_version"],
        "external_id": item["external_id"],
        "confidence": item["confidence"],
        "due_at": item["due_at"],
        "deadline_at": item["deadline_at"],
        "evidence_hash": item["evidence_hash"].hex(),
        "key_id": str(item["key_id"]) if item["key_id"] else None,
    }
