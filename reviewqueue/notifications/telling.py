"""Telling people: the verb that writes a notice, whom it is for, and the messages that carry it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from uuid_utils.compat import uuid7

from ..transaction import Transaction
from .audience import Audience, Found, Listener, admins
from .models import Message, Notice, Notification

IN_APP, MAIL = "in-app", "mail"
BY_DEFAULT = (IN_APP, MAIL)
"""The channels of what no policy's step says otherwise: deadlines, assignments, mentions."""
LONGEST_WHY = 400


class Kind(StrEnum):
    ESCALATED = "escalated"
    TAKEN_BACK = "taken back"
    EXPIRED = "expired"
    ASSIGNED = "assigned"
    MENTIONED = "mentioned"
    ANSWERED = "answered"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Subject:
    """The item that people are told about: nothing of it but what may leave the house."""

    item_id: uuid.UUID
    queue_id: int
    queue: str
    title: str
    due_at: datetime | None


def tell(
    tx: Transaction,
    audience: Audience,
    subject: Subject,
    kind: Kind,
    why: str,
    found: Found,
    through: Sequence[str] = BY_DEFAULT,
) -> list[dict[str, Any]]:
    """Tells the listeners, and the channels that `through` names; returns whom and how, as the event tells it.

    The bell rings whatever `through` says: a mail may wait for the daily hour, and a channel may be gone.
    """
    shared = [name for name in through if name not in BY_DEFAULT]
    if not found.listeners and not shared:
        return [{"note": note} for note in found.notes]
    notice_id = _notice(tx, audience, subject, kind, why)
    told: list[dict[str, Any]] = [
        {"person": listener.email, "through": _tell_person(tx, notice_id, listener, through)}
        for listener in found.listeners
    ]
    told.extend(_tell_channel(tx, audience, notice_id, name) for name in shared)
    told.extend({"note": note} for note in found.notes)
    return told


def tell_admins(tx: Transaction, title: str, why: str, path: str) -> list[dict[str, Any]]:
    """Tells every admin, in the app and by mail, of what is about no item; `path` is the page to look at."""
    listeners = admins(tx.session)
    if not listeners:
        return []
    notice_id = uuid7()
    tx.stage(
        Notice,
        id=notice_id,
        item_id=None,
        path=path,
        queue="",
        queue_title="reviewqueue",
        title=title[:255],
        kind=Kind.DISABLED.value,
        why=why[:LONGEST_WHY],
        late_by=None,
        created_at=tx.now,
    )
    return [
        {"person": listener.email, "through": _tell_person(tx, notice_id, listener, BY_DEFAULT)}
        for listener in listeners
    ]


def others(found: Found, person_id: uuid.UUID | str | None) -> Found:
    """Without the person who did it: nobody needs to be told what they did themselves."""
    kept = tuple(listener for listener in found.listeners if str(listener.id) != str(person_id))
    return Found(kept, found.notes)


def persons(told: Iterable[dict[str, Any]]) -> list[str]:
    """The addresses of the persons of a `told` list."""
    return [entry["person"] for entry in told if "person" in entry]


def _notice(tx: Transaction, audience: Audience, subject: Subject, kind: Kind, why: str) -> uuid.UUID:
    late = (tx.now - subject.due_at).total_seconds() if subject.due_at is not None else 0.0
    notice_id = uuid7()
    tx.stage(
        Notice,
        id=notice_id,
        item_id=subject.item_id,
        path=None,
        queue=subject.queue,
        queue_title=audience.hall(subject.queue_id).title[:200],
        title=subject.title,
        kind=kind.value,
        why=why[:LONGEST_WHY],
        late_by=late if late > 0 else None,
        created_at=tx.now,
    )
    return notice_id


def _tell_person(
    tx: Transaction, notice_id: uuid.UUID, listener: Listener, through: Sequence[str]
) -> list[str]:
    """Tells one person in the app, and by mail where that is asked for and they want it; returns how."""
    mail_at = listener.wishes.mail_at(tx.now) if MAIL in through else None
    tx.stage(
        Notification,
        id=uuid7(),
        notice_id=notice_id,
        person_id=listener.id,
        in_app=True,
        created_at=tx.now,
    )
    if mail_at is not None:
        _post(tx, notice_id, MAIL, listener.email, mail_at)
    return [IN_APP, *([MAIL] if mail_at else [])]


def _tell_channel(tx: Transaction, audience: Audience, notice_id: uuid.UUID, name: str) -> dict[str, Any]:
    if name not in audience.channels():
        return {"channel": name, "note": "there is no such channel"}
    _post(tx, notice_id, name, name, tx.now)
    return {"channel": name}


def _post(tx: Transaction, notice_id: uuid.UUID, channel: str, receiver: str, next_at: datetime) -> None:
    tx.stage(
        Message,
        id=uuid7(),
        notice_id=notice_id,
        channel=channel,
        receiver=receiver,
        state="waiting",
        attempts=0,
        next_at=next_at,
        created_at=tx.now,
    )
