"""Checking the whole trail: every hash, every chain, the order, and that replaying an item gives its row.

What this cannot show: whoever owns the database can rewrite an item's whole chain, hashes and all. Signed
checkpoints that are kept elsewhere are what tells then.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from ..db import Database, UtcDateTime
from .models import Event, EventContent, EventPosition, UnorderedEvents
from .replay import Replayed, replay
from .trail import rfc3339

AT_ONCE = 500

# Items are above the trail: it knows their rows by these columns alone.
ITEM = sa.table(
    "item",
    sa.column("id", sa.Uuid),
    sa.column("state", sa.String),
    sa.column("level", sa.Integer),
    sa.column("claim_by", sa.Uuid),
    sa.column("claim_until", UtcDateTime),
    sa.column("revision", sa.Integer),
    sa.column("has_outcome", sa.Boolean),
    sa.column("event_seq", sa.Integer),
)
OUTCOME = sa.table(
    "outcome",
    sa.column("item_id", sa.Uuid),
    sa.column("revision", sa.Integer),
    sa.column("verdict", sa.String),
    sa.column("by", sa.String),
    sa.column("reason", sa.String),
    sa.column("output_json", sa.Text),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing in the trail that does not hold."""

    subject: str
    """`item <id>`, `event <id>` or `position <n>`."""
    detail: str


@dataclass(slots=True)
class Checked:
    """How much has been looked at."""

    events: int = 0
    items: int = 0
    positions: int = 0


Progress = Callable[[Checked], None]


def verify(db: Database, checked: Checked, progress: Progress = lambda _: None) -> Iterator[Fault]:
    """Yields what does not hold, in one state of the database, and counts into `checked` what was looked at."""
    with db.reading() as session:
        if not db.embedded:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield from _items(session, checked, progress)
        yield from _events_of_no_item(session, checked)
        yield from _positions(session, checked, progress)
        yield from _without_position(session)


def _items(session: Session, checked: Checked, progress: Progress) -> Iterator[Fault]:
    last = uuid.UUID(int=0)
    while rows := _next_items(session, last):
        last = rows[-1].id
        chains = _chains(session, [row.id for row in rows])
        for row in rows:
            chain = chains.pop(row.id, [])
            checked.items += 1
            checked.events += len(chain)
            yield from _faults_of_item(row, chain)
        progress(checked)
    yield from _orphans(session)


def _next_items(session: Session, last: uuid.UUID) -> Sequence[Any]:
    standing = sa.and_(
        OUTCOME.c.item_id == ITEM.c.id, OUTCOME.c.revision == ITEM.c.revision, ITEM.c.has_outcome
    )
    outcome = (OUTCOME.c.verdict, OUTCOME.c.by, OUTCOME.c.reason, OUTCOME.c.output_json)
    return session.execute(
        sa.select(*ITEM.c, *outcome)
        .select_from(ITEM.outerjoin(OUTCOME, standing))
        .where(ITEM.c.id > last)
        .order_by(ITEM.c.id)
        .limit(AT_ONCE)
    ).all()


def _chains(session: Session, item_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Any]]:
    rows = session.execute(_EVENTS.where(Event.item_id.in_(item_ids)).order_by(Event.item_id, Event.item_seq))
    return {item_id: list(chain) for item_id, chain in groupby(rows, key=lambda row: row.item_id)}


def _faults_of_item(row: Any, chain: Sequence[Any]) -> Iterator[Fault]:
    subject = f"item {row.id}"
    if len(chain) != row.event_seq:
        yield Fault(subject, f"has {len(chain)} events where {row.event_seq} were recorded")
    previous: bytes | None = None
    for number, event in enumerate(chain, start=1):
        if event.item_seq != number:
            yield Fault(subject, f"event {number} of its chain is missing")
            return
        if fault := fault_of_event(event, previous):
            yield Fault(subject, f"event {number} ({event.id}) {fault}")
            return
        previous = event.hash
    told, kept = replay([event.body for event in chain]), _kept(row)
    for name in ("state", "level", "claim", "outcome"):
        if (said := getattr(told, name)) != (is_so := getattr(kept, name)):
            yield Fault(subject, f"its events say {name} {said!r}, its row says {is_so!r}")


