"""The answers of the subscriptions' API, and their shapes as OpenAPI tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from ..audit.trail import rfc3339
from .models import DeliveryAttempt
from .queries import DeliveryRow, SubscriptionRow

State = Literal["active", "paused", "disabled", "revoked"]


class CountsDocument(BaseModel):
    """Deliveries of the last 30 days, by what became of them."""

    waiting: int
    arrived: int
    failed: int
    undone: int = Field(description="Decisions that were undone before they were sent.")


class SubscriptionDocument(BaseModel):
    id: UUID
    name: str
    url: str
    types: list[str]
    queues: list[str] | None
    waits_for_undo: bool
    state: State
    why: str | None = Field(description="It was disabled.")
    created_at: datetime
    created_by: str
    old_secret_until: datetime | None = Field(
        description="Until when the secret before a rotation signs too."
    )
    failing_since: datetime | None
    tried_at: datetime | None
    arrived_at: datetime | None = Field(description="When anything last arrived.")
    deliveries: CountsDocument


class NewSubscriptionDocument(SubscriptionDocument):
    secret: str = Field(description="`whsec_…`: seen only now.")


class SecretDocument(BaseModel):
    secret: str = Field(description="`whsec_…`: seen only now.")


class SubscriptionList(BaseModel):
    items: list[SubscriptionDocument]
    next: str | None


class AttemptDocument(BaseModel):
    planned_at: datetime
    started_at: datetime
    seconds: float
    status: int | None = Field(description="Of the answer; null: there was none.")
    error: str | None
    answer: str = Field(description="Its beginning.")


class DeliveryDocument(BaseModel):
    id: UUID
    event_id: UUID = Field(description="Also the header `webhook-id`.")
    type: str
    item_id: UUID | None
    state: Literal["waiting", "arrived", "failed", "undone"]
    created_at: datetime
    next_attempt_at: datetime | None
    attempts: list[AttemptDocument]


class DeliveryList(BaseModel):
    items: list[DeliveryDocument]
    next: str | None


class DeliveryWithBody(DeliveryDocument):
    body: dict[str, Any] = Field(description="As it is sent; before it first leaves, without a receipt.")


class ReplayDocument(BaseModel):
    replayed: int


def told_subscription(row: SubscriptionRow, **more: Any) -> dict[str, Any]:
    one = row.subscription
    return {
        "id": str(one.id),
        "name": one.name,
        "url": one.url,
        "types": one.types,
        "queues": one.queues,
        "waits_for_undo": one.waits_for_undo,
        "state": one.state,
        "why": one.why,
        "created_at": rfc3339(one.created_at),
        "created_by": one.created_by,
        "old_secret_until": _time(one.old_secret_until),
        "failing_since": _time(one.failing_since),
        "tried_at": _time(one.tried_at),
        "arrived_at": _time(one.arrived_at),
        "deliveries": row.counts,
        **more,
    }


def told_delivery(row: DeliveryRow) -> dict[str, Any]:
    one = row.delivery
    return {
        "id": str(one.id),
        "event_id": str(one.event_id),
        "type": row.announcement.type,
        "item_id": str(row.announcement.item_id) if row.announcement.item_id else None,
        "state": one.state,
        "created_at": rfc3339(one.created_at),
        "next_attempt_at": rfc3339(one.planned_at) if one.state == "waiting" else None,
        "attempts": [told_attempt(attempt) for attempt in row.attempts],
    }


def told_with_body(row: DeliveryRow) -> dict[str, Any]:
    return {**told_delivery(row), "body": orjson.loads(row.announcement.body)}


def told_attempt(attempt: DeliveryAttempt) -> dict[str, Any]:
    return {
        "planned_at": rfc3339(attempt.planned_at),
        "started_at": rfc3339(attempt.started_at),
        "seconds": attempt.seconds,
        "status": attempt.status,
        "error": attempt.error,
        "answer": attempt.answer,
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
