"""Acknowledging an escalation: somebody who was told says that they are on it, and its reminders stop."""

from __future__ import annotations

from ..audit.events import EventType
from ..errors import Forbidden, WrongState
from ..notifications import queries as notifications
from ..people.callers import Caller
from ..queues.policy import Policy
from ..transaction import Transaction
from .changing import retime
from .handling import require_open
from .models import Item


def acknowledge(item: Item, tx: Transaction, policy: Policy, by: Caller) -> None:
    """Stops the repeats of the present step, but neither the steps after it nor the deadline.

    The next step, a de-escalation or a reopening ends it. Raises WrongState where nothing has escalated or somebody
    has acknowledged it already, and Forbidden for who was not told.
    """
    require_open(item, "acknowledged")
    if item.level == 0:
        raise WrongState("the item has not escalated, so there is nothing to acknowledge")
    if item.acknowledged_at is not None:
        raise WrongState(f"{item.acknowledged_name} has acknowledged it already")
    me = by.person_id
    if me is None or not notifications.was_told(tx.session, item.id, me, item.waiting_since):
        raise Forbidden("Only somebody who was told of the escalation acknowledges it.")
    item.acknowledged_at, item.acknowledged_by, item.acknowledged_name = tx.now, me, by.actor.name
    tx.record(item, EventType.ITEM_ACKNOWLEDGED, level=item.level, step=item.timer_step)
    retime(item, policy, tx.now)
