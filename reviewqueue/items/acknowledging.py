"""Acknowledging an escalation: who was told, or works on the item, says that they are on it; its reminders stop."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from ..audit.events import EventType
from ..errors import Forbidden, WrongState
from ..notifications import queries as notifications
from ..people.access import Access
from ..queues.policy import Policy
from ..transaction import Transaction
from .changing import retime
from .claiming import is_held
from .handling import require_open
from .models import Item


def acknowledge(item: Item, tx: Transaction, policy: Policy, by: Access) -> None:
    """Stops the repeats of the present step, but neither the steps after it nor the deadline.

    The next step, a de-escalation or a reopening ends it. Raises WrongState where nothing has escalated or somebody
    has acknowledged it already, and Forbidden for whom it does not concern.
    """
    require_open(item, "acknowledged")
    if item.level == 0:
        raise WrongState("the item has not escalated, so there is nothing to acknowledge")
    if item.acknowledged_at is not None:
        raise WrongState(f"{item.acknowledged_name} has acknowledged it already")
    if not concerns(tx.session, item, by, tx.now):
        raise Forbidden(
            "Only who was told of the escalation, was given the item or holds it acknowledges it."
        )
    item.acknowledged_at, item.acknowledged_by = tx.now, by.person_id
    item.acknowledged_name = by.actor.name
    tx.record(item, EventType.ITEM_ACKNOWLEDGED, level=item.level, step=item.timer_step)
    retime(item, policy, tx.now)


def concerns(session: Session, item: Item, access: Access, now: datetime) -> bool:
    """Whether the item's escalation is the caller's to acknowledge."""
    if access.person_id is None:
        return False
    holder = item.claim_by if is_held(item, now) else None
    return is_with(access, item.assigned_to, holder) or notifications.was_told(
        session, item.id, access.person_id, item.waiting_since
    )


def is_with(access: Access, assigned_to: str | None, holder: uuid.UUID | None) -> bool:
    """Whether an item is given to the caller or to a team of theirs, or held by them."""
    return access.person_id is not None and (
        assigned_to in access.assignees or (holder is not None and holder == access.person_id)
    )
