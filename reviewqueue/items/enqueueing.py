"""The operations by which apps send AI outputs: one at a time, or up to ten thousand set-wise."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from ..bulk import among
from ..db import Database, table_of
from ..errors import ExternalIdTaken, Fault, Invalid, Refusal
from ..people.access import Access, Action, Caller, access_of
from ..queues.models import Queue
from ..queues.policies import Desk, desk_named, policy_of
from ..transaction import Transaction
from .forms import EnqueueForm, parse
from .handling import withdraw
from .intake import Arrival, Intake, content_hash, write_many, write_one
from .models import Item
from .queries import one_shown
from .repeats import OneBatch, Repeat
from .views import Shown

MOST_IN_BATCH = 10_000
MOST_TRIES = 5
"""Of a batch whose external ids others take meanwhile."""

_ITEMS = table_of(Item)


@dataclass(frozen=True, slots=True)
class Enqueued:
    item: Shown
    replayed: bool


class Taken(NamedTuple):
    """What became of one body of a batch that was taken."""

    id: uuid.UUID
    state: str
    lane: str
    replayed: bool


def enqueue(
    db: Database,
    caller: Caller,
    body: Any,
    *,
    idempotency_key: str | None = None,
    request_id: str | None = None,
) -> Enqueued:
    """Takes one AI output, routes it and answers the item.

    Raises Invalid, NoSuchQueue, Forbidden, ExternalIdTaken when the external id came with other content, and
    IdempotencyKeyReused when the key came with another body.
    """
    form = parse(EnqueueForm, body)
    with db.transaction(caller.actor, request_id) as tx:
        access = access_of(tx.session, caller)
        repeat = (
            Repeat(tx, caller, idempotency_key, content_hash(body)) if idempotency_key is not None else None
        )
        if repeat is not None and (known_id := repeat.begin()) is not None:
            return Enqueued(one_shown(tx.session, known_id), replayed=True)
        queue = _queue_for(tx.session, access, form.queue)
        policy = policy_of(tx.session, queue.policy_id)
        arrival = Intake(queue, policy, tx.now, caller.key_id).arrive(form, body)
        if form.supersedes is not None:
            arrival.item["supersedes"] = _find_superseded(tx.session, queue, form.supersedes)
        known_id = None if write_one(tx, arrival) else _known_by_external_id(tx, arrival)
        if repeat is not None:
            repeat.made(known_id or arrival.id)
        if known_id is not None:
            return Enqueued(one_shown(tx.session, known_id), replayed=True)
        _withdraw_superseded(tx, arrival)
        return Enqueued(Shown.arrived(arrival.item, arrival.outcome, arrival.evidence), replayed=False)


def enqueue_batch(
    db: Database,
    caller: Caller,
    bodies: Sequence[Any],
    *,
    atomic: bool = False,
    once: OneBatch | None = None,
    request_id: str | None = None,
) -> list[Taken | Refusal]:
    """Takes many at once; a body may be a Refusal already, when its line could not be read.

    What is refused spoils no other, unless `atomic`: then Invalid is raised, with a pointer to each, and nothing is
    taken. With `once`, which then has the answer, an equal call that was answered before has no effect.
    """
    if len(bodies) > MOST_IN_BATCH:
        raise Invalid(f"A batch holds up to {MOST_IN_BATCH} items; this one has {len(bodies)}. Send several.")
    results, arrivals = _arrivals(db, caller, bodies)
    if atomic:
        _refuse_all(results)
    with db.transaction(caller.actor, request_id) as tx:
        if once is not None and once.was_answered(tx, caller):
            return []
        for tried in range(1, MOST_TRIES + 1):
            fresh = _sort_out_known(tx, arrivals, results)
            try:
                with tx.session.begin_nested():
                    write_many(tx, [arrival for _, arrival in fresh])
                break
            except IntegrityError:
                if tried == MOST_TRIES:
                    raise
        for index, arrival in fresh:
            results[index] = _taken(arrival)
            _withdraw_superseded(tx, arrival)
        if atomic:
            _refuse_all(results)
        told = [result for result in results if result is not None]
        if once is not None:
            once.keep(told)
        tx.after_commit(db.bell.ring)
    return told


def _arrivals(
    db: Database, caller: Caller, bodies: Sequence[Any]
) -> tuple[list[Taken | Refusal | None], list[tuple[int, Arrival]]]:
    """Validates and routes each body before anything is locked: the refusals by index, and what goes on."""
    results: list[Taken | Refusal | None] = [None] * len(bodies)
    arrivals: list[tuple[int, Arrival]] = []
    intakes: dict[str, Intake | Refusal] = {}
    with db.reading() as session:
        access, now = access_of(session, caller), db.clock.now()
        for index, body in enumerate(bodies):
            try:
                if isinstance(body, Refusal):
                    raise body
                form = parse(EnqueueForm, body)
                if form.queue not in intakes:
                    intakes[form.queue] = _intake(session, access, form.queue, now, caller.key_id)
                intake = intakes[form.queue]
                if isinstance(intake, Refusal):
                    raise intake
                arrival = intake.arrive(form, body)
                if form.supersedes is not None:
                    arrival.item["supersedes"] = _find_superseded(session, arrival.queue, form.supersedes)
                arrivals.append((index, arrival))
            except Refusal as refusal:
                results[index] = refusal
    return results, arrivals


def _intake(
    session: Any, access: Access, name: str, now: datetime, key_id: uuid.UUID | None
) -> Intake | Refusal:
    try:
        queue = _queue_for(session, access, name)
    except Refusal as refusal:
        return refusal
    return Intake(queue, policy_of(session, queue.policy_id), now, key_id)


def _queue_for(session: Any, access: Access, name: str) -> Desk:
    queue = desk_named(session, name)
    access.require(Action.ENQUEUE, queue.id, queue.name)
    return queue


def _sort_out_known(
    tx: Transaction, arrivals: Sequence[tuple[int, Arrival]], results: list[Taken | Refusal | None]
) -> list[tuple[int, Arrival]]:
    """Answers the bodies whose external id is known, here or earlier in the batch; returns the others."""
    known = _known_external_ids(tx, arrivals)
    fresh = []
    for index, arrival in arrivals:
        name = arrival.item["external_id"]
        before = known.get((arrival.item["queue_id"], name)) if name is not None else None
        if before is None:
            fresh.append((index, arrival))
            if name is not None:
                item = arrival.item
                known[item["queue_id"], name] = (
                    item["content_hash"],
                    item["id"],
                    item["state"],
                    item["lane"],
                )
        elif before[0] == arrival.item["content_hash"]:
            results[index] = Taken(before[1], before[2], before[3], replayed=True)
        else:
            results[index] = _taken_by_another(name)
    return fresh


def _known_external_ids(
    tx: Transaction, arrivals: Sequence[tuple[int, Arrival]]
) -> dict[tuple[int, str], tuple[bytes, uuid.UUID, str, str]]:
    by_queue: dict[int, list[str]] = {}
    for _, arrival in arrivals:
        if arrival.item["external_id"] is not None:
            by_queue.setdefault(arrival.item["queue_id"], []).append(arrival.item["external_id"])
    known = {}
    for queue_id, names in by_queue.items():
        rows = tx.session.execute(
            sa.select(*_ITEMS.c["external_id", "content_hash", "id", "state", "lane"]).where(
                _ITEMS.c.queue_id == queue_id, among(tx.session, _ITEMS.c.external_id, names)
            )
        )
        known.update({(queue_id, str(row[0])): (row[1], row[2], row[3], row[4]) for row in rows})
    return known


def _taken(arrival: Arrival) -> Taken:
    return Taken(arrival.id, arrival.item["state"], arrival.item["lane"], replayed=False)


def _taken_by_another(name: str) -> ExternalIdTaken:
    return ExternalIdTaken(
        f"The external id {name!r} came before with other content; send the change under a new one."
    )


def _refuse_all(results: Sequence[Taken | Refusal | None]) -> None:
    refused = [(index, r) for index, r in enumerate(results) if isinstance(r, Refusal)]
    if refused:
        faults = [
            Fault(f"/{index}{fault.pointer}", fault.detail)
            for index, refusal in refused[:100]
            for fault in (refusal.faults or (Fault("", refusal.detail),))
        ]
        raise Invalid(
            f"{len(refused)} of {len(results)} items are refused, so none was taken.", faults=faults
        )


def _known_by_external_id(tx: Transaction, arrival: Arrival) -> uuid.UUID:
    """The item that came before with this external id and the same content. Raises ExternalIdTaken."""
    item_id, hash_ = tx.session.execute(
        sa.select(Item.id, Item.content_hash).where(
            Item.queue_id == arrival.item["queue_id"], Item.external_id == arrival.item["external_id"]
        )
    ).one()
    if hash_ != arrival.item["content_hash"]:
        raise _taken_by_another(arrival.item["external_id"])
    known: uuid.UUID = item_id
    return known


def _find_superseded(session: Any, queue: Desk | Queue, named: str) -> uuid.UUID:
    """The item of this queue that the app names by external id or by id. Raises Invalid."""
    which = [Item.external_id == named]
    with suppress(ValueError):
        which.append(Item.id == uuid.UUID(named))
    found: uuid.UUID | None = session.scalar(
        sa.select(Item.id).where(Item.queue_id == queue.id, sa.or_(*which))
    )
    if found is None:
        detail = f"names {named!r}, which is neither the external id nor the id of an item in {queue.name}"
        raise Invalid("The item to supersede is not there.", faults=[Fault("/supersedes", detail)])
    return found


def _withdraw_superseded(tx: Transaction, arrival: Arrival) -> None:
    """Takes the older item from the people's desks, if it still waits there."""
    if arrival.item["supersedes"] is None:
        return
    old = tx.session.get(Item, arrival.item["supersedes"], with_for_update=True)
    if old is not None and old.is_open:
        policy = policy_of(tx.session, old.policy_id)
        withdraw(old, tx, policy, "superseded by a newer item", superseded_by=str(arrival.id))