def _kept(row: Any) -> Replayed:
    """The row as a replay would have it."""
    outcome = None
    if row.has_outcome:
        outcome = {"verdict": row.verdict, "by": row.by, "reason": row.reason, "revision": row.revision}
        if row.output_json is not None:
            outcome["output"] = orjson.loads(row.output_json)
    return Replayed(row.state, row.level, str(row.claim_by) if row.claim_until else None, outcome)


def fault_of_event(event: Any, previous: bytes | None) -> str | None:
    """What is wrong with one event: its hash, its link to the one before it, or the columns beside its bytes."""
    if not hmac.compare_digest(hmac.digest(event.salt, event.body.encode(), "sha256"), event.hash):
        return "has bytes that its hash does not stand for"
    body = orjson.loads(event.body)
    if body["previous"] != (previous.hex() if previous else None):
        return "does not follow the event before it"
    columns = {
        "id": str(event.id),
        "type": event.type,
        "item_id": str(event.item_id) if event.item_id else None,
        "item_seq": event.item_seq,
        "at": rfc3339(event.at),
    }
    differing = [name for name, value in columns.items() if body[name] != value]
    if body["actor"]["kind"] != event.actor_kind or body["actor"]["id"] != event.actor_id:
        differing.append("actor")
    return f"has bytes that differ from its columns: {', '.join(differing)}" if differing else None


def _orphans(session: Session) -> Iterator[Fault]:
    known = sa.exists().where(ITEM.c.id == Event.item_id)
    ids = session.scalars(sa.select(Event.item_id).where(Event.item_id.is_not(None), ~known).distinct())
    for item_id in ids:
        yield Fault(f"item {item_id}", "has events and is not there")


def _events_of_no_item(session: Session, checked: Checked) -> Iterator[Fault]:
    for event in session.execute(_EVENTS.where(Event.item_id.is_(None)).execution_options(yield_per=AT_ONCE)):
        checked.events += 1
        if fault := fault_of_event(event, None):
            yield Fault(f"event {event.id}", fault)


def _positions(session: Session, checked: Checked, progress: Progress) -> Iterator[Fault]:
    """Positions count up without a gap, and each item's events stand in the order of its chain."""
    query = sa.select(EventPosition.position).order_by(EventPosition.position)
    with session.execute(query.execution_options(yield_per=AT_ONCE)) as positions:
        for number, position in enumerate(positions.scalars(), start=1):
            checked.positions = number
            if position != number:
                yield Fault(f"position {number}", "is missing")
                break
            if number % AT_ONCE == 0:
                progress(checked)
    for position, item_id in session.execute(_OUT_OF_ORDER):
        yield Fault(f"position {position}", f"stands before an earlier event of item {item_id}")


def _without_position(session: Session) -> Iterator[Fault]:
    """Every event has a position, or waits for one."""
    waiting = {
        uuid.UUID(bytes=packed[start : start + 16])
        for packed in session.scalars(sa.select(UnorderedEvents.event_ids))
        for start in range(0, len(packed), 16)
    }
    positioned = sa.exists().where(EventPosition.event_id == Event.id)
    for event_id in session.scalars(sa.select(Event.id).where(~positioned)):
        if event_id not in waiting:
            yield Fault(f"event {event_id}", "has no position and waits for none")


_EVENTS = sa.select(
    Event.id,
    Event.type,
    Event.item_id,
    Event.item_seq,
    Event.at,
    Event.actor_kind,
    Event.actor_id,
    Event.hash,
    sa.func.coalesce(EventContent.salt, b"").label("salt"),
    sa.func.coalesce(EventContent.body, "null").label("body"),
).outerjoin(EventContent, EventContent.event_id == Event.id)


_earlier, _later = sa.orm.aliased(Event), sa.orm.aliased(Event)
_at_earlier, _at_later = sa.orm.aliased(EventPosition), sa.orm.aliased(EventPosition)
_OUT_OF_ORDER = (
    sa.select(_at_later.position, _later.item_id)
    .join(_later, _later.id == _at_later.event_id)
    .join(_earlier, sa.and_(_earlier.item_id == _later.item_id, _earlier.item_seq == _later.item_seq - 1))
    .outerjoin(_at_earlier, _at_earlier.event_id == _earlier.id)
    .where(sa.or_(_at_earlier.position.is_(None), _at_earlier.position > _at_later.position))
)
