"""What a policy that is not in force would have done with the items of the last days, beside what today's would.

Both route the stored items again, so that the two are told apart by nothing but the policy; whatever version an
item met when it arrived does not matter. Conditions see an item as it was enqueued, `priority` and `supersedes`
aside, which are not kept as they were sent.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import Database
from ..items.models import Evidence, Item
from ..items.rerouting import as_enqueued
from ..people.access import Action, Caller, access_of
from ..queues.document import assemble, parse
from ..queues.models import PolicyVersion, Queue
from ..queues.policies import queue_named
from ..queues.routing import Policy, Routing, compile_policy, route

MOST_ITEMS = 20_000
MOST_EXAMPLES = 20


@dataclass(slots=True)
class Tally:
    """How one policy routes the items."""

    to_people: int = 0
    released: int = 0
    lanes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, routing: Routing) -> None:
        self.to_people += routing.to_human
        self.released += routing.released
        self.lanes[routing.lane.value] += 1
        self.reasons.update(reason.code for reason in routing.reasons)


@dataclass(frozen=True, slots=True)
class Difference:
    """An item as the two policies route it."""

    id: uuid.UUID
    external_id: str | None
    in_force: Routing
    proposed: Routing


@dataclass(slots=True)
class DryRun:
    """The same items under the policy in force and under the proposed one."""

    queue: str
    days: int
    items: int = 0
    complete: bool = True
    """False: there were more than 20,000, and the newest were taken."""
    in_force: Tally = field(default_factory=Tally)
    proposed: Tally = field(default_factory=Tally)
    newly_to_people: int = 0
    newly_released: int = 0
    other_lane: int = 0
    """People look in both cases, and see something else."""
    examples: list[Difference] = field(default_factory=list)

    def compare(self, routed: Difference) -> None:
        in_force, proposed = routed.in_force, routed.proposed
        self.items += 1
        self.in_force.add(in_force)
        self.proposed.add(proposed)
        if proposed.to_human and not in_force.to_human:
            self.newly_to_people += 1
        elif in_force.to_human and not proposed.to_human:
            self.newly_released += 1
        elif in_force.lane != proposed.lane:
            self.other_lane += 1
        else:
            return
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(routed)


def dry_run(db: Database, caller: Caller, queue: str, proposal: dict[str, Any], days: int) -> DryRun:
    """Route the items of the last `days` under the queue's document with the proposal's keys put in.

    The keys are `policy` and, where they change too, `output_schema` and `reasons`. Nothing is written. Raises
    NoSuchQueue, Forbidden or InvalidDocument.
    """
    with db.reading() as session:
        found = queue_named(session, queue)
        access_of(session, caller).require(Action.EDIT_POLICY, found.id, queue)
        in_force, proposed = _policies(session, found, proposal)
        run = DryRun(queue, days)
        since = db.clock.now() - timedelta(days=days)
        for item_id, body in _items(session, found, since):
            if run.items == MOST_ITEMS:
                run.complete = False
                continue  # to the end, which is one item further, so that the cursor is closed
            now, then = (route(policy, body, item_id, found.stage) for policy in (in_force, proposed))
            run.compare(Difference(item_id, body["external_id"], now, then))
        return run


def _policies(session: Session, queue: Queue, proposal: dict[str, Any]) -> tuple[Policy, Policy]:
    kept = session.scalars(sa.select(PolicyVersion.document).where(PolicyVersion.id == queue.policy_id)).one()
    document = parse({**assemble(queue.document, kept), **proposal}, queue.name)
    version = queue.policy_version
    return compile_policy(kept, version), compile_policy(document.policy_part(), version + 1)


def _items(session: Session, queue: Queue, since: datetime) -> Iterator[tuple[uuid.UUID, dict[str, Any]]]:
    """The newest first: each item's id and body."""
    query = (
        sa.select(
            Item.id,
            Item.external_id,
            Item.confidence,
            Item.flags,
            Item.tags,
            Item.valid_until,
            Evidence.input_json,
            Evidence.output_json,
            Evidence.details_json,
        )
        .join(Evidence, Evidence.item_id == Item.id)
        .where(Item.queue_id == queue.id, Item.created_at >= since)
        .order_by(Item.id.desc())
        .limit(MOST_ITEMS + 1)
        .execution_options(yield_per=500)
    )
    for row in session.execute(query):
        yield row.id, as_enqueued(queue.name, row, row)
