"""The recurring job that writes down what the backlog is like, for trends and charts.

What waits is counted once at the beginning of each quarter of an hour. What comes and goes is read from the trail in
its order, so that each event is counted once, in the quarter in which it happened, whenever the job runs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..audit.events import EventType
from ..audit.models import Event, EventPosition
from ..db import Database
from ..items.models import Item
from ..queues.lanes import Lane, Purpose
from ..queues.models import Queue
from ..transaction import SYSTEM, Transaction
from .models import Sample, SampledUpTo
from .tally import Figures, summed, tally

QUARTER = timedelta(minutes=15)
STILL_THE_SAME = timedelta(minutes=5)
"""Up to how long after a quarter's beginning a count stands for it; later, the quarter has none."""
AT_ONCE = 20_000
FIRST_READ = 100_000
"""How many events are read back when there are no samples yet."""
SAMPLER_LOCK = 0x7271_5A3D
"""The key of PostgreSQL's advisory lock; on SQLite there is one writer anyway."""

CAME = (EventType.ITEM_ENQUEUED, EventType.ITEM_REOPENED, EventType.ITEM_RECALLED)
WENT = (EventType.ITEM_ACCEPTED, EventType.ITEM_EDITED, EventType.ITEM_REJECTED, EventType.ITEM_EXPIRED)

Flows = dict[tuple[datetime, int], Counter[str]]
"""What came and went, by quarter and queue."""


def quarter_of(at: datetime) -> datetime:
    """The beginning of the quarter of an hour that holds this time."""
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def sample_backlog(db: Database) -> int:
    """Brings the samples up to date; returns how many events were read."""
    read = 0
    while (count := _sample_flows(db)) > 0:
        read += count
    _sample_figures(db)
    return read


def _sample_flows(db: Database) -> int:
    """Reads the next events; outside the transaction that counts them, since others wait to write."""
    with db.reading() as session:
        since = _read_up_to(session)
        newest = session.scalar(sa.select(sa.func.max(EventPosition.position))) or 0
        if since is None:
            since = max(0, newest - FIRST_READ)
        upto = min(newest, since + AT_ONCE)
        flows = _flows(_events(session, since, upto)) if upto > since else {}
    if upto == since:
        return 0
    with db.transaction(SYSTEM) as tx:
        _alone(tx)
        if (_read_up_to(tx.session) or since) != since:
            return 0  # another worker was faster
        tx.session.merge(SampledUpTo(id=1, position=upto))
        for (at, queue_id), counted in flows.items():
            sample = _sample(tx.session, at, queue_id)
            for name, count in counted.items():
                setattr(sample, name, getattr(sample, name) + count)
    return upto - since


def _sample_figures(db: Database) -> None:
    now = db.clock.now()
    at = quarter_of(now)
    with db.reading() as session:
        if now - at > STILL_THE_SAME or _has_figures(session, at):
            return
        by_queue = figures_by_queue(session, now)
    with db.transaction(SYSTEM) as tx:
        _alone(tx)
        if _has_figures(tx.session, at):
            return
        for queue_id, figures in by_queue.items():
            sample = _sample(tx.session, at, queue_id)
            sample.waiting, sample.overdue = figures.waiting, figures.overdue
            sample.escalated, sample.at_risk = figures.escalated, figures.at_risk


def figures_by_queue(session: Session, now: datetime) -> dict[int, Figures]:
    """The figures of every queue, of those where nothing waits too."""
    groups = tally(session, now).groups
    return {
        queue_id: summed([group for group in groups if group.queue_id == queue_id])
        for queue_id in session.scalars(sa.select(Queue.id))
    }


def _events(session: Session, since: int, upto: int) -> Iterable[Any]:
    return session.execute(
        sa.select(Event.type, Event.queue_id, Event.at, Item.lane, Item.purpose, Item.due_at)
        .join(EventPosition, EventPosition.event_id == Event.id)
        .join(Item, Item.id == Event.item_id)
        .where(EventPosition.position > since, EventPosition.position <= upto, Event.type.in_((*CAME, *WENT)))
    )


def _flows(events: Iterable[Any]) -> Flows:
    flows: Flows = defaultdict(Counter)
    for event, queue_id, at, lane, purpose, due_at in events:
        counted = flows[quarter_of(at), queue_id]
        if event in WENT:
            counted["decided"] += event != EventType.ITEM_EXPIRED
            if due_at is not None:
                kept = event != EventType.ITEM_EXPIRED and at <= due_at
                counted["in_time" if kept else "late"] += 1
        elif event != EventType.ITEM_ENQUEUED or lane != Lane.AUTONOMOUS or purpose != Purpose.GATE:
            counted["arrived"] += 1
    return flows


def _alone(tx: Transaction) -> None:
    if not tx.db.embedded:
        tx.session.execute(sa.select(sa.func.pg_advisory_xact_lock(SAMPLER_LOCK)))


def _read_up_to(session: Session) -> int | None:
    return session.scalar(sa.select(SampledUpTo.position).where(SampledUpTo.id == 1))


def _has_figures(session: Session, at: datetime) -> bool:
    found = sa.exists().where(Sample.at == at, Sample.waiting.is_not(None))
    return bool(session.scalar(sa.select(found)))


def _sample(session: Session, at: datetime, queue_id: int) -> Sample:
    sample = session.get(Sample, (at, queue_id))
    if sample is None:
        sample = Sample(at=at, queue_id=queue_id, arrived=0, decided=0, in_time=0, late=0)
        session.add(sample)
    return sample
