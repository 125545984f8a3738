"""The one way in which an item's state changes, and what must change with it: outcome, timer and version."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from ..audit.events import EventType
from ..escalation.schedule import Facts, due_at, next_timer
from ..queues.routing import Policy
from ..transaction import Transaction
from .models import Item, Outcome
from .states import State, require_transition


def become(item: Item, tx: Transaction, state: State, event: EventType, **data: Any) -> None:
    """Changes the state and records the event; raises AlreadyDecided or WrongState when it may not."""
    require_transition(State(item.state), state)
    item.state = state
    tx.record(item, event, state=state, **data)
    item.version += 1


def issue_outcome(
    item: Item,
    tx: Transaction,
    *,
    verdict: str,
    by: str,
    output: bytes | None = None,
    reason: str | None = None,
    comment: str | None = None,
) -> dict[str, Any]:
    """Sets the item's next outcome and returns it as the event tells it. `output` is JSON, for an edit alone."""
    item.revision += 1
    item.has_outcome = True
    tx.session.add(
        Outcome(
            item_id=item.id,
            revision=item.revision,
            verdict=verdict,
            by=by,
            output_json=output.decode() if output is not None else None,
            reason=reason,
            comment=comment,
            decided_at=tx.now,
        )
    )
    told: dict[str, Any] = {"verdict": verdict, "by": by, "reason": reason, "revision": item.revision}
    if output is not None:
        told["output"] = orjson.loads(output)
    tx.after_commit(tx.db.bell.ring)
    return told


def start_clock(item: Item, policy: Policy, now: datetime) -> None:
    """Counts due time, escalation and deadline from now: at arrival and at a reopening."""
    item.waiting_since, item.paused_seconds = now, 0.0
    item.timer_step = item.timer_repeats = 0
    item.timer_fired_at = None
    drop_acknowledgement(item)
    item.deadline_at = now + policy.deadline_after if policy.deadline_after and not item.has_outcome else None
    set_due(item, policy)
    retime(item, policy, now)


def set_due(item: Item, policy: Policy) -> None:
    item.due_at = due_at(item.waiting_since, policy.due_after, item.paused_seconds, policy.calendar)


def retime(item: Item, policy: Policy, now: datetime) -> None:
    """Recomputes the item's one timer and bumps the epoch, so that a timer that was under way does nothing."""
    timer = next_timer(policy.steps, facts(item), now, policy.calendar) if item.is_open else None
    item.timer_at, item.timer_kind = (timer.at, timer.kind) if timer else (None, None)
    item.timer_epoch += 1
    item.timer_failures, item.timer_error = 0, None


def facts(item: Item) -> Facts:
    return Facts(
        waiting_since=item.waiting_since,
        paused_seconds=item.paused_seconds,
        deadline_at=None if item.has_outcome else item.deadline_at,
        snoozed_until=item.snoozed_until,
        steps_fired=item.timer_step,
        repeats_fired=item.timer_repeats,
        # Without it nothing repeats: an acknowledgement stops the reminders, and nothing else.
        fired_at=item.timer_fired_at if item.acknowledged_at is None else None,
    )


def drop_claim(item: Item) -> None:
    """Ends the claim for good: its token is worth nothing from here on."""
    item.claim_token = item.claim_by = item.claim_name = item.claim_since = item.claim_until = None


def drop_acknowledgement(item: Item) -> None:
    """What was acknowledged is over: a new step asks anew."""
    item.acknowledged_at = item.acknowledged_by = item.acknowledged_name = None
