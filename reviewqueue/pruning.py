"""Removing what is over: sessions and links that ran out, repeats that no app will send again, old counters."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from .audit.models import Lease
from .db import Database
from .insights.models import Sample
from .items.models import IdempotencyKey
from .notifications.models import Message, Notice, Notification
from .people.models import Attempt, BrowserSession, SignInLink
from .transaction import SYSTEM
from .webhooks.models import Announcement, Delivery, DeliveryAttempt

NOTICES_KEPT = timedelta(days=180)
"""Who was told stays in the trail for good; whether it arrived, as long as this."""
SAMPLES_KEPT = timedelta(days=35)
"""Trends look a week back; a month of figures is there for whoever reads the database."""
DELIVERIES_KEPT = timedelta(days=30)
"""As long can everything be sent again."""
REPEATS_KEPT = timedelta(hours=72)
OTHERS_KEPT = timedelta(days=1)
"""After they ran out."""


def prune(db: Database) -> dict[str, int]:
    """Removes what is over; returns how many of each."""
    with db.transaction(SYSTEM) as tx:
        over = tx.now - OTHERS_KEPT
        old = sa.select(Notice.id).where(Notice.created_at <= tx.now - NOTICES_KEPT).scalar_subquery()
        sent = sa.select(Delivery.id).where(Delivery.created_at <= tx.now - DELIVERIES_KEPT).scalar_subquery()
        removals = {
            "sessions": sa.delete(BrowserSession).where(BrowserSession.expires_at <= tx.now),
            "sign-in links": sa.delete(SignInLink).where(SignInLink.expires_at <= over),
            "idempotency keys": sa.delete(IdempotencyKey).where(
                IdempotencyKey.created_at <= tx.now - REPEATS_KEPT
            ),
            "counters of attempts": sa.delete(Attempt).where(Attempt.window_start <= over),
            "messages": sa.delete(Message).where(Message.notice_id.in_(old)),
            "notifications": sa.delete(Notification).where(Notification.notice_id.in_(old)),
            "notices": sa.delete(Notice).where(Notice.created_at <= tx.now - NOTICES_KEPT),
            "samples of the backlog": sa.delete(Sample).where(Sample.at <= tx.now - SAMPLES_KEPT),
            "attempts at deliveries": sa.delete(DeliveryAttempt).where(DeliveryAttempt.delivery_id.in_(sent)),
            "deliveries": sa.delete(Delivery).where(Delivery.created_at <= tx.now - DELIVERIES_KEPT),
            "announcements": sa.delete(Announcement).where(
                Announcement.created_at <= tx.now - DELIVERIES_KEPT
            ),
            "leases": sa.delete(Lease).where(Lease.until <= over),
        }
        return {name: _run(tx.session, removal) for name, removal in removals.items()}


def _run(session: sa.orm.Session, removal: sa.Delete) -> int:
    result = session.execute(removal.execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]
