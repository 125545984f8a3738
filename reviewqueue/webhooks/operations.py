"""What is done with subscriptions: made, changed, paused, rotated, revoked, tried."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from ..audit.events import EventType
from ..audit.trail import Recorded, rfc3339
from ..db import Database
from ..errors import Conflict, Fault, Invalid, NotFound, Unavailable
from ..outbound.guard import Guard, Unreachable
from ..people.access import Access, Caller, access_of
from ..people.models import Scope
from ..queues.models import Queue
from ..transaction import Transaction
from . import claiming, settling
from .delivery import Sender
from .forms import ChangedSubscription, NewSubscription, Rotation
from .models import Delivery, DeliveryAttempt, Subscription
from .settling import fail_waiting
from .signing import Seal, new_secret


@dataclass(frozen=True, slots=True)
class Made:
    """A subscription with a secret that is seen only now."""

    id: uuid.UUID
    secret: str


def access_to_subscriptions(session: Session, caller: Caller) -> Access:
    """Lets an admin pass, or a key that acts as one for all queues, with queues:write. Raises Forbidden."""
    access = access_of(session, caller)
    access.require_admin_or_their_key(Scope.QUEUES_WRITE)
    return access


def subscribe(
    db: Database,
    caller: Caller,
    form: NewSubscription,
    guard: Guard,
    seal: Seal,
    request_id: str | None = None,
) -> Made:
    """Makes a subscription. Raises Forbidden, and Invalid for a URL that may not be reached or an unknown queue."""
    _require_permitted(db, caller)
    _require_reachable(guard, form.url)
    secret = new_secret()
    with db.transaction(caller.actor, request_id) as tx:
        access_to_subscriptions(tx.session, caller)
        _require_queues(tx.session, form.queues)
        made = Subscription(
            id=uuid7(),
            name=form.name,
            url=form.url,
            types=form.types,
            queues=form.queues,
            waits_for_undo=form.waits_for_undo,
            secret=seal.close(secret),
            state="active",
            version=1,
            created_at=tx.now,
            created_by=caller.actor.name,
        )
        tx.session.add(made)
        _record(tx, made, EventType.SUBSCRIPTION_ADDED, **_without_secrets(_told(made)))
        return Made(made.id, secret)


def change(
    db: Database,
    caller: Caller,
    subscription_id: uuid.UUID,
    form: ChangedSubscription,
    guard: Guard,
    request_id: str | None = None,
) -> None:
    """Changes what is named. Raises Forbidden, NotFound, Conflict once it is revoked, and Invalid."""
    _require_permitted(db, caller)
    if form.url is not None:
        _require_reachable(guard, form.url)
    with db.transaction(caller.actor, request_id) as tx:
        to = _standing(tx, caller, subscription_id)
        _require_queues(tx.session, form.queues)
        before = _told(to)
        for name in form.model_fields_set:
            if name == "queues" or getattr(form, name) is not None:
                setattr(to, name, getattr(form, name))
        if (after := _told(to)) != before:
            to.version += 1
            changed = {key: value for key, value in after.items() if before[key] != value}
            _record(tx, to, EventType.SUBSCRIPTION_CHANGED, **_without_secrets(changed))


def pause(db: Database, caller: Caller, subscription_id: uuid.UUID, request_id: str | None = None) -> None:
    """Keeps what happens from now on waiting. Raises Forbidden, NotFound, Conflict unless it is active."""
    with db.transaction(caller.actor, request_id) as tx:
        to = _standing(tx, caller, subscription_id)
        if to.state != "active":
            raise Conflict(f"The subscription is {to.state}; only an active one is paused.")
        _become(tx, to, "paused", EventType.SUBSCRIPTION_PAUSED)


def resume(db: Database, caller: Caller, subscription_id: uuid.UUID, request_id: str | None = None) -> None:
    """Sends again: what waits at once, and what failed when it is replayed. Raises Forbidden, NotFound, Conflict."""
    with db.transaction(caller.actor, request_id) as tx:
        to = _standing(tx, caller, subscription_id)
        if to.state == "active":
            raise Conflict("The subscription is active already.")
        to.failing_since = None
        _become(tx, to, "active", EventType.SUBSCRIPTION_RESUMED)
        tx.after_commit(db.to_send.set)


def rotate(
    db: Database,
    caller: Caller,
    subscription_id: uuid.UUID,
    form: Rotation,
    seal: Seal,
    request_id: str | None = None,
) -> Made:
    """Makes a new secret; the old one signs beside it for a while.

    Raises Forbidden, NotFound, and Conflict while the one before it still signs: an app that has not changed its secret
    since would lose the only one that it knows, so that must be asked for.
    """
    secret = new_secret()
    with db.transaction(caller.actor, request_id) as tx:
        to = _standing(tx, caller, subscription_id)
        ends = to.old_secret_until
        if to.old_secret is not None and ends is not None and tx.now < ends and not form.end_overlap:
            raise Conflict(
                f"The secret before the last rotation still signs, until {rfc3339(ends)}. A new rotation ends that at "
                "once, and an app that still uses it refuses everything: wait, or say that the overlap is to end."
            )
        until = tx.now + timedelta(hours=form.overlap_hours)
        to.old_secret, to.old_secret_until = (to.secret, until) if form.overlap_hours else (None, None)
        to.secret = seal.close(secret)
        _record(tx, to, EventType.SUBSCRIPTION_SECRET_ROTATED, overlap_hours=form.overlap_hours)
        return Made(to.id, secret)


def revoke(db: Database, caller: Caller, subscription_id: uuid.UUID, request_id: str | None = None) -> None:
    """Ends it for good: nothing more is sent, and its secrets are forgotten. Raises Forbidden and NotFound."""
    with db.transaction(caller.actor, request_id) as tx:
        to = _standing(tx, caller, subscription_id)
        to.secret, to.old_secret, to.old_secret_until = "", None, None
        _become(tx, to, "revoked", EventType.SUBSCRIPTION_REVOKED)
        fail_waiting(tx, to.id)


def send_test(
    db: Database, caller: Caller, subscription_id: uuid.UUID, sender: Sender, request_id: str | None = None
) -> DeliveryAttempt:
    """Sends a `subscription.tested` event at once and waits for what becomes of it; then it is retried like others.

    Also while the subscription is disabled, where it is tried this once: so one sees that the receiver is mended.

    Raises Forbidden, NotFound, Conflict once it is revoked.
    """
    with db.transaction(caller.actor, request_id) as tx:
        to = _standing(tx, caller, subscription_id)
        event = _record(tx, to, EventType.SUBSCRIPTION_TESTED)
    with db.reading() as session:
        delivery_id = session.scalars(
            sa.select(Delivery.id).where(
                Delivery.event_id == event.id, Delivery.subscription_id == subscription_id
            )
        ).one()
    if (batch := claiming.claim(db, subscription_id, only=delivery_id)) is not None:
        settling.settle(db, batch, sender.attempt(db, batch))
    return _first_attempt(db, delivery_id, sender.limits.total)


def _first_attempt(db: Database, delivery_id: uuid.UUID, seconds: float) -> DeliveryAttempt:
    """The attempt that was made, or that a worker which was faster is making. Raises Unavailable."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while True:
        with db.reading() as session:
            made = session.scalars(
                sa.select(DeliveryAttempt).where(DeliveryAttempt.delivery_id == delivery_id)
            ).first()
        if made is not None:
            return made
        if time.monotonic() >= end:
            raise Unavailable("The test is still on its way; look at the deliveries in a moment.")
        pause.wait(0.1)


