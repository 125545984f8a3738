"""Following the events and reading an item's trail, for whoever may."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from ..db import Database
from ..errors import Fault, Forbidden, Invalid, NoSuchItem
from ..items.models import Item
from ..items.operations import mark_delivered
from ..items.reopening import UNDO_SECONDS
from ..items.states import OPEN
from ..people.access import Access, Action, Caller, access_of
from ..people.models import Scope
from ..queues.policies import policy_of, queue_named
from .events import EventType
from .ordering import order_events
from .queries import (
    EventDict,
    FeedPage,
    blinded,
    feed,
    last_position,
    trail_of,
    without_what_is_of_no_queue,
)

DECISIONS = frozenset(
    {EventType.ITEM_ACCEPTED, EventType.ITEM_EDITED, EventType.ITEM_REJECTED, EventType.ITEM_CORRECTED}
)


def follow(
    db: Database,
    caller: Caller,
    after: int,
    *,
    queue: str | None = None,
    types: Iterable[str] = (),
    limit: int = 50,
    wait: float = 0.0,
) -> FeedPage:
    """The events behind `after` that the caller may see; waits up to `wait` seconds where there are none yet.

    Of what belongs to no queue, such as persons, keys and subscriptions, only admins and auditors learn more than that
    it happened; who follows some queues alone does not learn that.

    Raises NoSuchQueue, Forbidden, and Invalid for a type that there is not or a position that is yet to come.
    """
    known = known_types(types)

    def look() -> FeedPage:
        order_events(db)
        with db.reading() as session:
            queue_ids, sees_the_rest = _to_follow(session, caller, queue)
            _require_reached(session, after)
            # Whoever follows all queues finds every position, and can tell that none is missing.
            of_no_queue = sees_the_rest or queue_ids is None
            page = feed(
                session, after, queue_ids=queue_ids, of_no_queue=of_no_queue, types=known, limit=limit
            )
            return page if sees_the_rest else replace(page, events=without_what_is_of_no_queue(page.events))

    page = db.bell.wait_for(look, done=lambda page: bool(page.events), seconds=wait)
    if caller.is_app:
        _note_delivered(db, page.events)
    return page


def item_trail(
    db: Database, caller: Caller, item_id: uuid.UUID, *, after: int = 0, limit: int | None = None
) -> list[EventDict]:
    """An item's events behind the `after`th, oldest first. Raises NoSuchItem out of the caller's reach.

    While an item is open under a blind policy, reviewers do not learn what others said.
    """
    with db.reading() as session:
        access = access_of(session, caller)
        item = session.get(Item, item_id)
        if item is None or not any(access.may(a, item.queue_id) for a in (Action.SEE, Action.FOLLOW_EVENTS)):
            raise NoSuchItem(f"There is no item {item_id} that you can reach.")
        events = trail_of(session, item_id, after=after, limit=limit)
        if is_blind_to(session, access, item):
            return blinded(events, caller.actor.id)
        return events


def is_blind_to(session: Session, access: Access, item: Item) -> bool:
    """Whether what others said of the item is kept from the caller, who may still have to say something."""
    policy = policy_of(session, item.policy_id)
    sees_all = access.may(Action.FOLLOW_EVENTS, item.queue_id)
    return item.state in OPEN and policy.blind and policy.reviews_needed > 1 and not sees_all


def known_types(types: Iterable[str]) -> frozenset[str]:
    """The types as named, `item.*` being all of that kind. Raises Invalid for one that there is not."""
    found: set[str] = set()
    for index, name in enumerate(types):
        matching = {
            t.value for t in EventType if t == name or (name.endswith(".*") and t.startswith(name[:-1]))
        }
        if not matching:
            raise Invalid(
                f"There is no event type {name!r}.", faults=[Fault(f"/type/{index}", "is no event type")]
            )
        found |= matching
    return frozenset(found)


def _to_follow(session: Session, caller: Caller, queue: str | None) -> tuple[Collection[int] | None, bool]:
    """The queues (None: all), and whether the caller may read what belongs to none."""
    access = access_of(session, caller)
    access.require_scope(Scope.EVENTS_READ)
    if queue is not None:
        named = queue_named(session, queue)
        access.require(Action.FOLLOW_EVENTS, named.id, named.name)
        return [named.id], False
    queue_ids, of_no_queue = access.queue_ids_for(Action.FOLLOW_EVENTS), access.sees_what_is_of_no_queue
    if queue_ids == frozenset() and not of_no_queue and not caller.is_app:
        raise Forbidden(
            "Following events takes the role lead or manager in a queue, or an auditor. "
            "The trail of an item that you may see is at /items/{id}/events."
        )
    return queue_ids, of_no_queue


def _require_reached(session: Session, after: int) -> None:
    """A reader that is ahead of the feed, as after a restored backup, would miss what comes: it must be told."""
    if after and after > (end := last_position(session)):
        raise Invalid(
            f"The feed ends at {end}, before {after}. Was the database restored from a backup? "
            "Then read on from a position that you know to be in it.",
            faults=[Fault("/after", f"is beyond the end, {end}")],
            end=end,
        )


def _note_delivered(db: Database, events: list[EventDict]) -> None:
    """An app that has read a decision may have acted on it, so that it can no longer be undone."""
    since = db.clock.now() - timedelta(seconds=UNDO_SECONDS)
    fresh = {
        uuid.UUID(event["item_id"])
        for event in events
        if event["type"] in DECISIONS and datetime.fromisoformat(event["at"]) >= since
    }
    if fresh:
        mark_delivered(db, fresh)
