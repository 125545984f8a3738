"""What is done with notifications and channels: read, choose, set up."""

from __future__ import annotations

import uuid
from collections.abc import Collection

import sqlalchemy as sa

from ..audit.events import EventType
from ..db import Database
from ..errors import Conflict, Forbidden, NotFound
from ..people import persons
from ..people.access import access_of
from ..people.callers import Caller
from ..transaction import SYSTEM
from .chats import require_usable, scheme_of
from .forms import NewChannel
from .models import Channel, Notification
from .telling import BY_DEFAULT
from .wishes import PREFERENCE, Wishes


def read(db: Database, caller: Caller, notification_id: uuid.UUID) -> uuid.UUID:
    """Notes that the person has read it; returns the item. Raises NotFound for another's.

    That somebody read a notice is no event of the trail: it changes nothing but what their bell says.
    """
    with db.transaction(SYSTEM) as tx:
        notification = tx.session.get(
            Notification, notification_id, options=[sa.orm.joinedload(Notification.notice)]
        )
        if notification is None or notification.person_id != caller.person_id:
            raise NotFound("There is no such notification of yours.")
        notification.read_at = notification.read_at or tx.now
        return notification.notice.item_id


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
    db: Database, caller: Caller, form: NewChannel, schemes: Collection[str], request_id: str | None = None
) -> None:
    """Sets up a channel. Its address is kept and never shown, nor recorded.

    Raises Forbidden, Conflict for a name that is taken, and Invalid for an address that cannot be used.
    """
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        require_usable(form.address, schemes)
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


def remove_channel(db: Database, caller: Caller, name: str, request_id: str | None = None) -> None:
    """Forgets a channel with its address. What still waits for it fails. Raises Forbidden and NotFound."""
    with db.transaction(caller.actor, request_id) as tx:
        access_of(tx.session, caller).require_admin()
        channel = tx.session.scalar(sa.select(Channel).where(Channel.name == name))
        if channel is None:
            raise NotFound(f"There is no channel {name}.")
        tx.session.delete(channel)
        tx.trail.record(channel, EventType.CHANNEL_REMOVED, {"channel": name, "scheme": channel.scheme})
