"""The outbox: due messages are claimed with a lease, sent outside the transaction, and completed by their holder alone.

What leaves is at least once: who dies between sending and completing leaves a lease that runs out, and the message is
sent again. A receiver gets at most one parcel a minute, which holds all that is due to them by then.
"""

from __future__ import annotations

import logging
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from ..db import Database
from ..people.models import Person
from ..transaction import SYSTEM, Transaction
from .models import Channel, Message, Notice, Notification
from .seeing import MAY_SEE
from .telling import MAIL

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
FOLD = timedelta(minutes=1)
MOST_IN_ONE = 200
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200, 21600, 43200))
"""After each failed attempt; after the last one the message is given up."""
NO_LONGER = "not sent: who it was for is no longer in the queue, or disabled"
CLAIM_LOCK = 0x7265_7669_6D73
"""The key of PostgreSQL's advisory lock that lets one worker claim at a time: so no receiver gets two parcels."""


class Refused(Exception):
    """The receiver will never take it, so that trying again is no use."""


class NotSent(Exception):
    """It did not arrive this time; the sentence is for the log and tells no secret."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that is due to one receiver through one channel, claimed by us."""

    channel: str
    receiver: str
    address: str | None
    """Of a configured channel."""
    lease: str
    message_ids: tuple[uuid.UUID, ...]
    notices: tuple[Notice, ...]
    """Oldest first."""
    at: datetime
    """When it is sent."""

    def __repr__(self) -> str:
        return f"Parcel({self.channel!r}, {self.receiver!r}, {len(self.message_ids)} messages)"


Send = Callable[[Parcel], None]
"""Sends a parcel, or raises NotSent or Refused."""


def send_due(db: Database, send: Send, limit: int = 500) -> int:
    """Sends up to `limit` parcels that are due; returns how many were tried."""
    tried = 0
    while tried < limit and _anything_due(db) and (parcel := claim(db)) is not None:
        tried += 1
        try:
            send(parcel)
        except Refused as error:
            fail(db, parcel, str(error), for_good=True)
        except NotSent as error:
            fail(db, parcel, str(error))
        except Exception as error:
            # The text may hold an address with its password: the log gets the type and the place alone.
            log.error("sending through %s failed: %s", parcel.channel, type(error).__name__)  # noqa: TRY400
            fail(db, parcel, f"unexpected {type(error).__name__}")
        else:
            complete(db, parcel)
    return tried


def claim(db: Database) -> Parcel | None:
    """Takes all that is due to the receiver who has waited longest; None when nothing may be sent now."""
    with db.transaction(SYSTEM) as tx:
        if not db.embedded:
            tx.session.execute(sa.select(sa.func.pg_advisory_xact_lock(CLAIM_LOCK)))
        while (first := _longest_due(tx)) is not None:
            channel, receiver = first
            not_before = _not_before(tx.session, tx.now, channel, receiver)
            if not_before is None:
                if (parcel := _take(tx, channel, receiver)) is not None:
                    return parcel
                continue
            _put_off(tx, channel, receiver, not_before)
        return None


def complete(db: Database, parcel: Parcel) -> bool:
    """Notes that the parcel arrived; False when the lease is somebody else's by now."""
    return _settle(db, parcel, state="sent", sent_at=db.clock.now(), error=None)


def fail(db: Database, parcel: Parcel, error: str, *, for_good: bool = False) -> None:
    """Notes that it did not arrive. It is tried again after a pause, unless it was the last time."""
    now, values = db.clock.now(), {"error": error[:300]}
    again = Message.attempts <= (0 if for_good else len(PAUSES))
    pauses = {number: now + pause for number, pause in enumerate(PAUSES, start=1)}
    next_at = sa.case(pauses, value=Message.attempts, else_=Message.next_at)
    state = sa.case((again, "waiting"), else_="failed")
    _settle(db, parcel, state=state, next_at=next_at, **values)
    if parcel.channel == MAIL:
        _ring_instead(db, parcel)


def _ring_instead(db: Database, parcel: Parcel) -> None:
    """Who was told by mail alone, and whose mail is given up, finds it behind the bell."""
    given_up = sa.select(Message.notice_id).where(
        Message.id.in_(parcel.message_ids), Message.state == "failed"
    )
    receiver = sa.select(Person.id).where(Person.email == parcel.receiver).scalar_subquery()
    with db.transaction(SYSTEM) as tx:
        tx.session.execute(
            sa.update(Notification)
            .where(
                Notification.notice_id.in_(given_up), Notification.person_id == receiver, ~Notification.in_app
            )
            .values(in_app=True)
            .execution_options(synchronize_session=False)
        )


