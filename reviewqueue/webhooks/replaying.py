"""Sending again what was sent, or failed to be: the same bytes under the same id."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from ..audit.events import EventType
from ..db import Database
from ..errors import Conflict, Fault, Invalid
from ..people.access import Caller
from .forms import Replay
from .models import Delivery
from .operations import access_to_subscriptions, found

REPLAYABLE = ("arrived", "failed")


def replay(
    db: Database, caller: Caller, subscription_id: uuid.UUID, form: Replay, request_id: str | None = None
) -> int:
    """Sends the named deliveries again, or a range, or all that failed; returns how many.

    Of those named, also what waits for its next attempt is tried at once. Raises Forbidden, NotFound, Invalid for
    a range without an end, and Conflict where the subscription is disabled or revoked.
    """
    _require_range(form)
    with db.transaction(caller.actor, request_id) as tx:
        to = found(tx, caller, subscription_id)
        if to.state not in ("active", "paused"):
            raise Conflict(
                f"The subscription is {to.state}; resume it first, and make sure that its receiver is well."
            )
        result = tx.session.execute(
            sa.update(Delivery)
            .where(Delivery.subscription_id == to.id, *_which(form))
            .values(state="waiting", attempts=0, planned_at=tx.now, next_at=tx.now, lease=None)
            .execution_options(synchronize_session=False)
        )
        replayed = int(result.rowcount)  # type: ignore[attr-defined]
        if replayed:
            told = form.model_dump(mode="json", exclude_none=True)
            tx.trail.record(
                to, EventType.SUBSCRIPTION_REPLAYED, {"subscription": str(to.id), "count": replayed, **told}
            )
            tx.after_commit(db.to_send.set)
        return replayed


def count(db: Database, caller: Caller, subscription_id: uuid.UUID, form: Replay) -> int:
    """How many would be sent again. Raises Forbidden, and Invalid for a range without an end."""
    _require_range(form)
    with db.reading() as session:
        access_to_subscriptions(session, caller)
        chosen = sa.select(sa.func.count()).where(Delivery.subscription_id == subscription_id, *_which(form))
        return session.scalar(chosen) or 0


def _require_range(form: Replay) -> None:
    """What arrived is never sent again by leaving something out."""
    fault = None
    if form.since is None and form.until is None and form.deliveries is None and form.state != "failed":
        fault = Fault("/since", "or until is needed; only what failed is sent again without")
    elif form.since is not None and form.until is not None and form.since >= form.until:
        fault = Fault("/since", "is not before until")
    if fault is not None:
        raise Invalid(f"since {fault.detail}.", faults=[fault])


def _which(form: Replay) -> list[sa.ColumnElement[bool]]:
    if form.deliveries is not None:
        waits = sa.and_(Delivery.state == "waiting", Delivery.lease.is_(None))
        return [Delivery.id.in_(form.deliveries), sa.or_(Delivery.state.in_(REPLAYABLE), waits)]
    states = REPLAYABLE if form.state == "any" else (form.state,)
    conditions: list[sa.ColumnElement[bool]] = [Delivery.state.in_(states)]
    if form.since is not None:
        conditions.append(Delivery.created_at >= form.since)
    if form.until is not None:
        conditions.append(Delivery.created_at < form.until)
    return conditions
