"""The figures for whoever may see them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from sqlalchemy.orm import Session

from ..db import Database
from ..errors import Forbidden
from ..escalation.queries import TimerHealth, timer_health
from ..items.acknowledging import is_with
from ..notifications import queries as notifications
from ..people.access import Access, Action, Caller, access_of
from ..queues.models import Queue
from ..queues.policies import policy_of, queue_named
from .backlog import EVERYTHING, Backlog, QueueBacklog, backlog, queues_of, start_of_day
from .escalated import Narrowed
from .forecast import Ahead, Pace, added, forecast
from .stats import QueueStats, queue_stats
from .trends import Attainment, Hour, Lately, Trend, by_hour, lately, trend
from .workload import Load, workload


@dataclass(frozen=True, slots=True)
class Watched:
    """The backlog with what is shown beside it."""

    backlog: Backlog
    kept: bool
    """Whether what waits was counted some seconds ago, since it is so much."""
    trend: Trend | None
    """This and the forecast are None for one department: samples are by queue."""
    forecast: tuple[Ahead, ...] | None
    hours: tuple[Hour, ...]
    attainment: dict[str, Attainment]
    """Of the last seven days, by queue."""
    workload: tuple[Load, ...] | None
    """This is None, and nobody is named as told, for an app: who works how much is for people to know."""
    timers: TimerHealth
    queues: dict[str, str]
    """Names and titles of the queues to choose from."""
    tended: frozenset[str]
    """Names of those whose items the caller may take, assign and snooze."""
    decided_by_many: frozenset[str]
    """Names of those in which the caller may decide many items at once."""
    told: dict[uuid.UUID, notifications.Told]
    """Who was told last of each escalated item, and whether it arrived."""
    awaits_me: frozenset[uuid.UUID]
    """The items of which the caller was told, and which nobody has acknowledged."""


def watch_backlog(
    db: Database,
    caller: Caller,
    queue: str | None = None,
    narrowed: Narrowed = EVERYTHING,
    *,
    cursor: str | None = None,
    zone: tzinfo = UTC,
) -> Watched:
    """All that the backlog page shows, of one queue or of all in which the caller may see it.

    `zone`: whose midnight today is counted from.
    Raises NoSuchQueue, Forbidden, and Invalid for a cursor that is not ours.
    """
    with db.reading() as session:
        access, now = access_of(session, caller), db.clock.now()
        named = _named(session, access, queue)
        all_of_them = queues_of(session, _queue_ids(access))
        here = all_of_them if named is None else {named.id: named}
        midnight = start_of_day(now, zone)
        found = backlog(session, now, here, narrowed, cursor=cursor, since=midnight)
        recent = lately(session, now, here)
        by_queue = narrowed.department is None
        told = {} if caller.is_app else _told(session, found)
        return Watched(
            backlog=found,
            kept=found.as_of != now,
            trend=trend(session, now, here) if by_queue else None,
            forecast=_forecast(session, now, found.queues, recent) if by_queue else None,
            hours=by_hour(session, now, here),
            attainment={q.name: recent.get(q.id, Lately()).attainment for q in found.queues},
            workload=None if caller.is_app else workload(session, now, here, found.given, midnight),
            timers=timer_health(session, now, set(all_of_them)),
            queues={one.name: one.title for one in all_of_them.values()},
            tended=_where(access, Action.ASSIGN, all_of_them.values()),
            decided_by_many=_where(access, Action.BULK_DECIDE, all_of_them.values()),
            told=told,
            awaits_me=_awaiting(session, access, found),
        )


def get_stats(db: Database, caller: Caller, queue: str) -> QueueStats:
    """One queue's figures. Raises NoSuchQueue, Forbidden."""
    with db.reading() as session:
        named = queue_named(session, queue)
        access_of(session, caller).require(Action.SEE_BACKLOG, named.id, named.name)
        return queue_stats(session, db.clock.now(), named)


def _forecast(
    session: Session, now: datetime, queues: Sequence[QueueBacklog], recent: dict[int, Lately]
) -> tuple[Ahead, ...]:
    parts = []
    for queue in queues:
        nothing = queue.figures.overdue == queue.due_within[-1] == 0
        calendar = None if nothing else policy_of(session, queue.policy_id).calendar
        pace = Pace(recent.get(queue.id, Lately()).decided_last_day, calendar)
        parts.append(forecast(now, queue.figures.overdue, queue.due_within, pace))
    return added(parts)


def _told(session: Session, found: Backlog) -> dict[uuid.UUID, notifications.Told]:
    told = notifications.told_about(session, [item.id for item in found.escalated_items])
    return {item_id: notices[0] for item_id, notices in told.items()}


def _awaiting(session: Session, access: Access, found: Backlog) -> frozenset[uuid.UUID]:
    """Those of the shown items that the caller may acknowledge."""
    waiting = [item for item in found.escalated_items if item.acknowledged_at is None]
    if access.person_id is None or not waiting:
        return frozenset()
    told = notifications.told_of(session, access.person_id, {item.id: item.waiting_since for item in waiting})
    return told | {item.id for item in waiting if is_with(access, item.assigned_to, item.claimed_by_id)}


def _where(access: Access, action: Action, queues: Collection[Queue]) -> frozenset[str]:
    return frozenset(queue.name for queue in queues if access.may(action, queue.id))


def _named(session: Session, access: Access, queue: str | None) -> Queue | None:
    if queue is None:
        return None
    named = queue_named(session, queue)
    access.require(Action.SEE_BACKLOG, named.id, named.name)
    return named


def _queue_ids(access: Access) -> Collection[int] | None:
    """All queues in which the caller may see the backlog; raises Forbidden where there is none."""
    queue_ids = access.queue_ids_for(Action.SEE_BACKLOG)
    if queue_ids == frozenset():
        raise Forbidden(
            "The backlog is for managers and auditors of a queue, and for keys that may read items."
        )
    return queue_ids