def _anything_due(db: Database) -> bool:
    with db.reading() as session:
        due = sa.exists().where(_is_waiting(), Message.next_at <= db.clock.now())
        return bool(session.scalar(sa.select(due)))


def _longest_due(tx: Transaction) -> tuple[str, str] | None:
    row = tx.session.execute(
        sa.select(Message.channel, Message.receiver)
        .where(_is_waiting(), Message.next_at <= tx.now)
        .order_by(Message.next_at)
        .limit(1)
    ).first()
    return (row.channel, row.receiver) if row else None


def _not_before(session: Session, now: datetime, channel: str, receiver: str) -> datetime | None:
    """Until when the receiver must wait: a minute after their last parcel, or until one on its way has arrived.

    A parcel from the time to come was sent before the clock was set back; nobody waits for that time.
    """
    to_them = sa.and_(Message.channel == channel, Message.receiver == receiver)
    under_way = sa.select(sa.func.max(Message.next_at)).where(
        to_them,
        Message.sent_at.is_(None),
        _is_waiting(),
        Message.lease.is_not(None),
        Message.next_at > now,
        Message.next_at <= now + LEASE,
    )
    if session.scalar(under_way):
        return now + FOLD
    last = session.scalar(sa.select(sa.func.max(Message.sent_at)).where(to_them, Message.sent_at <= now))
    return last + FOLD if last is not None and last + FOLD > now else None


def _put_off(tx: Transaction, channel: str, receiver: str, until: datetime) -> None:
    tx.session.execute(
        sa.update(Message)
        .where(
            Message.channel == channel, Message.receiver == receiver, _is_waiting(), Message.next_at <= tx.now
        )
        .values(next_at=until, lease=None)
    )


def _take(tx: Transaction, channel: str, receiver: str) -> Parcel | None:
    """All that is due to the receiver; None where there is nothing that they may still be told."""
    due = tx.session.scalars(
        sa.select(Message)
        .where(
            Message.channel == channel, Message.receiver == receiver, _is_waiting(), Message.next_at <= tx.now
        )
        .order_by(Message.id)
        .limit(MOST_IN_ONE)
        .options(joinedload(Message.notice))
    ).all()
    messages = _without_what_they_may_not_see(tx, due) if channel == MAIL else due
    if not messages:
        return None
    lease = secrets.token_hex(16)
    for message in messages:
        message.lease, message.next_at = lease, tx.now + LEASE
        message.attempts += 1
    address = tx.session.scalar(sa.select(Channel.address).where(Channel.name == channel))
    ids, notices = tuple(m.id for m in messages), tuple(m.notice for m in messages)
    return Parcel(channel, receiver, address, lease, ids, notices, tx.now)


def _without_what_they_may_not_see(tx: Transaction, messages: Sequence[Message]) -> list[Message]:
    """A digest waits for hours: whose role or account has ended meanwhile gets no titles of the queue any more."""
    allowed = set(
        tx.session.scalars(
            sa.select(Message.id)
            .join(Notice, Notice.id == Message.notice_id)
            .join(Person, Person.email == Message.receiver)
            .where(Message.id.in_([message.id for message in messages]), MAY_SEE)
        )
    )
    for message in messages:
        if message.id not in allowed:
            message.state, message.lease, message.error = "failed", None, NO_LONGER
    tx.session.flush()
    return [message for message in messages if message.id in allowed]


def _settle(db: Database, parcel: Parcel, **values: object) -> bool:
    """Writes what became of those of the parcel's messages that we still hold, and lets them go."""
    with db.transaction(SYSTEM) as tx:
        result = tx.session.execute(
            sa.update(Message)
            .where(Message.id.in_(parcel.message_ids), Message.lease == parcel.lease)
            .values(lease=None, **values)
            .execution_options(synchronize_session=False)
        )
        return bool(result.rowcount)  # type: ignore[attr-defined]


def _is_waiting() -> sa.ColumnElement[bool]:
    """Spelt into the statement: a bound value would hide the partial index."""
    return Message.state == sa.literal_column("'waiting'")
