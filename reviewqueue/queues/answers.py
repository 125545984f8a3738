"""The answers of the queues' API: as OpenAPI describes them, and built from rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from ..audit.trail import rfc3339
from .queries import QueueRow, Version, VersionInFull


class QueueSummary(BaseModel):
    queue: str
    title: str
    purpose: str | None
    stage: Literal["prototype", "mvp", "production"]
    risk: Literal["low", "medium", "high"]
    policy_version: int
    created_at: datetime
    url: str


class QueueList(BaseModel):
    items: list[QueueSummary]
    next: str | None


class PolicySummary(BaseModel):
    version: int
    published_at: datetime
    published_by: str
    in_force: bool


class PolicyList(BaseModel):
    items: list[PolicySummary]
    next: str | None


class PolicyDocument(PolicySummary):
    """One version, as it was published."""

    policy: dict[str, Any]
    reasons: list[dict[str, Any]]
    output_schema: dict[str, Any] | None = Field(description="Null: the queue had no schema.")
    calendar: dict[str, Any] | None = Field(
        description="The opening hours as frozen into this version, holidays and all. Null: round the clock."
    )


def queue_summary(row: QueueRow, base_url: str) -> dict[str, Any]:
    return {
        "queue": row.name,
        "title": row.title,
        "purpose": row.purpose,
        "stage": row.stage,
        "risk": row.risk,
        "policy_version": row.policy_version,
        "created_at": rfc3339(row.created_at),
        "url": f"{base_url}/queues/{row.name}",
    }


def policy_summary(version: Version) -> dict[str, Any]:
    return {
        "version": version.version,
        "published_at": rfc3339(version.published_at),
        "published_by": version.published_by,
        "in_force": version.in_force,
    }


def policy_document(found: VersionInFull) -> dict[str, Any]:
    kept = {key: found.document.get(key) for key in ("policy", "reasons", "output_schema", "calendar")}
    return {**policy_summary(found.version), **kept}
