"""The figures for Prometheus, read from the database when asked: right for any number of processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy.orm import Session

from reviewqueue.audit.models import EventPosition, UnorderedEvents
from reviewqueue.db import Database
from reviewqueue.escalation.queries import timer_health
from reviewqueue.items.models import IS_OPEN, Item
from reviewqueue.people.models import Attempt, BrowserSession
from reviewqueue.people.throttle import window_start
from reviewqueue.webhooks.queries import health as subscription_health

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "reviewqueue"


class DatabaseCollector:
    """Reads every figure anew at each scrape."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def collect(self) -> Iterator[Metric]:
        now = self._db.clock.now()
        with self._db.reading() as session:
            yield from _backlog(session, now)
            yield from _clockwork(session, now)
            yield from _trail(session)
            yield from _people(session, now)
            yield from _webhooks(session, now)


def exposition(db: Database) -> bytes:
    """All figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(DatabaseCollector(db))
    return generate_latest(registry)


def _backlog(session: Session, now: datetime) -> Iterator[Metric]:
    labels = ["queue"]
    waiting = GaugeMetricFamily(f"{PREFIX}_items_waiting", "Items that wait for a human.", labels=labels)
    overdue = GaugeMetricFamily(f"{PREFIX}_items_overdue", "Of these, past their due time.", labels=labels)
    escalated = GaugeMetricFamily(
        f"{PREFIX}_items_escalated", "Of these, at level 1 or above.", labels=labels
    )
    held = GaugeMetricFamily(f"{PREFIX}_items_claimed", "Of these, held by a reviewer.", labels=labels)
    oldest = GaugeMetricFamily(
        f"{PREFIX}_oldest_waiting_seconds", "Age of the oldest of them.", labels=labels
    )
    figures = sa.select(
        Item.queue,
        sa.func.count(),
        sa.func.count(sa.case((Item.due_at < now, 1))),
        sa.func.count(sa.case((Item.level > 0, 1))),
        sa.func.count(sa.case((Item.claim_until > now, 1))),
        sa.func.min(Item.waiting_since),
    )
    for queue, *counts, since in session.execute(figures.where(IS_OPEN).group_by(Item.queue)):
        for metric, count in zip((waiting, overdue, escalated, held), counts, strict=True):
            metric.add_metric([queue], count)
        oldest.add_metric([queue], (now - since).total_seconds())
    yield from (waiting, overdue, escalated, held, oldest)


def _clockwork(session: Session, now: datetime) -> Iterator[Metric]:
    health = timer_health(session, now)
    yield GaugeMetricFamily(f"{PREFIX}_timers_late", "Timers over 30 s late.", value=health.late)
    yield GaugeMetricFamily(
        f"{PREFIX}_timer_lag_seconds",
        "How late the latest of them is.",
        value=health.latest_by.total_seconds(),
    )
    yield GaugeMetricFamily(f"{PREFIX}_timers_failing", "Timers that failed.", value=health.failing)


def _trail(session: Session) -> Iterator[Metric]:
    ordered = session.scalar(sa.select(sa.func.max(EventPosition.position))) or 0
    unordered = session.scalar(sa.select(sa.func.count()).select_from(UnorderedEvents)) or 0
    yield GaugeMetricFamily(
        f"{PREFIX}_events_position", "Position of the newest ordered event.", value=ordered
    )
    yield GaugeMetricFamily(
        f"{PREFIX}_transactions_unordered",
        "Committed transactions whose events have no position.",
        value=unordered,
    )


def _webhooks(session: Session, now: datetime) -> Iterator[Metric]:
    found = subscription_health(session, now)
    for name, told, value in (
        ("subscriptions_failing", "Active subscriptions whose last deliveries failed.", found.failing),
        ("subscriptions_disabled", "Subscriptions that were given up.", found.disabled),
        ("deliveries_waiting", "Deliveries to active subscriptions that have not arrived.", found.waiting),
        ("deliveries_overdue", "Of these, over a minute late.", found.overdue),
    ):
        yield GaugeMetricFamily(f"{PREFIX}_{name}", told, value=value)


def _people(session: Session, now: datetime) -> Iterator[Metric]:
    sessions = sa.select(sa.func.count()).where(BrowserSession.expires_at > now)
    failed = sa.select(sa.func.sum(Attempt.count)).where(
        Attempt.window_start == window_start(now), Attempt.subject.startswith("sign-in:network:")
    )
    yield GaugeMetricFamily(
        f"{PREFIX}_sessions", "Browsers that are signed in.", value=session.scalar(sessions) or 0
    )
    yield GaugeMetricFamily(
        f"{PREFIX}_sign_ins_failing",
        "Failed sign-ins in this quarter of an hour.",
        value=session.scalar(failed) or 0,
    )
