"""The shapes of the figures' JSON: what each answer holds, and how it is made from what was read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from ..audit.trail import rfc3339
from ..notifications.queries import Told
from .backlog import QueueBacklog
from .escalated import EscalatedItem
from .operations import Watched
from .tally import Figures
from .trends import Attainment, Then
from .workload import Load


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


class AttainmentDocument(BaseModel):
    """Of the last seven days: items with a due time, decided by then or not."""

    in_time: int
    late: int = Field(description="Decided after it, or expired undecided.")


class WatchedQueueDocument(QueueFiguresDocument):
    attainment: AttainmentDocument


class ClaimDocument(BaseModel):
    by: str
    until: datetime


class ToldDocument(BaseModel):
    who: str = Field(description="A person's email, or a channel's name.")
    through: str = Field(description="in-app, mail, or the channel's name.")
    state: str = Field(description="read, unread, waiting, sent or failed.")
    at: datetime | None = Field(description="When it was read or arrived; when it is tried next.")


class AcknowledgedDocument(BaseModel):
    by: str
    at: datetime


class EscalatedDocument(BaseModel):
    id: str
    queue: str
    external_id: str | None
    level: int
    priority: int
    version: int
    reasons: list[dict[str, str]]
    created_at: datetime
    due_at: datetime | None
    late_seconds: float | None = Field(description="Past its due time; negative: still to come.")
    claim: ClaimDocument | None
    assigned_to: str | None
    snoozed_until: datetime | None
    told: list[ToldDocument] | None = Field(
        description="Whom the latest notice about it was for; null for a key that acts as no person."
    )
    acknowledged: AcknowledgedDocument | None
    url: str


class ThenDocument(FiguresDocument):
    at: datetime


class TrendDocument(BaseModel):
    """The same figures at other times. Null: nobody counted then."""

    day: ThenDocument | None = Field(description="24 hours ago, to the quarter of an hour.")
    week: ThenDocument | None


class AheadDocument(BaseModel):
    at: datetime
    falls_due: int = Field(description="Not overdue now, and due by then.")
    overdue: int = Field(description="Expected to be overdue then, at the pace of the last 24 hours.")


class HourDocument(BaseModel):
    at: datetime = Field(description="When the hour begins.")
    arrived: int = Field(description="Items that came to people.")
    decided: int


class LoadDocument(BaseModel):
    who: str = Field(description="A person's email, or `team:<slug>`.")
    name: str
    holds: int = Field(description="Claims held now.")
    given: int = Field(description="Waiting items that are given to them.")
    reviews_today: int = Field(description="Since midnight UTC.")


class TimersDocument(BaseModel):
    """Of all queues whose backlog the caller may see."""

    late: int = Field(description="More than 30 s past their time.")
    failing: int = Field(description="Failed, and to be tried again.")


class BacklogDocument(FiguresDocument):
    as_of: datetime = Field(description="When what waits was counted: above 20,000 items, some seconds ago.")
    queues: list[WatchedQueueDocument]
    escalated_items: list[EscalatedDocument] = Field(
        description="The first 50, highest level and latest first."
    )
    escalated_next: str | None = Field(description="The `cursor` of the next 50.")
    trend: TrendDocument | None = Field(description="Null with a department: figures are kept by queue.")
    forecast: list[AheadDocument] | None = Field(description="The next eight hours; null with a department.")
    hours: list[HourDocument] = Field(description="The last 24 hours, up to a minute ago.")
    workload: list[LoadDocument] | None = Field(description="Null for a key that acts as no person.")
    timers: TimersDocument


class StatsDocument(QueueFiguresDocument):
    as_of: datetime
    by_state: dict[str, int]
    by_lane: dict[str, int]
    by_verdict: dict[str, int] = Field(description="Of the outcomes that stand.")


def backlog_answer(watched: Watched, base_url: str) -> dict[str, Any]:
    found = watched.backlog
    trend, ahead = watched.trend, watched.forecast
    return {
        "as_of": rfc3339(found.as_of),
        **_figures(found.total),
        "queues": [
            {**queue_answer(queue), "attainment": _attainment(watched.attainment[queue.name])}
            for queue in found.queues
        ],
        "escalated_items": [_escalated(item, watched, base_url) for item in found.escalated_items],
        "escalated_next": found.next,
        "trend": trend and {"day": _then(trend.day), "week": _then(trend.week)},
        "forecast": ahead
        and [{"at": rfc3339(a.at), "falls_due": a.falls_due, "overdue": a.overdue} for a in ahead],
        "hours": [
            {"at": rfc3339(hour.at), "arrived": hour.arrived, "decided": hour.decided}
            for hour in watched.hours
        ],
        "workload": None if watched.workload is None else [_load(load) for load in watched.workload],
        "timers": {"late": watched.timers.late, "failing": watched.timers.failing},
    }


def queue_answer(queue: QueueBacklog) -> dict[str, Any]:
    return {
        "queue": queue.name,
        **_figures(queue.figures),
        "oldest_created_at": _time(queue.figures.oldest_created_at),
        "by_age": queue.by_age,
        "decided_today": queue.decided_today,
    }


def _figures(figures: Figures | Then) -> dict[str, int]:
    return {
        "waiting": figures.waiting,
        "overdue": figures.overdue,
        "escalated": figures.escalated,
        "at_risk": figures.at_risk,
    }


def _then(then: Then | None) -> dict[str, Any] | None:
    return None if then is None else {"at": rfc3339(then.at), **_figures(then)}


def _attainment(attainment: Attainment) -> dict[str, int]:
    return {"in_time": attainment.in_time, "late": attainment.late}


def _escalated(item: EscalatedItem, watched: Watched, base_url: str) -> dict[str, Any]:
    late = (watched.backlog.as_of - item.due_at).total_seconds() if item.due_at else None
    claim = acknowledged = None
    if item.claimed_by is not None:
        claim = {"by": item.claimed_by, "until": _time(item.claimed_until)}
    if item.acknowledged_at is not None:
        acknowledged = {"by": item.acknowledged_by, "at": rfc3339(item.acknowledged_at)}
    return {
        "id": str(item.id),
        "queue": item.queue,
        "external_id": item.external_id,
        "level": item.level,
        "priority": item.priority,
        "version": item.version,
        "reasons": item.reasons,
        "created_at": rfc3339(item.created_at),
        "due_at": _time(item.due_at),
        "late_seconds": late,
        "claim": claim,
        "assigned_to": item.assigned_to,
        "snoozed_until": _time(item.snoozed_until),
        "told": None if watched.workload is None else _told(watched.told.get(item.id)),
        "acknowledged": acknowledged,
        "url": f"{base_url}/items/{item.id}",
    }


def _load(load: Load) -> dict[str, Any]:
    return {
        "who": load.who,
        "name": load.name,
        "holds": load.holds,
        "given": load.given,
        "reviews_today": load.reviews_today,
    }


def _told(told: Told | None) -> list[dict[str, Any]]:
    reached = told.reached if told else ()
    return [
        {"who": one.who, "through": one.through, "state": one.state, "at": _time(one.at)} for one in reached
    ]


def _time(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
