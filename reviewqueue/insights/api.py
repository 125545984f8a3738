"""The figures as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask_openapi.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from ..audit.trail import rfc3339
from ..web.openapi import API, Query
from ..web.requests import base_url, caller, database
from . import operations
from .backlog import Backlog, EscalatedItem, Figures, QueueBacklog

api = APIBlueprint("insights_api", __name__, url_prefix=API, abp_tags=[{"name": "figures"}])


class BacklogQuery(Query):
    queue: Annotated[str | None, Field(max_length=64)] = None


class QueuePath(BaseModel):
    queue: str


class FiguresDocument(BaseModel):
    waiting: int = Field(description="Pending and disputed items.")
    overdue: int = Field(description="Of these, past their due time.")
    escalated: int = Field(description="Of these, on level 1 or higher.")
    at_risk: int = Field(description="Of these, not overdue and due within four hours.")


class AgesDocument(BaseModel):
    """Waiting items by the time since they came; the parts make up the whole."""

    one_hour: int = Field(alias="1h")
    four_hours: int = Field(alias="4h")
    one_day: int = Field(alias="1d")
    seven_days: int = Field(alias="7d")
    older: int


class QueueFiguresDocument(FiguresDocument):
    queue: str
    oldest_created_at: datetime | None
    by_age: AgesDocument
    decided_today: int = Field(description="Since midnight UTC.")


class ClaimDocument(BaseModel):
    by: str
    until: datetime


class EscalatedDocument(BaseModel):
    id: str
    queue: str
    external_id: str | None
    level: int
    priority: int
    reasons: list[dict[str, str]]
    created_at: datetime
    due_at: datetime | None
    late_seconds: float | None = Field(description="Past its due time; negative: still to come.")
    claim: ClaimDocument | None
    assigned_to: str | None
    url: str


class BacklogDocument(FiguresDocument):
    as_of: datetime
    queues: list[QueueFiguresDocument]
    escalated_items: list[EscalatedDocument] = Field(
        description="The first 50, highest level and latest first."
    )


class StatsDocument(QueueFiguresDocument):
    as_of: datetime
    by_state: dict[str, int]
    by_lane: dict[str, int]
    by_verdict: dict[str, int] = Field(description="Of the outcomes that stand.")


@api.get("/backlog", summary="What waits, and how late it is", responses={200: BacklogDocument})
def get_backlog(query: BacklogQuery) -> dict[str, Any]:
    found = operations.get_backlog(database(), caller(), query.queue)
    return {
        "as_of": rfc3339(found.as_of),
        **_figures(found.total),
        "queues": [_queue(queue) for queue in found.queues],
        "escalated_items": [_escalated(item, found) for item in found.escalated_items],
    }


@api.get("/queues/<queue>/stats", summary="A queue's figures", responses={200: StatsDocument})
def get_stats(path: QueuePath) -> dict[str, Any]:
    stats = operations.get_stats(database(), caller(), path.queue)
    return {
        "as_of": rfc3339(stats.as_of),
        **_queue(stats.now),
        "by_state": stats.by_state,
        "by_lane": stats.by_lane,
        "by_verdict": stats.by_verdict,
    }


def _figures(figures: Figures) -> dict[str, int]:
    return {
        "waiting": figures.waiting,
        "overdue": figures.overdue,
        "escalated": figures.escalated,
        "at_risk": figures.at_risk,
    }


def _queue(queue: QueueBacklog) -> dict[str, Any]:
    return {
        "queue": queue.name,
        **_figures(queue.figures),
        "oldest_created_at": _time(queue.figures.oldest_created_at),
        "by_age": queue.by_age,
        "decided_today": queue.decided_today,
    }


def _escalated(item: EscalatedItem, found: Backlog) -> dict[str, Any]:
    late = (found.as_of - item.due_at).total_seconds() if item.due_at else None
    claim = None
    if item.claimed_by is not None:
        claim = {"by": item.claimed_by, "until": _time(item.claimed_until)}
    return {
        "id": str(item.id),
        "queue": item.queue,
        "external_id": item.external_id,
        "level": item.level,
        "priority": item.priority,
        "reasons": item.reasons,
        "created_at": rfc3339(item.created_at),
        "due_at": _time(item.due_at),
        "late_seconds": late,
        "claim": claim,
        "assigned_to": item.assigned_to,
        "url": f"{base_url()}/items/{item.id}",
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
