"""What pages show of notifications: a person's own, who was told of an item, and what became of each message."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager, joinedload

from ..people.models import Person
from ..queues.models import Queue
from ..queues.policies import policy_of
from ..web.cursors import decode_id, encode_id
from .models import Channel, Message, Notice, Notification
from .seeing import MAY_SEE
from .telling import MAIL

SHOWN = 100
PAGE = 50


@dataclass(frozen=True, slots=True)
class Reached:
    """One receiver of a notice, and whether it arrived."""

    who: str
    """A person's email, or a channel's name."""
    through: str
    """in-app, mail, or the channel's name."""
    state: str
    """read, unread, waiting, sent or failed."""
    at: datetime | None
    """When it was read or arrived; when it is tried next, while it waits."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A notice with everybody whom it was for."""

    notice: Notice
    reached: tuple[Reached, ...]

    @property
    def failed(self) -> bool:
        return any(one.state == "failed" for one in self.reached)


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel as an admin sees it: without its address."""

    name: str
    scheme: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """Messages, the newest first, and the cursor of those before them."""

    messages: tuple[Message, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class NeededBy:
    """What will not arrive any more once a channel is gone."""

    queues: tuple[str, ...]
    """The titles of those whose policy in force names it."""
    waiting: int
    """Messages that are on their way through it."""


def unread(session: Session, person_id: uuid.UUID) -> int:
    """How many notifications the person has not read and may see: found by the partial index."""
    query = sa.select(sa.func.count()).select_from(Notification)
    return session.scalar(query.where(*_own(person_id), Notification.read_at.is_(None))) or 0


def inbox(session: Session, person_id: uuid.UUID) -> Sequence[Notification]:
    """The person's latest notifications of what they may see, the newest first."""
    return session.scalars(
        sa.select(Notification)
        .where(*_own(person_id))
        .order_by(Notification.id.desc())
        .limit(SHOWN)
        .options(contains_eager(Notification.notice))
    ).all()


def was_told(session: Session, item_id: uuid.UUID, person_id: uuid.UUID, since: datetime) -> bool:
    """Whether the person was told of the item's escalation since then."""
    return item_id in told_of(session, person_id, {item_id: since})


def told_of(
    session: Session, person_id: uuid.UUID, since: Mapping[uuid.UUID, datetime]
) -> frozenset[uuid.UUID]:
    """Those of the items of whose escalation the person was told, each since its time. One query."""
    rows = session.execute(
        sa.select(Notice.item_id, sa.func.max(Notice.created_at))
        .join(Notification, Notification.notice_id == Notice.id)
        .where(Notice.item_id.in_(since), Notice.kind == "escalated", Notification.person_id == person_id)
        .group_by(Notice.item_id)
    )
    return frozenset(item_id for item_id, at in rows if item_id is not None and at >= since[item_id])


def told_about(session: Session, item_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Told]]:
    """Who was told of each of the items, and whether it arrived; the newest notice first. Three queries."""
    notices = session.scalars(
        sa.select(Notice).where(Notice.item_id.in_(item_ids)).order_by(Notice.id.desc())
    ).all()
    reached = _in_app(session, [notice.id for notice in notices])
    for notice_id, sent in _messages(session, [notice.id for notice in notices]).items():
        reached[notice_id] += sent
    told: dict[uuid.UUID, list[Told]] = defaultdict(list)
    for notice in notices:
        if notice.item_id is not None:
            told[notice.item_id].append(Told(notice, tuple(reached[notice.id])))
    return dict(told)


def log(session: Session, *, failed: bool = False, cursor: str | None = None, limit: int = PAGE) -> LogPage:
    """What was sent to whom, and whether it arrived; or only what failed. Raises Invalid for another list's cursor."""
    query = (
        sa.select(Message).order_by(Message.id.desc()).limit(limit + 1).options(joinedload(Message.notice))
    )
    if failed:
        query = query.where(Message.state == "failed")
    if cursor is not None:
        query = query.where(Message.id < decode_id(cursor))
    found = session.scalars(query).all()
    shown = tuple(found[:limit])
    return LogPage(shown, encode_id(shown[-1].id) if len(found) > limit else None)


def channels(session: Session) -> list[ChannelRow]:
    rows = session.execute(
        sa.select(Channel.name, Channel.scheme, Channel.created_at, Channel.created_by).order_by(Channel.name)
    )
    return [ChannelRow(*row) for row in rows]


def needed_by(session: Session, name: str) -> NeededBy:
    """Which queues name the channel, and what waits for it."""
    queues = [
        queue.title
        for queue in session.scalars(sa.select(Queue).order_by(Queue.name))
        if any(name in step.notify for step in policy_of(session, queue.policy_id).steps)
    ]
    waiting = sa.select(sa.func.count()).where(Message.channel == name, Message.state == "waiting")
    return NeededBy(tuple(queues), session.scalar(waiting) or 0)


def _own(person_id: uuid.UUID) -> tuple[sa.ColumnExpressionArgument[bool], ...]:
    """The person's behind the bell, as far as they may see what these are about."""
    return (
        Notification.person_id == person_id,
        Notification.in_app,
        Notice.id == Notification.notice_id,
        Person.id == Notification.person_id,
        MAY_SEE,
    )


def _in_app(session: Session, notice_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Reached]]:
    found: dict[uuid.UUID, list[Reached]] = defaultdict(list)
    rows = session.execute(
        sa.select(Notification.notice_id, Person.email, Notification.read_at)
        .join(Person, Person.id == Notification.person_id)
        .where(Notification.notice_id.in_(notice_ids), Notification.in_app)
        .order_by(Person.email)
    )
    for notice_id, email, read_at in rows:
        found[notice_id].append(Reached(email, "in-app", "read" if read_at else "unread", read_at))
    return found


def _messages(session: Session, notice_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Reached]]:
    found: dict[uuid.UUID, list[Reached]] = defaultdict(list)
    rows = session.scalars(
        sa.select(Message).where(Message.notice_id.in_(notice_ids)).order_by(Message.receiver, Message.id)
    )
    for row in rows:
        at = row.sent_at if row.state == "sent" else row.next_at if row.state == "waiting" else None
        through = MAIL if row.channel == MAIL else row.channel
        found[row.notice_id].append(Reached(row.receiver, through, row.state, at, row.error))
    return found
