"""The figures for whoever may see them."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import Database
from ..errors import Forbidden
from ..escalation.queries import TimerHealth, timer_health
from ..notifications import queries as notifications
from ..people.access import Access, Action, Caller, access_of
from ..queues.models import Queue
from ..queues.policies import queue_named
from .backlog import Backlog, backlog
from .stats import QueueStats, queue_stats
from .workload import Load, workload


@dataclass(frozen=True, slots=True)
class Watched:
    """The backlog with what the page shows beside it."""

    backlog: Backlog
    workload: tuple[Load, ...]
    timers: TimerHealth
    queues: dict[str, str]
    """Names and titles of the queues to choose from."""
    tended: set[str]
    """Names of those whose items the caller may take, assign and snooze."""
    told: dict[uuid.UUID, notifications.Told]
    """Who was told last of each escalated item, and whether it arrived."""


def get_backlog(db: Database, caller: Caller, queue: str | None = None, *, level_min: int = 1) -> Backlog:
    """The backlog of one queue, or of all in which the caller may see it. Raises NoSuchQueue, Forbidden."""
    with db.reading() as session:
        access = access_of(session, caller)
        return backlog(session, db.clock.now(), _queue_ids(session, access, queue), level_min=level_min)


def watch_backlog(db: Database, caller: Caller, queue: str | None, *, level_min: int = 1) -> Watched:
    """All that the backlog page shows. Raises NoSuchQueue, Forbidden."""
    with db.reading() as session:
        access, now = access_of(session, caller), db.clock.now()
        all_ids = _queue_ids(session, access, None)
        queue_ids = all_ids if queue is None else _queue_ids(session, access, queue)
        names = _names(session, all_ids)
        found = backlog(session, now, queue_ids, level_min=level_min)
        told = notifications.told_about(session, [item.id for item in found.escalated_items])
        return Watched(
            backlog=found,
            workload=workload(session, now, queue_ids),
            timers=timer_health(session, now),
            queues={name: title for _, name, title in names},
            told={item_id: notices[0] for item_id, notices in told.items()},
            tended={name for queue_id, name, _ in names if access.may(Action.ASSIGN, queue_id)},
        )


def get_stats(db: Database, caller: Caller, queue: str) -> QueueStats:
    """One queue's figures. Raises NoSuchQueue, Forbidden."""
    with db.reading() as session:
        named = queue_named(session, queue)
        access_of(session, caller).require(Action.SEE_BACKLOG, named.id, named.name)
        return queue_stats(session, db.clock.now(), named)


def _names(session: Session, queue_ids: Collection[int] | None) -> list[tuple[int, str, str]]:
    query = sa.select(Queue).order_by(Queue.name)
    if queue_ids is not None:
        query = query.where(Queue.id.in_(queue_ids))
    return [(queue.id, queue.name, queue.title) for queue in session.scalars(query)]


def _queue_ids(session: Session, access: Access, queue: str | None) -> Collection[int] | None:
    if queue is not None:
        named = queue_named(session, queue)
        access.require(Action.SEE_BACKLOG, named.id, named.name)
        return [named.id]
    queue_ids = access.queue_ids_for(Action.SEE_BACKLOG)
    if queue_ids == frozenset():
        raise Forbidden(
            "The backlog is for managers and auditors of a queue, and for keys that may read items."
        )
    return queue_ids
