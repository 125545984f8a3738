"""Recording events: each is made whole, hashed and chained at once, and written when its transaction commits."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from ..bulk import insert_rows
from ..db import table_of
from .events import EventType
from .models import Event, EventContent, UnorderedEvents

if TYPE_CHECKING:
    from ..transaction import Actor

MANY = 50
"""Events from which on they are written as a batch is."""


class Chained(Protocol):
    """What has a chain of events of its own: an item."""

    id: uuid.UUID
    queue: str
    queue_id: int
    event_seq: int


class Recorded(NamedTuple):
    """An event as it will be stored."""

    id: uuid.UUID
    type: EventType
    queue_id: int | None
    item_id: uuid.UUID | None
    item_seq: int | None
    at: datetime
    actor: Actor
    body: bytes
    salt: bytes
    hash: bytes


class Trail:
    """The events of one transaction."""

    def __init__(self, session: Session, actor: Actor, at: datetime, request_id: str | None) -> None:
        self._session, self.actor, self.at, self.request_id = session, actor, at, request_id
        self._at_text = rfc3339(at)
        self.events: list[Recorded] = []
        self.subjects: set[object] = set()
        """What has an event in this transaction: audited objects, for the guard to check."""
        self._heads: dict[uuid.UUID, bytes | None] = {}

    def record_item(self, item: Chained, type: EventType, data: dict[str, Any]) -> Recorded:
        """Records what happened to a loaded item, as the next link of its chain."""
        self.subjects.add(item)
        previous = self._head(item)
        item.event_seq += 1
        return self.append(
            type,
            data,
            queue=item.queue,
            queue_id=item.queue_id,
            item_id=item.id,
            item_seq=item.event_seq,
            previous=previous,
        )

    def record(
        self,
        subject: object,
        type: EventType,
        data: dict[str, Any],
        *,
        queue: str | None = None,
        queue_id: int | None = None,
    ) -> Recorded:
        """Records what happened to anything but an item."""
        self.subjects.add(subject)
        return self.append(type, data, queue=queue, queue_id=queue_id)

    def append(
        self,
        type: EventType,
        data: dict[str, Any],
        *,
        queue: str | None = None,
        queue_id: int | None = None,
        item_id: uuid.UUID | None = None,
        item_seq: int | None = None,
        previous: bytes | None = None,
        actor: Actor | None = None,
    ) -> Recorded:
        """Makes and keeps one event. Set-based operations call it with what their statement returned."""
        event_id, actor, salt = uuid7(), actor or self.actor, secrets.token_bytes(16)
        body = orjson.dumps(
            {
                "id": str(event_id),
                "type": type.value,
                "queue": queue,
                "item_id": str(item_id) if item_id else None,
                "item_seq": item_seq,
                "at": self._at_text,
                "actor": actor.as_dict(),
                "data": data,
                "request_id": self.request_id,
                "previous": previous.hex() if previous else None,
            },
            option=orjson.OPT_UTC_Z,
        )
        event = Recorded(
            event_id,
            type,
            queue_id,
            item_id,
            item_seq,
            self.at,
            actor,
            body,
            salt,
            hmac.digest(salt, body, "sha256"),
        )
        if item_id is not None:
            self._heads[item_id] = event.hash
        self.events.append(event)
        return event

    def continue_from(self, item_id: uuid.UUID, head: bytes | None) -> None:
        """Tells the hash of an item's last event, where the caller has it already."""
        self._heads[item_id] = head

    def rewind(self, mark: int) -> None:
        """Forgets the events after the first `mark`, whose savepoint was rolled back."""
        for event in self.events[mark:]:
            if event.item_id is not None:
                self._heads.pop(event.item_id, None)
        del self.events[mark:]

    def write(self, question: sa.ScalarSelect[int]) -> int:
        """Writes the events, their contents and the one row that asks for their positions.

        Answers the question, which rides along with the last of these statements; 0 where nothing was written.
        """
        if not self.events:
            return 0
        connection = self._session.connection()
        events, contents = [event_row(e) for e in self.events], [content_row(e) for e in self.events]
        if len(events) > MANY:
            insert_rows(self._session, table_of(Event), events)
            insert_rows(self._session, table_of(EventContent), contents)
        else:
            connection.execute(_INSERT_EVENT, events)
            connection.execute(_INSERT_CONTENT, contents)
        told = connection.execute(_asking(question), {"event_ids": packed(self.events)})
        answer: int = told.scalar_one()
        return answer

    def _head(self, item: Chained) -> bytes | None:
        if item.id not in self._heads:
            self._heads[item.id] = self._session.connection().scalar(
                _HEAD, {"of": item.id, "last_seq": item.event_seq}
            )
        return self._heads[item.id]


# Made once, and executed below the ORM, which would prepare them anew, and flush half a verb's changes, each time.
_INSERT_EVENT = sa.insert(table_of(Event))
_INSERT_CONTENT = sa.insert(table_of(EventContent))
# Inline: nobody asks for the number that the row gets.
_INSERT_UNORDERED = sa.insert(table_of(UnorderedEvents)).inline()
_EVENTS = table_of(Event).c


@cache
def _asking(question: sa.ScalarSelect[int]) -> Any:
    """Made once for each question, of which there is one."""
    return _INSERT_UNORDERED.returning(question)


_HEAD = sa.select(_EVENTS.hash).where(
    _EVENTS.item_id == sa.bindparam("of"), _EVENTS.item_seq == sa.bindparam("last_seq")
)


def event_row(event: Recorded) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type.value,
        "queue_id": event.queue_id,
        "item_id": event.item_id,
        "item_seq": event.item_seq,
        "at": event.at,
        "actor_kind": event.actor.kind,
        "actor_id": event.actor.id,
        "hash": event.hash,
    }


def content_row(event: Recorded) -> dict[str, Any]:
    return {"event_id": event.id, "salt": event.salt, "body": event.body.decode()}


def packed(events: Sequence[Recorded]) -> bytes:
    return b"".join(e.id.bytes for e in events)


def rfc3339(at: datetime) -> str:
    """A time in UTC as the contract writes it: RFC 3339, microseconds, Z."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
