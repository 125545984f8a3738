"""What is done with notifications and channels: read, choose, set up."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from ..audit.events import EventType
from ..db import Database
from ..errors import Conflict, Forbidden, NotFound
from ..outbound.guard import Guard
from ..people import persons
from ..people.access import access_of
from ..people.callers import Caller
from ..transaction import SYSTEM
from .chats import require_usable, scheme_of
from .forms import NewChannel
from .models import Channel, Notice, Notification
from .outbox import NotSent, Parcel, Refused, Send
from .telling import BY_DEFAULT, MAIL
from .wishes import PREFERENCE, Wishes
from .wording import path_of


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of a test."""

    channel: str
    receiver: str
    error: str | None
    """Why it did not arrive."""
    seconds: float
    at: datetime


def read(db: Database, caller: Caller, notification_id: uuid.UUID) -> str:
    """Notes that the person has read it; returns the path of the page that it is about. Raises NotFound for another's.

    That somebody read a notice is no event of the trail: it changes nothing but what their bell says.
    """
    with db.transaction(SYSTEM) as tx:
        notification = tx.session.get(
            Notification, notification_id, options=[sa.orm.joinedload(Notification.notice)]
        )
        if notification is None or notification.person_id != caller.person_id:
            raise NotFound("There is no such notification of yours.")
        notification.read_at = notification.read_at or tx.now
        return path_of(notification.notice) or "/"


def read_all(db: Database, caller: Caller) -> None:
    """Notes that the person has read everything that there is by now."""
    with db.transaction(SYSTEM) as tx:
        tx.session.execute(
            sa.update(Notification)
            .where(
                Notification.person_id == caller.person_id,
                Notification.in_app,
                Notification.read_at.is_(None),
            )
            .values(read_at=tx.now)
        )


def set_wishes(db: Database, caller: Caller, wishes: Wishes, request_id: str | None = None) -> None:
    """Keeps how the person wants to be told. Raises Forbidden for who is no person."""
    if caller.person_id is None:
        raise Forbidden("Only a person has wishes.")
    with db.transaction(caller.actor, request_id) as tx:
        person = persons.by_id(tx.session, caller.person_id)
        persons.change(tx, person, preferences={**person.preferences, PREFERENCE: wishes.model_dump()})


def add_channel(
    db: Database,
    caller: Caller,
    form: NewChannel,
    schemes: Collection[str],
    guard: Guard,
    request_id: str | None = None,
) -> None:
    """Sets up a channel. Its address is kept and never shown, nor recorded.

    Raises Forbidden, Conflict for a name that is taken, and Invalid for an address that cannot be used.
    """
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        require_usable(form.address, schemes, guard)
        if form.name in BY_DEFAULT or tx.session.scalar(
            sa.select(Channel.id).where(Channel.name == form.name)
        ):
            raise Conflict(f"There is a channel {form.name} already.")
        channel = Channel(
            name=form.name,
            scheme=scheme_of(form.address),
            address=form.address,
            created_at=tx.now,
            created_by=caller.actor.name,
        )
        tx.session.add(channel)
        told = {"channel": channel.name, "scheme": channel.scheme}
        tx.trail.record(channel, EventType.CHANNEL_ADDED, told)


def try_channel(db: Database, caller: Caller, name: str, send: Send, request_id: str | None = None) -> Tested:
    """Sends a test through a channel at once, by mail to whoever asks. Raises Forbidden and NotFound.

    It passes the outbox by, since whoever waits for the answer wants no second try.
    """
    with db.reading() as session:
        access_of(session, caller).require_admin()
        channel = session.scalar(sa.select(Channel).where(Channel.name == name))
        if channel is None and name != MAIL:
            raise NotFound(f"There is no channel {name}.")
    began = perf_counter()
    parcel = _test_parcel(name, channel, caller, db.clock.now())
    try:
        send(parcel)
        error = None
    except (NotSent, Refused) as refusal:
        error = str(refusal)
    seconds = perf_counter() - began
    with db.transaction(caller.actor, request_id) as tx:
        told = {"channel": name, "arrived": error is None, "error": error, "seconds": round(seconds, 3)}
        tx.trail.append(EventType.CHANNEL_TESTED, told)
        return Tested(name, parcel.receiver, error, seconds, tx.now)


def _test_parcel(name: str, channel: Channel | None, caller: Caller, now: datetime) -> Parcel:
    notice = Notice(
        queue_title="reviewqueue",
        title="test",
        why=f"{caller.actor.name} tests the channel {name}. There is nothing to do.",
        created_at=now,
    )
    receiver = name if channel else caller.email or ""
    return Parcel(name, receiver, channel.address if channel else None, "", (uuid7(),), (notice,), now)


def remove_channel(db: Database, caller: Caller, name: str, request_id: str | None = None) -> None:
    """Forgets a channel with its address. What still waits for it fails. Raises Forbidden and NotFound."""
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        channel = tx.session.scalar(sa.select(Channel).where(Channel.name == name))
        if channel is None:
            raise NotFound(f"There is no channel {name}.")
        tx.session.delete(channel)
        tx.trail.record(channel, EventType.CHANNEL_REMOVED, {"channel": name, "scheme": channel.scheme})
