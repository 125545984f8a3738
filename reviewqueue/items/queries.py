"""Reading items: one, a page of a list, what somebody holds or typed. Each query says what it needs and no more."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, aliased

from ..errors import Invalid
from ..web.cursors import decode, encode
from .models import Draft, Evidence, Item, Outcome, Review, is_open
from .views import Shown

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list shows. Empty: everything that the caller may see."""

    queue_ids: Collection[int] | None = None
    states: Sequence[str] = ()
    level_min: int = 0
    flag: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    external_id: str | None = None
    model: str | None = None
    search: str | None = None
    order: str = "due"


@dataclass(frozen=True, slots=True)
class Page:
    items: tuple[Shown, ...]
    next: str | None


def shown(session: Session, item_id: uuid.UUID, *, evidence: bool = False) -> Shown | None:
    """One item with its standing outcome, in one query."""
    row = session.execute(_SHOWN_WITH_EVIDENCE if evidence else _SHOWN, {"item_id": item_id}).first()
    if row is None:
        return None
    return Shown.of(*row)


def all_shown(session: Session, item_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Shown]:
    """Items with their standing outcomes, as they are in the database now, whatever the session has of them."""
    rows = session.execute(
        _with_outcome(Item).where(Item.id.in_(item_ids)).execution_options(populate_existing=True)
    )
    return {row[0].id: Shown.of(*row) for row in rows}


def one_shown(session: Session, item_id: uuid.UUID) -> Shown:
    """One item that is known to be there."""
    return Shown.of(*session.execute(_SHOWN, {"item_id": item_id}).one())


def listing(session: Session, filters: Filters, *, limit: int = 50, cursor: str | None = None) -> Page:
    """A page by keyset: cheap at any depth. Raises Invalid for a cursor that is not ours."""
    found = _after(_filtered(session, sa.select(Item), filters), filters.order, cursor)
    # The page first and its outcomes then: a planner without statistics would join the whole queue to sort it.
    item = aliased(Item, found.order_by(*_order(Item, filters.order)).limit(limit + 1).subquery())
    rows = session.execute(_with_outcome(item).order_by(*_order(item, filters.order))).all()
    shown = tuple(Shown.of(*row) for row in rows[:limit])
    more = len(rows) > limit
    return Page(shown, _cursor(filters.order, rows[limit - 1][0]) if more else None)


def held_by(session: Session, person_id: uuid.UUID, now: datetime, queue_id: int | None = None) -> list[Item]:
    """What a person holds now, the oldest claim first."""
    query = sa.select(Item).where(Item.claim_until > now, Item.claim_by == person_id, is_open(Item))
    held = session.scalars(query.order_by(Item.claim_since))
    # Not asked of the database, which would walk through the whole queue instead of the few that are held.
    return [item for item in held if queue_id in (None, item.queue_id)]


def drafts_of(session: Session, person_id: uuid.UUID, limit: int = 20) -> list[tuple[Draft, Item]]:
    """What a person typed on items that are still open, the latest first."""
    query = (
        sa.select(Draft, Item)
        .join(Item, Item.id == Draft.item_id)
        .where(Draft.person_id == person_id, is_open(Item))
        .order_by(Draft.updated_at.desc())
        .limit(limit)
    )
    return [(draft, item) for draft, item in session.execute(query)]


def last_reviews_of(session: Session, person_id: uuid.UUID, limit: int = 10) -> list[tuple[Review, Item]]:
    """A person's last reviews that stand, the latest first."""
    query = (
        sa.select(Review, Item)
        .join(Item, Item.id == Review.item_id)
        .where(Review.person_id == person_id, Review.undone_at.is_(None))
        .order_by(Review.at.desc(), Review.id.desc())
        .limit(limit)
    )
    return [(review, item) for review, item in session.execute(query)]


def reviews_since(session: Session, person_id: uuid.UUID, since: datetime) -> int:
    """How many reviews a person has given since then."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(Review)
            .where(Review.person_id == person_id, Review.at >= since, Review.undone_at.is_(None))
        )
        or 0
    )


def waiting_in(session: Session, queue_id: int) -> int:
    """How many items of a queue wait for people."""
    query = sa.select(sa.func.count()).select_from(Item).where(Item.queue_id == queue_id, is_open(Item))
    return session.scalar(query) or 0


def reviews_of(session: Session, item_id: uuid.UUID) -> Sequence[Review]:
    """All reviews of an item, the oldest first, undone ones too."""
    return session.scalars(sa.select(Review).where(Review.item_id == item_id).order_by(Review.id)).all()


def _with_outcome(item: Any) -> sa.Select[Any]:
    """Items with the outcome that stands, and the suggestion where that is the outcome's output."""
    standing = sa.and_(Outcome.item_id == item.id, Outcome.revision == item.revision, item.has_outcome)
    query: sa.Select[Any] = sa.select(item, Outcome, Evidence.output_json)
    return query.outerjoin(Outcome, standing).outerjoin(
        Evidence, sa.and_(Evidence.item_id == item.id, Outcome.verdict == "accept")
    )


