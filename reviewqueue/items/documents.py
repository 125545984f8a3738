"""The answers of the items' API, as OpenAPI tells them. Built by views.py; these models describe, they do not build."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from ..queues.lanes import Lane, Purpose
from .states import State

Anything = Annotated[Any, Field(description="Any JSON value.")]


class ReasonDocument(BaseModel):
    code: str
    detail: str


class NamedVersion(BaseModel):
    name: str | None
    version: str | None


class ClaimDocument(BaseModel):
    by: str
    since: datetime
    until: datetime


class AcknowledgementDocument(BaseModel):
    """Who said that they are on the present escalation, and when."""

    by: str
    at: datetime


class OutcomeDocument(BaseModel):
    """What the app may act on."""

    verdict: Literal["accept", "edit", "reject", "withdrawn"]
    by: Literal["person", "policy", "fallback", "app"]
    output: Anything
    reason: str | None
    comment: str | None
    decided_at: datetime
    revision: int = Field(description="2 and above: a corrected outcome.")
    receipt: str | None = Field(
        description="The outcome, signed: a compact JWS. Null while the decision may still be undone."
    )


class ItemDocument(BaseModel, extra="allow"):
    """An item. `evidence` is there with `?include=evidence`, and in the answer to a claim.

    `deliveries` is there with `?include=deliveries`: of each outcome to each subscription `event_id`, `type`,
    `subscription`, `state` (waiting, arrived, failed, undone), `at`, and `attempts` with `at`, `status` and `error`.
    """

    id: UUID
    queue: str
    external_id: str | None
    state: State
    lane: Lane
    purpose: Purpose
    reasons: list[ReasonDocument]
    policy_version: int
    priority: int
    level: int
    version: int
    confidence: float | None
    flags: list[str]
    tags: dict[str, str]
    model: NamedVersion | None
    prompt: NamedVersion | None
    created_at: datetime
    due_at: datetime | None
    deadline_at: datetime | None
    valid_until: datetime | None
    decided_at: datetime | None
    claim: ClaimDocument | None
    assigned_to: str | None
    snoozed_until: datetime | None
    acknowledged: AcknowledgementDocument | None
    supersedes: UUID | None
    outcome: OutcomeDocument | None
    url: str


class ClaimedDocument(BaseModel):
    token: str
    until: datetime
    item: ItemDocument


class ItemList(BaseModel):
    items: list[ItemDocument]
    next: str | None


class BatchResult(BaseModel, extra="allow"):
    index: int
    id: UUID | None = None
    state: State | None = None
    lane: Lane | None = None
    problem: dict[str, Any] | None = None


class BatchDocument(BaseModel):
    accepted: int
    replayed: int
    refused: int
    results: list[BatchResult]
