"""One item's timer goes off: whatever is due by now happens, once."""

from __future__ import annotations

from ..items.assignees import Assignees
from ..items.changing import facts
from ..items.escalating import escalate, expire, wake
from ..items.models import Item
from ..queues.policies import policy_of
from ..transaction import Transaction
from .models import Firing
from .schedule import Timer, next_timer

FIRING_STEP = {"wake": 0, "deadline": -1}
"""The step that a firing is kept under where it belongs to none."""

WHILE = {
    "escalate": "escalating it",
    "repeat": "reminding of it",
    "deadline": "releasing its fallback",
    "wake": "ending its snooze",
}


def failed_while(item: Item, error: Exception) -> str:
    """What people read of a timer that failed: an error's own text may hold evidence, or values of the database."""
    return f"{type(error).__name__} while {WHILE.get(item.timer_kind or '', 'looking what is due')}"


def planned(item: Item, tx: Transaction) -> Timer | None:
    """What is next for the item, asked again: after a downtime something else may be due than was planned."""
    policy = policy_of(tx.session, item.policy_id)
    return next_timer(policy.steps, facts(item), tx.now, policy.calendar) if item.is_open else None


def fire(item: Item, tx: Transaction, timer: Timer, assignees: Assignees) -> None:
    """Lets a timer that is due do its work. The item is locked.

    The firing's row stands for the item's epoch: a second firing of the same step breaks its primary key.
    """
    policy = policy_of(tx.session, item.policy_id)
    _keep(item, timer, tx)
    if timer.kind == "deadline":
        expire(item, tx, policy, timer.at, assignees)
    elif timer.kind == "wake":
        wake(item, tx, policy, timer.at)
    else:
        escalate(item, tx, policy, timer, assignees)


def _keep(item: Item, timer: Timer, tx: Transaction) -> None:
    tx.stage(
        Firing,
        item_id=item.id,
        epoch=item.timer_epoch,
        step=FIRING_STEP.get(timer.kind, timer.step),
        occurrence=timer.occurrence,
        kind=timer.kind,
        planned_at=timer.at,
        fired_at=tx.now,
    )