def _filtered(session: Session, query: sa.Select[Any], filters: Filters) -> sa.Select[Any]:
    if filters.queue_ids is not None:
        query = query.where(Item.queue_id.in_(filters.queue_ids))
    if set(filters.states) == {"pending", "disputed"}:
        query = query.where(is_open(Item))
    elif filters.states:
        query = query.where(Item.state.in_(filters.states))
    if filters.level_min:
        query = query.where(Item.level >= filters.level_min)
    if filters.external_id is not None:
        query = query.where(Item.external_id == filters.external_id)
    if filters.model is not None:
        query = query.where(Item.model_name == filters.model)
    if filters.flag is not None:
        query = query.where(_has_flag(session, filters.flag))
    for name, value in filters.tags.items():
        query = query.where(_has_tag(session, name, value))
    for word in (filters.search or "").lower().split():
        text = aliased(Evidence)
        found = sa.select(text.item_id).where(
            text.item_id == Item.id, text.search_text.contains(word, autoescape=True)
        )
        query = query.where(
            sa.or_(sa.func.lower(Item.external_id).contains(word, autoescape=True), found.exists())
        )
    return query


def _has_flag(session: Session, flag: str) -> sa.ColumnElement[bool]:
    if session.get_bind().dialect.name == "postgresql":
        return sa.type_coerce(Item.flags, JSONB).contains([flag])
    each = sa.func.json_each(Item.flags).table_valued("value")
    return sa.select(each.c.value).where(each.c.value == flag).exists()


def _has_tag(session: Session, name: str, value: str) -> sa.ColumnElement[bool]:
    if session.get_bind().dialect.name == "postgresql":
        return sa.type_coerce(Item.tags, JSONB).contains({name: value})
    each = sa.func.json_each(Item.tags).table_valued("key", "value")
    return sa.select(each.c.value).where(each.c.key == name, each.c.value == value).exists()


def _order(item: Any, order: str) -> tuple[Any, ...]:
    if order == "-created":
        return (item.id.desc(),)
    if order == "-priority":
        return item.priority.desc(), item.id
    return item.due_at, item.id


def _after(query: sa.Select[Any], order: str, cursor: str | None) -> sa.Select[Any]:
    """What follows the last item of the page before."""
    after = _read_cursor(order, cursor)
    if after is None:
        return query
    if order == "-created":
        return query.where(Item.id < uuid.UUID(after[0]))
    last = uuid.UUID(after[1])
    if order == "-priority":
        priority = int(after[0])
        return query.where(
            sa.or_(Item.priority < priority, sa.and_(Item.priority == priority, Item.id > last))
        )
    due = sa.literal(datetime.fromisoformat(after[0]) if after[0] else None, Item.due_at.type)
    return query.where(sa.or_(Item.due_at > due, sa.and_(Item.due_at == due, Item.id > last)))


def _cursor(order: str, last: Item) -> str:
    if order == "-created":
        return encode([order, last.id.hex])
    if order == "-priority":
        return encode([order, last.priority, last.id.hex])
    return encode([order, last.due_at.isoformat() if last.due_at else None, last.id.hex])


def _read_cursor(order: str, cursor: str | None) -> list[Any] | None:
    if cursor is None:
        return None
    told = decode(cursor)
    if not told or told[0] != order:
        raise Invalid("The cursor belongs to another order; begin without one.")
    return told[1:]


_SHOWN = _with_outcome(Item).where(Item.id == sa.bindparam("item_id", type_=sa.Uuid))
_SHOWN_WITH_EVIDENCE = (
    sa.select(Item, Outcome, Evidence.output_json, Evidence)
    .outerjoin(
        Outcome, sa.and_(Outcome.item_id == Item.id, Outcome.revision == Item.revision, Item.has_outcome)
    )
    .join(Evidence, Evidence.item_id == Item.id)
    .where(Item.id == sa.bindparam("item_id", type_=sa.Uuid))
)
