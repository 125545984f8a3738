"""Keeping what became of a batch, when each of its deliveries is tried again, and whether the receiver is given up."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from ..audit.events import EventType
from ..audit.guard import SetBased, set_based
from ..db import Database
from ..notifications.telling import tell_admins
from ..transaction import SYSTEM, Transaction
from . import schedule
from .claiming import Batch, claim_in, is_waiting, locked
from .models import Delivery, DeliveryAttempt, Subscription

GONE = 410
KEPT = 500
"""Characters of an answer."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt."""

    started_at: datetime
    seconds: float
    status: int | None = None
    error: str | None = None
    answer: str = ""
    wish: timedelta | None = None
    """What the receiver's Retry-After asked for."""

    @property
    def arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


Results = dict[uuid.UUID, Result]
"""By the delivery's id; what a batch had no time for is not in it."""


def settle(db: Database, batch: Batch, results: Results) -> bool:
    """Keeps what became of a batch; False where its lease was somebody else's by then, and nothing was kept."""
    with db.transaction(SYSTEM) as tx:
        return settle_in(tx, batch, results)


def settle_and_claim(db: Database, batch: Batch, results: Results) -> Batch | None:
    """And takes the next, in the same transaction, which halves what the database has to do."""
    with db.transaction(SYSTEM) as tx:
        settle_in(tx, batch, results)
        return claim_in(tx, batch.subscription_id)


def settle_in(tx: Transaction, batch: Batch, results: Results) -> bool:
    to = locked(tx, batch.subscription_id)
    held = {
        delivery.id: delivery
        for delivery in tx.session.scalars(
            sa.select(Delivery)
            .where(Delivery.id.in_([due.id for due in batch.deliveries]), Delivery.lease == batch.lease)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    if to is None or not held:
        return False
    made = [(held[delivery_id], result) for delivery_id, result in results.items() if delivery_id in held]
    for delivery in held.values():
        delivery.lease, delivery.next_at = None, delivery.planned_at
    for delivery, result in made:
        _keep(tx, to, delivery, result)
    if made:
        _judge(tx, to, [result for _, result in made])
    return True


def _keep(tx: Transaction, to: Subscription, delivery: Delivery, result: Result) -> None:
    tx.session.add(
        DeliveryAttempt(
            delivery_id=delivery.id,
            planned_at=delivery.planned_at,
            started_at=result.started_at,
            seconds=result.seconds,
            status=result.status,
            error=result.error,
            answer=result.answer[:KEPT],
        )
    )
    delivery.attempts += 1
    if result.arrived:
        delivery.state, delivery.arrived_at = "arrived", tx.now
        return
    draw = random.random()  # noqa: S311
    again = schedule.next_attempt(tx.now, delivery.attempts, draw, result.wish)
    if again is None or to.state == "disabled":
        delivery.state = "failed"
    else:
        delivery.planned_at = delivery.next_at = again


def _judge(tx: Transaction, to: Subscription, results: Sequence[Result]) -> None:
    """Notes how the receiver does, and gives it up where it says so, or has failed for days."""
    since: datetime | None = None
    arrived_at = to.arrived_at
    if any(result.arrived for result in results):
        arrived_at = tx.now
    else:
        since = schedule.failing_since(tx.now, to.failing_since, to.tried_at)
    tx.session.execute(
        sa.update(Subscription)
        .where(Subscription.id == to.id)
        .values(failing_since=since, tried_at=tx.now, arrived_at=arrived_at)
        .execution_options(synchronize_session=False, **set_based(SetBased.NOTE_DELIVERY))
    )
    if to.state != "active":
        return
    if any(result.status == GONE for result in results):
        disable(tx, to, "The receiver answered 410: it is gone for good.")
    elif since is not None and schedule.is_given_up(tx.now, since):
        days = schedule.GIVEN_UP_AFTER.days
        disable(tx, to, f"Nothing has arrived for {days} days. The last attempt: {_words(results[-1])}.")


def disable(tx: Transaction, to: Subscription, why: str) -> None:
    """Stops sending. What waits fails, to be replayed by whoever mends the receiver; the admins are told."""
    to.state, to.why = "disabled", why[:300]
    to.version += 1
    told = tell_admins(tx, f"Webhooks to {to.name} are disabled", why, f"/admin/subscriptions/{to.id}")
    tx.trail.record(
        to, EventType.SUBSCRIPTION_DISABLED, {"subscription": str(to.id), "why": why, "told": told}
    )
    fail_waiting(tx, to.id)


def fail_waiting(tx: Transaction, subscription_id: uuid.UUID) -> None:
    tx.session.execute(
        sa.update(Delivery)
        .where(Delivery.subscription_id == subscription_id, is_waiting())
        .values(state="failed", lease=None)
        .execution_options(synchronize_session=False)
    )


def _words(result: Result) -> str:
    return result.error or f"answered {result.status}"
