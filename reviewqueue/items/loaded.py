"""One item, loaded and locked where the caller may act on it, and how what became of it is shown."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from ..db import Database
from ..errors import Forbidden, NoSuchItem, Stale
from ..people.access import Access, Action, Caller, access_of
from ..people.models import Role
from ..queues.policies import policy_of
from ..queues.routing import Policy
from ..transaction import Transaction
from .assignees import Assignees
from .claiming import Reviewer
from .models import Evidence, Item, Outcome
from .views import Shown


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim that was made: its token, when it ends, and the item with its evidence."""

    token: str
    until: datetime
    item: Shown


@dataclass(slots=True)
class Handling:
    """One item, loaded and locked, with what an operation on it needs."""

    tx: Transaction
    access: Access
    item: Item
    policy: Policy
    assignees: Assignees = field(init=False)

    def __post_init__(self) -> None:
        self.assignees = Assignees(self.tx.session, self.tx.now)

    @property
    def reviewer(self) -> Reviewer:
        return reviewer_of(self.access, self.item.queue_id, self.policy)


@contextmanager
def handling(
    db: Database,
    caller: Caller,
    item_id: uuid.UUID,
    action: Action,
    request_id: str | None,
    version: int | None = None,
) -> Iterator[Handling]:
    """Loads an item for update where the caller may do the action; elsewhere it does not exist.

    Raises Stale where the caller saw another `version` of it.
    """
    with db.transaction(caller.actor, request_id) as tx:
        access = access_of(tx.session, caller)
        item = tx.session.get(Item, item_id, with_for_update=True)
        if item is None or (
            not access.may(Action.SEE, item.queue_id) and not access.may(action, item.queue_id)
        ):
            raise no_such_item(item_id)
        access.require(action, item.queue_id, item.queue)
        if version is not None and version != item.version:
            raise Stale(f"the item is at version {item.version}; look at it again before you go on")
        yield Handling(tx, access, item, policy_of(tx.session, item.policy_id))


def no_such_item(item_id: uuid.UUID) -> NoSuchItem:
    return NoSuchItem(f"There is no item {item_id} that you can reach.")


def reviewer_of(access: Access, queue_id: int, policy: Policy) -> Reviewer:
    """The caller as a reviewer of a queue. Raises Forbidden for who is no person."""
    role = access.role_in(queue_id)
    if access.person_id is None or role is None:
        raise Forbidden("Reviewing needs a person with a role in the queue, or a key that belongs to one.")
    adjudicates = role is Role.MANAGER or (role is Role.LEAD and policy.adjudicate == "lead")
    assigns = access.may(Action.ASSIGN, queue_id)
    return Reviewer(access.person_id, access.actor.name, role.value, access.assignees, adjudicates, assigns)


def evidence_of(tx: Transaction, item: Item) -> Evidence:
    return tx.session.get_one(Evidence, item.id)


def claimed(tx: Transaction, item: Item, evidence: Evidence) -> Claimed:
    if item.claim_token is None or item.claim_until is None:
        raise LookupError(f"item {item.id} is not claimed")
    outcome = tx.session.get(Outcome, (item.id, item.revision)) if item.has_outcome else None
    return Claimed(
        item.claim_token, item.claim_until, Shown.of(item, outcome, evidence.output_json, evidence)
    )


def shown(tx: Transaction, item: Item) -> Shown:
    tx.session.flush()
    outcome = tx.session.get(Outcome, (item.id, item.revision)) if item.has_outcome else None
    accepted = outcome is not None and outcome.verdict == "accept"
    return Shown.of(item, outcome, evidence_of(tx, item).output_json if accepted else None)