def found(tx: Transaction, caller: Caller, subscription_id: uuid.UUID) -> Subscription:
    """The subscription, locked. Raises Forbidden and NotFound."""
    access_to_subscriptions(tx.session, caller)
    to = claiming.locked(tx, subscription_id)
    if to is None:
        raise NotFound("There is no such subscription.")
    return to


def _standing(tx: Transaction, caller: Caller, subscription_id: uuid.UUID) -> Subscription:
    to = found(tx, caller, subscription_id)
    if to.state == "revoked":
        raise Conflict("The subscription is revoked, for good; make a new one.")
    return to


def _require_permitted(db: Database, caller: Caller) -> None:
    """Before any name is resolved: nobody else learns from us what there is in our networks."""
    with db.reading() as session:
        access_to_subscriptions(session, caller)


def _require_reachable(guard: Guard, url: str) -> None:
    try:
        guard.require_url(url)
    except Unreachable as error:
        raise Invalid("The URL cannot be used.", faults=[Fault("/url", str(error))]) from None


def _require_queues(session: Session, names: Sequence[str] | None) -> None:
    known = set(session.scalars(sa.select(Queue.name).where(Queue.name.in_(names or ()))))
    if missing := sorted(set(names or ()) - known):
        raise Invalid(
            "There is no such queue.", faults=[Fault("/queues", f"names {missing[0]}, which is no queue")]
        )


def _become(tx: Transaction, to: Subscription, state: str, event: EventType) -> None:
    to.state, to.why = state, None
    to.version += 1
    _record(tx, to, event)


def _record(tx: Transaction, to: Subscription, event: EventType, **data: Any) -> Recorded:
    return tx.trail.record(to, event, {"subscription": str(to.id), "name": to.name, **data})


def _without_secrets(told: dict[str, Any]) -> dict[str, Any]:
    """As events tell it: receivers are given tokens in the query, and a trail forgets nothing."""
    if "url" not in told:
        return told
    address, asked, _ = told["url"].partition("?")
    return {**told, "url": f"{address}?…" if asked else address}


def _told(to: Subscription) -> dict[str, Any]:
    """Everything but the secret."""
    return {
        "name": to.name,
        "url": to.url,
        "types": to.types,
        "queues": to.queues,
        "waits_for_undo": to.waits_for_undo,
    }
